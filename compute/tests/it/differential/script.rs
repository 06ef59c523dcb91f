//! Scripts: what is run on both servers.

use super::random::Random;
use super::schema::{self, Style, Table};
use super::{alter, dml, query, sessions};

/// A statement and who runs it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Step {
    pub(crate) session: usize,
    pub(crate) sql: String,
}

/// Statements that run one after the other in a database of their own.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Script {
    /// Clients ask for rows found, not rows changed.
    pub(crate) found_rows: bool,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// Whoever waits for a lock gives up soon, and is waited for.
    pub(crate) fn is_patient(&self) -> bool {
        self.steps.iter().any(|step| step.sql.ends_with("innodb_lock_wait_timeout = 1"))
    }
}

/// How often of 100 statements each kind comes.
struct Mix {
    insert: usize,
    update: usize,
    delete: usize,
    select: usize,
    alter: usize,
    transaction: usize,
}

const MODES: &[&str] = &[
    "",
    "",
    "",
    "SET sql_mode = ''",
    "SET sql_mode = 'STRICT_TRANS_TABLES'",
    "SET sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'",
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
    "SET sql_mode = 'ALLOW_INVALID_DATES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO'",
    "SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'",
    "SET sql_mode = 'TIME_TRUNCATE_FRACTIONAL,STRICT_TRANS_TABLES'",
];

/// The script of a seed.
pub(crate) fn script(seed: u64) -> Script {
    let mut random = Random::new(seed);
    let random = &mut random;
    let family = random.below(100);
    let usual = Style { narrow: false, generated: 12, foreign: 30, columns_max: 8, indexes_max: 2 };
    let tight = Style { narrow: true, generated: 8, foreign: 30, columns_max: 4, indexes_max: 3 };
    let (style, mix) = match family {
        0..=29 => {
            let mix =
                Mix { insert: 50, update: 25, delete: 5, select: 20, alter: 0, transaction: 0 };
            (usual, mix)
        }
        30..=49 => {
            let mix =
                Mix { insert: 45, update: 25, delete: 12, select: 18, alter: 0, transaction: 0 };
            (tight, mix)
        }
        50..=62 => {
            let mix =
                Mix { insert: 40, update: 25, delete: 20, select: 10, alter: 0, transaction: 5 };
            (Style { foreign: 100, ..tight }, mix)
        }
        63..=74 => {
            let mix =
                Mix { insert: 25, update: 5, delete: 3, select: 67, alter: 0, transaction: 0 };
            (Style { generated: 10, ..usual }, mix)
        }
        75..=84 => {
            let mix =
                Mix { insert: 25, update: 10, delete: 5, select: 15, alter: 45, transaction: 0 };
            (Style { indexes_max: 2, ..usual }, mix)
        }
        85..=91 => {
            let mix =
                Mix { insert: 30, update: 20, delete: 12, select: 13, alter: 0, transaction: 25 };
            (tight, mix)
        }
        _ => return sessions::script(random),
    };
    let mut sql: Vec<String> = vec!["SET timestamp = 1718445600.123456".into()];
    let mode = random.word(MODES);
    if !mode.is_empty() {
        sql.push(mode.to_owned());
    }
    let count = if style.foreign == 100 { random.between(2, 3) } else { random.between(1, 2) };
    let mut tables: Vec<Table> = Vec::new();
    for number in 0..count {
        let table = schema::table(random, number, style, &tables);
        sql.push(table.create.clone());
        tables.push(table);
    }
    let narrow = style.narrow;
    for _ in 0..2 {
        sql.push(dml::insert(random, &tables, narrow));
    }
    let length = random.between(16, 30);
    for serial in 0..length {
        let mut at = random.below(100);
        let mut picks = |weight: usize| {
            let hit = at < weight;
            at = at.saturating_sub(weight);
            hit
        };
        let one = if picks(mix.insert) {
            dml::insert(random, &tables, narrow)
        } else if picks(mix.update) {
            dml::update(random, &tables, narrow)
        } else if picks(mix.delete) {
            dml::delete(random, &tables, narrow)
        } else if picks(mix.select) {
            query::select(random, &tables, narrow)
        } else if picks(mix.alter) {
            alter::alter(random, &mut tables, style, serial)
        } else {
            transaction(random)
        };
        sql.push(one);
    }
    if mix.transaction > 0 {
        sql.push("COMMIT".into());
    }
    for table in &tables {
        sql.push(format!("SHOW CREATE TABLE {}", table.name));
        sql.push(format!("SELECT * FROM {}", table.name));
    }
    let found_rows = random.percent(35);
    let steps = sql.into_iter().map(|sql| Step { session: 0, sql }).collect();
    Script { found_rows, steps }
}

fn transaction(random: &mut Random) -> String {
    random
        .word(&[
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT a",
            "SAVEPOINT b",
            "ROLLBACK TO SAVEPOINT a",
            "ROLLBACK TO b",
            "RELEASE SAVEPOINT a",
            "SET autocommit = 0",
            "SET autocommit = 1",
            "COMMIT AND CHAIN",
            "ROLLBACK AND NO CHAIN",
            "START TRANSACTION READ ONLY",
            "SET foreign_key_checks = 0",
            "SET foreign_key_checks = 1",
            "SET unique_checks = 0",
            "SELECT ROW_COUNT(), LAST_INSERT_ID()",
        ])
        .to_owned()
}
