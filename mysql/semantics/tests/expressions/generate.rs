//! Expressions by chance: over literals of all types, extremes, NULLs, mixed
//! collations, and the columns of one table.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::generate_json;

pub(crate) struct Generator {
    random: SmallRng,
    /// Of 100 columns, so many are of [`RARE_COLUMNS`].
    rare_percent: u32,
    /// Of 100 expressions, so many are of JSON.
    json_percent: u32,
}

const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "5",
    "10",
    "127",
    "-128",
    "255",
    "65535",
    "2147483647",
    "-2147483648",
    "4294967295",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "TRUE",
    "FALSE",
];
const DECIMALS: &[&str] = &[
    "0.0",
    "1.5",
    "-2.5",
    "0.001",
    "123.456",
    "-99.995",
    "1.0",
    "0.5",
    "99999999999999999999.99",
    "-0.000000000000000000000000000001",
    "12345678901234567890123456789012345.123456789012345678901234567890",
];
const DOUBLES: &[&str] =
    &["1e0", "1.5e3", "-2.25e-3", "1e308", "-1e308", "1e-300", "0e0", "1e20", "3.4e15"];
const STRINGS: &[&str] = &[
    "''",
    "'a'",
    "'A'",
    "'abc'",
    "'ABC '",
    "'1'",
    "'12abc'",
    "' 42 '",
    "'-3.7'",
    "'1e3'",
    "'é'",
    "'Straße'",
    "'日本語'",
    "'😀'",
    "'a,b,c'",
    "'%b_'",
    "'2024-02-29'",
    "'2024-02-29 12:34:56.789'",
    "'12:34:56'",
    "'a''b\\\\c'",
    "'abc' COLLATE utf8mb4_bin",
    "'ABC' COLLATE utf8mb4_general_ci",
    "_latin1'abc'",
    "_latin1 x'e9'",
    "_utf8mb4'abc' COLLATE utf8mb4_0900_as_cs",
    "_binary'abc'",
    "_ascii'abc'",
];
const TEMPORALS: &[&str] = &[
    "DATE'2024-02-29'",
    "DATE'1999-12-31'",
    "TIME'12:34:56'",
    "TIME'-838:59:59'",
    "TIME'00:00:01.5'",
    "TIMESTAMP'2024-02-29 23:59:59'",
    "TIMESTAMP'2000-01-01 00:00:00.123456'",
    "TIMESTAMP'9999-12-31 23:59:59'",
];
const BYTES: &[&str] = &["0x41", "x'ff00'", "0x", "b'101'", "0b1", "x'0123456789abcdef01'"];
const COLUMNS: &[&str] = &[
    "c_tiny", "c_tinyu", "c_small", "c_int", "c_intu", "c_big", "c_bigu", "c_null", "c_double",
    "c_vc", "c_bin", "c_gen", "c_latin", "c_vb", "c_date", "c_dt", "c_dec",
];

/// Columns of the kinds that expressions see least.
const RARE_COLUMNS: &[&str] =
    &["c_float", "c_year", "c_time", "c_ts", "c_text", "c_bit", "c_enum", "c_set"];

/// Shapes: `#` is any expression, `i` a small integer, `s` a string, `d` a date or
/// time, `n` a number, `f` a format.
const SHAPES: &[&str] = &[
    "n + n",
    "n - n",
    "n * n",
    "n / n",
    "n DIV n",
    "n % n",
    "- n",
    "# + #",
    "# - #",
    "# * #",
    "# / #",
    "# DIV #",
    "# % #",
    "# & #",
    "# | #",
    "# ^ #",
    "# << i",
    "# >> i",
    "~ #",
    "# = #",
    "# <> #",
    "# < #",
    "# >= #",
    "# <=> #",
    "s = s",
    "d = s",
    "d < d",
    "s > s",
    "# BETWEEN # AND #",
    "# NOT BETWEEN # AND #",
    "# IN (#, #, #)",
    "# NOT IN (#, #)",
    "s LIKE s",
    "s NOT LIKE s",
    "s LIKE '%b%'",
    "s LIKE 'a!_c' ESCAPE '!'",
    "# IS NULL",
    "# IS NOT NULL",
    "# IS TRUE",
    "# IS NOT FALSE",
    "# IS UNKNOWN",
    "# AND #",
    "# OR #",
    "# XOR #",
    "NOT #",
    "CASE WHEN # THEN # ELSE # END",
    "CASE WHEN # THEN # END",
    "CASE # WHEN # THEN # WHEN # THEN # ELSE # END",
    "IF(#, #, #)",
    "IFNULL(#, #)",
    "NULLIF(#, #)",
    "COALESCE(#, #, #)",
    "GREATEST(#, #)",
    "LEAST(#, #, #)",
    "GREATEST(n, n)",
    "LEAST(s, s)",
    "CAST(# AS SIGNED)",
    "CAST(# AS UNSIGNED)",
    "CAST(# AS DECIMAL(10,2))",
    "CAST(# AS DECIMAL)",
    "CAST(# AS CHAR)",
    "CAST(# AS CHAR(2))",
    "CAST(# AS BINARY)",
    "CAST(# AS BINARY(4))",
    "CAST(# AS DATE)",
    "CAST(# AS TIME)",
    "CAST(# AS TIME(3))",
    "CAST(# AS DATETIME)",
    "CAST(# AS DATETIME(6))",
    "CAST(# AS YEAR)",
    "CAST(# AS DOUBLE)",
    "CAST(# AS FLOAT)",
    "CONVERT(# USING latin1)",
    "CONVERT(# USING utf8mb4)",
    "BINARY #",
    "s COLLATE utf8mb4_bin",
    "(#, #) = (#, #)",
    "(n, s) < (n, s)",
    "(n, n) IN ((n, n), (n, n))",
    "d + INTERVAL i DAY",
    "d - INTERVAL i MONTH",
    "s + INTERVAL i HOUR",
    "d + INTERVAL '1:30' MINUTE_SECOND",
    "DATE_ADD(d, INTERVAL '1 2:3:4.5' DAY_MICROSECOND)",
    "d - INTERVAL 1.5 SECOND",
    "d + INTERVAL '1-2' YEAR_MONTH",
    "CONCAT(#, #)",
    "CONCAT(#)",
    "CONCAT_WS(s, #, #, #)",
    "LENGTH(#)",
    "CHAR_LENGTH(#)",
    "BIT_LENGTH(#)",
    "SUBSTRING(s, i)",
    "SUBSTRING(s, i, i)",
    "SUBSTRING(# FROM i FOR i)",
    "LEFT(s, i)",
    "RIGHT(s, i)",
    "LPAD(s, i, s)",
    "RPAD(s, i, s)",
    "TRIM(s)",
    "TRIM(LEADING s FROM s)",
    "TRIM(TRAILING s FROM s)",
    "TRIM(BOTH 'a' FROM s)",
    "LTRIM(s)",
    "RTRIM(s)",
    "UPPER(s)",
    "LOWER(s)",
    "UPPER(#)",
    "REPLACE(s, s, s)",
    "INSTR(s, s)",
    "LOCATE(s, s)",
    "LOCATE(s, s, i)",
    "POSITION(s IN s)",
    "REVERSE(#)",
    "REPEAT(s, i)",
    "SPACE(i)",
    "HEX(#)",
    "UNHEX(#)",
    "ASCII(#)",
    "ORD(s)",
    "CHAR(i, n)",
    "CHAR(65, 66 USING utf8mb4)",
    "BIN(#)",
    "OCT(#)",
    "CONV(#, 10, 16)",
    "CONV(s, i, i)",
    "FIELD(#, #, #)",
    "FIELD(s, s, s)",
    "FIND_IN_SET(s, s)",
    "ELT(i, #, #)",
    "EXPORT_SET(i, s, s)",
    "EXPORT_SET(i, s, s, s, i)",
    "MAKE_SET(i, s, s)",
    "FORMAT(n, i)",
    "INSERT(s, i, i, s)",
    "QUOTE(#)",
    "SOUNDEX(s)",
    "STRCMP(s, s)",
    "SUBSTRING_INDEX(s, s, i)",
    "TO_BASE64(#)",
    "FROM_BASE64(#)",
    "ABS(#)",
    "CEILING(#)",
    "FLOOR(#)",
    "ROUND(#)",
    "ROUND(#, i)",
    "TRUNCATE(#, i)",
    "SIGN(#)",
    "MOD(n, n)",
    "POW(n, i)",
    "SQRT(n)",
    "EXP(i)",
    "LN(n)",
    "LOG(n)",
    "LOG(n, n)",
    "LOG2(n)",
    "LOG10(n)",
    "SIN(n)",
    "COS(n)",
    "TAN(i)",
    "COT(i)",
    "ASIN(n)",
    "ACOS(n)",
    "ATAN(n)",
    "ATAN2(n, n)",
    "RADIANS(n)",
    "DEGREES(n)",
    "PI()",
    "CRC32(#)",
    "RAND(i)",
    "BIT_COUNT(#)",
    "INTERVAL(n, n, n)",
    "CHARSET(#)",
    "COLLATION(#)",
    "COERCIBILITY(#)",
    "YEAR(d)",
    "MONTH(d)",
    "DAY(d)",
    "DAYOFWEEK(d)",
    "WEEKDAY(d)",
    "DAYOFYEAR(d)",
    "WEEK(d)",
    "WEEK(d, i)",
    "YEARWEEK(d)",
    "WEEKOFYEAR(d)",
    "QUARTER(d)",
    "HOUR(d)",
    "MINUTE(d)",
    "SECOND(d)",
    "MICROSECOND(d)",
    "TO_DAYS(d)",
    "TO_SECONDS(d)",
    "FROM_DAYS(n)",
    "LAST_DAY(d)",
    "TIME_TO_SEC(d)",
    "SEC_TO_TIME(n)",
    "MAKETIME(i, i, n)",
    "MAKEDATE(n, i)",
    "DATE(#)",
    "TIME(d)",
    "TIMESTAMP(d)",
    "TIMESTAMP(d, d)",
    "DATEDIFF(d, d)",
    "TIMEDIFF(d, d)",
    "ADDTIME(d, d)",
    "SUBTIME(d, d)",
    "PERIOD_ADD(202401, i)",
    "PERIOD_DIFF(202401, 202312)",
    "UNIX_TIMESTAMP(d)",
    "FROM_UNIXTIME(n)",
    "FROM_UNIXTIME(#)",
    "FROM_UNIXTIME(n, f)",
    "DATE_FORMAT(d, f)",
    "TIME_FORMAT(d, '%H:%i:%s %p')",
    "DAYNAME(d)",
    "MONTHNAME(d)",
    "EXTRACT(YEAR FROM d)",
    "EXTRACT(DAY_SECOND FROM d)",
    "EXTRACT(MICROSECOND FROM d)",
    "TIMESTAMPDIFF(DAY, d, d)",
    "TIMESTAMPDIFF(MONTH, d, d)",
    "TIMESTAMPADD(HOUR, i, d)",
    "YEAR(#)",
    "HOUR(#)",
    "DATE_ADD(#, INTERVAL # DAY)",
    "INET_ATON(s)",
    "INET_NTOA(n)",
    "STR_TO_DATE(s, f)",
    "ISNULL(#)",
    "s REGEXP 'a+'",
    "WEIGHT_STRING(s)",
    "REGEXP_INSTR(s, 'b')",
    "REGEXP_SUBSTR(s, '[a-c]+')",
    "REGEXP_REPLACE(s, 'b', s)",
    "CONVERT_TZ(d, '+00:00', 'Europe/Berlin')",
    "INET6_ATON(#)",
    "INET6_NTOA(#)",
    "IS_IPV6(#)",
    "IS_UUID(#)",
    "UNCOMPRESSED_LENGTH(#)",
    "UNCOMPRESS(#)",
    "FORMAT_BYTES(n)",
    "FORMAT_PICO_TIME(n)",
    "GET_FORMAT(DATE, 'USA')",
    "NOW()",
    "CURDATE()",
    "UTC_TIME()",
    "NOW(3)",
    "DATABASE()",
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { random: SmallRng::seed_from_u64(seed), rare_percent: 0, json_percent: 0 }
    }

    /// The same, where so many of 100 columns are ENUM, SET, BIT, TIME and such.
    pub(crate) fn with_rare_columns(mut self, percent: u32) -> Generator {
        self.rare_percent = percent;
        self
    }

    /// The same, where so many of 100 expressions are of JSON.
    pub(crate) fn with_json(mut self, percent: u32) -> Generator {
        self.json_percent = percent;
        self
    }

    fn one_of(&mut self, list: &[&'static str]) -> String {
        (*list.choose(&mut self.random).expect("a list is not empty")).to_owned()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// An expression at most `depth` calls deep.
    pub(crate) fn expression(&mut self, depth: u32) -> String {
        let json = self.json_percent > 0 && self.chance(self.json_percent);
        let shape = self.one_of(if json { generate_json::SHAPES } else { SHAPES });
        self.fill(&shape, depth.saturating_sub(1))
    }

    fn fill(&mut self, shape: &str, depth: u32) -> String {
        let mut out = String::new();
        let letters: Vec<char> = shape.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            let beside = |at: Option<usize>| {
                at.and_then(|at| letters.get(at)).is_some_and(|c| {
                    c.is_ascii_alphanumeric() || *c == '\'' || *c == '_' || *c == '%' || *c == '!'
                })
            };
            let alone = !beside(at.checked_sub(1)) && !beside(Some(at + 1));
            match letter {
                '#' => out.push_str(&self.operand(depth)),
                'i' | 's' | 'd' | 'n' | 'f' | 'j' | 'p' if alone => {
                    out.push_str(&self.typed(*letter, depth))
                }
                other => out.push(*other),
            }
        }
        out
    }

    fn operand(&mut self, depth: u32) -> String {
        if depth > 0 && self.chance(60) {
            return format!("({})", self.expression(depth));
        }
        match self.random.random_range(0..20) {
            0..4 => self.one_of(INTS),
            4..6 => self.one_of(DECIMALS),
            6 => self.one_of(DOUBLES),
            7..11 => self.one_of(STRINGS),
            11..13 => self.one_of(TEMPORALS),
            13 => self.one_of(BYTES),
            14..19 if self.rare_percent > 0 && self.chance(self.rare_percent) => {
                self.one_of(RARE_COLUMNS)
            }
            14..19 => self.one_of(COLUMNS),
            _ => "NULL".to_owned(),
        }
    }

    fn typed(&mut self, letter: char, depth: u32) -> String {
        if letter != 'p' && depth > 0 && self.chance(25) {
            return self.operand(depth);
        }
        // A path is written in the text of the statement.
        if letter != 'p' && self.chance(4) {
            return "NULL".to_owned();
        }
        match letter {
            'j' => self.one_of(generate_json::DOCUMENTS),
            'p' => self.one_of(generate_json::PATHS),
            'i' => self
                .one_of(&["0", "1", "2", "3", "5", "10", "-1", "-2", "17", "c_int", "1.5", "'2'"]),
            'n' => match self.random.random_range(0..4) {
                0 => self.one_of(INTS),
                1 => self.one_of(DECIMALS),
                2 => self.one_of(DOUBLES),
                _ => self.one_of(&[
                    "c_tiny", "c_tinyu", "c_int", "c_intu", "c_big", "c_bigu", "c_double", "c_dec",
                    "c_null",
                ]),
            },
            's' => {
                if self.chance(30) {
                    self.one_of(&["c_vc", "c_bin", "c_gen", "c_latin", "c_vb"])
                } else {
                    self.one_of(STRINGS)
                }
            }
            'd' => match self.random.random_range(0..10) {
                0..5 => self.one_of(TEMPORALS),
                5..7 => self.one_of(&["c_date", "c_dt"]),
                7..9 => self.one_of(&[
                    "'2024-02-29'",
                    "'2024-02-29 12:34:56.789'",
                    "'12:34:56'",
                    "'0000-00-00'",
                    "'x'",
                ]),
                _ => {
                    self.one_of(&["20240229", "20240229123456", "123456", "20240229123456.5", "0"])
                }
            },
            _ => self.one_of(&[
                "'%Y-%m-%d'",
                "'%W %M %e %y %j'",
                "'%H:%i:%s.%f'",
                "'%a %b %D %r %T'",
                "'%U %u %V %v %X %x'",
                "'%d,%m,%Y'",
            ]),
        }
    }
}
