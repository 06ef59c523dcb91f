//! Calls at random.

use std::fmt::Write as _;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::call::Call;

/// The call of a seed.
pub(super) fn call(seed: u64) -> Call {
    Random(SmallRng::seed_from_u64(seed)).call()
}

pub(super) struct Random(pub(super) SmallRng);

const NAMES: &[&str] = &["a", "b", "c", "aa", "ab", "", "a b", "é", "a\\\"", "1", "$x", "last"];
const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "abc",
    "A",
    "x%",
    "a_c",
    "é",
    "日本",
    "😀",
    "\\\"",
    "\\\\",
    "\\n",
    "\\u0000",
    "\\u001f",
    "\\/",
    "\\b\\f\\r\\t",
    "\\u00e9",
    "\\ud83d\\ude00",
    "null",
    "1",
    "2020-01-02",
    "a/b~c",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "3",
    "10",
    "1.0",
    "1.5",
    "-1.5",
    "0.1",
    "1e0",
    "1E2",
    "1e-2",
    "32767",
    "32768",
    "-32768",
    "-32769",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "9007199254740992.0",
    "1e15",
    "1e14",
    "123456789012345.6",
    "1e20",
    "1.5e300",
    "1e308",
    "1.7976931348623157e308",
    "5e-324",
    "1e-400",
    "0.00001",
    "1e-15",
    "1e-16",
    "1.25e-7",
    "0.1234567890123456789",
    "3.141592653589793238",
    "-0.0",
    "0e5",
    "0.30000000000000004",
];

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    fn chance(&mut self, p: f64) -> bool {
        self.0.random_bool(p)
    }

    fn pick<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[self.below(all.len())]
    }

    fn space(&mut self, to: &mut String) {
        if self.chance(0.1) {
            to.push_str(self.pick(&[" ", "  ", "\t", " \t"]));
        }
    }

    fn number(&mut self) -> String {
        if self.chance(0.5) {
            return self.pick(&["0", "1", "2", "3", "1.0", "2.5"]).to_owned();
        }
        match self.below(6) {
            0 => self.0.random_range(i64::MIN..=i64::MAX).to_string(),
            1 => {
                let value = f64::from_bits(self.0.random_range(0..=u64::MAX));
                if value.is_finite() { format!("{value:e}") } else { "1e3".into() }
            }
            2 => format!("{}.{}", self.below(100_000), self.below(100_000)),
            3 => format!("{}", self.0.random_range(-1e9..1e9)),
            _ => self.pick(NUMBERS).to_owned(),
        }
    }

    fn write(&mut self, depth: usize, to: &mut String) {
        self.space(to);
        let kinds = if depth == 0 { 6 } else { 10 };
        match self.below(kinds) {
            0 => to.push_str(self.pick(&["null", "true", "false"])),
            1..=3 => to.push_str(&self.number()),
            4 | 5 => {
                let _ = write!(to, "\"{}\"", self.pick(STRINGS));
            }
            6 | 7 => {
                to.push('[');
                for i in 0..self.below(4) {
                    if i > 0 {
                        to.push(',');
                    }
                    self.write(depth - 1, to);
                }
                to.push(']');
            }
            _ => {
                to.push('{');
                for i in 0..self.below(4) {
                    if i > 0 {
                        to.push(',');
                    }
                    self.space(to);
                    let few = self.chance(0.7);
                    let name = self.pick(if few { &NAMES[..3] } else { NAMES });
                    let _ = write!(to, "\"{name}\"");
                    self.space(to);
                    to.push(':');
                    self.write(depth - 1, to);
                }
                to.push('}');
            }
        }
        self.space(to);
    }

    /// A text that is a document.
    pub(super) fn text(&mut self) -> String {
        let (mut text, depth) = (String::new(), self.below(4));
        self.write(depth, &mut text);
        text
    }

    fn special(&mut self) -> String {
        match self.below(8) {
            0..=2 => {
                let text = [
                    "0.0",
                    "1.0",
                    "1.50",
                    "-1.5",
                    "0.1",
                    "12345678901234567890.123",
                    "2",
                    "-0.5",
                    "9223372036854775808.0",
                    "9007199254740993",
                    "0.30000000000000004",
                    "100",
                ];
                format!("dec:{}", self.pick(&text))
            }
            3 => format!("date:{}", self.pick(&["2020-01-02", "1000-01-01", "9999-12-31"])),
            4 => {
                format!("time:{}", self.pick(&["10:11:12", "-10:00:00.5", "838:59:59", "00:00:00"]))
            }
            5 => {
                let all =
                    ["2020-01-02 03:04:05", "2020-01-02 00:00:00", "1999-12-31 23:59:59.999999"];
                format!("datetime:{}", self.pick(&all))
            }
            6 => format!("bin:{}", self.pick(&["00", "00ff", "616263", "6162", ""])),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text.replace('|', "")
    }

    /// A document, now and then of types that texts do not have.
    fn document(&mut self) -> String {
        match self.below(20) {
            0 => format!("@{}", self.special()),
            1 | 2 => {
                let items: Vec<_> = (0..1 + self.below(3)).map(|_| self.special()).collect();
                format!("@[{}]", items.join("|"))
            }
            _ => self.text(),
        }
    }

    /// A text that may be malformed.
    fn broken(&mut self) -> String {
        let mut text: Vec<char> = self.text().chars().collect();
        for _ in 0..1 + self.below(2) {
            let at = self.below(text.len() + 1);
            let chars: Vec<char> = "{}[]:,\"\\ue+-.019 tfn/éx\0\t".chars().collect();
            let char = chars[self.below(chars.len())];
            match self.below(3) {
                0 => text.insert(at, char),
                1 if at < text.len() => text[at] = char,
                _ => text.truncate(at),
            }
        }
        text.into_iter().collect()
    }

    fn leg(&mut self, many: bool) -> String {
        let index = |r: &mut Self| match r.below(6) {
            0 => "last".to_owned(),
            1 => format!("last-{}", r.below(3)),
            2 => format!("{}", r.below(5)),
            _ => format!("{}", r.below(2)),
        };
        match self.below(if many { 14 } else { 8 }) {
            0..=3 => format!(".{}", self.pick(&["a", "b", "c", "a", "b", "aa", "é"])),
            4 => format!(".\"{}\"", self.pick(NAMES)),
            5..=7 => format!("[{}]", index(self)),
            8 | 9 => format!("[{} to {}]", index(self), index(self)),
            10 => ".*".into(),
            11 => "[*]".into(),
            _ => format!("**{}", self.leg(false)),
        }
    }

    /// A path; one in many is malformed.
    fn path(&mut self, many: bool) -> String {
        let many = many && self.chance(0.6);
        let mut path = String::new();
        self.space(&mut path);
        path.push('$');
        for _ in 0..[0, 1, 1, 1, 2, 2, 3][self.below(7)] {
            self.space(&mut path);
            path.push_str(&self.leg(many));
        }
        if self.chance(0.03) {
            let mut chars: Vec<char> = path.chars().collect();
            let new: Vec<char> = "$.[]*\"\\ 0a-téx,to".chars().collect();
            let (at, new) = (self.below(chars.len() + 1), new[self.below(new.len())]);
            match self.below(3) {
                0 => chars.insert(at, new),
                1 if at < chars.len() => chars[at] = new,
                _ => chars.truncate(at),
            }
            path = chars.into_iter().collect();
        }
        path
    }

    fn paths(&mut self) -> Vec<String> {
        (0..[1, 1, 1, 2, 3][self.below(5)]).map(|_| self.path(true)).collect()
    }

    fn schema(&mut self, depth: usize) -> String {
        let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
        let mut members = Vec::new();
        for _ in 0..1 + self.below(3) {
            let nested = |r: &mut Self| if depth == 0 { "{}".into() } else { r.schema(depth - 1) };
            let keyword = match self.below(22) {
                0..=3 => format!("\"type\":\"{}\"", self.pick(&types)),
                4 => format!("\"type\":[\"{}\",\"{}\"]", self.pick(&types), self.pick(&types)),
                5 => format!("\"minimum\":{},\"exclusiveMinimum\":{}", self.number(), self.pick(&["true", "false"])),
                6 => format!("\"maximum\":{}", self.number()),
                7 => format!("\"multipleOf\":{}", self.pick(&["1", "2", "0.5", "0.1", "3", "-1", "0"])),
                8 => format!("\"minLength\":{}", self.below(3)),
                9 => format!("\"maxLength\":{}", self.below(3)),
                10 => format!("\"pattern\":\"{}\"", self.pick(&["^a", "b$", "^[a-c]*$", "\\\\d+", "(", ".", "é"])),
                11 => format!("\"minItems\":{},\"maxItems\":{}", self.below(3), self.below(4)),
                12 => format!("\"uniqueItems\":{}", self.pick(&["true", "true", "false"])),
                13 => format!("\"items\":{}", nested(self)),
                14 => format!("\"items\":[{},{}],\"additionalItems\":{}", nested(self), nested(self), self.pick(&["false", "true", "{\"type\":\"null\"}"])),
                15 | 16 => format!("\"properties\":{{\"a\":{},\"b\":{}}}", nested(self), nested(self)),
                17 => format!("\"required\":[\"{}\"]", self.pick(&["a", "b", "c"])),
                18 => format!("\"additionalProperties\":{}", self.pick(&["false", "false", "true", "{\"type\":\"string\"}"])),
                19 => {
                    let any = nested(self);
                    format!("\"{}\":[{any},{}]", self.pick(&["allOf", "anyOf", "oneOf"]), nested(self))
                }
                20 => format!("\"enum\":[{},{}]", self.text(), self.scalar()),
                _ => match self.below(5) {
                    0 => format!("\"not\":{}", nested(self)),
                    1 => format!("\"minProperties\":{},\"maxProperties\":{}", self.below(2), self.below(4)),
                    2 => format!("\"dependencies\":{{\"a\":{}}}", self.pick(&["[\"b\"]", "{\"required\":[\"c\"]}", "{\"minProperties\":2}"])),
                    3 => format!("\"patternProperties\":{{\"^a\":{}}}", nested(self)),
                    _ => "\"items\":{\"$ref\":\"#/definitions/x\"},\"definitions\":{\"x\":{\"type\":\"string\"}}".into(),
                },
            };
            let name = keyword.split(':').next().unwrap_or_default().to_owned();
            if members.iter().all(|one: &String| !one.contains(&name)) {
                members.push(keyword);
            }
        }
        format!("{{{}}}", members.join(","))
    }

    fn call(&mut self) -> Call {
        let functions = [
            "cast",
            "cast",
            "broken",
            "broken",
            "valid",
            "pretty",
            "quote",
            "unquote",
            "unquote_value",
            "type",
            "depth",
            "storage_size",
            "length",
            "keys",
            "extract",
            "extract",
            "extract",
            "value",
            "contains",
            "contains",
            "contains_path",
            "overlaps",
            "member_of",
            "compare",
            "compare",
            "search",
            "search",
            "set",
            "set",
            "insert",
            "replace",
            "array_append",
            "array_insert",
            "remove",
            "remove",
            "merge_patch",
            "merge_preserve",
            "schema_valid",
            "schema_validation_report",
            "schema_validation_report",
            "schema_value_report",
            "table",
            "table",
        ];
        let function = self.pick(&functions);
        let mut args = Vec::new();
        match function {
            "broken" | "valid" => args.push(self.broken()),
            "quote" => args.push(self.broken()),
            "unquote" => {
                let text = self.pick(STRINGS).to_owned();
                args.push(match self.below(3) {
                    0 => text,
                    1 => format!("\"{text}\""),
                    _ => self.broken(),
                });
            }
            "compare" | "overlaps" | "member_of" => {
                args.push(self.document());
                args.push(if self.chance(0.1) { args[0].clone() } else { self.document() });
            }
            "contains" => {
                args.extend([self.document(), self.document()]);
                if self.chance(0.3) {
                    args.push(self.path(true));
                }
            }
            "length" | "keys" => {
                args.push(self.document());
                if self.chance(0.6) {
                    args.push(self.path(true));
                }
            }
            // The server counts a decimal's digits before the point in nines, or not, by
            // where it came from.
            "storage_size" => args.push(self.text()),
            "value" => args.extend([self.text(), self.path(true)]),
            "extract" => {
                args.push(self.document());
                args.extend(self.paths());
            }
            "contains_path" => {
                args.push(self.document());
                args.push(self.pick(&["one", "all", "ONE", "All", "one", "all", "x"]).to_owned());
                args.extend(self.paths());
            }
            "search" => {
                args.push(self.document());
                args.push(self.pick(&["one", "all", "all", "one", "no"]).to_owned());
                let patterns =
                    ["a", "%", "a%", "%b%", "_", "x|%", "x\\%", "%\\", "", "é", "__", "%c"];
                args.push(self.pick(&patterns).to_owned());
                if self.chance(0.4) {
                    args.push(self.pick(&["-", "|", "\\", "", "é"]).to_owned());
                    if self.chance(0.7) {
                        args.extend(self.paths());
                    }
                }
            }
            "set" | "insert" | "replace" | "array_append" | "array_insert" => {
                args.push(self.document());
                for _ in 0..1 + self.below(2) {
                    let mut path = self.path(false);
                    if function == "array_insert" && !path.ends_with(']') {
                        path.push_str(
                            self.pick(&["[0]", "[last]", "[5]", "[last-1]", "[last-9]", ""]),
                        );
                    }
                    args.extend([path, self.document()]);
                }
            }
            "remove" => {
                args.push(self.document());
                args.extend((0..1 + self.below(2)).map(|_| self.path(false)));
            }
            "merge_patch" | "merge_preserve" => {
                args.extend((0..2 + self.below(2)).map(|_| self.document()));
            }
            "schema_valid" | "schema_validation_report" | "schema_value_report" => {
                args.extend([self.schema(2), self.text()]);
            }
            "table" => {
                let paths = [self.path(true), self.path(true), self.path(true), self.path(true)];
                args.push(self.document());
                args.extend(paths);
            }
            _ => args.push(self.document()),
        }
        let function = if function == "broken" { "cast" } else { function };
        Call { function: function.to_owned(), args }
    }
}
