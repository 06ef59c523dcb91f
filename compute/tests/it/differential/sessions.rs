//! Steps of two and three sessions over one table, by chance.

use super::random::Random;
use super::script::{Script, Step};

const LEVELS: &[&str] = &["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"];

/// What a statement finds its rows by: rows that exist when nobody deletes them.
fn place(random: &mut Random, by_unique: bool) -> String {
    match random.below(if by_unique { 3 } else { 2 }) {
        0 | 1 => format!("id = {}", random.between(1, 5)),
        _ => format!("u = {}0", random.between(1, 5)),
    }
}

fn locking(random: &mut Random) -> &'static str {
    random.word(&[
        "FOR UPDATE",
        "FOR SHARE",
        "FOR UPDATE NOWAIT",
        "FOR SHARE NOWAIT",
        "FOR UPDATE SKIP LOCKED",
        "LOCK IN SHARE MODE",
    ])
}

fn statement(random: &mut Random, session: usize, dirty: bool, points: bool) -> String {
    match random.below(14) {
        0 | 1 if !dirty => random
            .word(&[
                "SELECT * FROM t ORDER BY id",
                "SELECT COUNT(*), SUM(v) FROM t",
                "SELECT v FROM t WHERE id = 2",
            ])
            .to_owned(),
        0..=2 => format!("SELECT * FROM t WHERE {} {}", place(random, true), locking(random)),
        3 if !points => format!(
            "SELECT * FROM t WHERE id BETWEEN 2 AND {} ORDER BY id {}",
            random.between(3, 5),
            locking(random)
        ),
        3..=7 => {
            let what = random.word(&["v = v + 1", "v = v * 2", "v = 7", "k = k + 1"]);
            format!("UPDATE t SET {what} WHERE {}", place(random, true))
        }
        8 if !points => format!("UPDATE t SET v = v + 100 WHERE k = {}", random.between(1, 2)),
        8 | 9 => format!("DELETE FROM t WHERE id = {}", random.between(1, 5)),
        10 | 11 => {
            let id = 10 * (session + 1) + random.between(1, 3);
            format!("INSERT INTO t VALUES ({id}, {id}0, {}, 0)", random.between(1, 2))
        }
        12 => format!("INSERT INTO t VALUES ({0}, {0}0, 1, 1)", random.between(1, 5)),
        _ => format!(
            "INSERT INTO t VALUES ({0}, {0}0, 1, 1) ON DUPLICATE KEY UPDATE v = v + 5",
            random.between(1, 5)
        ),
    }
}

/// What scripts of several sessions are about.
#[derive(Clone, Copy, PartialEq)]
enum About {
    /// Rows of one table.
    Rows,
    /// Rows that refer to rows of another table.
    References,
    /// A table that is changed meanwhile.
    Definitions,
}

/// A statement on a table and one that refers to it.
fn referring(random: &mut Random, session: usize, dirty: bool) -> String {
    let (parent, child) = (random.between(1, 4), random.between(1, 6));
    match random.below(10) {
        0 if !dirty => "SELECT * FROM c ORDER BY id".into(),
        1 if !dirty => "SELECT COUNT(*) FROM p".into(),
        0 | 1 => format!("SELECT * FROM p WHERE id = {parent} {}", locking(random)),
        2 | 3 => {
            let id = 10 * (session + 1) + random.between(1, 4);
            format!("INSERT INTO c VALUES ({id}, {parent}, 0)")
        }
        4 => format!("INSERT INTO p VALUES ({parent}, 0)"),
        5 => format!("DELETE FROM p WHERE id = {parent}"),
        6 => format!("UPDATE c SET p = {parent} WHERE id = {child}"),
        7 => format!("UPDATE p SET v = v + 1 WHERE id = {parent}"),
        8 => format!("UPDATE p SET id = {} WHERE id = {parent}", random.between(5, 7)),
        _ => format!("DELETE FROM c WHERE id = {child}"),
    }
}

/// A change of the table, or a statement on it.
fn defining(random: &mut Random, session: usize, dirty: bool, serial: usize) -> String {
    match random.below(9) {
        0 => format!("ALTER TABLE t ADD COLUMN n{serial} INT DEFAULT {serial}"),
        1 => format!("CREATE INDEX i{serial} ON t (v)"),
        2 => "ALTER TABLE t MODIFY v BIGINT".into(),
        3 => "SELECT id, v FROM t ORDER BY id".into(),
        4 => "SELECT id FROM t FORCE INDEX (k) WHERE k = 1 ORDER BY id".into(),
        _ => statement(random, session, dirty, true).replace("SELECT *", "SELECT id, u, k, v"),
    }
}

/// Two or three sessions at one level.
pub(crate) fn script(random: &mut Random) -> Script {
    let about = match random.below(10) {
        0..=5 => About::Rows,
        6..=7 => About::References,
        _ => About::Definitions,
    };
    let mut steps = Vec::new();
    let mut add = |session: usize, sql: String| steps.push(Step { session, sql });
    let level = random.word(LEVELS);
    let dirty = level == "READ UNCOMMITTED";
    let points = !random.percent(25);
    let count = random.between(2, 3);
    add(0, "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, k INT, v INT, KEY (k))".into());
    add(
        0,
        "INSERT INTO t VALUES (1, 10, 1, 10), (2, 20, 1, 20), (3, 30, 2, 30), (4, 40, 2, 40), \
         (5, 50, 3, 50)"
            .into(),
    );
    if about == About::References {
        let on_delete = random.word(&["", " ON DELETE CASCADE", " ON DELETE SET NULL"]);
        let on_update = random.word(&["", " ON UPDATE CASCADE"]);
        add(0, "CREATE TABLE p (id INT PRIMARY KEY, v INT)".into());
        add(
            0,
            format!(
                "CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, \
                 CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id){on_delete}{on_update})"
            ),
        );
        add(0, "INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4)".into());
        add(0, "INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3), (4, NULL, 4)".into());
    }
    let short = random.percent(15);
    for session in 0..count {
        add(session, format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"));
        let wait = if short { 1 } else { 30 };
        add(session, format!("SET SESSION innodb_lock_wait_timeout = {wait}"));
    }
    let mut open = [false; 3];
    let mut saved = [false; 3];
    for serial in 0..random.between(12, 22) {
        let session = random.below(count);
        if !open[session] && random.percent(75) {
            let begin = random.word(&[
                "BEGIN",
                "START TRANSACTION",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            ]);
            let begin = if level == "REPEATABLE READ" { begin } else { "BEGIN" };
            add(session, begin.into());
            open[session] = true;
            continue;
        }
        let sql = match random.below(12) {
            0 if open[session] => {
                open[session] = false;
                saved[session] = false;
                random.word(&["COMMIT", "ROLLBACK", "COMMIT"]).to_owned()
            }
            1 if open[session] && !saved[session] => {
                saved[session] = true;
                "SAVEPOINT s".into()
            }
            1 if saved[session] => "ROLLBACK TO s".into(),
            _ => match about {
                About::Rows => statement(random, session, dirty, points),
                About::References => referring(random, session, dirty),
                About::Definitions => defining(random, session, dirty, serial),
            },
        };
        // It ends the transaction.
        if sql.starts_with("ALTER") || sql.starts_with("CREATE") {
            (open[session], saved[session]) = (false, false);
        }
        add(session, sql);
    }
    for session in 0..count {
        add(session, random.word(&["COMMIT", "COMMIT", "ROLLBACK"]).into());
    }
    // Sessions may still have waited for each other above.
    for session in 0..count {
        add(session, "ROLLBACK".into());
    }
    add(0, "SELECT * FROM t ORDER BY id".into());
    if about == About::References {
        add(0, "SELECT * FROM p ORDER BY id".into());
        add(0, "SELECT * FROM c ORDER BY id".into());
    }
    Script { found_rows: false, steps }
}
