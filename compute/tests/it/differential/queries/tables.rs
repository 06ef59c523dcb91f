//! Small tables of all types, full of NULLs, extremes and mixed collations, by chance.

use crate::differential::Random;

/// What can be done with a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Number,
    /// A text; `folds` where texts that differ are equal. Texts of one `collation` are
    /// compared with each other.
    Text {
        folds: bool,
        collation: u8,
    },
    Bytes,
    Date,
    Time,
    Moment,
    Json,
    Member,
    Bits,
}

/// A type and values of it.
struct Kind {
    ddl: &'static str,
    family: Family,
    usual: &'static [&'static str],
    extreme: &'static [&'static str],
}

const SMALL: &[&str] = &["0", "1", "2", "3", "3", "5"];
/// No two that are equal at their ends alone: a group shows one of its values.
const WORDS: &[&str] = &["'a'", "'A'", "'b'", "''", "'1'", "'abc'", "'2'", "'B'"];
const NUMBER: Family = Family::Number;
/// Texts of the default collation.
pub(crate) const FOLDS: Family = Family::Text { folds: true, collation: 0 };
const BIN: Family = Family::Text { folds: false, collation: 1 };
const GENERAL: Family = Family::Text { folds: true, collation: 2 };
const LATIN1: Family = Family::Text { folds: true, collation: 3 };
const AS_CS: Family = Family::Text { folds: false, collation: 4 };

const KINDS: &[Kind] = &[
    Kind { ddl: "TINYINT", family: NUMBER, usual: SMALL, extreme: &["-128", "127"] },
    Kind { ddl: "TINYINT UNSIGNED", family: NUMBER, usual: SMALL, extreme: &["255"] },
    Kind { ddl: "SMALLINT", family: NUMBER, usual: SMALL, extreme: &["-32768", "32767"] },
    Kind { ddl: "MEDIUMINT UNSIGNED", family: NUMBER, usual: SMALL, extreme: &["16777215"] },
    Kind { ddl: "INT", family: NUMBER, usual: SMALL, extreme: &["-2147483648", "2147483647"] },
    Kind { ddl: "INT", family: NUMBER, usual: SMALL, extreme: &["-1", "7"] },
    Kind { ddl: "INT UNSIGNED", family: NUMBER, usual: SMALL, extreme: &["4294967295"] },
    Kind {
        ddl: "BIGINT",
        family: NUMBER,
        usual: SMALL,
        extreme: &["-9223372036854775808", "9223372036854775807"],
    },
    Kind {
        ddl: "BIGINT UNSIGNED",
        family: NUMBER,
        usual: SMALL,
        extreme: &["18446744073709551615"],
    },
    Kind {
        ddl: "DECIMAL(10,2)",
        family: NUMBER,
        usual: &["0", "1.5", "-2.25", "3", "10.10"],
        extreme: &["99999999.99", "-99999999.99"],
    },
    Kind {
        ddl: "DECIMAL(30,10)",
        family: NUMBER,
        usual: &["0", "1.5", "-2.25", "0.0000000001"],
        extreme: &["99999999999999999999.9999999999"],
    },
    Kind { ddl: "DECIMAL(5)", family: NUMBER, usual: SMALL, extreme: &["-99999", "99999"] },
    Kind {
        ddl: "FLOAT",
        family: NUMBER,
        usual: &["0", "1.5", "-2.25", "3"],
        extreme: &["-12500000"],
    },
    Kind {
        ddl: "DOUBLE",
        family: NUMBER,
        usual: &["0", "1.5", "-2.25", "3", "1e10"],
        extreme: &["1.7976931348623157e308", "1e-300"],
    },
    Kind { ddl: "YEAR", family: NUMBER, usual: &["2024", "1999"], extreme: &["1901", "2155"] },
    Kind { ddl: "VARCHAR(20)", family: FOLDS, usual: WORDS, extreme: &["'éß'", "'2024-02-29'"] },
    Kind {
        ddl: "VARCHAR(10) COLLATE utf8mb4_bin",
        family: BIN,
        usual: WORDS,
        extreme: &["'é'", "'日本語'", "'12abc'"],
    },
    Kind {
        ddl: "VARCHAR(12) COLLATE utf8mb4_general_ci",
        family: GENERAL,
        usual: WORDS,
        extreme: &["'x%_'", "'😀'"],
    },
    Kind {
        ddl: "VARCHAR(12) CHARACTER SET latin1",
        family: LATIN1,
        usual: WORDS,
        extreme: &["'é'", "'12:34:56'"],
    },
    Kind {
        ddl: "CHAR(5) COLLATE utf8mb4_0900_as_cs",
        family: AS_CS,
        usual: WORDS,
        extreme: &["'éß'", "'zzzzz'"],
    },
    Kind { ddl: "TEXT", family: FOLDS, usual: WORDS, extreme: &["REPEAT('xy', 200)"] },
    Kind { ddl: "TINYTEXT COLLATE utf8mb4_bin", family: BIN, usual: WORDS, extreme: &["'-3.7'"] },
    Kind { ddl: "BINARY(3)", family: Family::Bytes, usual: WORDS_3, extreme: &["x'ff00'"] },
    Kind { ddl: "VARBINARY(8)", family: Family::Bytes, usual: WORDS, extreme: &["x'00ff80'"] },
    Kind { ddl: "BLOB", family: Family::Bytes, usual: WORDS, extreme: &["x'e9'"] },
    Kind {
        ddl: "DATE",
        family: Family::Date,
        usual: &["'2024-02-29'", "'1999-12-31'", "'2001-01-01'"],
        extreme: &["'1000-01-01'", "'9999-12-31'"],
    },
    Kind {
        ddl: "TIME",
        family: Family::Time,
        usual: &["'12:34:56'", "'00:00:00'", "'-01:00:00'"],
        extreme: &["'838:59:59'", "'-838:59:59'"],
    },
    Kind {
        ddl: "TIME(3)",
        family: Family::Time,
        usual: &["'12:34:56'", "'00:00:01.5'", "'-01:00:00'"],
        extreme: &["'100:00:00.001'"],
    },
    Kind {
        ddl: "DATETIME",
        family: Family::Moment,
        usual: &["'2024-02-29 12:34:56'", "'2001-01-01'", "'1999-12-31 23:59:59'"],
        extreme: &["'9999-12-31 23:59:59'", "'1000-01-01'"],
    },
    Kind {
        ddl: "DATETIME(6)",
        family: Family::Moment,
        usual: &["'2024-02-29 12:34:56.789'", "'2001-01-01'"],
        extreme: &["'9999-12-31 23:59:59.999999'"],
    },
    Kind {
        ddl: "TIMESTAMP NULL",
        family: Family::Moment,
        usual: &["'2024-02-29 12:34:56'", "'2001-01-01'"],
        extreme: &["'1970-01-02 00:00:01'", "'2038-01-18 03:14:07'"],
    },
    Kind {
        ddl: "JSON",
        family: Family::Json,
        usual: &["'{\"a\": 1, \"b\": [1, 2]}'", "'[1, \"x\", null]'", "'\"text\"'", "'12'"],
        extreme: &["'null'", "'true'", "'{\"a\": {\"b\": \"q\"}}'", "'-1.5'"],
    },
    Kind {
        ddl: "ENUM('x','Y','z')",
        family: Family::Member,
        usual: &["'x'", "'Y'", "'z'"],
        extreme: &["'z'"],
    },
    Kind {
        ddl: "SET('p','q','r')",
        family: Family::Member,
        usual: &["'p'", "'p,r'", "'q'"],
        extreme: &["''", "'p,q,r'"],
    },
    Kind { ddl: "BIT(12)", family: Family::Bits, usual: SMALL, extreme: &["b'111111111111'"] },
];
const WORDS_3: &[&str] = &["'a'", "'A'", "'b'", "''", "'1'"];

/// A column by the name that a query calls it by.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) family: Family,
}

/// A table: `id` first, which is its primary key.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

/// A table and what fills it, as statements.
pub(crate) fn table(random: &mut Random, name: &str) -> (Table, Vec<String>) {
    let id = Column { name: "id".into(), family: NUMBER };
    let mut columns = vec![id];
    let mut kinds: Vec<&Kind> = Vec::new();
    let mut lines = vec!["id INT PRIMARY KEY".to_owned()];
    let mut nullable = Vec::new();
    while columns.len() < 9 {
        // A number for its type, so that tables have columns in common.
        let at = random.below(KINDS.len());
        let called = format!("c{at}");
        if columns.iter().any(|column| column.name == called) {
            continue;
        }
        let kind = &KINDS[at];
        let null = random.percent(85);
        lines.push(format!("{called} {}{}", kind.ddl, if null { "" } else { " NOT NULL" }));
        columns.push(Column { name: called, family: kind.family });
        kinds.push(kind);
        nullable.push(null);
    }
    for column in &columns[1..] {
        let long = matches!(column.family, Family::Json | Family::Bytes | Family::Text { .. });
        if !long && random.percent(20) {
            lines.push(format!("KEY ({})", column.name));
        }
    }
    let mut statements = vec![format!("CREATE TABLE {name} ({})", lines.join(", "))];
    let count = if random.percent(8) { 0 } else { random.between(2, 6) };
    let rows: Vec<String> = (1..=count)
        .map(|id| {
            let values = kinds.iter().zip(&nullable).map(|(kind, null)| {
                if *null && random.percent(30) {
                    "NULL"
                } else if random.percent(25) {
                    random.word(kind.extreme)
                } else {
                    random.word(kind.usual)
                }
            });
            let values: Vec<&str> = values.collect();
            format!("({id}, {})", values.join(", "))
        })
        .collect();
    if !rows.is_empty() {
        statements.push(format!("INSERT INTO {name} VALUES {}", rows.join(", ")));
    }
    (Table { name: name.to_owned(), columns }, statements)
}
