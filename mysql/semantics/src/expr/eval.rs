//! Running a node over a row.

use std::borrow::Cow;

use super::arith::{self, Domain};
use super::context::{Cx, Row};
use super::kept::KEPT_ABOVE;
use super::node::{Node, Op};
use super::{Call, Result, cast, compare, interval, leaf, membership};
use crate::error::{SqlError, code};
use crate::functions::fits_packet;
use crate::value::Value;

/// A value, borrowed from the row or the tree where it lies there.
pub type Out<'a> = Cow<'a, Value>;

impl Node {
    /// The value as an integer; it has 64 bits, of which the first may be a sign.
    ///
    /// # Errors
    ///
    /// As [`Node::run`].
    pub fn int(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
        self.eval_int(cx, row)
    }

    /// The value as a client gets it: a DECIMAL has exactly its type's decimals.
    ///
    /// # Errors
    ///
    /// MySQL's: values out of range, strings over `max_allowed_packet`, and so on.
    pub fn run<'a>(&'a self, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        let value = match &self.op {
            Op::Cast(cast::CastTarget::Decimal) => {
                Cow::Owned(cast::decimal(self, cx.item_name, cx, row)?)
            }
            _ => self.eval(cx, row)?,
        };
        Ok(match &*value {
            Value::Decimal(decimal) if !self.keeps_scale() => {
                leaf::decimal_settled(decimal, &self.ty).map_or(value, Cow::Owned)
            }
            _ => value,
        })
    }

    /// The value as other expressions get it.
    ///
    /// # Errors
    ///
    /// As [`Node::run`].
    #[inline]
    pub fn eval<'a>(&'a self, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        if self.height > KEPT_ABOVE {
            return self.eval_once(cx, row);
        }
        self.compute(cx, row)
    }

    /// The value, computed now.
    pub(super) fn compute<'a>(&'a self, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        let owned = match &self.op {
            Op::Literal(value) => return Ok(Cow::Borrowed(value)),
            Op::Column(column) => {
                return Ok(row
                    .columns
                    .get(column.index)
                    .map_or(Cow::Owned(Value::Null), Cow::Borrowed));
            }
            Op::Param(at) => {
                return Ok(row.params.get(*at).map_or(Cow::Owned(Value::Null), Cow::Borrowed));
            }
            Op::Collate => return self.first()?.eval(cx, row),
            Op::Hex(bytes) => Value::Bytes(bytes.clone()),
            Op::UserVariable(name) => {
                cx.session.user_variable(name).map_or(Value::Null, |(value, _)| value)
            }
            Op::Assign(name) => {
                let operand = self.first()?;
                let value = operand.eval(cx, row)?.into_owned();
                cx.session.set_user_variable(name, value.clone(), operand.ty);
                value
            }
            Op::SystemVariable(name) => match cx.session.system_variable(name) {
                Some((value, _)) => value,
                None => {
                    return Err(SqlError::new(
                        code::ER_UNKNOWN_SYSTEM_VARIABLE,
                        &[(&**name).into()],
                    ));
                }
            },
            Op::Arith(op, Domain::Int) => int_value(arith::int(self, *op, cx, row)?, self),
            Op::Arith(op, Domain::Double) => Value::from(arith::double(self, *op, cx, row)?),
            Op::Arith(op, Domain::Decimal) => {
                arith::decimal(self, *op, cx, row)?.map_or(Value::Null, Value::Decimal)
            }
            Op::Negate(Domain::Int) => int_value(arith::negate_int(self, cx, row)?, self),
            Op::Negate(Domain::Double) => {
                Value::from(self.first()?.eval_double(cx, row)?.map(|value| -value))
            }
            Op::Negate(Domain::Decimal) => match self.first()?.eval_decimal(cx, row)? {
                Some(value) => Value::Decimal(leaf::decimal_negate(&value)),
                None => Value::Null,
            },
            Op::Bit(op, false) => int_value(arith::bits(self, *op, cx, row)?, self),
            Op::Bit(op, true) => arith::bit_bytes(self, *op, cx, row)?,
            Op::BitNot(bytes) => arith::bit_not(self, *bytes, cx, row)?,
            Op::Compare(..)
            | Op::CompareRows(..)
            | Op::Between { .. }
            | Op::In { .. }
            | Op::InRows { .. }
            | Op::Like { .. }
            | Op::IsNull { .. }
            | Op::IsTruth { .. }
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::Not => truth_value(self.eval_truth(cx, row)?),
            Op::Case { otherwise } => return self.case(*otherwise, cx, row),
            Op::CaseOf { otherwise, with } => return self.case_of(*otherwise, with, cx, row),
            Op::If => {
                let [condition, yes, no] = &*self.args else { return Err(internal()) };
                let chosen = if condition.eval_truth(cx, row)? == Some(true) { yes } else { no };
                return self.chosen(chosen, cx, row);
            }
            Op::Coalesce => {
                for arg in &self.args {
                    let value = self.chosen(arg, cx, row)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Op::NullIf(with) => {
                return match self.null_if(*with, cx, row)? {
                    Some(left) => self.chosen(left, cx, row),
                    None => Ok(Cow::Owned(Value::Null)),
                };
            }
            Op::Extreme { greatest, by, dates: Some(dates) } => {
                compare::extreme_dates(self, *greatest, *by, dates, cx, row)?
            }
            Op::Extreme { greatest, by, .. } => compare::extreme(self, *greatest, *by, cx, row)?,
            Op::Cast(cast::CastTarget::Decimal) if self.name.is_some() => {
                cast::decimal(self, self.name.as_deref(), cx, row)?
            }
            Op::Cast(target) => cast::eval(self, target, cx, row)?,
            Op::ToCharset { from, strict, .. } => {
                let operand = self.first()?;
                match operand.eval_text(cx, row)? {
                    Some(text) if *strict => {
                        Value::from(leaf::to_charset_strictly(&text, *from, self.ty.collation)?)
                    }
                    Some(text) => leaf::to_charset(&text, *from, self.ty.collation, cx)?,
                    None => Value::Null,
                }
            }
            Op::Row => {
                return Err(SqlError::new(code::ER_OPERAND_COLUMNS, &[1.into()]));
            }
            Op::DateArith { subtract, unit } => {
                interval::date_arith(self, *subtract, *unit, cx, row)?
            }
            Op::Extract(unit) => interval::extract(self, *unit, cx, row)?,
            Op::TimestampDiff(unit) => interval::timestamp_diff(self, *unit, cx, row)?,
            Op::Subquery { slot, column, .. } => {
                self.result_of_subquery(*slot, *column, cx, row)?
            }
            Op::Call(call) => {
                let value = (call.function.kernel)(&Call { node: self, call, row }, cx)?;
                match &value {
                    // Not all functions look at the limit themselves: HEX within HEX
                    // within HEX would take all memory.
                    Value::Bytes(bytes)
                        if bytes.len() as u64 > cx.settings.max_allowed_packet_bytes
                            && self.ty.kind.is_string()
                            && !fits_packet(bytes.len() as u64, call.function.name, cx) =>
                    {
                        Value::Null
                    }
                    _ => value,
                }
            }
        };
        Ok(Cow::Owned(owned))
    }

    /// What chooses a branch gives a DECIMAL with the branch's own decimals.
    pub(crate) fn keeps_scale(&self) -> bool {
        matches!(self.op, Op::If | Op::Case { .. } | Op::CaseOf { .. })
    }

    /// The first operand of NULLIF, unless it equals the second.
    pub(crate) fn null_if<'a>(
        &'a self,
        with: compare::Comparison,
        cx: &mut Cx<'_>,
        row: Row<'a>,
    ) -> Result<Option<&'a Node>> {
        let [left, right] = &*self.args else { return Err(internal()) };
        let equal = compare::order(with, left, right, cx, row)? == Some(std::cmp::Ordering::Equal);
        Ok((!equal).then_some(left))
    }

    /// Constants alone are computed, for their warnings, but for comparisons that cannot
    /// be NULL.
    pub(crate) fn compute_constants(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<()> {
        let compared = |arg: &Node| matches!(arg.op, Op::Compare(..)) && !arg.ty.nullable;
        let computed = |arg: &&Node| !arg.is_literal() && !compared(arg);
        if self.args.iter().any(|arg| computed(&arg)) && self.is_constant() {
            for arg in self.args.iter().filter(computed) {
                arg.eval(cx, row)?;
            }
        }
        Ok(())
    }

    /// A truth that is made by one comparison, or of what is one.
    fn is_compared(&self) -> bool {
        matches!(
            self.op,
            Op::Compare(..)
                | Op::CompareRows(..)
                | Op::Like { .. }
                | Op::IsNull { .. }
                | Op::Xor
                | Op::Not
        )
    }

    pub(crate) fn first(&self) -> Result<&Node> {
        self.args.first().ok_or_else(internal)
    }

    /// The value of a branch in the type of the whole.
    fn chosen<'a>(&'a self, branch: &'a Node, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        // An extreme has its own decimals only within functions.
        if self.keeps_scale()
            && matches!(branch.op, Op::Extreme { .. })
            && branch.ty.kind == self.ty.kind
            && branch.ty.unsigned == self.ty.unsigned
        {
            return branch.run(cx, row);
        }
        let scaled = matches!(self.op, Op::Coalesce) && branch.ty.decimals != self.ty.decimals;
        if branch.ty.kind == self.ty.kind && branch.ty.unsigned == self.ty.unsigned && !scaled {
            return branch.eval(cx, row);
        }
        cast::in_type_of(self, branch, cx, row)
    }

    fn case<'a>(&'a self, otherwise: bool, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        for pair in self.args.chunks(2) {
            match pair {
                [condition, value] if condition.eval_truth(cx, row)? == Some(true) => {
                    return self.chosen(value, cx, row);
                }
                [value] if otherwise => return self.chosen(value, cx, row),
                _ => {}
            }
        }
        Ok(Cow::Owned(Value::Null))
    }

    fn case_of<'a>(
        &'a self,
        otherwise: bool,
        with: &[compare::Comparison],
        cx: &mut Cx<'_>,
        row: Row<'a>,
    ) -> Result<Out<'a>> {
        let [operand, rest @ ..] = &*self.args else { return Err(internal()) };
        let computed =
            (rest.len() > 16 && operand.height > 0).then(|| operand.as_computed(cx, row));
        let computed = computed.transpose()?;
        let operand = computed.as_ref().unwrap_or(operand);
        for (at, pair) in rest.chunks(2).enumerate() {
            match pair {
                [when, value] => {
                    let with = with.get(at).copied().ok_or_else(internal)?;
                    let order = compare::order(with, operand, when, cx, row)?;
                    if order == Some(std::cmp::Ordering::Equal) {
                        return self.chosen(value, cx, row);
                    }
                }
                [value] if otherwise => return self.chosen(value, cx, row),
                _ => {}
            }
        }
        Ok(Cow::Owned(Value::Null))
    }

    /// The value as a truth.
    ///
    /// # Errors
    ///
    /// As [`Node::run`].
    pub fn eval_truth(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<bool>> {
        match &self.op {
            Op::Compare(op, with) => {
                let [left, right] = &*self.args else { return Err(internal()) };
                compare::truth(*op, *with, left, right, cx, row)
            }
            Op::CompareRows(op, with) => compare::rows(self, *op, with, cx, row),
            Op::Between { negated, low, high } => {
                membership::between(self, *negated, *low, *high, cx, row)
            }
            Op::In { negated, how } => membership::in_list(self, *negated, how, cx, row),
            Op::InRows { negated, how } => membership::in_rows(self, *negated, how, cx, row),
            Op::Like { negated, collation } => compare::like(self, *negated, *collation, cx, row),
            // What is never NULL is not even asked; by IS NOT NULL, some truths alone are not.
            Op::IsNull { negated }
                if !self.first()?.ty.nullable && (!*negated || self.first()?.is_compared()) =>
            {
                Ok(Some(*negated))
            }
            // A comparison is NULL where an operand is: they are not compared.
            Op::IsNull { negated } => {
                let operand = self.first()?;
                let compared = match operand.op {
                    Op::Compare(op, _) => op != compare::CompareOp::NullSafeEq,
                    Op::Xor => true,
                    _ => false,
                };
                if !compared {
                    return Ok(Some(operand.eval(cx, row)?.is_null() != *negated));
                }
                for arg in &operand.args {
                    if arg.eval(cx, row)?.is_null() {
                        return Ok(Some(!*negated));
                    }
                }
                Ok(Some(*negated))
            }
            Op::IsTruth { truth, negated } => {
                let value = self.first()?.eval_truth(cx, row)?;
                Ok(Some((value == Some(*truth)) != *negated))
            }
            Op::And => self.fold(false, cx, row),
            Op::Or => self.fold(true, cx, row),
            Op::Xor => {
                let mut all = false;
                for arg in &self.args {
                    let Some(value) = arg.eval_truth(cx, row)? else { return Ok(None) };
                    all ^= value;
                }
                Ok(Some(all))
            }
            Op::Not => Ok(self.first()?.eval_truth(cx, row)?.map(|value| !value)),
            _ => leaf::truth(self, cx, row),
        }
    }

    /// AND (`decisive` is false) and OR (true).
    fn fold(&self, decisive: bool, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<bool>> {
        let mut known = true;
        for arg in &self.args {
            match arg.eval_truth(cx, row)? {
                Some(value) if value == decisive => return Ok(Some(decisive)),
                Some(_) => {}
                None => known = false,
            }
        }
        Ok(known.then_some(!decisive))
    }
}

/// What cannot happen in a tree that the binder made.
#[cold]
pub(crate) fn internal() -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, "an expression has the wrong number of operands")
}

#[inline]
pub(crate) fn truth_value(truth: Option<bool>) -> Value {
    Value::from(truth)
}

/// An integer in the signedness of the node's type.
#[inline]
pub(crate) fn int_value(value: Option<i128>, node: &Node) -> Value {
    match value {
        None => Value::Null,
        Some(value) => int_in(value, node.ty.unsigned),
    }
}

#[inline]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in range, or wrapped as MySQL does"
)]
pub(crate) fn int_in(value: i128, unsigned: bool) -> Value {
    if unsigned { Value::UInt(value as u64) } else { Value::Int(value as i64) }
}
