//! What has failed once.

use super::Fuzzed;

/// Runs statements that are answered, by rows or an error.
async fn answered(statements: &[&[u8]]) {
    let mut fuzzed = Fuzzed::start(0).await;
    for sql in statements {
        fuzzed.run(sql).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_and_long_statements_are_answered() {
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let wide = format!("SELECT {}1", "1 + ".repeat(20_000));
    answered(&[deep.as_bytes(), wide.as_bytes(), b"", b"\0", b"\xff\xfe", b"/*", b"`"]).await;
}
