//! What has failed once.

use super::{Fuzzed, on_server_stacks};

/// Runs statements that are answered, by rows or an error.
async fn answered(statements: &[&[u8]]) {
    let mut fuzzed = Fuzzed::start(0).await;
    for sql in statements {
        fuzzed.run(sql).await;
    }
}

#[test]
fn deep_and_long_statements_are_answered() {
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let wide = format!("SELECT {}1", "1 + ".repeat(20_000));
    let all: [&[u8]; 7] = [deep.as_bytes(), wide.as_bytes(), b"", b"\0", b"\xff\xfe", b"/*", b"`"];
    on_server_stacks(answered(&all));
}
