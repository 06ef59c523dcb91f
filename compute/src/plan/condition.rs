//! Conditions on one column, in the form that searches an index.

use firn_mysql_semantics::expr::{
    CompareOp, Comparison, Cx, ListReading, Membership, Node, Op, Result, Row, compared_value,
    like_beginning,
};
use firn_mysql_semantics::{CollationId, SqlType, TypeKind, Value};

use super::fit::{Fit, fit};
use super::{Intervals, cost};
use crate::bind::columns_of;

/// Members of one IN list that become ranges of their own.
const IN_MAX: usize = 100_000;

/// What a condition says of one column.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// `column op value`
    Compare { op: CompareOp, with: Comparison, column: Node, value: Node },
    /// `column BETWEEN low AND high`
    Between { column: Node, low: (Comparison, Node), high: (Comparison, Node) },
    /// `column IN (…)`
    In { column: Node, values: Vec<(Comparison, Node)> },
    /// `column IN (SELECT …)`, of a query that is run once: its number, the type of its
    /// column, and about how many rows it has. What they are is put in its place before
    /// anything is searched ([`super::Access::with_members`]).
    Members { slot: usize, with: Comparison, column: Node, ty: SqlType, count: f64 },
    /// `column LIKE pattern ESCAPE escape`: what the pattern begins with.
    Like { collation: CollationId, pattern: Node, escape: Node },
    /// `column IS [NOT] NULL`
    IsNull { negated: bool },
    /// One of several.
    Any(Vec<Term>),
    /// All of several.
    All(Vec<Term>),
}

/// A condition on one column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The column's place in its table.
    pub(crate) column: usize,
    /// What is said of it.
    pub(crate) term: Term,
}

impl Term {
    /// How many values of the column it leaves, if these are some that it names.
    pub(crate) fn values(&self) -> Option<f64> {
        match self {
            Self::Compare { op: CompareOp::Eq | CompareOp::NullSafeEq, .. }
            | Self::IsNull { negated: false } => Some(1.0),
            Self::In { values, .. } => Some(values.len() as f64),
            Self::Members { count, .. } => Some(*count),
            Self::Compare { .. }
            | Self::Between { .. }
            | Self::Like { .. }
            | Self::IsNull { negated: true } => None,
            Self::Any(terms) => terms.iter().map(Self::values).sum(),
            Self::All(terms) => terms.iter().filter_map(Self::values).reduce(f64::min),
        }
    }

    /// The share of rows that it leaves, if nothing is known of them.
    pub(crate) fn share(&self) -> f64 {
        match self {
            Self::Compare { op: CompareOp::Eq | CompareOp::NullSafeEq, .. } => cost::EQUAL,
            Self::Compare { .. } => cost::BEYOND,
            Self::Between { .. } | Self::Like { .. } => cost::WITHIN,
            Self::In { values, .. } => (values.len() as f64 * cost::EQUAL).min(0.5),
            Self::Members { .. } => cost::OTHER,
            Self::IsNull { negated: false } => cost::EQUAL,
            Self::IsNull { negated: true } => 1.0 - cost::EQUAL,
            Self::Any(terms) => terms.iter().map(Self::share).sum::<f64>().min(1.0),
            Self::All(terms) => terms.iter().map(Self::share).product(),
        }
    }
}

impl Condition {
    /// The condition on one column of the table whose columns are at `start..end` that
    /// `node` is, if it is one: everything else in it is `known` before the table is read.
    pub(crate) fn of(
        node: &Node,
        start: usize,
        end: usize,
        known: &dyn Fn(usize) -> bool,
    ) -> Option<Self> {
        let own = |node: &Node| match &node.op {
            Op::Column(column) if (start..end).contains(&column.index) => {
                Some(column.index - start)
            }
            _ => None,
        };
        let usable = |node: &Node| {
            let mut all = is_settled(node);
            columns_of(node, &mut |place| all &= known(place));
            all
        };
        let term = |column, term| Some(Self { column, term });
        match (&node.op, &*node.args) {
            (Op::Compare(op, with), [left, right]) => {
                if *op == CompareOp::Ne {
                    return None;
                }
                let (at, column, value, op) = match (own(left), own(right)) {
                    (Some(at), _) if usable(right) => (at, left, right, *op),
                    (_, Some(at)) if usable(left) => (at, right, left, mirrored(*op)),
                    _ => return None,
                };
                is_ordered(column, *with).then_some(())?;
                let (column, value) = (column.clone(), value.clone());
                term(at, Term::Compare { op, with: *with, column, value })
            }
            (Op::Between { negated: false, low, high }, [column, from, to]) => {
                let at = own(column)?;
                let both = usable(from) && usable(to);
                (both && is_ordered(column, *low) && is_ordered(column, *high)).then_some(())?;
                let (low, high) = ((*low, from.clone()), (*high, to.clone()));
                term(at, Term::Between { column: column.clone(), low, high })
            }
            (Op::In { negated: false, how }, [column, list @ ..]) => {
                let at = own(column)?;
                let with = comparisons(how, list.len());
                let all = list.len() <= IN_MAX
                    && list.iter().all(usable)
                    && with.iter().all(|with| is_ordered(column, *with));
                (all && with.len() == list.len()).then_some(())?;
                let values = with.into_iter().zip(list.iter().cloned()).collect();
                term(at, Term::In { column: column.clone(), values })
            }
            (Op::Like { negated: false, collation }, [column, pattern, escape]) => {
                let at = own(column)?;
                let usable = usable(pattern) && usable(escape) && !begins_with_any(pattern);
                (usable && is_ordered(column, Comparison::Text(*collation))).then_some(())?;
                let (pattern, escape) = (pattern.clone(), escape.clone());
                term(at, Term::Like { collation: *collation, pattern, escape })
            }
            (Op::IsNull { negated }, [column]) => {
                term(own(column)?, Term::IsNull { negated: *negated })
            }
            (Op::Or | Op::And, list) => {
                let mut all = list.iter().map(|node| Self::of(node, start, end, known));
                let first = all.next()??;
                let mut terms = vec![first.term];
                for one in all {
                    let one = one.filter(|one| one.column == first.column)?;
                    terms.push(one.term);
                }
                let whole =
                    if matches!(node.op, Op::Or) { Term::Any(terms) } else { Term::All(terms) };
                term(first.column, whole)
            }
            _ => None,
        }
    }

    /// It leaves one value of the column, or one of a few.
    pub(crate) fn is_equality(&self) -> bool {
        fn all(term: &Term) -> bool {
            match term {
                Term::Compare { op, .. } => matches!(op, CompareOp::Eq | CompareOp::NullSafeEq),
                Term::In { .. } | Term::Members { .. } | Term::IsNull { negated: false } => true,
                Term::Between { .. } | Term::Like { .. } | Term::IsNull { negated: true } => false,
                Term::Any(terms) => terms.iter().all(all),
                Term::All(terms) => terms.iter().any(all),
            }
        }
        all(&self.term)
    }

    /// It leaves exactly one value.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(&self.term, Term::Compare { op: CompareOp::Eq, .. })
            || matches!(&self.term, Term::In { values, .. } if values.len() == 1)
    }
}

/// How the members of an IN list are compared.
fn comparisons(how: &Membership, members: usize) -> Vec<Comparison> {
    let one = match how {
        Membership::Each(with) => return with.to_vec(),
        Membership::Constants(ListReading::Integers) => Comparison::Int,
        Membership::Constants(ListReading::Doubles) => Comparison::Double,
        Membership::Constants(ListReading::Times) => Comparison::Time,
        Membership::Constants(ListReading::Dates | ListReading::DateTimes)
        | Membership::DatesAs(_) => Comparison::LenientDateTime,
    };
    vec![one; members]
}

/// Whether a pattern of LIKE says nothing of what texts begin with.
fn begins_with_any(pattern: &Node) -> bool {
    match &pattern.op {
        Op::Literal(Value::Bytes(text)) => matches!(text.first(), None | Some(b'%' | b'_')),
        _ => false,
    }
}

/// `value op column` as `column op value`.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        other => other,
    }
}

/// Whether an expression gives the same for every row.
fn is_settled(node: &Node) -> bool {
    let own = match &node.op {
        Op::Assign(_) | Op::Row => false,
        Op::Call(call) => call.function.deterministic,
        _ => true,
    };
    own && node.args.iter().all(is_settled)
}

/// Whether the column's own order is the comparison's. [`fit`] sees to the rest.
pub(super) fn is_ordered(column: &Node, with: Comparison) -> bool {
    let ty = &column.ty;
    match with {
        Comparison::Text(collation) => {
            ty.kind.is_string()
                && !matches!(ty.kind, TypeKind::Enum | TypeKind::Set)
                && collation == ty.collation
        }
        Comparison::Json => false,
        _ => !ty.kind.is_string(),
    }
}

/// How values of a column stand in keys.
pub(crate) trait Encoder {
    /// The encoded form of a value, which the column can hold, or of NULL.
    fn encode(&self, value: &Value) -> Option<Vec<u8>>;
    /// What the encoded forms of texts begin with that begin with `text`; of others, too.
    fn encode_beginning(&self, text: &[u8]) -> Option<Vec<u8>>;
    /// Greater values come first.
    fn descending(&self) -> bool;
    /// Keys hold only the start of values.
    fn is_prefix(&self) -> bool;
    /// The type of the column.
    fn ty(&self) -> &SqlType;
    /// A TIMESTAMP as keys hold it.
    fn in_utc(&self, value: Value, cx: &mut Cx<'_>) -> Value;
}

/// The keys for which a condition may hold.
///
/// # Errors
/// Those of evaluating it.
pub(crate) fn keys(
    term: &Term,
    encoder: &dyn Encoder,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Intervals> {
    match term {
        Term::Compare { op, with, column, value } => {
            if *op == CompareOp::NullSafeEq && value.eval(cx, row)?.is_null() {
                return Ok(nulls(encoder));
            }
            let place = place(*with, column, value, encoder, cx, row)?;
            Ok(compared(*op, place, encoder))
        }
        Term::Between { column, low, high } => {
            let from = place(low.0, column, &low.1, encoder, cx, row)?;
            let to = place(high.0, column, &high.1, encoder, cx, row)?;
            let from = compared(CompareOp::Ge, from, encoder);
            Ok(from.intersect(&compared(CompareOp::Le, to, encoder)))
        }
        Term::In { column, values } => {
            let mut all = Vec::with_capacity(values.len());
            for (with, value) in values {
                let place = place(*with, column, value, encoder, cx, row)?;
                all.push(compared(CompareOp::Eq, place, encoder));
            }
            Ok(Intervals::union(all))
        }
        // Not known: any may be among them.
        Term::Members { .. } => Ok(Intervals::all()),
        Term::Like { collation, pattern, escape } => {
            Ok(match like_beginning(*collation, pattern, escape, cx, row)? {
                Some(None) => Intervals::none(),
                Some(Some(text)) if !text.is_empty() => {
                    let key = encoder.encode_beginning(&text);
                    key.map_or_else(|| not_null(encoder), Intervals::beginning_with)
                }
                _ => not_null(encoder),
            })
        }
        Term::IsNull { negated: false } => Ok(nulls(encoder)),
        Term::IsNull { negated: true } => Ok(not_null(encoder)),
        Term::Any(terms) => {
            let all: Result<Vec<_>> =
                terms.iter().map(|term| keys(term, encoder, cx, row)).collect();
            Ok(Intervals::union(all?))
        }
        Term::All(terms) => {
            let mut set = Intervals::all();
            for term in terms {
                set = set.intersect(&keys(term, encoder, cx, row)?);
            }
            Ok(set)
        }
    }
}

/// Keys of NULL.
fn nulls(encoder: &dyn Encoder) -> Intervals {
    if !encoder.ty().nullable {
        return Intervals::none();
    }
    encoder.encode(&Value::Null).map_or_else(Intervals::all, Intervals::point)
}

/// Keys of all but NULL.
pub(crate) fn not_null(encoder: &dyn Encoder) -> Intervals {
    if !encoder.ty().nullable {
        return Intervals::all();
    }
    match encoder.encode(&Value::Null) {
        Some(null) if encoder.descending() => Intervals::below(&null, false),
        Some(null) => Intervals::above(&null, false),
        None => Intervals::all(),
    }
}

fn place(
    with: Comparison,
    column: &Node,
    value: &Node,
    encoder: &dyn Encoder,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Fit> {
    let Some(compared) = compared_value(with, value, column, cx, row)? else {
        return Ok(Fit::Unknown);
    };
    if encoder.ty().kind == TypeKind::Timestamp {
        return Ok(match compared {
            Value::Null => Fit::Null,
            Value::DateTime(_) => Fit::Exact(encoder.in_utc(compared, cx)),
            _ => Fit::Unknown,
        });
    }
    Ok(fit(compared, encoder.ty()))
}

/// The keys of values that compare so with a placed value.
fn compared(op: CompareOp, place: Fit, encoder: &dyn Encoder) -> Intervals {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne, NullSafeEq};
    let (value, exact) = match place {
        Fit::Null => return Intervals::none(),
        Fit::Unknown => return not_null(encoder),
        Fit::BeforeAll => {
            return if matches!(op, Gt | Ge | Ne) { not_null(encoder) } else { Intervals::none() };
        }
        Fit::AfterAll => {
            return if matches!(op, Lt | Le | Ne) { not_null(encoder) } else { Intervals::none() };
        }
        Fit::Exact(value) => (value, true),
        Fit::After(value) => (value, false),
    };
    let Some(key) = encoder.encode(&value) else { return not_null(encoder) };
    let less = |inclusive: bool| {
        if encoder.descending() {
            Intervals::above(&key, inclusive)
        } else {
            Intervals::below(&key, inclusive)
        }
    };
    let greater = |inclusive: bool| {
        if encoder.descending() {
            Intervals::below(&key, inclusive)
        } else {
            Intervals::above(&key, inclusive)
        }
    };
    // Where only a start is kept, values on either side may have the same key.
    let blunt = encoder.is_prefix();
    let set = match op {
        Eq | NullSafeEq if exact => return Intervals::point(key),
        Eq | NullSafeEq => return Intervals::none(),
        Ne => Intervals::all(),
        Lt => less(!exact || blunt),
        Le => less(true),
        Gt => greater(blunt),
        Ge => greater(exact || blunt),
    };
    set.intersect(&not_null(encoder))
}
