//! Parts of a tree that run over whole arrays.
//!
//! A kernel gives what the row form gives, or says [`ByRows`]: then all of the tree runs
//! row by row over this batch. So kernels make no errors, and no warnings but that of a
//! division by zero, which is the same wherever it comes from. Where a tree's order of
//! evaluation can be seen (parts that run row by row warn), operands run only over the
//! rows for which the row form would run them.

mod arith;
mod build;
mod cast;
mod choose;
mod compare;
mod decimal;
mod like;
mod logic;
mod members;
mod numbers;
mod piece;
mod run;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};

pub(super) use numbers::in_type;
pub(super) use run::Run;

use self::piece::Pieces;
use super::array::truths_as_ints;
use super::rows::{Form, Used};
use crate::expr::{ArithOp, BitOp, CompareOp, Comparison, ListReading, Node, leaf};
use crate::types::{CollationId, SqlType};
use crate::value::Value;

/// The batch has to run row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByRows;

pub(super) type Outcome<T> = Result<T, ByRows>;

/// The values of an operand in a batch.
#[derive(Debug, Clone)]
pub(super) enum Vector {
    /// The same in all rows.
    One(Value),
    /// One for each row.
    Many(ArrayRef),
}

/// As what a kernel gives its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Any of Arrow's integers.
    Int,
    /// Float64.
    Double,
    /// Decimal128, or integers.
    Decimal,
    /// Any of Arrow's strings or bytes, in the character set of the collation.
    Text,
    /// Packed dates (UInt32) or dates with time (UInt64).
    DateTime,
    /// Microseconds: Int64.
    Time,
    /// Boolean.
    Truth,
    /// What the type has.
    Any,
}

/// A number, date or truth in another lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Not 0.
    ToTruth,
    /// 0 or 1 as Int64.
    TruthToInt,
    /// As Float64.
    ToDouble,
    /// The 64 bits of an integer as a signed or unsigned number.
    Wrap { unsigned: bool },
    /// Of a double or decimal, the nearest integer.
    Round { unsigned: bool },
    /// As a decimal of so many digits, of an integer or decimal.
    Fit { precision: u8, scale: u8 },
}

#[derive(Debug, Clone)]
pub(super) enum Kernel {
    /// A column, by its place among those that the tree uses.
    Column(usize, Lane),
    /// What does not depend on the row: run once a batch.
    Constant {
        node: Box<Node>,
        lane: Lane,
        /// What it is compared with, and how.
        beside: Option<Box<(Node, Comparison)>>,
    },
    /// A part that runs row by row: the columns it uses, and their places.
    Rows {
        node: Box<Node>,
        form: Form,
        used: Box<[Used]>,
        places: Box<[usize]>,
    },
    Change(Change, Box<Kernel>),
    Compare {
        op: CompareOp,
        lane: Lane,
        collation: CollationId,
        args: Box<[Kernel; 2]>,
    },
    Arith {
        op: ArithOp,
        lane: Lane,
        unsigned: bool,
        decimals: u8,
        args: Box<[Kernel; 2]>,
    },
    Negate {
        lane: Lane,
        arg: Box<Kernel>,
    },
    Bits {
        op: BitOp,
        args: Box<[Kernel; 2]>,
    },
    BitNot(Box<Kernel>),
    /// AND (`decisive` is false) and OR (true).
    Fold {
        decisive: bool,
        args: Box<[Kernel]>,
    },
    /// Both bounds of BETWEEN: AND that always asks for both.
    Both(Box<[Kernel; 2]>),
    Xor(Box<[Kernel]>),
    Not(Box<Kernel>),
    /// Values in the type of the whole, each with its condition.
    Case {
        ty: SqlType,
        branches: Box<[(Option<Kernel>, Kernel)]>,
    },
    Coalesce {
        ty: SqlType,
        args: Box<[Kernel]>,
    },
    IsNull {
        negated: bool,
        arg: Box<Kernel>,
    },
    IsTruth {
        truth: bool,
        negated: bool,
        arg: Box<Kernel>,
    },
    /// Compared with each of some constants.
    In {
        negated: bool,
        value: Box<Kernel>,
        lane: Lane,
        collation: CollationId,
        list: Box<[Kernel]>,
    },
    /// Looked for in a list of constants that is read first.
    Keys {
        negated: bool,
        reading: ListReading,
        value: Box<Kernel>,
        asked: Box<Node>,
        list: Box<[Node]>,
    },
    /// LEFT, RIGHT and SUBSTRING.
    Piece {
        which: Pieces,
        collation: CollationId,
        value: Box<Kernel>,
        /// Constants.
        numbers: Box<[Kernel]>,
    },
    Like {
        negated: bool,
        collation: CollationId,
        value: Box<Kernel>,
        pattern: Box<Kernel>,
        escape: Box<Node>,
    },
}

impl Vector {
    pub(super) fn truths(truths: BooleanArray) -> Vector {
        Vector::Many(Arc::new(truths))
    }

    fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Vector::One(_) => None,
            Vector::Many(array) => array.nulls(),
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Vector::One(Value::Null))
    }

    /// Those of the selected rows in which it is not NULL.
    fn valid_among(&self, selection: Option<&BooleanBuffer>, rows: usize) -> Option<BooleanBuffer> {
        let valid = match self {
            Vector::One(Value::Null) => Some(BooleanBuffer::new_unset(rows)),
            other => other.nulls().map(|nulls| nulls.inner().clone()),
        };
        match (valid, selection) {
            (Some(valid), Some(selection)) => Some(&valid & selection),
            (valid, selection) => valid.or_else(|| selection.cloned()),
        }
    }
}

impl Kernel {
    /// No part of it runs row by row.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self, Kernel::Rows { .. }) && self.operands().iter().all(|one| one.is_whole())
    }

    /// It never warns: what it would warn of ends in [`ByRows`].
    fn is_quiet(&self) -> bool {
        let own = match self {
            Kernel::Rows { .. } => false,
            Kernel::Arith { op, .. } => {
                matches!(op, ArithOp::Add | ArithOp::Subtract | ArithOp::Multiply)
            }
            _ => true,
        };
        own && self.operands().iter().all(|one| one.is_quiet())
    }

    fn operands(&self) -> Vec<&Kernel> {
        match self {
            Kernel::Column(..) | Kernel::Constant { .. } | Kernel::Rows { .. } => Vec::new(),
            Kernel::Compare { args, .. }
            | Kernel::Both(args)
            | Kernel::Arith { args, .. }
            | Kernel::Bits { args, .. } => args.iter().collect(),
            Kernel::Fold { args, .. } | Kernel::Xor(args) => args.iter().collect(),
            Kernel::Change(_, arg)
            | Kernel::Negate { arg, .. }
            | Kernel::BitNot(arg)
            | Kernel::Keys { value: arg, .. }
            | Kernel::Piece { value: arg, .. }
            | Kernel::Not(arg)
            | Kernel::IsNull { arg, .. }
            | Kernel::IsTruth { arg, .. } => vec![arg],
            Kernel::Case { branches, .. } => branches
                .iter()
                .flat_map(|(condition, value)| condition.iter().chain(std::iter::once(value)))
                .collect(),
            Kernel::Coalesce { args, .. } => args.iter().collect(),
            Kernel::In { value, list, .. } => {
                list.iter().chain(std::iter::once(&**value)).collect()
            }
            Kernel::Like { value, pattern, .. } => vec![value, pattern],
        }
    }

    /// The values in the rows that are selected; in others they mean nothing.
    pub(super) fn eval(
        &self,
        run: &mut Run<'_>,
        selection: Option<&BooleanBuffer>,
    ) -> Outcome<Vector> {
        match self {
            Kernel::Column(place, lane) => run.column(*place, *lane),
            Kernel::Constant { node, lane, beside } => {
                run.constant(node, *lane, beside.as_deref()).map(Vector::One)
            }
            Kernel::Rows { node, form, used, places } => {
                run.by_rows(node, *form, used, places, selection).map(Vector::Many)
            }
            Kernel::Change(change, arg) => {
                let value = arg.eval(run, selection)?;
                cast::change(*change, &value)
            }
            Kernel::Compare { op, lane, collation, args } => {
                let [left, right] = self.pair(args, *lane, run, selection)?;
                compare::compare(*op, *lane, *collation, &left, &right)
            }
            Kernel::Arith { op, lane, unsigned, decimals, args } => {
                let [left, right] = self.pair(args, *lane, run, selection)?;
                match lane {
                    Lane::Int => arith::int(*op, *unsigned, &left, &right, run, selection),
                    Lane::Double => arith::double(*op, &left, &right, run, selection),
                    _ => decimal::arith(*op, *decimals, &left, &right, run, selection),
                }
            }
            Kernel::Negate { lane, arg } => {
                let value = arg.eval(run, selection)?;
                arith::negate(*lane, &value)
            }
            Kernel::Bits { op, args } => {
                let [left, right] = self.pair(args, Lane::Int, run, selection)?;
                arith::bits(*op, &left, &right)
            }
            Kernel::BitNot(arg) => arith::bit_not(&arg.eval(run, selection)?),
            Kernel::Fold { decisive, args } => logic::fold(*decisive, args, run, selection),
            Kernel::Both(args) => {
                let [above, below] = &**args;
                let above = above.eval(run, selection)?;
                let below = below.eval(run, selection)?;
                logic::both(&above, &below, run.rows)
            }
            Kernel::Xor(args) => logic::xor(args, run, selection),
            Kernel::Not(arg) => logic::not(&arg.eval(run, selection)?),
            Kernel::Case { ty, branches } => choose::case(ty, branches, run, selection),
            Kernel::Coalesce { ty, args } => choose::coalesce(ty, args, run, selection),
            Kernel::IsNull { negated, arg } => {
                let value = arg.eval(run, selection)?;
                Ok(logic::is_null(*negated, &value))
            }
            Kernel::IsTruth { truth, negated, arg } => {
                let value = arg.eval(run, selection)?;
                logic::is_truth(*truth, *negated, &value)
            }
            Kernel::In { negated, value, lane, collation, list } => {
                let value = value.eval(run, selection)?;
                let mut items = Vec::with_capacity(list.len());
                for one in list {
                    items.push(one.eval(run, selection)?);
                }
                logic::among(*negated, *lane, *collation, &value, items)
            }
            Kernel::Keys { negated, reading, value, asked, list } => {
                let value = value.eval(run, selection)?;
                let keys = run.quietly(|cx, row| {
                    let mut keys = Vec::with_capacity(list.len());
                    for one in list {
                        let null = one.eval(cx, row)?.is_null();
                        keys.push((null, leaf::list_key(one, asked, *reading, cx, row)?));
                    }
                    Ok(keys)
                })?;
                logic::among_keys(*negated, *reading, &value, &keys)
            }
            Kernel::Piece { which, collation, value, numbers } => {
                let value = value.eval(run, selection)?;
                let mut constants = Vec::with_capacity(numbers.len());
                for number in numbers {
                    constants.push(number.eval(run, selection)?);
                }
                piece::pieces(*which, *collation, &value, &constants)
            }
            Kernel::Like { negated, collation, value, pattern, escape } => {
                let value = value.eval(run, selection)?;
                let pattern = pattern.eval(run, selection)?;
                let escape =
                    run.quietly(|cx, row| leaf::escape_character(escape, *collation, cx, row))?;
                like::like(*negated, *collation, &value, &pattern, escape)
            }
        }
    }

    /// Both operands. Decimals, bits and comparisons ask for the right one where the
    /// left one is not NULL, if that can be seen; other arithmetic everywhere.
    fn pair(
        &self,
        args: &[Kernel; 2],
        lane: Lane,
        run: &mut Run<'_>,
        selection: Option<&BooleanBuffer>,
    ) -> Outcome<[Vector; 2]> {
        let [left, right] = args;
        let both = lane != Lane::Decimal && matches!(self, Kernel::Arith { .. });
        let left = left.eval(run, selection)?;
        let right = if both || right.is_quiet() {
            right.eval(run, selection)?
        } else {
            let valid = left.valid_among(selection, run.rows);
            right.eval(run, valid.as_ref())?
        };
        Ok([left, right])
    }
}

/// Booleans of a vector of truths.
fn truths_of(vector: &Vector) -> Outcome<&BooleanArray> {
    match vector {
        Vector::Many(array) => array.as_any().downcast_ref().ok_or(ByRows),
        Vector::One(_) => Err(ByRows),
    }
}

fn ints_of_truths(truths: &BooleanArray) -> ArrayRef {
    truths_as_ints(truths)
}
