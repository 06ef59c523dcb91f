//! Truths: AND, OR, XOR, NOT, IS, IN.

use std::collections::HashSet;

use arrow_array::{Array, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::numbers::{Ints, Side, doubles};
use super::{ByRows, Kernel, Lane, Outcome, Run, Vector, compare, members, truths_of};
use crate::expr::{CompareOp, ListReading};
use crate::types::CollationId;
use crate::value::Value;

/// Lists longer than this are looked up, not compared one by one.
const SHORT_LIST: usize = 12;

/// What is known of the rows: those that are true, and those that are false.
pub(super) struct Known {
    pub(super) yes: BooleanBuffer,
    pub(super) no: BooleanBuffer,
}

impl Known {
    pub(super) fn of(vector: &Vector, rows: usize) -> Outcome<Known> {
        let (none, all) = (BooleanBuffer::new_unset(rows), BooleanBuffer::new_set(rows));
        Ok(match vector {
            Vector::One(Value::Null) => Known { yes: none.clone(), no: none },
            Vector::One(Value::Int(0)) => Known { yes: none, no: all },
            Vector::One(Value::Int(_)) => Known { yes: all, no: none },
            Vector::One(_) => return Err(ByRows),
            Vector::Many(_) => {
                let truths = truths_of(vector)?;
                match truths.nulls() {
                    None => Known { yes: truths.values().clone(), no: !truths.values() },
                    Some(nulls) => Known {
                        yes: truths.values() & nulls.inner(),
                        no: &!truths.values() & nulls.inner(),
                    },
                }
            }
        })
    }

    fn into_vector(self) -> Vector {
        let known = &self.yes | &self.no;
        let nulls = known.has_false().then(|| NullBuffer::new(known));
        Vector::truths(BooleanArray::new(self.yes, nulls))
    }
}

/// AND (`decisive` is false) and OR (true): an operand runs where those before it did
/// not decide.
pub(super) fn fold(
    decisive: bool,
    args: &[Kernel],
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let rows = run.rows;
    let mut all: Option<Known> = None;
    for arg in args {
        let Some(known) = all else {
            all = Some(Known::of(&arg.eval(run, selection)?, rows)?);
            continue;
        };
        let decided = if decisive { &known.yes } else { &known.no };
        let mut open = !decided;
        if let Some(selection) = selection {
            open = &open & selection;
        }
        if !open.has_true() {
            all = Some(known);
            break;
        }
        let next = Known::of(&arg.eval(run, Some(&open))?, rows)?;
        // Where it did not run, what it gave means nothing; but there all is decided.
        all = Some(if decisive {
            Known { yes: &known.yes | &(&next.yes & &open), no: &known.no & &next.no }
        } else {
            Known { yes: &known.yes & &next.yes, no: &known.no | &(&next.no & &open) }
        });
    }
    Ok(all.ok_or(ByRows)?.into_vector())
}

/// AND of what both gave.
pub(super) fn both(left: &Vector, right: &Vector, rows: usize) -> Outcome<Vector> {
    let (a, b) = (Known::of(left, rows)?, Known::of(right, rows)?);
    Ok(Known { yes: &a.yes & &b.yes, no: &a.no | &b.no }.into_vector())
}

/// An operand runs where none before it is NULL.
pub(super) fn xor(
    args: &[Kernel],
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let rows = run.rows;
    let mut all: Option<(BooleanBuffer, BooleanBuffer)> = None;
    for arg in args {
        let open = match (&all, selection) {
            (None, selection) => selection.cloned(),
            (Some((_, valid)), None) => Some(valid.clone()),
            (Some((_, valid)), Some(selection)) => Some(valid & selection),
        };
        let next = Known::of(&arg.eval(run, open.as_ref())?, rows)?;
        let known = &next.yes | &next.no;
        all = Some(match all {
            None => (next.yes, known),
            Some((value, valid)) => (&value ^ &next.yes, &valid & &known),
        });
    }
    let (value, valid) = all.ok_or(ByRows)?;
    Ok(Vector::truths(BooleanArray::new(value, Some(NullBuffer::new(valid)))))
}

pub(super) fn not(vector: &Vector) -> Outcome<Vector> {
    match vector {
        Vector::One(Value::Null) => Ok(Vector::One(Value::Null)),
        Vector::One(Value::Int(value)) => Ok(Vector::One(Value::from(*value == 0))),
        Vector::One(_) => Err(ByRows),
        Vector::Many(_) => {
            let truths = truths_of(vector)?;
            Ok(Vector::truths(BooleanArray::new(!truths.values(), truths.nulls().cloned())))
        }
    }
}

pub(super) fn is_null(negated: bool, vector: &Vector) -> Vector {
    match vector {
        Vector::One(value) => Vector::One(Value::from(value.is_null() != negated)),
        Vector::Many(array) => {
            let valid = match array.nulls() {
                Some(nulls) => nulls.inner().clone(),
                None => BooleanBuffer::new_set(array.len()),
            };
            Vector::truths(BooleanArray::new(if negated { valid } else { !&valid }, None))
        }
    }
}

pub(super) fn is_truth(truth: bool, negated: bool, vector: &Vector) -> Outcome<Vector> {
    match vector {
        Vector::One(Value::Null) => Ok(Vector::One(Value::from(negated))),
        Vector::One(Value::Int(value)) => {
            Ok(Vector::One(Value::from(((*value != 0) == truth) != negated)))
        }
        Vector::One(_) => Err(ByRows),
        Vector::Many(array) => {
            let known = Known::of(vector, array.len())?;
            let holds = if truth { known.yes } else { known.no };
            Ok(Vector::truths(BooleanArray::new(if negated { !&holds } else { holds }, None)))
        }
    }
}

/// `value IN (items)`, all compared in one lane.
pub(super) fn among(
    negated: bool,
    lane: Lane,
    collation: CollationId,
    value: &Vector,
    items: Vec<Vector>,
) -> Outcome<Vector> {
    let Vector::Many(array) = value else {
        return if value.is_null() { Ok(Vector::One(Value::Null)) } else { Err(ByRows) };
    };
    let rows = array.len();
    let count = items.len();
    let items: Vec<Vector> = items.into_iter().filter(|item| !item.is_null()).collect();
    let unknown = items.len() < count;
    let found = if lane == Lane::Int && items.len() > SHORT_LIST {
        let wanted = items
            .iter()
            .map(|item| Ints::of(item).map(|number| number.get(0)))
            .collect::<Outcome<HashSet<i128>>>()?;
        let values = Ints::of(value)?;
        BooleanBuffer::collect_bool(rows, |at| wanted.contains(&values.get(at)))
    } else if lane == Lane::Text && items.len() > 1 {
        let mut texts: Vec<&[u8]> = Vec::with_capacity(items.len());
        for item in &items {
            let Vector::One(Value::Bytes(text)) = item else { return Err(ByRows) };
            texts.push(text);
        }
        members::found(collation, array, texts)?
    } else {
        let mut found = BooleanBuffer::new_unset(rows);
        for item in &items {
            let equal = compare::compare(CompareOp::Eq, lane, collation, value, item)?;
            found = &found | truths_of(&equal)?.values();
        }
        found
    };
    Ok(membership(negated, found, unknown, array.nulls()))
}

/// `value IN (…)` by keys of the list: whether each is NULL, and what it is.
pub(super) fn among_keys(
    negated: bool,
    reading: ListReading,
    value: &Vector,
    keys: &[(bool, Option<i128>)],
) -> Outcome<Vector> {
    let Vector::Many(array) = value else {
        return if value.is_null() { Ok(Vector::One(Value::Null)) } else { Err(ByRows) };
    };
    let rows = array.len();
    let unknown = keys.iter().any(|(null, _)| *null);
    let wanted: HashSet<i128> =
        keys.iter().filter_map(|(null, key)| key.filter(|_| !null)).collect();
    let found = if reading == ListReading::Doubles {
        let Side::Many(values) = doubles(value)? else { return Err(ByRows) };
        // Zero has one sign.
        let key = |at: usize| i128::from((values[at] + 0.0).to_bits());
        BooleanBuffer::collect_bool(rows, |at| wanted.contains(&key(at)))
    } else {
        let values = match reading {
            ListReading::DateTimes => Ints::of(&Vector::Many(compare::with_times(array)))?,
            _ => Ints::of(value)?,
        };
        BooleanBuffer::collect_bool(rows, |at| wanted.contains(&values.get(at)))
    };
    Ok(membership(negated, found, unknown, array.nulls()))
}

/// What is not found where something is unknown is unknown.
fn membership(
    negated: bool,
    found: BooleanBuffer,
    unknown: bool,
    nulls: Option<&NullBuffer>,
) -> Vector {
    let mut valid = match nulls {
        Some(nulls) => nulls.inner().clone(),
        None => BooleanBuffer::new_set(found.len()),
    };
    if unknown {
        valid = &valid & &found;
    }
    let truths = if negated { !&found } else { found };
    let nulls = valid.has_false().then(|| NullBuffer::new(valid));
    Vector::truths(BooleanArray::new(truths, nulls))
}
