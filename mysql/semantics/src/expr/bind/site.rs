//! What the type derivations of functions work on.

use super::Binder;
use super::cast::text_kind;
use super::operator::decimal_precision;
use crate::expr::arith::{ArithOp, Domain};
use crate::expr::coercion::{Coll, Purpose, aggregate, convert_strictly, settle, unify};
use crate::expr::compare::Comparison;
use crate::expr::eval::internal;
use crate::expr::node::{Node, Op};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, Derivation, SqlType, TypeKind};
use crate::value::Value;

/// What a type derivation works on.
pub(crate) struct Site<'s, 'b> {
    pub(crate) binder: &'s Binder<'b>,
    /// The function's name.
    pub(crate) name: &'static str,
    pub(crate) args: &'s mut Vec<Node>,
    /// To be set where the kernel compares.
    pub(crate) collation: CollationId,
    /// To be set for the kernel.
    pub(crate) extra: u64,
    /// The result is bytes, so lengths of arguments are bytes.
    pub(super) binary: bool,
}

impl Site<'_, '_> {
    pub(crate) fn node(&self, at: usize) -> Result<&Node> {
        self.args.get(at).ok_or_else(internal)
    }

    /// Characters of an argument as a string.
    pub(crate) fn length(&self, at: usize) -> u64 {
        if self.binary {
            return self.byte_length(at);
        }
        self.args.get(at).map_or(0, |arg| text_length(arg).into())
    }

    /// Characters of an argument, whatever the result is made of.
    pub(crate) fn characters(&self, at: usize) -> u64 {
        self.args.get(at).map_or(0, |arg| text_length(arg).into())
    }

    /// The length of an argument of MAKE_SET: columns count in characters always.
    pub(crate) fn listed_length(&self, at: usize) -> u64 {
        match self.args.get(at).map(|arg| &arg.op) {
            Some(Op::Column(_)) => self.characters(at),
            _ => self.length(at),
        }
    }

    /// Bytes of an argument by its type alone.
    pub(crate) fn type_bytes(&self, at: usize) -> u64 {
        match self.args.get(at) {
            Some(arg) if !arg.ty.kind.is_string() => arg.ty.length.into(),
            _ => self.byte_length(at),
        }
    }

    /// Bytes of an argument as a string.
    pub(crate) fn byte_length(&self, at: usize) -> u64 {
        let Some(arg) = self.args.get(at) else { return 0 };
        let per = if arg.ty.kind.is_string() {
            leaf::charset_facts(arg.ty.collation).max_bytes
        } else {
            1
        };
        u64::from(text_length(arg)) * u64::from(per)
    }

    pub(crate) fn unsigned(&self, at: usize) -> bool {
        self.args.get(at).is_some_and(|arg| arg.ty.unsigned)
    }

    pub(crate) fn domain(&self, at: usize) -> Domain {
        self.args.get(at).map_or(Domain::Int, Node::numeric_domain)
    }

    /// The text of a constant argument.
    pub(crate) fn constant_text(&self, at: usize) -> Option<Vec<u8>> {
        super::fold::text(self.args.get(at)?)
    }

    /// The value of an argument that is known now, as an integer.
    pub(crate) fn constant_int(&self, at: usize) -> Option<i128> {
        let arg = self.args.get(at)?;
        if matches!(arg.op, Op::Literal(Value::Int(_) | Value::UInt(_))) {
            return constant_int(arg);
        }
        // A server computes it while it resolves the statement, and warns then.
        let (value, warnings) = super::fold::integer_with_warnings(arg);
        warnings.into_iter().for_each(|warning| self.binder.warn(warning));
        constant_int(arg).or(value)
    }

    /// The same, with the error of computing it.
    pub(crate) fn computed_int(&self, at: usize) -> Result<Option<i128>> {
        match self.args.get(at).and_then(super::fold::integer_fault) {
            Some(error) => Err(error),
            None => Ok(self.constant_int(at)),
        }
    }

    /// Whether an argument is known now to be NULL.
    pub(crate) fn constant_null(&self, at: usize) -> bool {
        self.args.get(at).is_some_and(|arg| {
            arg.is_null_literal() || super::fold::known_integer(arg) == Some(None)
        })
    }

    /// The collation of a string made of these arguments.
    pub(crate) fn result_collation(&mut self, which: &[usize]) -> Result<Coll> {
        self.united(which, Purpose::Result)
    }

    fn united(&mut self, which: &[usize], purpose: Purpose) -> Result<Coll> {
        let coll = unify(self.args, which, purpose, self.name, self.binder)?;
        self.binary = coll.id.is_binary();
        Ok(coll)
    }

    /// The collation of the argument `first`, to whose character set the `others`
    /// are brought without a loss.
    pub(crate) fn first_collation(&mut self, first: usize, others: &[usize]) -> Result<Coll> {
        let node = self.node(first)?;
        let own = (node.ty.kind.is_integer() || node.ty.kind == TypeKind::Bit)
            && node.ty.derivation != Derivation::Numeric;
        let coll = match node.ty.kind.is_string() || node.ty.kind == TypeKind::Null || own {
            true => Coll::of(node),
            false => self.connection_text(),
        };
        self.binary = coll.id.is_binary();
        for at in others {
            if let Some(arg) = self.args.get_mut(*at) {
                if arg.ty.kind.is_string() {
                    settle(arg, coll.id, self.binder)?;
                }
                convert_strictly(arg, coll.id);
                let plain = !arg.ty.kind.is_string()
                    && arg.ty.kind != TypeKind::Json
                    && arg.ty.derivation == Derivation::Numeric;
                let same = coll.id.is_binary()
                    || leaf::same_charset(coll.id, CollationId::LATIN1_SWEDISH_CI);
                if plain && !same && !arg.is_null_literal() {
                    self.binder.constant_into_text(arg, coll.id);
                }
            }
        }
        Ok(coll)
    }

    /// Brings the strings among the arguments into the character set of `coll`
    /// without a loss.
    pub(crate) fn convert_strictly(&mut self, which: &[usize], coll: Coll) {
        for at in which {
            if let Some(arg) = self.args.get_mut(*at) {
                convert_strictly(arg, coll.id);
            }
        }
    }

    /// 3854 at once for literals that cannot be converted.
    pub(crate) fn refuse_literals(&self, coll: Coll) -> Result<()> {
        for arg in self.args.iter() {
            if let (Op::ToCharset { from, strict: true, .. }, Some(inner)) =
                (&arg.op, arg.args.first())
                && let Op::Literal(Value::Bytes(text)) = &inner.op
            {
                leaf::to_charset_strictly(text, *from, coll.id)?;
            }
        }
        Ok(())
    }

    /// The collation these arguments agree on, without conversions.
    pub(crate) fn agreed(&self, which: &[usize]) -> Result<Coll> {
        let sides: Vec<Coll> =
            which.iter().filter_map(|at| self.args.get(*at)).map(Coll::of).collect();
        aggregate(&sides, Purpose::Compare, self.name, self.binder.connection())
    }

    /// The collation these arguments are compared by.
    pub(crate) fn compared(&mut self, which: &[usize]) -> Result<Coll> {
        let coll = unify(self.args, which, Purpose::Compare, self.name, self.binder)?;
        if coll.derivation >= Derivation::Numeric {
            return Ok(Coll { id: self.binder.connection(), ..coll });
        }
        Ok(coll)
    }

    /// How STRCMP compares its two arguments.
    pub(crate) fn text_comparison(&mut self) -> Result<Comparison> {
        let [a, b] = &mut self.args[..] else { return Err(internal()) };
        let mut pair = [a.clone(), b.clone()];
        let with = self.binder.text_comparison(&mut pair, self.name)?;
        [*a, *b] = pair;
        Ok(with)
    }

    /// Text of the server's own in the connection's collation.
    pub(crate) fn connection_text(&self) -> Coll {
        Coll {
            id: self.binder.connection(),
            derivation: Derivation::Coercible,
            ascii: true,
            broken: false,
        }
    }

    /// The type of a function that makes texts longer: never more than 2²⁴ bytes.
    pub(crate) fn bounded_text(&self, characters: u64, coll: Coll) -> SqlType {
        let per = u64::from(leaf::charset_facts(coll.id).max_bytes);
        self.text(characters.min((1 << 24) / per), coll)
    }

    /// A string type of so many characters.
    pub(crate) fn text(&self, characters: u64, coll: Coll) -> SqlType {
        let per = u64::from(leaf::charset_facts(coll.id).max_bytes);
        // Beyond what a length in bytes can tell, it is the largest there is.
        let fits = characters.saturating_mul(per) <= u64::from(u32::MAX);
        let length = if fits { characters as u32 } else { u32::MAX };
        let mut ty = SqlType::varchar(length, coll.id, coll.derivation);
        ty.kind = text_kind(u32::try_from(u64::from(length) * per).unwrap_or(u32::MAX));
        ty.length = announced_length(length, ty.kind, coll.id);
        ty
    }

    /// A string of bytes.
    pub(crate) fn binary(&self, bytes: u64) -> SqlType {
        let length = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut ty = SqlType::varchar(length, CollationId::BINARY, Derivation::Coercible);
        ty.kind = text_kind(length);
        ty
    }

    /// Characters of a string whose length is known only when it is made.
    pub(crate) fn longest(&self, coll: Coll) -> u64 {
        let bytes = leaf::charset_facts(coll.id).max_bytes;
        let most = self.binder.settings.max_allowed_packet_bytes / u64::from(bytes);
        most.min(16_777_216)
    }

    /// Names and such: utf8mb3.
    pub(crate) fn system_text(&self, characters: u32) -> SqlType {
        SqlType::varchar(characters, CollationId::UTF8MB3_GENERAL_CI, Derivation::SystemConstant)
    }

    /// The type of a function that keeps its argument's kind of number.
    pub(crate) fn numeric_type(&self) -> Result<SqlType> {
        let node = self.node(0)?;
        Ok(match node.numeric_class().unwrap_or(Domain::Double) {
            Domain::Int => {
                let mut ty = SqlType::bigint(node.ty.length);
                ty.unsigned = node.ty.unsigned;
                ty
            }
            Domain::Decimal => {
                let precision = decimal_precision(node).min(65) as u8;
                SqlType::decimal(precision, node.ty.decimals.min(30), node.ty.unsigned)
            }
            Domain::Double if matches!(node.op, Op::Hex(_)) => {
                super::operator::double_type(0).with_unsigned(node.ty.unsigned)
            }
            Domain::Double => {
                let fixed = !node.ty.kind.is_string() && node.ty.kind != TypeKind::Json;
                let decimals =
                    if fixed { node.ty.decimals } else { crate::types::NOT_FIXED_DECIMALS };
                super::operator::double_type(decimals)
            }
        })
    }

    /// How FIELD compares.
    pub(crate) fn field_comparison(&mut self) -> Result<Comparison> {
        let text = self.args.iter().all(|arg| arg.numeric_class().is_none());
        if text {
            let which: Vec<usize> = (0..self.args.len()).collect();
            let coll = self.first_collation(0, &which)?;
            self.refuse_literals(coll)?;
            return Ok(Comparison::Text(coll.id));
        }
        let mut all = Comparison::Int;
        for arg in self.args.iter() {
            all = match (all, arg.numeric_class()) {
                (_, None | Some(Domain::Double)) => return Ok(Comparison::Double),
                (_, Some(Domain::Decimal)) => Comparison::Decimal,
                (all, Some(Domain::Int)) => all,
            };
        }
        Ok(all)
    }

    /// The place of a random generator.
    pub(crate) fn next_generator(&self) -> u64 {
        let slot = self.binder.generators.get();
        self.binder.generators.set(slot + 1);
        slot
    }
}

impl Node {
    /// The numbers it is; `None` for strings and times.
    pub(crate) fn numeric_class(&self) -> Option<Domain> {
        match self.ty.kind {
            kind if kind.is_integer() => Some(Domain::Int),
            TypeKind::Bit | TypeKind::Year => Some(Domain::Int),
            TypeKind::Decimal => Some(Domain::Decimal),
            TypeKind::Float | TypeKind::Double => Some(Domain::Double),
            _ => None,
        }
    }
}

/// Characters of a node as a string: any double may need 22.
pub(crate) fn text_length(node: &Node) -> u32 {
    match node.ty.kind {
        TypeKind::Double => 22,
        // No text is longer than a document's.
        TypeKind::Json => u32::MAX,
        // Long texts that are computed are announced by their bytes.
        TypeKind::MediumText | TypeKind::LongText
            if node.ty.length < u32::MAX
                && !matches!(node.op, Op::Column(_) | Op::UserVariable(_) | Op::Param(_)) =>
        {
            node.ty.length / u32::from(leaf::charset_facts(node.ty.collation).max_bytes)
        }
        _ => node.ty.length,
    }
}

/// What a string of so many characters is announced with.
pub(crate) fn announced_length(characters: u32, kind: TypeKind, collation: CollationId) -> u32 {
    match kind {
        TypeKind::MediumText | TypeKind::LongText if characters < u32::MAX => {
            characters.saturating_mul(leaf::charset_facts(collation).max_bytes.into())
        }
        _ => characters,
    }
}

/// The value of a constant that needs no session: literals and what is computed
/// of them without a warning.
pub(crate) fn constant_int(node: &Node) -> Option<i128> {
    match &node.op {
        Op::Literal(Value::Int(value)) => Some((*value).into()),
        Op::Literal(Value::UInt(value)) => Some((*value).into()),
        Op::Literal(Value::Decimal(value)) => {
            value.to_i64(crate::decimal::Rounding::HalfUp).ok().map(i128::from)
        }
        Op::Literal(Value::Bytes(text)) => {
            let parsed = crate::number::parse_integer_prefix(text);
            let magnitude = i128::from(parsed.value.magnitude);
            Some(if parsed.value.negative { -magnitude } else { magnitude })
        }
        Op::Negate(_) => node.args.first().and_then(constant_int).map(|value| -value),
        Op::Arith(op, Domain::Int) => {
            let (a, b) = (constant_int(node.args.first()?)?, constant_int(node.args.get(1)?)?);
            match op {
                ArithOp::Add => a.checked_add(b),
                ArithOp::Subtract => a.checked_sub(b),
                ArithOp::Multiply => a.checked_mul(b),
                _ => None,
            }
        }
        _ => None,
    }
}
