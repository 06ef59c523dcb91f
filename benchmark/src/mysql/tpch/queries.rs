//! The queries as MySQL takes them.

use tpchgen::q_and_a::queries::query as template;

/// Clause 2.4's values for validating, by query.
const VALUES: [&[&str]; 22] = [
    &["90"],
    &["15", "BRASS", "EUROPE"],
    &["BUILDING", "1995-03-15"],
    &["1993-07-01"],
    &["ASIA", "1994-01-01"],
    &["1994-01-01", "0.06", "24"],
    &["FRANCE", "GERMANY"],
    &["BRAZIL", "AMERICA", "ECONOMY ANODIZED STEEL"],
    &["green"],
    &["1993-10-01"],
    &["GERMANY", "{fraction}"],
    &["MAIL", "SHIP", "1994-01-01"],
    &["special", "requests"],
    &["1995-09-01"],
    &["1996-01-01"],
    &["Brand#45", "MEDIUM POLISHED", "49", "14", "23", "45", "19", "3", "36", "9"],
    &["Brand#23", "MED BOX"],
    &["300"],
    &["Brand#12", "Brand#23", "Brand#34", "1", "10", "20"],
    &["forest", "1994-01-01", "CANADA"],
    &["SAUDI ARABIA"],
    &["13", "31", "23", "29", "30", "18", "17"],
];

/// How many rows of its result a query wants, where not all.
const fn rows_max(number: u8) -> Option<u32> {
    match number {
        2 | 18 | 21 => Some(100),
        3 => Some(10),
        10 => Some(20),
        _ => None,
    }
}

/// A query's statements: the one that gives its rows, those that go before it and behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) before: Option<String>,
    pub(super) asks: String,
    pub(super) behind: Option<String>,
}

/// The query of this number, from 1, at a scale.
pub(super) fn query(number: u8, scale: f64) -> Query {
    let place = usize::from(number - 1);
    let mut text = template(i32::from(number)).expect("a query of the specification").to_owned();
    // From the last: `:10` is not `:1`.
    for (at, value) in VALUES[place].iter().enumerate().rev() {
        let fraction = format!("{:.10}", 0.0001 / scale);
        let value = if *value == "{fraction}" { fraction.as_str() } else { value };
        text = text.replace(&format!(":{}", at + 1), value);
    }
    let text = text.replace(" day (3)", " day").replace(":s", "0");
    let statements = text.split(';').map(str::trim).filter(|one| !one.is_empty());
    let statements: Vec<&str> = statements.collect();
    let limited = |asks: &str| match rows_max(number) {
        Some(rows) => format!("{asks}\nlimit {rows}"),
        None => asks.to_owned(),
    };
    match statements[..] {
        [asks] => Query { before: None, asks: limited(asks), behind: None },
        [before, asks, behind] => Query {
            before: Some(before.to_owned()),
            asks: limited(asks),
            behind: Some(behind.to_owned()),
        },
        _ => panic!("query {number} is {} statements", statements.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::tpch::QUERIES;

    #[test]
    fn no_place_for_a_value_is_left() {
        for number in 1..=QUERIES {
            let query = query(number, 0.1);
            let all = [Some(query.asks), query.before, query.behind].into_iter().flatten();
            for text in all {
                assert!(!text.contains(':') && !text.contains('{'), "{number}: {text}");
            }
        }
    }

    #[test]
    fn values_limits_and_views_are_where_they_belong() {
        assert!(query(16, 1.0).asks.contains("p_size in (49, 14, 23, 45, 19, 3, 36, 9)"));
        assert!(query(11, 10.0).asks.contains("* 0.0000100000"));
        assert!(query(3, 1.0).asks.ends_with("limit 10"));
        let fifteen = query(15, 1.0);
        assert!(fifteen.before.unwrap().starts_with("create view revenue0 "));
        assert!(fifteen.asks.starts_with("select"));
        assert_eq!(fifteen.behind.unwrap(), "drop view revenue0");
    }
}
