//! Statements at random.

use rand::RngExt;
use rand::rngs::SmallRng;

/// Makes statements of bounded depth.
pub(crate) struct Generator<'r> {
    rng: &'r mut SmallRng,
    /// Levels that may still open.
    fuel: u32,
}

impl<'r> Generator<'r> {
    /// A generator that draws from `rng`.
    pub(crate) fn new(rng: &'r mut SmallRng) -> Generator<'r> {
        Generator { rng, fuel: 40 }
    }

    fn pick<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[self.rng.random_range(0..all.len())]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn maybe(&mut self, percent: u32, make: impl FnOnce(&mut Self) -> String) -> String {
        if self.chance(percent) { make(self) } else { String::new() }
    }

    fn list(&mut self, most: u32, mut make: impl FnMut(&mut Self) -> String) -> String {
        let n = self.rng.random_range(1..=most);
        (0..n).map(|_| make(self)).collect::<Vec<_>>().join(", ")
    }

    fn name(&mut self) -> String {
        let names = [
            "a", "b", "t1", "`x y`", "`select`", "_z", "é", "$v", "count", "status", "`a``b`",
            "end",
        ];
        self.pick(&names).to_owned()
    }

    fn table(&mut self) -> String {
        let schema = self.maybe(20, |g| format!("{}.", g.name()));
        format!("{schema}{}", self.name())
    }

    fn column(&mut self) -> String {
        let table = self.maybe(30, |g| format!("{}.", g.name()));
        format!("{table}{}", self.name())
    }

    fn literal(&mut self) -> String {
        let literals = [
            "0",
            "1",
            "42",
            "18446744073709551615",
            "1.5",
            ".5",
            "1e10",
            "1.5e-3",
            "'x'",
            "'it''s'",
            "'a\\\\b'",
            "''",
            "x'4D'",
            "0xFF",
            "b'101'",
            "NULL",
            "TRUE",
            "FALSE",
            "N'n'",
            "_utf8mb4'é'",
            "_binary x'00'",
            "DATE '2024-01-31'",
            "TIMESTAMP'2024-01-31 10:00:00'",
            "'a' 'b'",
            "?",
        ];
        self.pick(&literals).to_owned()
    }

    /// An expression; each operand that is not simple stands in parentheses now and
    /// then, so that precedence decides most of the time.
    pub(crate) fn expr(&mut self) -> String {
        if self.fuel == 0 || self.chance(25) {
            return if self.chance(50) { self.literal() } else { self.column() };
        }
        self.fuel -= 1;
        match self.rng.random_range(0..16) {
            0..=3 => {
                let ops = [
                    "+", "-", "*", "/", "DIV", "%", "MOD", "^", "|", "&", "<<", ">>", "AND", "OR",
                    "XOR", "&&",
                ];
                format!("{} {} {}", self.operand(), self.pick(&ops), self.operand())
            }
            4 => {
                let ops = ["=", "<=>", "<>", "!=", "<", "<=", ">", ">="];
                format!("({} {} {})", self.operand(), self.pick(&ops), self.operand())
            }
            5 => {
                let prefix = self.pick(&["NOT ", "- ", "~ ", "! ", "BINARY ", "+ "]);
                format!("({prefix}{})", self.operand())
            }
            6 => {
                let not = self.pick(&["", "NOT "]);
                let what = match self.rng.random_range(0..5) {
                    0 => format!("LIKE ({})", self.expr()),
                    1 => format!("REGEXP {}", self.operand()),
                    2 => format!("IN ({})", self.list(3, Self::expr)),
                    3 => format!("IN ({})", self.query()),
                    _ => format!("BETWEEN {} AND {}", self.operand(), self.operand()),
                };
                format!("({} {not}{what})", self.operand())
            }
            7 => {
                let what = self.pick(&["NULL", "NOT NULL", "TRUE", "NOT FALSE", "UNKNOWN"]);
                format!("({} IS {what})", self.operand())
            }
            8 => {
                let names =
                    ["f", "concat", "`now`", "s.f", "coalesce", "json_extract", "`weird name`"];
                format!("{}({})", self.pick(&names), self.list(3, Self::expr))
            }
            9 => match self.rng.random_range(0..10) {
                0 => format!(
                    "CAST({} AS {})",
                    self.expr(),
                    self.pick(&["SIGNED", "CHAR(5)", "DECIMAL(5,2)", "JSON"])
                ),
                1 => format!("CONVERT({} USING utf8mb4)", self.expr()),
                2 => format!("EXTRACT(DAY_HOUR FROM {})", self.expr()),
                3 => format!("TRIM(LEADING {} FROM {})", self.expr(), self.expr()),
                4 => format!("SUBSTRING({} FROM {} FOR {})", self.expr(), self.expr(), self.expr()),
                5 => format!("POSITION({} IN {})", self.literal(), self.expr()),
                6 => format!("INTERVAL({}, {})", self.expr(), self.expr()),
                7 => format!("TIMESTAMPDIFF(DAY, {}, {})", self.expr(), self.expr()),
                8 => "CURRENT_TIMESTAMP(3)".to_owned(),
                _ => format!("LEFT({}, {})", self.expr(), self.expr()),
            },
            10 => {
                let over = self.maybe(30, |g| format!(" OVER {}", g.window()));
                let call = match self.rng.random_range(0..4) {
                    0 => "COUNT(*)".to_owned(),
                    1 => format!("SUM(DISTINCT {})", self.expr()),
                    2 => format!("COUNT(DISTINCT {})", self.list(2, Self::expr)),
                    _ => {
                        return format!(
                            "GROUP_CONCAT({} ORDER BY {} DESC SEPARATOR '-')",
                            self.expr(),
                            self.expr()
                        );
                    }
                };
                format!("{call}{over}")
            }
            11 => {
                let operand = self.maybe(50, |g| g.expr());
                let otherwise = self.maybe(50, |g| format!(" ELSE {}", g.expr()));
                format!("CASE {operand} WHEN {} THEN {}{otherwise} END", self.expr(), self.expr())
            }
            12 => format!(
                "({} {} INTERVAL {} DAY)",
                self.operand(),
                self.pick(&["+", "-"]),
                self.expr()
            ),
            13 => match self.rng.random_range(0..4) {
                0 => format!("({})", self.query()),
                1 => format!("EXISTS ({})", self.query()),
                2 => format!("({} = ANY ({}))", self.operand(), self.query()),
                _ => format!("(({}) + {})", self.query(), self.literal()),
            },
            14 => match self.rng.random_range(0..6) {
                0 => "@v".to_owned(),
                1 => "@@global.x".to_owned(),
                2 => format!("(@v := {})", self.expr()),
                3 => format!("({}, {})", self.expr(), self.expr()),
                4 => format!("{} -> '$.a'", self.column()),
                _ => format!("({} COLLATE utf8mb4_bin)", self.column()),
            },
            _ => format!("({})", self.expr()),
        }
    }

    fn operand(&mut self) -> String {
        if self.chance(50) {
            format!("({})", self.expr())
        } else if self.chance(50) {
            self.column()
        } else {
            self.literal()
        }
    }

    fn window(&mut self) -> String {
        if self.chance(30) {
            return "w".to_owned();
        }
        let partition = self.maybe(50, |g| format!("PARTITION BY {} ", g.expr()));
        let order = self.maybe(50, |g| format!("ORDER BY {} ", g.expr()));
        let frame = self.maybe(30, |_| "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW".to_owned());
        format!("({partition}{order}{frame})")
    }

    fn query(&mut self) -> String {
        self.fuel = self.fuel.saturating_sub(2);
        let with = self.maybe(5, |g| format!("WITH c (x) AS ({}) ", g.query()));
        let body = self.query_body();
        let order = self.maybe(20, |g| format!(" ORDER BY {} DESC", g.expr()));
        let limit = self.maybe(20, |g| {
            g.pick(&[" LIMIT 1", " LIMIT 1, 2", " LIMIT ? OFFSET ?", " LIMIT ?, ?"]).to_owned()
        });
        format!("{with}{body}{order}{limit}")
    }

    fn query_body(&mut self) -> String {
        if self.fuel > 0 && self.chance(12) {
            self.fuel -= 1;
            let op = self.pick(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
            let side = |g: &mut Self| {
                if g.chance(40) { format!("({})", g.query()) } else { g.query_body() }
            };
            return format!("{} {op} {}", side(self), side(self));
        }
        match self.rng.random_range(0..20) {
            0 => format!("VALUES ROW({})", self.list(2, Self::expr)),
            1 => format!("TABLE {}", self.table()),
            _ => {
                let distinct =
                    self.pick(&["", "", "DISTINCT ", "SQL_CALC_FOUND_ROWS ", "/*+ BKA(t) */ "]);
                let items = self.list(3, |g| match g.rng.random_range(0..6) {
                    0 => format!("{}.*", g.name()),
                    1 => format!("{} AS {}", g.expr(), g.name()),
                    2 => format!("{} 'alias'", g.column()),
                    _ => g.expr(),
                });
                let from = self.maybe(80, |g| format!(" FROM {}", g.list(2, Self::from)));
                let filter = self.maybe(40, |g| format!(" WHERE {}", g.expr()));
                let group = self.maybe(20, |g| {
                    let rollup = g.pick(&["", " WITH ROLLUP"]);
                    format!(" GROUP BY {}{rollup}", g.list(2, Self::expr))
                });
                let having = self.maybe(10, |g| format!(" HAVING {}", g.expr()));
                let window = self.maybe(5, |g| format!(" WINDOW w AS (ORDER BY {})", g.column()));
                format!("SELECT {distinct}{items}{from}{filter}{group}{having}{window}")
            }
        }
    }

    fn from(&mut self) -> String {
        if self.fuel > 0 && self.chance(40) {
            self.fuel -= 1;
            let left = self.from();
            let right = self.from();
            return match self.rng.random_range(0..6) {
                0 => format!("{left} JOIN {right}"),
                1 => format!("{left} LEFT JOIN {right} ON {}", self.expr()),
                2 => format!("{left} RIGHT OUTER JOIN ({right}, t9) USING (a, b)"),
                3 => format!("({left}) NATURAL JOIN t8"),
                4 => format!("{left} STRAIGHT_JOIN {right} ON {}", self.expr()),
                _ => format!("{left} INNER JOIN t7 ON {} JOIN t6", self.expr()),
            };
        }
        match self.rng.random_range(0..6) {
            0 if self.fuel > 0 => format!("({}) AS d", self.query()),
            1 if self.fuel > 0 => format!("LATERAL ({}) l (x)", self.query()),
            2 => format!("{} USE INDEX (i, PRIMARY)", self.table()),
            _ => format!("{} AS {}", self.table(), self.name()),
        }
    }

    fn assignments(&mut self) -> String {
        self.list(3, |g| {
            let value = if g.chance(10) { "DEFAULT".to_owned() } else { g.expr() };
            format!("{} = {value}", g.column())
        })
    }

    fn data_type(&mut self) -> &'static str {
        self.pick(&[
            "INT",
            "BIGINT UNSIGNED",
            "VARCHAR(10) CHARACTER SET latin1",
            "DECIMAL(10,2)",
            "TEXT",
            "DATETIME(6)",
            "ENUM('a','b')",
            "JSON",
            "DOUBLE",
            "BIT(3)",
            "BLOB",
            "BOOL",
            "REAL",
        ])
    }

    fn column_def(&mut self) -> String {
        let data_type = self.data_type();
        let tail = match self.rng.random_range(0..7) {
            0 => "NOT NULL AUTO_INCREMENT PRIMARY KEY".to_owned(),
            1 => format!("DEFAULT ({})", self.expr()),
            2 => "DEFAULT 'x' COMMENT 'c'".to_owned(),
            3 => format!("AS ({}) STORED", self.expr()),
            4 => format!("CHECK ({}) NOT ENFORCED", self.expr()),
            5 => "NULL INVISIBLE UNIQUE".to_owned(),
            _ => String::new(),
        };
        format!("{} {data_type} {tail}", self.name())
    }

    fn program(&mut self) -> String {
        if self.fuel == 0 {
            return "SET a = 1".to_owned();
        }
        self.fuel -= 1;
        match self.rng.random_range(0..8) {
            0 => format!("IF {} THEN {}; ELSE {}; END IF", self.expr(), self.program(), self.program()),
            1 => format!("l: WHILE {} DO {}; LEAVE l; END WHILE", self.expr(), self.program()),
            2 => format!("BEGIN DECLARE v {}; {}; END", self.data_type(), self.program()),
            3 => format!("CASE {} WHEN {} THEN {}; END CASE", self.expr(), self.expr(), self.program()),
            4 => "BEGIN DECLARE c CURSOR FOR SELECT 1; DECLARE EXIT HANDLER FOR NOT FOUND BEGIN END; OPEN c; FETCH c INTO x; END".to_owned(),
            5 => format!("SET @x = {}", self.expr()),
            _ => self.plain(),
        }
    }

    /// A statement that may stand in a program.
    fn plain(&mut self) -> String {
        match self.rng.random_range(0..6) {
            0 => {
                let rows = self.list(3, |g| format!("({})", g.list(3, Self::expr)));
                let duplicate =
                    self.maybe(30, |g| format!(" ON DUPLICATE KEY UPDATE {}", g.assignments()));
                format!("INSERT IGNORE INTO {} (a, b) VALUES {rows}{duplicate}", self.table())
            }
            1 => format!("REPLACE INTO {} {}", self.table(), self.query()),
            2 => {
                let limit = self.maybe(30, |_| " ORDER BY a LIMIT 5".to_owned());
                format!(
                    "UPDATE {} SET {} WHERE {}{limit}",
                    self.from(),
                    self.assignments(),
                    self.expr()
                )
            }
            3 => format!("DELETE FROM {} WHERE {} LIMIT 1", self.table(), self.expr()),
            4 => format!("DELETE x, y FROM {} WHERE {}", self.from(), self.expr()),
            _ => self.query(),
        }
    }

    /// A statement.
    pub(crate) fn statement(&mut self) -> String {
        match self.rng.random_range(0..14) {
            0..=3 => self.query(),
            4..=6 => self.plain(),
            7 => {
                let columns = self.list(4, Self::column_def);
                let key = self.maybe(50, |g| format!(", UNIQUE KEY k (a, ({}) DESC)", g.expr()));
                format!("CREATE TABLE {} ({columns}{key}) ENGINE=InnoDB COMMENT 'x'", self.table())
            }
            8 => {
                let actions = self.list(3, |g| match g.rng.random_range(0..5) {
                    0 => format!("ADD COLUMN {} AFTER a", g.column_def()),
                    1 => "DROP PRIMARY KEY".to_owned(),
                    2 => format!("MODIFY {}", g.column_def()),
                    3 => format!("ADD CONSTRAINT c CHECK ({})", g.expr()),
                    _ => "RENAME COLUMN a TO b".to_owned(),
                });
                format!("ALTER TABLE {} {actions}", self.table())
            }
            9 => format!("CREATE OR REPLACE VIEW v AS {}", self.query()),
            10 => format!("CREATE PROCEDURE p(IN a {}) {}", self.data_type(), self.program()),
            11 => format!("SET @a = {}, SESSION b = {}", self.expr(), self.expr()),
            12 => format!("EXPLAIN FORMAT=JSON {}", self.plain()),
            _ => self
                .pick(&[
                    "SHOW TABLES LIKE 'a%'",
                    "START TRANSACTION READ ONLY",
                    "COMMIT",
                    "GRANT SELECT (a), INSERT ON s.* TO 'u'@'h'",
                    "FLUSH TABLES",
                    "XA START 'a', 'b', 1",
                    "CREATE USER u IDENTIFIED BY 'p' ACCOUNT LOCK",
                    "KILL QUERY 5",
                    "LOCK TABLES a READ",
                    "LOAD DATA INFILE 'x' INTO TABLE t FIELDS TERMINATED BY ',' (a, @b) SET c = @b",
                ])
                .to_owned(),
        }
    }
}
