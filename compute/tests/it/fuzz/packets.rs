//! Packets of a client, damaged.

use std::time::Duration;

use firn_mysql_protocol::Error;
use tokio::time::timeout;

use super::{Fuzzed, LONG};
use crate::differential::Random;

/// An answer that a damaged packet does not ask for does not come.
const SILENCE: Duration = Duration::from_millis(1500);

/// A command as it should be.
fn whole(random: &mut Random) -> Vec<u8> {
    let sql = random.word(&[
        "SELECT * FROM p WHERE a = ? AND b = ?",
        "INSERT INTO p VALUES (?, ?, ?, ?)",
        "SELECT ? + ?",
        "UPDATE p SET a = ?",
        "SELECT 1; SELECT 2",
    ]);
    let with = |command: u8, rest: &[u8]| [&[command], rest].concat();
    match random.below(7) {
        // COM_QUERY, COM_STMT_PREPARE, COM_INIT_DB, COM_FIELD_LIST
        0 => with(0x03, sql.as_bytes()),
        1 | 2 => with(0x16, sql.as_bytes()),
        3 => with(0x02, b"fuzz"),
        4 => with(0x04, b"p\0%"),
        // COM_STMT_EXECUTE of one of the first statements, with two integers
        5 => {
            let id = u8::try_from(random.between(1, 4)).expect("small");
            let head = [id, 0, 0, 0, 0, 1, 0, 0, 0];
            with(0x17, &[&head[..], &[0, 1, 3, 0, 3, 0, 7, 0, 0, 0, 9, 0, 0, 0]].concat())
        }
        // COM_STMT_RESET
        _ => with(0x1a, &[1, 0, 0, 0]),
    }
}

/// A command that is damaged mostly.
pub(super) fn damaged(random: &mut Random) -> Vec<u8> {
    let mut out = whole(random);
    if random.percent(25) {
        return out;
    }
    for _ in 0..random.between(1, 3) {
        let byte = u8::try_from(random.below(256)).expect("a byte");
        let at = random.below(out.len() + 1);
        match random.below(5) {
            0 => out.truncate(at.max(1)),
            1 => out.insert(at, byte),
            2 if at < out.len() => out[at] = byte,
            3 if at < out.len() => out[at] = [0, 0x7f, 0xfb, 0xfc, 0xfd, 0xfe, 0xff][at % 7],
            _ => out.extend((0..random.below(20)).map(|_| byte)),
        }
    }
    out
}

/// Sends it: the answer is one that a client understands, an error, or the end of the
/// connection, and others are served in any case.
pub(super) async fn send(fuzzed: &mut Fuzzed, packet: &[u8]) {
    let seed = fuzzed.seed;
    let outcome = timeout(SILENCE, async {
        let outcome = fuzzed.client.0.command(packet).await?;
        fuzzed.client.0.read_all(outcome).await
    });
    let fits = match outcome.await {
        Ok(Ok(_)) => true,
        Ok(Err(Error::Sql(error))) => {
            assert!(error.number >= 1000, "seed {seed}: {error:?} for {packet:?}");
            true
        }
        // What the answer means may be unknown to this client, or there is none.
        Ok(Err(_)) | Err(_) => false,
    };
    // A packet that changes the session, or means another answer, ends the connection here.
    let usable = fits
        && !matches!(packet.first(), Some(0x11 | 0x1f | 0x01 | 0x0b | 0x12 | 0x13 | 0x1e | 0x0c))
        && matches!(timeout(LONG, fuzzed.client.0.query_all(b"SELECT 1")).await, Ok(Ok(_)));
    if !usable {
        timeout(LONG, fuzzed.prepare()).await.expect("the server takes connections");
    }
}
