//! Literals, whose bytes are of `character_set_client` and become text of
//! `collation_connection`. What is expected are a server's answers.

use firn_mysql_semantics::expr::Settings;
use firn_mysql_semantics::types::CollationId;

use crate::answer::{Answer, Outcome, ours_with};

const LATIN1: u16 = 8;
const GBK: u16 = 28;
const UTF8MB3: u16 = 33;
const BINARY: u16 = 63;
const UTF8MB4: u16 = 255;

fn asked(client: u16, connection: u16, expr: &str) -> (String, Vec<u16>) {
    let settings = Settings {
        client_charset: CollationId(client),
        connection_collation: CollationId(connection),
        ..Settings::default()
    };
    let Answer { outcome, warnings } = ours_with(expr, settings);
    let shown = match outcome {
        Outcome::Value { text, .. } => String::from_utf8(text.unwrap_or_default()).unwrap(),
        Outcome::Error { number, message } => panic!("{expr}: {number} {message}"),
    };
    (shown, warnings.into_iter().map(|(number, _)| number).collect())
}

#[test]
fn literals_become_text_of_the_connection() {
    // Statements are in UTF-8 here, whatever the client sent.
    for (client, connection, expr, hex, warned) in [
        (UTF8MB4, LATIN1, "HEX('é')", "E9", false),
        (UTF8MB4, LATIN1, "HEX(_binary'é')", "C3A9", false),
        (UTF8MB4, LATIN1, "HEX(_latin1'é')", "C3A9", false),
        (UTF8MB4, LATIN1, "HEX('😀')", "3F", true),
        (UTF8MB4, UTF8MB3, "HEX('😀')", "3F", true),
        (UTF8MB4, GBK, "HEX('é')", "A8A6", false),
        (UTF8MB4, GBK, "HEX('日')", "C8D5", false),
        (UTF8MB4, BINARY, "HEX('é')", "C3A9", false),
        (UTF8MB3, UTF8MB4, "HEX('é')", "C3A9", false),
        (LATIN1, UTF8MB4, "HEX('é')", "C3A9", false),
        (LATIN1, UTF8MB4, "HEX(_binary'é')", "E9", false),
        (LATIN1, UTF8MB4, "HEX(_latin1'é')", "E9", false),
        (LATIN1, UTF8MB4, "HEX(_latin1'ÿþ')", "FFFE", false),
        (LATIN1, GBK, "HEX('é')", "A8A6", false),
        (LATIN1, GBK, "HEX('ÿþ')", "3F3F", true),
        (LATIN1, BINARY, "HEX('é')", "E9", false),
        (GBK, UTF8MB4, "HEX('日')", "E697A5", false),
        (GBK, UTF8MB4, "HEX(_binary'日')", "C8D5", false),
        (BINARY, UTF8MB4, "HEX('é')", "C3A9", false),
        (BINARY, LATIN1, "HEX('é')", "C3A9", false),
    ] {
        let (shown, warnings) = asked(client, connection, expr);
        assert_eq!(shown, hex, "{expr} from {client} to {connection}");
        let expected: &[u16] = if warned { &[1300] } else { &[] };
        assert_eq!(warnings, expected, "{expr} from {client} to {connection}");
    }
    let (length, _) = asked(UTF8MB4, LATIN1, "CONCAT(CHARSET('é'), LENGTH('é'))");
    assert_eq!(length, "latin11");
}
