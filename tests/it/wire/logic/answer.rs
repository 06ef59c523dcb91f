//! A server's answer as sqllogictest writes it.

use firn_mysql_protocol::client::ResultSet;
use firn_mysql_protocol::command::ParameterValue;
use md5::{Digest, Md5};

use super::file::{Expected, Kind, Query, Sort};

/// The values of an answer, in the order in which they are compared.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Answer(pub(crate) Vec<String>);

impl Answer {
    /// What a result has for `query`; why it has nothing.
    pub(crate) fn of(result: &ResultSet, query: &Query) -> Result<Self, String> {
        if result.columns.len() != query.kinds.len() {
            return Err(format!("{} columns of {}", result.columns.len(), query.kinds.len()));
        }
        let mut rows = Vec::with_capacity(result.rows.len());
        for row in &result.rows {
            let values = row.values(&result.columns).map_err(|error| error.to_string())?;
            let texts = query.kinds.iter().zip(&values).map(|(kind, value)| match value {
                ParameterValue::Bytes(text) => written(text, *kind),
                _ => "NULL".to_owned(),
            });
            rows.push(texts.collect::<Vec<String>>());
        }
        if query.sort == Sort::Rows {
            rows.sort_unstable();
        }
        let mut values = rows.concat();
        if query.sort == Sort::Values {
            values.sort_unstable();
        }
        Ok(Self(values))
    }

    /// Whether it is what was expected.
    pub(crate) fn is(&self, expected: &Expected) -> bool {
        match expected {
            Expected::Values(values) => self.0 == *values,
            Expected::Hash(hash) => self.hash() == *hash,
        }
    }

    /// How an answer of many values is written.
    pub(crate) fn hash(&self) -> String {
        let mut md5 = Md5::new();
        for value in &self.0 {
            md5.update(value);
            md5.update("\n");
        }
        let hex: String = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} values hashing to {hex}", self.0.len())
    }
}

/// A value of a type.
fn written(text: &[u8], kind: Kind) -> String {
    let printed = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '@' };
    if kind == Kind::Text {
        return if text.is_empty() { "(empty)".into() } else { text.iter().map(printed).collect() };
    }
    let text = String::from_utf8_lossy(text);
    match kind {
        Kind::Real => {
            let value: f64 = text.parse().unwrap_or_default();
            format!("{value:.3}")
        }
        // The number that a text begins with.
        _ => {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let len = digits.bytes().take_while(u8::is_ascii_digit).count();
            let whole = &text[..text.len() - digits.len() + len];
            if len == 0 || whole == "-0" { "0".to_owned() } else { whole.to_owned() }
        }
    }
}

#[test]
fn values_are_written_by_the_types_of_their_columns() {
    for (text, kind, want) in [
        ("", Kind::Text, "(empty)"),
        ("a\tb\u{e9}", Kind::Text, "a@b@@"),
        ("12.50", Kind::Integer, "12"),
        ("-0.5", Kind::Integer, "0"),
        ("-7", Kind::Integer, "-7"),
        ("x1", Kind::Integer, "0"),
        ("12.3456", Kind::Real, "12.346"),
        ("1e2", Kind::Real, "100.000"),
        ("-17", Kind::Real, "-17.000"),
    ] {
        assert_eq!(written(text.as_bytes(), kind), want, "{text} {kind:?}");
    }
}

#[test]
fn many_values_are_hashed_with_their_ends_of_line() {
    // `printf '1\n2\n' | md5sum`
    let answer = Answer(vec!["1".into(), "2".into()]);
    assert_eq!(answer.hash(), "2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0");
    assert!(answer.is(&Expected::Values(vec!["1".into(), "2".into()])));
    assert!(answer.is(&Expected::Hash(answer.hash())));
    assert!(!answer.is(&Expected::Values(vec!["1".into()])));
}
