//! Definitions at random: mostly right ones, with mistakes here and there.

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
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

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }
}

const TYPES: [&str; 74] = [
    "int",
    "int",
    "int",
    "int unsigned",
    "bigint",
    "bigint unsigned",
    "smallint",
    "tinyint",
    "tinyint(1)",
    "mediumint unsigned",
    "int(7)",
    "int(4) zerofill",
    "bool",
    "decimal",
    "decimal(7,3)",
    "decimal(65,30)",
    "decimal(5) unsigned",
    "numeric(4,4)",
    "float",
    "double",
    "float(6,2)",
    "double(9,3) unsigned",
    "float(30)",
    "real",
    "bit",
    "bit(12)",
    "bit(64)",
    "year",
    "date",
    "time",
    "time(2)",
    "datetime",
    "datetime(3)",
    "timestamp",
    "timestamp(6)",
    "char",
    "char(7)",
    "varchar(10)",
    "varchar(10)",
    "varchar(255)",
    "varchar(800)",
    "varchar(3000)",
    "varchar(12) charset latin1",
    "varchar(9) collate utf8mb4_bin",
    "char(4) charset ascii",
    "varchar(6) binary",
    "char(3) charset binary",
    "binary(5)",
    "varbinary(20)",
    "varbinary(4000)",
    "text",
    "tinytext",
    "mediumtext",
    "longtext",
    "text(50)",
    "text charset latin1",
    "blob",
    "tinyblob",
    "longblob",
    "json",
    "enum('a','b','c')",
    "enum('x','y') charset latin1",
    "set('p','q','r')",
    "serial",
    "varchar(20) character set utf8mb4 collate utf8mb4_general_ci",
    "varchar(5) collate utf8mb4_0900_as_cs",
    "varchar(0)",
    "decimal(3,1) zerofill",
    "bigint zerofill",
    "varchar(16383)",
    "year(4)",
    "dec",
    "integer",
    "char(0)",
];

const DEFAULTS: [&str; 26] = [
    "0",
    "1",
    "-1",
    "5",
    "'5'",
    "1.5",
    "'abc'",
    "'a'",
    "''",
    "null",
    "null",
    "now()",
    "now(3)",
    "(1+1)",
    "(uuid())",
    "'2020-01-02'",
    "'2020-01-02 03:04:05.678'",
    "'10:11:12'",
    "b'101'",
    "0x41",
    "true",
    "1e3",
    "'p,q'",
    "(concat('a','b'))",
    "'0000-00-00'",
    "99999",
];

/// The statements of one case.
pub(super) fn case(seed: u64, case: u64) -> Vec<String> {
    let mut r = Random(seed.wrapping_mul(1_000_003).wrapping_add(case));
    r.next();
    let mut out = vec![
        "create table p (id int primary key, k int, v varchar(10), unique (k, v), unique (v))"
            .to_owned(),
    ];
    let mut columns = Vec::new();
    let mut elements = Vec::new();
    for at in 0..1 + r.below(6) {
        let name = format!("c{at}");
        elements.push(column(&mut r, &name, &columns));
        columns.push(name);
    }
    for _ in 0..r.below(4) {
        let element = element(&mut r, &columns);
        let at = r.below(elements.len() as u64 + 1) as usize;
        elements.insert(at, element);
    }
    out.push(format!("create table t ({}){}", elements.join(", "), options(&mut r)));
    shows(&mut out);
    for _ in 0..r.below(4) {
        out.push(alter(&mut r, &mut columns));
        shows(&mut out);
    }
    out
}

fn shows(out: &mut Vec<String>) {
    out.push("show create table t".to_owned());
    out.push("describe t".to_owned());
    out.push("show index from t".to_owned());
}

fn column(r: &mut Random, name: &str, before: &[String]) -> String {
    let mut out = format!("{name} {}", r.one_of(&TYPES));
    if !before.is_empty() && r.percent(8) {
        out.push_str(&format!(" as ({})", expr(r, before, 2)));
        out.push_str(r.one_of(&["", " virtual", " stored"]));
    } else if r.percent(35) {
        out.push_str(&format!(" default {}", r.one_of(&DEFAULTS)));
    }
    for (share, words) in [
        (20, " not null"),
        (4, " null"),
        (5, " unique"),
        (5, " primary key"),
        (4, " auto_increment"),
        (5, " comment 'it''s'"),
        (4, " invisible"),
        (2, " on update now()"),
        (2, " collate utf8mb4_bin"),
    ] {
        if r.percent(share) {
            out.push_str(words);
        }
    }
    if r.percent(4) {
        out.push_str(&format!(" check ({} > 1)", name));
    }
    out
}

fn key_parts(r: &mut Random, columns: &[String]) -> String {
    let mut parts = Vec::new();
    for _ in 0..1 + r.below(3) {
        let mut part =
            if r.percent(6) { format!("({})", expr(r, columns, 2)) } else { name(r, columns) };
        if r.percent(20) && !part.starts_with('(') {
            part.push_str(&format!("({})", 1 + r.below(12)));
        }
        if r.percent(15) {
            part.push_str(" desc");
        }
        parts.push(part);
    }
    parts.join(", ")
}

fn name(r: &mut Random, columns: &[String]) -> String {
    if columns.is_empty() || r.percent(2) {
        return "nosuch".to_owned();
    }
    let name = &columns[r.below(columns.len() as u64) as usize];
    if r.percent(5) { name.to_uppercase() } else { name.clone() }
}

fn element(r: &mut Random, columns: &[String]) -> String {
    let key_name = if r.percent(50) { format!(" k{}", r.below(4)) } else { String::new() };
    let tail = r.one_of(&["", "", "", " comment 'x'", " invisible", " using btree"]);
    match r.below(20) {
        0..=9 => format!("key{key_name} ({}){tail}", key_parts(r, columns)),
        10..=12 => format!("unique{key_name} ({}){tail}", key_parts(r, columns)),
        13..=14 => format!("primary key ({})", key_parts(r, columns)),
        15..=17 => {
            let named = if r.percent(40) { "constraint x " } else { "" };
            let enforced = r.one_of(&["", "", " not enforced"]);
            format!("{named}check ({}){enforced}", truth(r, columns, 2))
        }
        _ => {
            let named = if r.percent(40) { "constraint f " } else { "" };
            let parent = r.one_of(&["p(id)", "p(id)", "p(k)", "p(v)", "nosuch(id)"]);
            let action =
                r.one_of(&["", " on delete cascade", " on update set null", " on delete restrict"]);
            format!("{named}foreign key ({}) references {parent}{action}", name(r, columns))
        }
    }
}

fn options(r: &mut Random) -> String {
    let mut out = String::new();
    for (share, words) in [
        (10, " charset latin1"),
        (5, " collate utf8mb4_bin"),
        (8, " comment 'c'"),
        (5, " row_format=dynamic"),
        (5, " engine=innodb"),
        (3, " auto_increment=7"),
        (3, " stats_persistent=0"),
    ] {
        if r.percent(share) {
            out.push_str(words);
        }
    }
    out
}

/// A number, mostly.
fn expr(r: &mut Random, columns: &[String], depth: u32) -> String {
    if depth == 0 || r.percent(25) {
        return match r.below(4) {
            0 => r.one_of(&["1", "2.5", "-3", "null", "true"]).to_owned(),
            _ => name(r, columns),
        };
    }
    let one = expr(r, columns, depth - 1);
    let other = expr(r, columns, depth - 1);
    match r.below(10) {
        0..=3 => format!("{one} {} {other}", r.one_of(&["+", "-", "*", "div", "%", "|", "&"])),
        4 => format!("abs({one})"),
        5 => format!("ifnull({one}, {other})"),
        6 => format!("if({}, {one}, {other})", truth(r, columns, depth - 1)),
        7 => format!("coalesce({one}, {other}, 0)"),
        8 => format!("cast({one} as signed)"),
        _ => format!("({one})"),
    }
}

fn truth(r: &mut Random, columns: &[String], depth: u32) -> String {
    let one = expr(r, columns, depth.saturating_sub(1));
    let other = expr(r, columns, depth.saturating_sub(1));
    if depth > 0 && r.percent(35) {
        let left = truth(r, columns, depth - 1);
        let right = truth(r, columns, depth - 1);
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

fn alter(r: &mut Random, columns: &mut Vec<String>) -> String {
    let mut actions = Vec::new();
    for _ in 0..1 + r.below(2) {
        let new = format!("n{}", r.below(100));
        let position = match r.below(5) {
            0 => " first".to_owned(),
            1 => format!(" after {}", name(r, columns)),
            _ => String::new(),
        };
        actions.push(match r.below(20) {
            0..=3 => {
                let text = format!("add column {}{position}", column(r, &new, columns));
                columns.push(new);
                text
            }
            4..=5 => format!("add {}", element(r, columns)),
            6..=7 => {
                let which = name(r, columns);
                format!("modify {}{position}", column(r, &which, &[]))
            }
            8 => {
                let which = name(r, columns);
                format!("change {which} {}", column(r, &new, &[]))
            }
            9..=10 => format!("drop column {}", name(r, columns)),
            11 => format!("drop key k{}", r.below(4)),
            12 => "drop primary key".to_owned(),
            13 => format!("rename column {} to {new}", name(r, columns)),
            14 => format!("alter {} set default {}", name(r, columns), r.one_of(&DEFAULTS)),
            15 => format!("alter {} drop default", name(r, columns)),
            16 => format!("rename index k{} to k{}", r.below(4), r.below(4)),
            17 => format!("alter index k{} {}", r.below(4), r.one_of(&["visible", "invisible"])),
            18 => "comment 'new'".to_owned(),
            _ => r
                .one_of(&[
                    "drop check x",
                    "drop foreign key f",
                    "convert to charset utf8mb4",
                    "alter check x not enforced",
                    "drop constraint x",
                ])
                .to_owned(),
        });
    }
    format!("alter table t {}", actions.join(", "))
}
