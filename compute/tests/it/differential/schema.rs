//! Tables by chance: columns of every type, keys, checks, foreign keys.

use super::literals;
use super::random::Random;

/// The type of a column.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Kind {
    Int { name: &'static str, bits: u32, unsigned: bool },
    Decimal { precision: usize, scale: usize, unsigned: bool },
    Float,
    Double,
    Bit(usize),
    Char(usize),
    Varchar(usize),
    Text(&'static str),
    Binary(usize),
    Varbinary(usize),
    Blob(&'static str),
    Enum,
    Set,
    Date,
    Time(usize),
    Datetime(usize),
    Timestamp(usize),
    Year,
    Json,
}

/// Members of every ENUM and SET column.
pub(crate) const MEMBERS: &[&str] = &["a", "b", "Cc", "d e"];

const INTS: &[(&str, u32)] = &[
    ("TINYINT", 8),
    ("SMALLINT", 16),
    ("MEDIUMINT", 24),
    ("INT", 32),
    ("INT", 32),
    ("BIGINT", 64),
];

fn fraction(length: usize) -> String {
    if length == 0 { String::new() } else { format!("({length})") }
}

impl Kind {
    pub(crate) fn ddl(&self) -> String {
        let unsigned = |on: &bool| if *on { " UNSIGNED" } else { "" };
        match self {
            Kind::Int { name, unsigned: u, .. } => format!("{name}{}", unsigned(u)),
            Kind::Decimal { precision, scale, unsigned: u } => {
                format!("DECIMAL({precision},{scale}){}", unsigned(u))
            }
            Kind::Float => "FLOAT".into(),
            Kind::Double => "DOUBLE".into(),
            Kind::Bit(bits) => format!("BIT({bits})"),
            Kind::Char(length) => format!("CHAR({length})"),
            Kind::Varchar(length) => format!("VARCHAR({length})"),
            Kind::Binary(length) => format!("BINARY({length})"),
            Kind::Varbinary(length) => format!("VARBINARY({length})"),
            Kind::Text(name) | Kind::Blob(name) => (*name).into(),
            Kind::Enum => format!("ENUM('{}')", MEMBERS.join("','")),
            Kind::Set => format!("SET('{}')", MEMBERS.join("','")),
            Kind::Date => "DATE".into(),
            Kind::Time(f) => format!("TIME{}", fraction(*f)),
            Kind::Datetime(f) => format!("DATETIME{}", fraction(*f)),
            Kind::Timestamp(f) => format!("TIMESTAMP{}", fraction(*f)),
            Kind::Year => "YEAR".into(),
            Kind::Json => "JSON".into(),
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Kind::Char(_) | Kind::Varchar(_) | Kind::Text(_))
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Kind::Int { .. } | Kind::Decimal { .. } | Kind::Float | Kind::Double)
    }

    pub(crate) fn is_date(&self) -> bool {
        matches!(self, Kind::Date | Kind::Datetime(_) | Kind::Timestamp(_))
    }

    /// Its values are found by a prefix alone.
    fn is_long(&self) -> bool {
        matches!(self, Kind::Text(_) | Kind::Blob(_))
    }

    /// Any type.
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.below(24) {
            0..=4 => {
                let (name, bits) = *random.of(INTS);
                Kind::Int { name, bits, unsigned: random.percent(40) }
            }
            5 | 6 => {
                let shapes = [
                    (3, 0),
                    (5, 1),
                    (10, 2),
                    (20, 3),
                    (65, 30),
                    (38, 10),
                    (65, 0),
                    (1, 1),
                    (30, 30),
                ];
                let (precision, scale) = *random.of(&shapes);
                Kind::Decimal { precision, scale, unsigned: random.percent(20) }
            }
            7 => Kind::Float,
            8 => Kind::Double,
            9 => Kind::Bit(*random.of(&[1, 5, 8, 17, 63, 64])),
            10 => Kind::Char(*random.of(&[1, 3, 10])),
            11 | 12 => Kind::Varchar(*random.of(&[2, 5, 20, 200])),
            13 => Kind::Text(random.word(&["TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"])),
            14 => {
                if random.percent(50) {
                    Kind::Binary(*random.of(&[1, 4]))
                } else {
                    Kind::Varbinary(*random.of(&[3, 20]))
                }
            }
            15 => Kind::Blob(random.word(&["TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"])),
            16 => Kind::Enum,
            17 => Kind::Set,
            18 => Kind::Date,
            19 => Kind::Time(*random.of(&[0, 0, 1, 2, 3, 4, 5, 6])),
            20 => Kind::Datetime(*random.of(&[0, 0, 1, 3, 5, 6])),
            21 => Kind::Timestamp(*random.of(&[0, 0, 2, 3, 4, 6])),
            22 => Kind::Year,
            _ => Kind::Json,
        }
    }

    /// A type of few values, so that keys collide.
    fn narrow(random: &mut Random) -> Self {
        match random.below(8) {
            0..=3 => {
                let (name, bits) = *random.of(INTS);
                Kind::Int { name, bits, unsigned: random.percent(25) }
            }
            4 => Kind::Varchar(5),
            5 => Kind::Char(3),
            6 => Kind::Decimal { precision: 5, scale: 1, unsigned: false },
            _ => Kind::Date,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) generated: bool,
    pub(crate) auto_increment: bool,
    /// What stands behind the type.
    pub(crate) rest: String,
}

impl Column {
    pub(crate) fn ddl(&self) -> String {
        format!("{} {}{}", self.name, self.kind.ddl(), self.rest)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Names of the primary key's columns.
    pub(crate) primary: Vec<String>,
    /// Names of columns that begin an index.
    pub(crate) indexed: Vec<String>,
    /// Names of indexes but the primary key.
    pub(crate) indexes: Vec<String>,
    pub(crate) checks: Vec<String>,
    pub(crate) foreign: Vec<String>,
    pub(crate) create: String,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Columns that can be written to.
    pub(crate) fn plain(&self) -> Vec<&Column> {
        self.columns.iter().filter(|column| !column.generated).collect()
    }

    /// The order that makes rows' order certain, if there is one.
    pub(crate) fn total_order(&self) -> Option<String> {
        (!self.primary.is_empty()).then(|| self.primary.join(", "))
    }
}

const CHARSETS: &[&str] = &[
    " CHARACTER SET latin1",
    " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs",
    " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    " CHARACTER SET latin1 COLLATE latin1_bin",
    " CHARACTER SET ascii",
    " COLLATE utf8mb4_0900_bin",
    " COLLATE utf8mb4_0900_as_ci",
    " COLLATE utf8mb4_unicode_520_ci",
    " CHARACTER SET latin1 COLLATE latin1_general_cs",
    " CHARACTER SET ascii COLLATE ascii_bin",
];

/// How tables are made.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// Few values, many keys.
    pub(crate) narrow: bool,
    /// Of 100 columns, so many are computed.
    pub(crate) generated: usize,
    /// Of 100 tables after the first, so many refer to another one.
    pub(crate) foreign: usize,
    pub(crate) columns_max: usize,
    pub(crate) indexes_max: usize,
}

fn attributes(random: &mut Random, kind: &Kind, narrow: bool) -> String {
    let mut rest = String::new();
    let texts = kind.is_text() || matches!(kind, Kind::Enum | Kind::Set);
    if texts && random.percent(if narrow { 20 } else { 35 }) {
        rest.push_str(random.word(CHARSETS));
    }
    if matches!(kind, Kind::Timestamp(_)) && random.percent(60) {
        rest.push_str(" NULL");
    } else if random.percent(30) {
        rest.push_str(" NOT NULL");
    }
    let long = kind.is_long() || *kind == Kind::Json;
    match kind {
        Kind::Datetime(f) | Kind::Timestamp(f) if random.percent(45) => {
            let now = format!("CURRENT_TIMESTAMP{}", fraction(*f));
            if random.percent(70) {
                rest.push_str(&format!(" DEFAULT {now}"));
            }
            if random.percent(60) {
                rest.push_str(&format!(" ON UPDATE {now}"));
            }
        }
        _ if !long && random.percent(35) => {
            rest.push_str(&format!(" DEFAULT {}", literals::valid(random, kind, narrow)));
        }
        _ if random.percent(8) => {
            let value = literals::valid(random, kind, narrow);
            let value = match kind {
                Kind::Int { .. } => "(1 + 2)".to_owned(),
                Kind::Varchar(_) | Kind::Text(_) => "(CONCAT('a', 'b'))".to_owned(),
                Kind::Json => "(JSON_ARRAY(1, 'x'))".to_owned(),
                _ => format!("({value})"),
            };
            rest.push_str(&format!(" DEFAULT {value}"));
        }
        _ => {}
    }
    rest
}

/// A column that is computed from another one.
fn computed(random: &mut Random, name: String, from: &Column) -> Column {
    let of = &from.name;
    let (kind, expr) = match &from.kind {
        kind if kind.is_number() => match random.below(3) {
            0 => (Kind::Int { name: "BIGINT", bits: 64, unsigned: false }, format!("{of} + 1")),
            1 => (
                Kind::Decimal { precision: 20, scale: 2, unsigned: false },
                format!("ROUND({of} / 3, 2)"),
            ),
            _ => (Kind::Varchar(20), format!("CONCAT('n', {of})")),
        },
        kind if kind.is_text() => match random.below(3) {
            0 => (Kind::Varchar(20), format!("UPPER({of})")),
            1 => {
                (Kind::Int { name: "INT", bits: 32, unsigned: false }, format!("CHAR_LENGTH({of})"))
            }
            _ => (Kind::Varchar(4), format!("LEFT({of}, 2)")),
        },
        kind if kind.is_date() => match random.below(2) {
            0 => (Kind::Year, format!("YEAR({of})")),
            _ => (Kind::Date, format!("DATE({of}) + INTERVAL 1 DAY")),
        },
        Kind::Json => (Kind::Varchar(20), format!("{of}->>'$.a'")),
        _ => (Kind::Int { name: "INT", bits: 32, unsigned: false }, format!("LENGTH({of})")),
    };
    let stored = random.word(&["", " VIRTUAL", " STORED"]);
    let rest = format!(" GENERATED ALWAYS AS ({expr}){stored}");
    Column { name, kind, generated: true, auto_increment: false, rest }
}

/// A column by chance.
pub(crate) fn column(random: &mut Random, name: String, style: Style, before: &[Column]) -> Column {
    let base: Vec<&Column> =
        before.iter().filter(|one| !one.generated && !one.auto_increment).collect();
    if !base.is_empty() && random.percent(style.generated) {
        let from = *random.of(&base);
        return computed(random, name, from);
    }
    let narrow = style.narrow && random.percent(80);
    let kind = if narrow { Kind::narrow(random) } else { Kind::any(random) };
    let rest = attributes(random, &kind, style.narrow);
    Column { name, kind, generated: false, auto_increment: false, rest }
}

/// A key's part, if the column can be one.
fn part(random: &mut Random, column: &Column) -> Option<String> {
    let down = if random.percent(15) { " DESC" } else { "" };
    let name = &column.name;
    Some(match &column.kind {
        Kind::Json => return None,
        kind if kind.is_long() => format!("{name}({}){down}", random.of(&[1, 2, 5])),
        Kind::Varchar(length) if *length > 3 && random.percent(25) => format!("{name}(2){down}"),
        kind if kind.is_number() && random.percent(8) => format!("(({name} + 1)){down}"),
        Kind::Varchar(_) if random.percent(10) => format!("((LOWER({name}))){down}"),
        kind if kind.is_date() && random.percent(10) => format!("((YEAR({name}))){down}"),
        Kind::Varbinary(length) if *length > 3 && random.percent(40) => {
            format!("{name}(2){down}")
        }
        _ => format!("{name}{down}"),
    })
}

/// An index by chance: what it is called, its definition, the column it begins with.
pub(crate) fn index(
    random: &mut Random,
    name: &str,
    columns: &[Column],
) -> Option<(String, String)> {
    let mut chosen: Vec<&Column> = Vec::new();
    let mut parts = Vec::new();
    for _ in 0..random.between(1, 2) {
        let column = random.of(columns);
        if chosen.iter().all(|one| one.name != column.name) {
            parts.push(part(random, column)?);
            chosen.push(column);
        }
    }
    let word = if random.percent(40) { "UNIQUE KEY" } else { "KEY" };
    Some((format!("{word} {name} ({})", parts.join(", ")), chosen[0].name.clone()))
}

/// A check by chance.
pub(crate) fn check(random: &mut Random, columns: &[Column]) -> Option<String> {
    let column = random.of(columns);
    let name = &column.name;
    if column.auto_increment {
        return None;
    }
    Some(match &column.kind {
        kind if kind.is_number() => {
            let limit = random.word(&["> -3", "< 6", "<> 2", "BETWEEN 0 AND 100"]);
            format!("{name} {limit}")
        }
        kind if kind.is_text() => {
            let limit = random.word(&["<> 'b'", "< 'c'", "NOT LIKE 'x%'", "IN ('a', 'b', '1')"]);
            format!("{name} {limit}")
        }
        kind if kind.is_date() => format!("{name} > '2000-01-01'"),
        _ => format!("{name} IS NOT NULL"),
    })
}

const ACTIONS: &[&str] = &["RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "CASCADE", ""];

/// A foreign key on a new column that refers to another table's key.
fn foreign(random: &mut Random, name: &str, own: &str, target: &Table) -> Option<(Column, String)> {
    let key = target.primary.first()?;
    if target.primary.len() != 1 {
        return None;
    }
    let referred = target.column(key)?;
    let charset = CHARSETS.iter().find(|charset| referred.rest.contains(*charset));
    let mut rest = charset.map_or(String::new(), |charset| (*charset).to_owned());
    if random.percent(15) {
        rest.push_str(" NOT NULL");
    }
    let column = Column {
        name: own.to_owned(),
        kind: referred.kind.clone(),
        generated: false,
        auto_increment: false,
        rest,
    };
    let mut text =
        format!("CONSTRAINT {name} FOREIGN KEY ({own}) REFERENCES {} ({key})", target.name);
    for event in ["DELETE", "UPDATE"] {
        let action = random.word(ACTIONS);
        if !action.is_empty() {
            text.push_str(&format!(" ON {event} {action}"));
        }
    }
    Some((column, text))
}

fn primary(random: &mut Random, style: Style) -> (Vec<Column>, Vec<String>) {
    let plain = |name: &str, kind: Kind, rest: &str| Column {
        name: name.into(),
        kind,
        generated: false,
        auto_increment: rest.contains("AUTO"),
        rest: rest.into(),
    };
    let int = Kind::Int { name: "INT", bits: 32, unsigned: false };
    let (columns, names): (Vec<Column>, &[&str]) =
        match random.below(if style.narrow { 8 } else { 10 }) {
            0..=2 => {
                let (name, bits) = *random.of(INTS);
                let kind = Kind::Int { name, bits, unsigned: random.percent(50) };
                (vec![plain("id", kind, " NOT NULL AUTO_INCREMENT")], &["id"])
            }
            3 | 4 => (vec![plain("id", int, " NOT NULL")], &["id"]),
            5 => {
                let rest = if random.percent(50) { " NOT NULL" } else { random.word(CHARSETS) };
                (vec![plain("id", Kind::Varchar(10), rest)], &["id"])
            }
            6 => {
                let second = plain("id2", Kind::Varchar(4), " NOT NULL");
                (vec![plain("id", int, " NOT NULL"), second], &["id", "id2"])
            }
            7 => {
                let kind = Kind::Decimal { precision: 5, scale: 1, unsigned: false };
                (vec![plain("id", kind, " NOT NULL")], &["id"])
            }
            8 => (vec![plain("id", Kind::Datetime(0), " NOT NULL")], &["id"]),
            _ => (Vec::new(), &[]),
        };
    (columns, names.iter().map(|name| (*name).to_owned()).collect())
}

/// A table by chance; it may refer to those before it.
pub(crate) fn table(random: &mut Random, number: usize, style: Style, before: &[Table]) -> Table {
    let name = format!("t{number}");
    let (mut columns, primary) = primary(random, style);
    let (mut indexed, mut indexes) = (primary.clone(), Vec::new());
    let (mut checks, mut foreigns, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..random.between(2, style.columns_max) {
        let new = column(random, format!("c{at}"), style, &columns);
        columns.push(new);
    }
    for at in 0..random.below(style.indexes_max + 1) {
        let called = format!("k{at}");
        if let Some((line, first)) = index(random, &called, &columns) {
            lines.push(line);
            indexed.push(first);
            indexes.push(called);
        }
    }
    if random.percent(20)
        && let Some(text) = check(random, &columns)
    {
        let called = format!("{name}_chk");
        lines.push(format!("CONSTRAINT {called} CHECK ({text})"));
        checks.push(called);
    }
    if !before.is_empty() && random.percent(style.foreign) {
        let target = random.of(before);
        let called = format!("{name}_fk");
        if let Some((column, line)) = foreign(random, &called, "ref", target) {
            columns.push(column);
            indexed.push("ref".into());
            lines.push(line);
            foreigns.push(called);
        }
    }
    let mut all: Vec<String> = columns.iter().map(Column::ddl).collect();
    if !primary.is_empty() {
        all.push(format!("PRIMARY KEY ({})", primary.join(", ")));
    }
    all.extend(lines);
    let options = random.word(&[
        "",
        "",
        "",
        " CHARSET=latin1",
        " COLLATE=utf8mb4_general_ci",
        " COMMENT='a table'",
        " AUTO_INCREMENT=5",
    ]);
    let create = format!("CREATE TABLE {name} ({}){options}", all.join(", "));
    Table { name, columns, primary, indexed, indexes, checks, foreign: foreigns, create }
}
