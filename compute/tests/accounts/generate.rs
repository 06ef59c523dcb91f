//! Random statements about accounts, each followed by a look at one.

/// Small and good enough for tests.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const USERS: &[&str] = &["g1", "g2", "g3@localhost", "g4@'10.%'", "h1", "h2", "nobody"];
const GLOBAL: &[&str] = &[
    "SELECT",
    "INSERT",
    "CREATE",
    "RELOAD",
    "PROCESS",
    "CREATE USER",
    "USAGE",
    "BACKUP_ADMIN",
    "XA_RECOVER_ADMIN",
    "FILE",
    "NO_SUCH_ADMIN",
    "CREATE ROLE",
];
const DATABASE: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "CREATE",
    "DROP",
    "LOCK TABLES",
    "EXECUTE",
    "EVENT",
    "TRIGGER",
    "GRANT OPTION",
    "USAGE",
    "FILE",
    "BACKUP_ADMIN",
    "REFERENCES",
];
const TABLE: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "ALTER",
    "INDEX",
    "TRIGGER",
    "GRANT OPTION",
    "USAGE",
    "SELECT (a)",
    "INSERT (b)",
    "UPDATE (a, b)",
    "REFERENCES (a)",
    "SELECT (b)",
    "SELECT (nope)",
    "EVENT",
    "SHOW VIEW",
];
const ROUTINE: &[&str] = &["EXECUTE", "ALTER ROUTINE", "GRANT OPTION", "USAGE", "SELECT"];

fn privileges(random: &mut Random, list: &[&str]) -> String {
    if random.below(8) == 0 {
        return "ALL".to_owned();
    }
    let count = 1 + random.below(3);
    (0..count).map(|_| random.of(list)).collect::<Vec<_>>().join(", ")
}

fn what_and_where(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("{} ON *.*", privileges(random, GLOBAL)),
        1 => {
            let database = random.of(&["db3", "db4", "`x%`", "zz"]);
            format!("{} ON {database}.*", privileges(random, DATABASE))
        }
        2 | 3 => {
            let table = random.of(&["db3.t1", "db4.t1", "db4.t2", "db4.nope"]);
            format!("{} ON {table}", privileges(random, TABLE))
        }
        _ => {
            let routine = random.of(&[
                "PROCEDURE db4.p",
                "FUNCTION db4.f",
                "PROCEDURE db3.p",
                "FUNCTION db4.no",
            ]);
            format!("{} ON {routine}", privileges(random, ROUTINE))
        }
    }
}

fn users(random: &mut Random) -> String {
    let first = random.of(USERS);
    match random.of(USERS) {
        second if second != first && random.below(5) == 0 => format!("{first}, {second}"),
        _ => first.to_owned(),
    }
}

fn option(random: &mut Random) -> &'static str {
    let options = [
        "ACCOUNT LOCK",
        "ACCOUNT UNLOCK",
        "PASSWORD EXPIRE",
        "PASSWORD EXPIRE NEVER",
        "PASSWORD EXPIRE INTERVAL 9 DAY",
        "PASSWORD HISTORY 3",
        "PASSWORD HISTORY DEFAULT",
        "PASSWORD REUSE INTERVAL 4 DAY",
        "PASSWORD REQUIRE CURRENT",
        "FAILED_LOGIN_ATTEMPTS 2",
        "PASSWORD_LOCK_TIME UNBOUNDED",
        "PASSWORD_LOCK_TIME 3",
        "REQUIRE SSL",
        "REQUIRE NONE",
        "WITH MAX_QUERIES_PER_HOUR 5",
        "COMMENT 'it''s \"x\"'",
        "ATTRIBUTE '{\"b\": [1, {\"c\": null}], \"long\": 1}'",
        "ATTRIBUTE '{\"long\": null}'",
        "REQUIRE SUBJECT 'a' CIPHER 'b'",
    ];
    random.of(&options)
}

fn statement(random: &mut Random) -> String {
    let grant = |random: &mut Random| {
        let with = if random.below(5) == 0 { " WITH GRANT OPTION" } else { "" };
        let what = what_and_where(random);
        // Of databases and tables MySQL gives each of several accounts what the ones
        // before it had.
        let several = what.ends_with(" ON *.*");
        let to = if several { users(random) } else { random.of(USERS).to_owned() };
        format!("GRANT {what} TO {to}{with}")
    };
    match random.below(20) {
        0 => format!("CREATE USER {} {}", users(random), option(random)),
        1 => format!("CREATE USER IF NOT EXISTS {}", users(random)),
        2 => format!("CREATE ROLE IF NOT EXISTS {}", random.of(&["h1", "h2"])),
        3 => format!("DROP USER {}", random.of(USERS)),
        4 | 5 => format!("ALTER USER {} {}", users(random), option(random)),
        6 | 7 => {
            let admin = random.of(&["", " WITH ADMIN OPTION"]);
            format!("GRANT {} TO {}{admin}", random.of(&["h1", "h2", "g1"]), users(random))
        }
        8 => format!("REVOKE {} FROM {}", random.of(&["h1", "h2", "g1"]), users(random)),
        9 => {
            let roles = random.of(&["h1", "h2", "ALL", "NONE"]);
            format!("SET DEFAULT ROLE {roles} TO {}", random.of(USERS))
        }
        // Of several, the last one decides whether MySQL minds that it is not there.
        10 => format!("REVOKE ALL PRIVILEGES, GRANT OPTION FROM {}", random.of(USERS)),
        11 => format!("RENAME USER {} TO {}", random.of(USERS), random.of(USERS)),
        12..=14 => {
            let exists = random.of(&["", "", "IF EXISTS "]);
            // Of a database MySQL minds all the same.
            let what = what_and_where(random);
            let ignore = if what.ends_with(" ON *.*") && random.below(3) == 0 {
                " IGNORE UNKNOWN USER"
            } else {
                ""
            };
            // With several, MySQL's warnings of IF EXISTS end with the first, and of ALL
            // the last one decides whether it minds that it is not there.
            let one = !exists.is_empty() || what.starts_with("ALL ON *") || !what.ends_with("*.*");
            let from = if one { random.of(USERS).to_owned() } else { users(random) };
            format!("REVOKE {exists}{what} FROM {from}{ignore}")
        }
        _ => grant(random),
    }
}

/// As many statements, from a seed.
pub(crate) fn statements(seed: u64, count: usize) -> Vec<String> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut statements = Vec::with_capacity(count);
    while statements.len() < count {
        statements.push(statement(&mut random));
        let user = random.of(USERS);
        statements.push(match random.below(4) {
            0 => format!("SHOW CREATE USER {user}"),
            1 => format!("SHOW GRANTS FOR {user} USING h1"),
            _ => format!("SHOW GRANTS FOR {user}"),
        });
    }
    statements
}
