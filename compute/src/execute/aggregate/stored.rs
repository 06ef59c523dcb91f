//! Aggregates that go to a temporary file while they are gathered.

use std::collections::BTreeSet;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::Result;

use super::{Accumulator, Operands, State};
use crate::execute::concat::Concat;
use crate::spill::{
    broken, put_bytes, put_length, put_value, take_array, take_bytes, take_length, take_value,
};

impl Operands {
    /// Equal ones are equal operands; of DISTINCT.
    pub(in crate::execute) fn same(&self) -> &[u8] {
        &self.same
    }

    /// Appends them.
    pub(in crate::execute) fn put(&self, out: &mut Vec<u8>) {
        put_value(&self.value, out);
        put_bytes(&self.order, out);
        put_bytes(&self.same, out);
    }

    /// Takes what [`Self::put`] appended.
    ///
    /// # Errors
    /// 1105
    pub(in crate::execute) fn take(from: &mut &[u8]) -> Result<Self> {
        let value = take_value(from)?;
        Ok(Self { value, order: take_bytes(from)?.to_vec(), same: take_bytes(from)?.to_vec() })
    }
}

impl Accumulator {
    /// The operands that it has seen, of DISTINCT.
    pub(in crate::execute) fn seen(&mut self) -> Option<&mut BTreeSet<Vec<u8>>> {
        self.seen.as_mut()
    }

    /// The same, which go; it knows of none any more.
    pub(in crate::execute) fn take_seen(&mut self) -> Option<BTreeSet<Vec<u8>>> {
        self.seen.take()
    }

    /// The same, which has seen nothing yet.
    pub(in crate::execute) fn seeing(mut self) -> Self {
        self.seen = Some(BTreeSet::new());
        self
    }

    /// Memory that it holds beside itself and what it has seen, in bytes.
    pub(in crate::execute) fn bytes(&self) -> usize {
        let of = |value: &Value| match value {
            Value::Bytes(bytes) => bytes.len() + 32,
            _ => 32,
        };
        match &self.state {
            State::Bytes(Some(bytes)) => bytes.len(),
            State::Concat(concat) => concat.bytes(),
            State::Documents(all) => all.iter().map(of).sum(),
            _ => 0,
        }
    }

    /// Appends what it has come to, but for what it has seen.
    pub(in crate::execute) fn put(&self, out: &mut Vec<u8>) {
        let number = |kind: u8, number: u64, out: &mut Vec<u8>| {
            out.push(kind);
            out.extend_from_slice(&number.to_be_bytes());
        };
        match &self.state {
            State::Count(count) => number(0, *count, out),
            State::Decimal { sum, count } => {
                number(1, *count, out);
                put_value(&Value::Decimal(sum.clone()), out);
            }
            State::Double { sum, count } => {
                number(2, *count, out);
                out.extend_from_slice(&sum.to_be_bytes());
            }
            State::Extreme(best) => {
                number(3, u64::from(best.is_some()), out);
                if let Some((order, value)) = best {
                    put_bytes(order, out);
                    put_value(value, out);
                }
            }
            State::Bits(bits) => number(4, *bits, out),
            State::Variance { count, mean, squares } => {
                number(5, *count, out);
                out.extend_from_slice(&mean.to_be_bytes());
                out.extend_from_slice(&squares.to_be_bytes());
            }
            State::Concat(concat) => {
                number(6, 0, out);
                concat.put(out);
            }
            State::Documents(all) => {
                number(7, 0, out);
                put_length(all.len(), out);
                all.iter().for_each(|value| put_value(value, out));
            }
            State::Bytes(bytes) => {
                number(8, u64::from(bytes.is_some()), out);
                if let Some(bytes) = bytes {
                    put_bytes(bytes, out);
                }
            }
        }
    }

    /// Takes what [`Self::put`] appended.
    ///
    /// # Errors
    /// 1105
    pub(in crate::execute) fn take(from: &mut &[u8]) -> Result<Self> {
        let [kind] = take_array(from)?;
        let number = u64::from_be_bytes(take_array(from)?);
        let double = |from: &mut &[u8]| Ok::<_, _>(f64::from_be_bytes(take_array(from)?));
        Ok(Self::of(match kind {
            0 => State::Count(number),
            1 => match take_value(from)? {
                Value::Decimal(sum) => State::Decimal { sum, count: number },
                _ => return Err(broken("a sum that is none")),
            },
            2 => State::Double { sum: double(from)?, count: number },
            3 if number == 0 => State::Extreme(None),
            3 => State::Extreme(Some((take_bytes(from)?.to_vec(), take_value(from)?))),
            4 => State::Bits(number),
            5 => {
                let (mean, squares) = (double(from)?, double(from)?);
                State::Variance { count: number, mean, squares }
            }
            6 => State::Concat(Concat::take(from)?),
            7 => {
                let length = take_length(from)?;
                let all = (0..length).map(|_| take_value(from));
                State::Documents(all.collect::<Result<_>>()?)
            }
            8 if number == 0 => State::Bytes(None),
            8 => State::Bytes(Some(take_bytes(from)?.to_vec())),
            _ => return Err(broken("an aggregate that is none")),
        }))
    }
}
