//! Definitions at random: mostly right ones, and mistakes in every fourth.

/// SplitMix64.
struct Random {
    state: u64,
    /// Mistakes are made.
    sloppy: bool,
}

impl Random {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// A mistake, in as many of a hundred times.
    fn slip(&mut self, share: u64) -> bool {
        self.sloppy && self.percent(share)
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

/// Types of one kind, defaults that they take, and what may be done with them.
struct Class {
    types: &'static [&'static str],
    defaults: &'static [&'static str],
    /// An index needs a prefix, takes one, or takes none.
    prefix: Prefix,
    number: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    Never,
    May,
    Must,
    NoIndex,
}

const CLASSES: [Class; 8] = [
    Class {
        types: &[
            "int",
            "int unsigned",
            "bigint",
            "bigint unsigned",
            "smallint",
            "tinyint",
            "int(7)",
            "mediumint unsigned",
            "int(4) zerofill",
            "integer",
            "bigint zerofill",
            "tinyint unsigned",
        ],
        defaults: &["0", "1", "'5'", "true", "0x41", "b'101'", "(1+1)", "12", "null"],
        prefix: Prefix::Never,
        number: true,
    },
    Class {
        types: &[
            "decimal",
            "decimal(7,3)",
            "decimal(65,30)",
            "decimal(5) unsigned",
            "numeric(6,4)",
            "float",
            "double",
            "float(6,2)",
            "double(9,3) unsigned",
            "float(30)",
            "real",
            "dec",
            "decimal(3,1) zerofill",
            "double zerofill",
        ],
        defaults: &["0", "1.5", "'2.25'", "1e1", "(1+1)", "7", "null"],
        prefix: Prefix::Never,
        number: true,
    },
    Class {
        types: &["date", "datetime", "datetime(3)", "timestamp", "timestamp(6)", "datetime(1)"],
        defaults: &["'2020-01-02'", "'2020-01-02 03:04:05.678'", "null", "20200102", "(now())"],
        prefix: Prefix::Never,
        number: false,
    },
    Class {
        types: &["time", "time(2)", "year", "year(4)", "bit", "bit(12)", "bit(64)"],
        defaults: &["0", "1", "null", "(1)"],
        prefix: Prefix::Never,
        number: false,
    },
    Class {
        types: &[
            "char",
            "char(7)",
            "varchar(10)",
            "varchar(255)",
            "varchar(700)",
            "char(255)",
            "varchar(12) charset latin1",
            "varchar(9) collate utf8mb4_bin",
            "char(4) charset ascii",
            "varchar(6) binary",
            "binary(5)",
            "varbinary(20)",
            "varbinary(2000)",
            "varchar(20) character set utf8mb4 collate utf8mb4_general_ci",
            "varchar(5) collate utf8mb4_0900_as_cs",
            "varchar(8) charset utf8mb3",
        ],
        defaults: &["'a'", "''", "5", "0x41", "null", "(concat('a'))", "'Z'"],
        prefix: Prefix::May,
        number: false,
    },
    Class {
        types: &[
            "text",
            "tinytext",
            "mediumtext",
            "longtext",
            "text(50)",
            "text charset latin1",
            "blob",
            "tinyblob",
            "longblob",
            "blob(300)",
            "mediumblob",
            "text collate utf8mb4_bin",
        ],
        defaults: &["null", "(concat('a'))"],
        prefix: Prefix::Must,
        number: false,
    },
    Class {
        types: &[
            "enum('a','b','c')",
            "enum('a','y') charset latin1",
            "set('a','q','r')",
            "set('a','x') collate utf8mb4_bin",
        ],
        defaults: &["'a'", "null", "'A'"],
        prefix: Prefix::Never,
        number: false,
    },
    Class {
        types: &["json"],
        defaults: &["null", "(json_array())", "(json_object('a', 1))"],
        prefix: Prefix::NoIndex,
        number: false,
    },
];

/// Defaults that are wrong for most.
const WRONG: [&str; 8] =
    ["'abc'", "now()", "now(3)", "-1", "99999999999", "'0000-00-00'", "(nosuch)", "'2020-02-31'"];

#[derive(Clone)]
struct Column {
    name: String,
    class: usize,
}

/// The statements of one case.
pub(super) fn case(seed: u64, case: u64) -> Vec<String> {
    let state = seed.wrapping_mul(1_000_003).wrapping_add(case);
    let mut r = Random { state, sloppy: false };
    r.sloppy = r.percent(25);
    let mut out = vec![
        "create table p (id int primary key, k int, v varchar(10), unique (k, v), unique (v))"
            .to_owned(),
    ];
    let mut columns: Vec<Column> = Vec::new();
    let mut elements = Vec::new();
    for at in 0..1 + r.below(6) {
        let column = Column { name: format!("c{at}"), class: r.below(8) as usize };
        elements.push(definition(&mut r, &column, &columns));
        columns.push(column);
    }
    let mut names = Names::default();
    for _ in 0..r.below(4) {
        let element = element(&mut r, &columns, &mut names);
        let at = r.below(elements.len() as u64 + 1) as usize;
        elements.insert(at, element);
    }
    out.push(format!("create table t ({}){}", elements.join(", "), options(&mut r)));
    shows(&mut out);
    for _ in 0..r.below(4) {
        let statement = alter(&mut r, &mut columns, &mut names);
        out.push(statement);
        shows(&mut out);
    }
    out
}

/// What has been used.
#[derive(Default)]
struct Names {
    keys: u64,
    checks: u64,
    foreign_keys: u64,
    primary: bool,
}

fn shows(out: &mut Vec<String>) {
    out.push("show create table t".to_owned());
    out.push("describe t".to_owned());
    out.push("show index from t".to_owned());
}

fn definition(r: &mut Random, column: &Column, before: &[Column]) -> String {
    let class = &CLASSES[column.class];
    let mut out = format!("{} {}", column.name, r.one_of(class.types));
    let numbers: Vec<_> = before.iter().filter(|one| CLASSES[one.class].number).cloned().collect();
    if !numbers.is_empty() && column.class < 2 && r.percent(15) {
        out.push_str(&format!(" as ({})", expr(r, &numbers, 2)));
        out.push_str(r.one_of(&["", " virtual", " stored"]));
    } else if r.slip(20) {
        out.push_str(&format!(" default {}", r.one_of(&WRONG)));
    } else if r.percent(35) {
        let default = r.one_of(class.defaults);
        out.push_str(&format!(" default {default}"));
        if default == "null" {
            return out;
        }
    }
    for (share, words) in
        [(25, " not null"), (5, " null"), (6, " comment 'it''s'"), (5, " invisible")]
    {
        if r.percent(share) && !(words == " null" && out.ends_with("not null")) {
            out.push_str(words);
        }
    }
    if r.percent(5) && class.prefix != Prefix::Must && class.prefix != Prefix::NoIndex {
        out.push_str(" unique");
    }
    if r.slip(10) {
        out.push_str(r.one_of(&[
            " primary key",
            " auto_increment",
            " on update now()",
            " collate utf8mb4_bin",
            " unique",
        ]));
    }
    if r.percent(4) && class.number {
        out.push_str(&format!(" check ({} > 1)", column.name));
    }
    out
}

fn pick<'a>(r: &mut Random, columns: &'a [Column]) -> Option<&'a Column> {
    columns.get(r.below(columns.len() as u64) as usize)
}

fn name(r: &mut Random, columns: &[Column]) -> String {
    match pick(r, columns) {
        Some(column) if !r.slip(5) => {
            if r.percent(5) {
                column.name.to_uppercase()
            } else {
                column.name.clone()
            }
        }
        _ => "nosuch".to_owned(),
    }
}

fn key_parts(r: &mut Random, columns: &[Column]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    let numbers: Vec<_> = columns.iter().filter(|one| CLASSES[one.class].number).cloned().collect();
    for _ in 0..1 + r.below(3) {
        let mut part = if r.percent(8) && !numbers.is_empty() {
            format!("({} + {})", name(r, &numbers), expr(r, &numbers, 1))
        } else {
            let column = pick(r, columns)?;
            let prefix = CLASSES[column.class].prefix;
            let wrong = r.slip(8);
            if (used.contains(&&column.name[..]) || prefix == Prefix::NoIndex) && !wrong {
                continue;
            }
            used.push(&column.name);
            let cut = match prefix {
                Prefix::Must => !wrong,
                Prefix::May => r.percent(20),
                Prefix::Never | Prefix::NoIndex => wrong,
            };
            let length = if wrong { 1 + r.below(900) } else { 1 };
            if cut { format!("{}({length})", column.name) } else { column.name.clone() }
        };
        if r.percent(15) {
            part.push_str(" desc");
        }
        parts.push(part);
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn element(r: &mut Random, columns: &[Column], names: &mut Names) -> String {
    let mut key_name = String::new();
    if r.percent(50) {
        names.keys += u64::from(!r.slip(20));
        key_name = format!(" k{}", names.keys);
    }
    let tail = r.one_of(&["", "", "", " comment 'x'", " invisible", " using btree"]);
    let numbers: Vec<_> = columns.iter().filter(|one| CLASSES[one.class].number).cloned().collect();
    let parts = key_parts(r, columns);
    match (r.below(20), parts) {
        (0..=9, Some(parts)) => format!("key{key_name} ({parts}){tail}"),
        (10..=12, Some(parts)) => format!("unique{key_name} ({parts}){tail}"),
        (13..=15, Some(parts)) if !parts.contains('+') && (!names.primary || r.sloppy) => {
            names.primary = true;
            format!("primary key ({parts})")
        }
        (16..=17, _) => {
            let mut out = "foreign key (".to_owned();
            if r.percent(40) {
                names.foreign_keys += 1;
                out = format!("constraint f{} foreign key (", names.foreign_keys);
            }
            let parent = r.one_of(&["p(id)", "p(id)", "p(v)"]);
            let parent = if r.slip(30) { "p(k)" } else { parent };
            let action =
                r.one_of(&["", " on delete cascade", " on update set null", " on delete restrict"]);
            format!("{out}{}) references {parent}{action}", name(r, columns))
        }
        _ => {
            let mut named = String::new();
            if r.percent(40) {
                names.checks += u64::from(!r.slip(20));
                named = format!("constraint x{} ", names.checks);
            }
            let enforced = r.one_of(&["", "", " not enforced"]);
            format!("{named}check ({}){enforced}", truth(r, &numbers, 2))
        }
    }
}

fn options(r: &mut Random) -> String {
    let mut out = String::new();
    for (share, words) in [
        (10, " charset latin1"),
        (8, " comment 'c'"),
        (5, " row_format=dynamic"),
        (5, " engine=innodb"),
        (3, " stats_persistent=0"),
    ] {
        if r.percent(share) {
            out.push_str(words);
        }
    }
    out
}

/// A number.
fn expr(r: &mut Random, numbers: &[Column], depth: u32) -> String {
    if depth == 0 || r.percent(25) {
        return match r.below(4) {
            0 => r.one_of(&["1", "2.5", "-3", "null", "true"]).to_owned(),
            _ if numbers.is_empty() => "7".to_owned(),
            _ => name(r, numbers),
        };
    }
    let one = expr(r, numbers, depth - 1);
    let other = expr(r, numbers, depth - 1);
    match r.below(10) {
        0..=3 => format!("{one} {} {other}", r.one_of(&["+", "-", "*", "div", "%", "|", "&"])),
        4 => format!("abs({one})"),
        5 => format!("ifnull({one}, {other})"),
        6 => format!("if({}, {one}, {other})", truth(r, numbers, depth - 1)),
        7 => format!("coalesce({one}, {other}, 0)"),
        8 => format!("cast({one} as signed)"),
        _ => format!("({one})"),
    }
}

fn truth(r: &mut Random, numbers: &[Column], depth: u32) -> String {
    let one = expr(r, numbers, depth.saturating_sub(1));
    let other = expr(r, numbers, depth.saturating_sub(1));
    if depth > 0 && r.percent(35) {
        let left = truth(r, numbers, depth - 1);
        let right = truth(r, numbers, depth - 1);
        return match r.below(4) {
            0 => format!("({left}) and ({right})"),
            1 => format!("({left}) or ({right})"),
            2 => format!("not ({left})"),
            _ => format!("({left}) xor ({right})"),
        };
    }
    match r.below(6) {
        0..=2 => format!("{one} {} {other}", r.one_of(&["=", "<>", "<", ">=", "<=>"])),
        3 => format!("({one}) is not null"),
        4 => format!("({one}) between 1 and 9"),
        _ => format!("({one}) in (1, 2, 3)"),
    }
}

fn alter(r: &mut Random, columns: &mut Vec<Column>, names: &mut Names) -> String {
    let mut actions = Vec::new();
    for _ in 0..1 + r.below(2) {
        let new = Column { name: format!("n{}", r.below(1000)), class: r.below(8) as usize };
        let position = match r.below(5) {
            0 => " first".to_owned(),
            1 => format!(" after {}", name(r, columns)),
            _ => String::new(),
        };
        actions.push(match r.below(20) {
            0..=4 => {
                let text = format!("add column {}{position}", definition(r, &new, columns));
                columns.push(new);
                text
            }
            5..=7 => format!("add {}", element(r, columns, names)),
            8..=9 => match pick(r, columns).cloned() {
                Some(column) => format!("modify {}{position}", definition(r, &column, &[])),
                None => continue,
            },
            10 => {
                let which = name(r, columns);
                format!("change {which} {}", definition(r, &new, &[]))
            }
            11..=12 => format!("drop column {}", name(r, columns)),
            13 => format!("drop key k{}", names.keys),
            14 => format!("rename column {} to {}", name(r, columns), new.name),
            15 => match pick(r, columns) {
                Some(column) => {
                    let default = r.one_of(CLASSES[column.class].defaults);
                    format!("alter {} set default {default}", column.name)
                }
                None => continue,
            },
            16 => format!("alter {} drop default", name(r, columns)),
            17 => format!("rename index k{} to r{}", names.keys, r.below(9)),
            18 => {
                let how = r.one_of(&["visible", "invisible"]);
                format!("alter index k{} {how}", names.keys)
            }
            _ => r
                .one_of(&[
                    "drop check x1",
                    "drop foreign key f1",
                    "comment 'new'",
                    "drop primary key",
                    "alter check x1 not enforced",
                    "drop constraint x1",
                ])
                .to_owned(),
        });
    }
    if actions.is_empty() {
        actions.push("comment 'none'".to_owned());
    }
    format!("alter table t {}", actions.join(", "))
}
