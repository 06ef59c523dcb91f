//! Which share of a table's rows conditions leave, by what is known of their columns' values.

use firn_mysql_semantics::expr::{CompareOp, Cx, Node, Row, compared_value};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::Term;
use super::fit::{Fit, fit};
use crate::statistics::{ColumnStatistics, Histogram, Place};
use crate::zone;

/// What is known of a column's values.
#[derive(Clone, Copy)]
pub(super) enum Values<'h> {
    Spread(&'h Histogram),
    Sampled(&'h ColumnStatistics),
}

impl Values<'_> {
    fn nulls(self) -> f64 {
        match self {
            Self::Spread(histogram) => histogram.nulls(),
            Self::Sampled(known) => known.nulls,
        }
    }

    /// The shares of rows with a value below one that is as the column has it, if that is
    /// known, and with that value.
    fn at(self, value: &Value, ty: &SqlType) -> Option<(Option<f64>, f64)> {
        match self {
            Self::Spread(histogram) => {
                let place = Place::of(value, ty)?;
                Some((Some(histogram.less(&place)), histogram.equal(&place)))
            }
            Self::Sampled(known) => Some((None, known.equal(value, ty)?)),
        }
    }
}

/// The share of rows that a condition leaves by what is known of its column's values.
pub(super) fn share_of(
    term: &Term,
    values: Values<'_>,
    ty: &SqlType,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Option<f64> {
    let all = 1.0 - values.nulls();
    // Shares of rows whose value is less than one, and of those that have it.
    let place = |with, column: &Node, value: &Node, cx: &mut Cx<'_>| {
        let compared = compared_value(with, value, column, cx, row).ok()??;
        let (value, exact) = if ty.kind == TypeKind::Timestamp {
            (zone::to_utc(compared, cx), true)
        } else {
            match fit(compared, ty) {
                Fit::Exact(value) => (value, true),
                Fit::After(value) => (value, false),
                Fit::BeforeAll => return Some((Some(0.0), 0.0)),
                Fit::AfterAll => return Some((Some(all), 0.0)),
                Fit::Null | Fit::Unknown => return None,
            }
        };
        let (less, equal) = values.at(&value, ty)?;
        Some(if exact { (less, equal) } else { (less.map(|less| less + equal), 0.0) })
    };
    match term {
        Term::Compare { op, with, column, value } => {
            let (less, equal) = place(*with, column, value, cx)?;
            Some(match op {
                CompareOp::Eq | CompareOp::NullSafeEq => equal,
                CompareOp::Lt => less?,
                CompareOp::Le => less? + equal,
                CompareOp::Gt => all - less? - equal,
                CompareOp::Ge => all - less?,
                CompareOp::Ne => all - equal,
            })
        }
        Term::Between { column, low, high } => {
            let (from, _) = place(low.0, column, &low.1, cx)?;
            let (to, last) = place(high.0, column, &high.1, cx)?;
            Some(to? + last - from?)
        }
        Term::In { column, values } => {
            let mut all = 0.0;
            for (with, value) in values {
                all += place(*with, column, value, cx)?.1;
            }
            Some(all)
        }
        Term::IsNull { negated: false } => Some(values.nulls()),
        Term::IsNull { negated: true } => Some(all),
        Term::Like { .. } | Term::Members { .. } => None,
        Term::Any(terms) => terms.iter().map(|one| share_of(one, values, ty, cx, row)).sum(),
        Term::All(terms) => {
            let shares = terms.iter().map(|one| share_of(one, values, ty, cx, row));
            shares.collect::<Option<Vec<f64>>>().map(|all| all.into_iter().fold(1.0, f64::min))
        }
    }
}
