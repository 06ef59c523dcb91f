//! Answers, and whether two are the same.

use firn_engine::Result;
use firn_mysql_protocol::client::Client;
use firn_mysql_protocol::command::ParameterValue;
use tpchgen::q_and_a::answers_sf1::answer;

use crate::mysql::connection::unavailable;

/// Rows as text, in no particular order: queries leave some of it open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer(Vec<Vec<String>>);

impl Answer {
    /// Asks.
    pub(crate) async fn of(client: &mut Client, sql: &str) -> Result<Self> {
        let results = client.query_all(sql.as_bytes()).await.map_err(|e| unavailable(sql, &e))?;
        let mut rows = Vec::new();
        for result in results {
            for row in &result.rows {
                let values = row.values(&result.columns).map_err(|e| unavailable(sql, &e))?;
                let texts = values.iter().map(|value| match value {
                    ParameterValue::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
                    _ => "NULL".to_owned(),
                });
                rows.push(texts.collect());
            }
        }
        Ok(Self::sorted(rows))
    }

    fn sorted(mut rows: Vec<Vec<String>>) -> Self {
        rows.sort_unstable();
        Self(rows)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.0.len()
    }

    /// The specification's, at scale 1.
    pub(super) fn published(number: u8) -> Self {
        let text = answer(i32::from(number)).expect("an answer of the specification");
        let lines = text.lines().filter(|line| !line.trim().is_empty()).skip(1);
        let rows = lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect());
        Self::sorted(rows.collect())
    }

    /// As [`Self::published`] has it: of the keys of the 11th query, right-aligned in six
    /// characters, it has the first four.
    pub(super) fn cut_as_published(mut self, number: u8) -> Self {
        if number == 11 {
            for key in self.0.iter_mut().filter_map(|row| row.first_mut()) {
                let cut: String = format!("{key:>6}").chars().take(4).collect();
                *key = cut.trim().to_owned();
            }
        }
        Self::sorted(self.0)
    }

    /// What differs from `other`; `None` if nothing does. Servers must agree to the letter;
    /// `rounded`: numbers may differ as much as the specification lets them, and spaces at the
    /// ends do not count.
    pub(crate) fn differs(&self, other: &Self, rounded: bool) -> Option<String> {
        if self.0.len() != other.0.len() {
            return Some(format!("{} rows, not {}", self.0.len(), other.0.len()));
        }
        let same = |row: &[String], other: &[String]| match rounded {
            true => is_about(row, other),
            false => row == other,
        };
        // Mostly the next one; rounded numbers may have sorted otherwise.
        let mut left: Vec<Option<&Vec<String>>> = other.0.iter().map(Some).collect();
        let mut from = 0;
        for row in &self.0 {
            let found = left[from..].iter().position(|one| one.is_some_and(|one| same(row, one)));
            let Some(at) = found else {
                return Some(format!("row {row:?} is not in the other answer"));
            };
            left[from + at] = None;
            from += left[from..].iter().take_while(|one| one.is_none()).count();
        }
        None
    }
}

fn is_about(row: &[String], other: &[String]) -> bool {
    row.len() == other.len()
        && row.iter().zip(other).all(|(one, other)| {
            let (one, other) = (one.trim(), other.trim());
            // Keys and counts are what they are.
            let rounded = one.contains('.') || other.contains('.');
            match (one.parse::<f64>(), other.parse::<f64>()) {
                _ if !rounded => one == other,
                // Clause 2.1.3.5: a cent for sums, a hundredth for the rest.
                (Ok(one), Ok(other)) => (one - other).abs() <= 0.01 * other.abs().max(1.0),
                _ => one == other,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_of(rows: &[&[&str]]) -> Answer {
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        Answer::sorted(rows.collect())
    }

    #[test]
    fn answers_are_the_same_in_any_order_and_otherwise_to_the_letter() {
        let one = answer_of(&[&["a", "1.50"], &["b", "2"]]);
        assert_eq!(one.differs(&answer_of(&[&["b", "2"], &["a", "1.50"]]), false), None);
        assert!(one.differs(&answer_of(&[&["b", "2"], &["a", "1.5"]]), false).is_some());
        assert!(one.differs(&answer_of(&[&["b", "2"], &["b", "2"]]), false).is_some());
        assert!(one.differs(&answer_of(&[&["b", "2"]]), false).is_some());
    }

    #[test]
    fn published_answers_are_rounded() {
        let one = answer_of(&[&["A", "25.522005"], &["B", "7"]]);
        assert_eq!(one.differs(&answer_of(&[&["B  ", "7"], &["A", "25.52"]]), true), None);
        assert!(one.differs(&answer_of(&[&["B", "8"], &["A", "25.52"]]), true).is_some());
        // Large keys were taken for each other.
        let one = answer_of(&[&["100202", "1.50"]]);
        assert!(one.differs(&answer_of(&[&["100203", "1.50"]]), true).is_some());
        assert_eq!(one.differs(&answer_of(&[&["100202", "1.51"]]), true), None);
        let parts = answer_of(&[&["129760", "17538456.86"], &["9403", "15451755.62"]]);
        let parts = parts.cut_as_published(11);
        assert_eq!(parts, answer_of(&[&["1297", "17538456.86"], &["94", "15451755.62"]]));
        assert!(parts.0.iter().all(|row| Answer::published(11).0.contains(row)));
        assert_eq!(Answer::published(1).0.len(), 4);
        assert_eq!(Answer::published(1).0[0][0], "A");
    }
}
