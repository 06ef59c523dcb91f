//! Arithmetic, bits and logic.

use firn_mysql_parser::ast::{self, BinaryOp, LogicalOp, Truth, UnaryOp};

use super::{Binder, negation};
use crate::error::{SqlError, code};
use crate::expr::Result;
use crate::expr::arith::{ArithOp, BitOp, Domain};
use crate::expr::compare::CompareOp;
use crate::expr::node::{Node, Op};
use crate::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::Value;

const MAX_PRECISION: u32 = 65;
const MAX_SCALE: u8 = 30;
/// Characters of the longest integer, with its sign, as MySQL counts for results.
pub(crate) const BIGINT_LENGTH: u32 = 21;

/// Digits of a number where it becomes a decimal.
pub(crate) fn decimal_precision(node: &Node) -> u32 {
    let ty = &node.ty;
    let precision = match ty.kind {
        TypeKind::Decimal => ty.precision(),
        TypeKind::Date => 8,
        TypeKind::Time => 7 + u32::from(ty.decimals),
        TypeKind::DateTime | TypeKind::Timestamp => 14 + u32::from(ty.decimals),
        TypeKind::Null => 0,
        _ if matches!(&node.op, Op::Call(call) if call.function.name == "interval") => 2,
        // As many digits as the largest number of so many bytes.
        _ if matches!(node.op, Op::Hex(_)) => {
            256f64.powi(ty.length.min(8) as i32).log10().ceil() as u32
        }
        _ if ty.kind.is_integer() => {
            if ty.unsigned || ty.length == 0 {
                ty.length
            } else {
                (ty.length - 1).max(1)
            }
        }
        _ => ty.length,
    };
    precision.min(MAX_PRECISION)
}

/// DECIMAL whose length may stand for more digits than there can be.
fn decimal_type(precision: u32, scale: u8, unsigned: bool) -> SqlType {
    let precision = precision.min(MAX_PRECISION) as u8;
    SqlType::decimal(precision.max(scale), scale, unsigned)
}

/// The type of a DOUBLE of this many decimals.
pub(crate) fn double_type(decimals: u8) -> SqlType {
    if decimals >= NOT_FIXED_DECIMALS {
        SqlType::double()
    } else {
        SqlType::plain(TypeKind::Double, 17 + u32::from(decimals), decimals)
    }
}

fn decimals_of(node: &Node) -> u8 {
    match node.numeric_domain() {
        Domain::Int => 0,
        Domain::Decimal => node.ty.decimals,
        Domain::Double => {
            if node.ty.kind.is_string() || node.ty.kind == TypeKind::Json {
                NOT_FIXED_DECIMALS
            } else {
                node.ty.decimals
            }
        }
    }
}

impl Binder<'_> {
    pub(super) fn unary(&self, op: UnaryOp, operand: &ast::Expr) -> Result<Node> {
        // NOT of BETWEEN is the other of BETWEEN and NOT BETWEEN, which tells for equal bounds.
        if let (UnaryOp::Not, ast::ExprKind::Between(between)) = (op, &operand.kind)
            && matches!(between.low.kind, ast::ExprKind::Literal(_))
            && between.low.kind == between.high.kind
        {
            return self.between(between, !between.negated);
        }
        let operand = self.bind(operand)?;
        Ok(match op {
            UnaryOp::Not => negation(self.json_truth(operand)?),
            UnaryOp::Minus => negate(operand),
            UnaryOp::BitNot => {
                let bytes = is_bit_string(&operand);
                let ty = if bytes { bytes_type(&operand) } else { bit_type() };
                let ty = ty.with_nullable(operand.ty.nullable);
                Node::new(Op::BitNot(bytes), ty, vec![operand])
            }
            UnaryOp::Binary => {
                let names = ["BINARY expr".into(), "CAST".into()];
                self.warn(SqlError::new(code::ER_WARN_DEPRECATED_SYNTAX, &names));
                self.to_binary(operand, None)?
            }
        })
    }

    pub(super) fn binary(&self, binary: &ast::Binary) -> Result<Node> {
        let compare = match binary.op {
            BinaryOp::Eq => Some(CompareOp::Eq),
            BinaryOp::NullSafeEq => Some(CompareOp::NullSafeEq),
            BinaryOp::Ne => Some(CompareOp::Ne),
            BinaryOp::Lt => Some(CompareOp::Lt),
            BinaryOp::Le => Some(CompareOp::Le),
            BinaryOp::Gt => Some(CompareOp::Gt),
            BinaryOp::Ge => Some(CompareOp::Ge),
            _ => None,
        };
        if let Some(op) = compare {
            let (left, right) = (self.bind_any(&binary.left)?, self.bind_any(&binary.right)?);
            return self.compare(op, left, right);
        }
        match binary.op {
            BinaryOp::SoundsLike => {
                let left = self.call_named("soundex", &[&binary.left])?;
                let right = self.call_named("soundex", &[&binary.right])?;
                return self.compare(CompareOp::Eq, left, right);
            }
            BinaryOp::MemberOf => {
                return self.call_named("member of", &[&binary.left, &binary.right]);
            }
            _ => {}
        }
        let (left, right) = (self.bind(&binary.left)?, self.bind(&binary.right)?);
        let arith = match binary.op {
            BinaryOp::Add => ArithOp::Add,
            BinaryOp::Subtract => ArithOp::Subtract,
            BinaryOp::Multiply => ArithOp::Multiply,
            BinaryOp::Divide => ArithOp::Divide,
            BinaryOp::IntDivide => ArithOp::IntDivide,
            BinaryOp::Modulo => ArithOp::Modulo,
            BinaryOp::BitAnd => return Ok(bits(BitOp::And, left, right)),
            BinaryOp::BitOr => return Ok(bits(BitOp::Or, left, right)),
            BinaryOp::BitXor => return Ok(bits(BitOp::Xor, left, right)),
            BinaryOp::ShiftLeft => return Ok(bits(BitOp::ShiftLeft, left, right)),
            BinaryOp::ShiftRight => return Ok(bits(BitOp::ShiftRight, left, right)),
            _ => return Err(SqlError::not_supported_yet("this operator")),
        };
        Ok(self.arith(arith, left, right))
    }

    pub(crate) fn arith(&self, op: ArithOp, left: Node, right: Node) -> Node {
        let domain = match (op, left.numeric_domain(), right.numeric_domain()) {
            (ArithOp::IntDivide, ..) => Domain::Int,
            (_, Domain::Double, _) | (_, _, Domain::Double) => Domain::Double,
            (ArithOp::Divide, ..) => Domain::Decimal,
            (_, Domain::Decimal, _) | (_, _, Domain::Decimal) => Domain::Decimal,
            _ => Domain::Int,
        };
        let nullable = left.ty.nullable
            || right.ty.nullable
            || matches!(op, ArithOp::Divide | ArithOp::IntDivide | ArithOp::Modulo);
        let ty = self.arith_type(op, domain, &left, &right).with_nullable(nullable);
        Node::new(Op::Arith(op, domain), ty, vec![left, right])
    }

    fn arith_type(&self, op: ArithOp, domain: Domain, left: &Node, right: &Node) -> SqlType {
        let (d1, d2) = (decimals_of(left), decimals_of(right));
        let (p1, p2) = (decimal_precision(left), decimal_precision(right));
        let (int1, int2) = (p1.saturating_sub(d1.into()), p2.saturating_sub(d2.into()));
        let both_unsigned = left.ty.unsigned && right.ty.unsigned;
        let any_unsigned = left.ty.unsigned || right.ty.unsigned;
        if op == ArithOp::IntDivide {
            // Digits before the point, and those that a divisor below 1 adds.
            let whole = match left.numeric_domain() {
                Domain::Double if left.ty.kind.is_string() => left.ty.length,
                Domain::Double if left.ty.kind == TypeKind::Null => 0,
                Domain::Double if left.ty.kind == TypeKind::Float => left.ty.length,
                Domain::Double if d1 < NOT_FIXED_DECIMALS => BIGINT_LENGTH + 1 - u32::from(d1),
                Domain::Double => BIGINT_LENGTH,
                _ => int1,
            };
            let more = match right.numeric_domain() {
                Domain::Decimal => u32::from(d2),
                Domain::Double if right.ty.kind.is_string() => right.ty.length,
                Domain::Double if d2 < NOT_FIXED_DECIMALS => u32::from(d2),
                Domain::Double if right.ty.kind != TypeKind::Null => BIGINT_LENGTH,
                _ => 0,
            };
            let digits = (whole.saturating_add(more)).min(BIGINT_LENGTH);
            let length = (digits + u32::from(!any_unsigned)).max(1);
            return SqlType::bigint(length).with_unsigned(any_unsigned);
        }
        match domain {
            Domain::Double if d1 < NOT_FIXED_DECIMALS && d2 < NOT_FIXED_DECIMALS => {
                let decimals = match op {
                    ArithOp::Divide => d1.max(d2) + self.settings.div_precision_increment,
                    _ => d1.max(d2),
                };
                let whole =
                    |node: &Node, decimals: u8| node.ty.length.saturating_sub(u32::from(decimals));
                let digits = match op {
                    // Not more than any double has.
                    ArithOp::Divide => whole(left, d1).min(17),
                    _ => whole(left, d1).max(whole(right, d2)),
                };
                if decimals >= NOT_FIXED_DECIMALS {
                    return SqlType::double();
                }
                let length = digits + u32::from(decimals);
                let unsigned = op == ArithOp::Modulo && left.ty.unsigned;
                SqlType::plain(TypeKind::Double, length, decimals.min(NOT_FIXED_DECIMALS))
                    .with_unsigned(unsigned)
            }
            Domain::Double => double_type(match op {
                _ if d1 >= NOT_FIXED_DECIMALS || d2 >= NOT_FIXED_DECIMALS => NOT_FIXED_DECIMALS,
                ArithOp::Divide => d1.max(d2) + self.settings.div_precision_increment,
                _ => d1.max(d2),
            })
            .with_unsigned(op == ArithOp::Modulo && left.ty.unsigned),
            Domain::Int => {
                let unsigned = match op {
                    ArithOp::Modulo => left.ty.unsigned,
                    ArithOp::Subtract => any_unsigned && !self.settings.no_unsigned_subtraction,
                    _ => any_unsigned,
                };
                let digits = match op {
                    ArithOp::Multiply => p1 + p2,
                    ArithOp::Modulo => p1.max(p2),
                    _ => p1.max(p2) + 1,
                };
                // MOD leaves room for a sign whatever the type.
                let signed = !unsigned || op == ArithOp::Modulo;
                let length = digits + u32::from(signed);
                SqlType::bigint(length).with_unsigned(unsigned)
            }
            Domain::Decimal => match op {
                ArithOp::Multiply => {
                    let scale = (d1 + d2).min(MAX_SCALE);
                    decimal_type(p1 + p2, scale, both_unsigned)
                }
                ArithOp::Divide => {
                    let increment = self.settings.div_precision_increment;
                    let scale = (d1 + increment).min(MAX_SCALE);
                    let precision = p1 + u32::from(d2) + u32::from(increment);
                    decimal_type(precision, scale, both_unsigned)
                }
                ArithOp::Modulo => {
                    let scale = d1.max(d2);
                    decimal_type(p1.max(p2), scale, false).with_unsigned(left.ty.unsigned)
                }
                _ => {
                    let scale = d1.max(d2);
                    let precision = int1.max(int2) + 1 + u32::from(scale);
                    let mut ty = decimal_type(precision, scale, both_unsigned);
                    // The carry has its place in the length, if not in the number.
                    ty.length += precision.saturating_sub(MAX_PRECISION).min(1);
                    ty
                }
            },
        }
    }

    pub(super) fn logical(&self, op: LogicalOp, operands: &[ast::Expr]) -> Result<Node> {
        let args = operands
            .iter()
            .map(|one| self.json_truth(self.bind(one)?))
            .collect::<Result<Vec<_>>>()?;
        let op = match op {
            LogicalOp::And => Op::And,
            LogicalOp::Or => Op::Or,
            LogicalOp::Xor => Op::Xor,
        };
        let nullable = args.iter().any(|arg| arg.ty.nullable);
        Ok(Node::new(op, SqlType::truth().with_nullable(nullable), args))
    }

    pub(super) fn is_truth(&self, expr: &ast::Expr, truth: Truth, negated: bool) -> Result<Node> {
        let mut operand = self.bind(expr)?;
        if truth == Truth::Unknown && !negated && operand.ty.nullable {
            self.compute_early(&mut operand, true);
        }
        let operand = match truth {
            Truth::Unknown => operand,
            Truth::True | Truth::False => self.json_truth(operand)?,
        };
        let op = match truth {
            Truth::Unknown => Op::IsNull { negated },
            Truth::True => Op::IsTruth { truth: true, negated },
            Truth::False => Op::IsTruth { truth: false, negated },
        };
        Ok(Node::new(op, SqlType::truth().not_null(), vec![operand]))
    }
}

/// `-x`
pub(crate) fn negate(operand: Node) -> Node {
    let domain = match operand.ty.kind.is_temporal() {
        true => Domain::Double,
        false => operand.numeric_domain(),
    };
    // The negative of the largest literal is a number of 64 bits again; that of a
    // larger one is exact only as a decimal.
    let domain = match (&operand.op, domain) {
        (Op::Literal(Value::UInt(value)), _) if *value > 1 << 63 => Domain::Decimal,
        (Op::Literal(Value::Int(i64::MIN)), _) => Domain::Decimal,
        (Op::Hex(_), _) => Domain::Double,
        // The negative of a negative constant is one of a large unsigned number.
        (Op::Negate(Domain::Int), _)
            if super::site::constant_int(&operand).is_some_and(|value| value < 0) =>
        {
            Domain::Decimal
        }
        (Op::Bit(..) | Op::BitNot(_), Domain::Int)
            if super::fold::integer(&operand).is_some_and(|value| value > i128::from(i64::MAX)) =>
        {
            Domain::Decimal
        }
        _ => domain,
    };
    let nullable = operand.ty.nullable;
    let ty = match domain {
        // The bytes of a literal are negated as a double.
        _ if matches!(operand.op, Op::Hex(_)) => double_type(0),
        Domain::Int if operand.ty.length == 1 && !operand.ty.unsigned => SqlType::bigint(2),
        Domain::Int => SqlType::bigint(operand.ty.length + u32::from(operand.ty.unsigned)),
        Domain::Decimal => decimal_type(decimal_precision(&operand), decimals_of(&operand), false),
        Domain::Double => {
            let mut ty = double_type(decimals_of(&operand));
            ty.kind = TypeKind::Double;
            ty
        }
    };
    Node::new(Op::Negate(domain), ty.with_nullable(nullable), vec![operand])
}

/// The type of what bit operators make of integers.
pub(crate) fn bit_type() -> SqlType {
    SqlType::bigint(BIGINT_LENGTH).with_unsigned(true)
}

fn bytes_type(node: &Node) -> SqlType {
    let mut ty = SqlType::varchar(node.ty.length, CollationId::BINARY, Derivation::Implicit);
    ty.kind = super::cast::text_kind(ty.length);
    ty
}

/// A string of bytes to bit operators: literals in hexadecimal are numbers.
fn is_bit_string(node: &Node) -> bool {
    // What is NULL by its type alone counts as bytes, unless it is written so.
    let bytes = node.ty.is_binary_string() || node.ty.kind == TypeKind::Null;
    bytes && !matches!(node.op, Op::Hex(_)) && !node.is_null_literal()
}

impl Node {
    /// Bit operators and aggregates take its bytes, not its number.
    pub fn is_bit_string(&self) -> bool {
        is_bit_string(self)
    }
}

fn bits(op: BitOp, left: Node, right: Node) -> Node {
    let shift = matches!(op, BitOp::ShiftLeft | BitOp::ShiftRight);
    let as_bytes = |node: &Node| is_bit_string(node) || matches!(node.op, Op::Hex(_));
    let bytes = if shift {
        is_bit_string(&left)
    } else {
        let both = |a: &Node, b: &Node| is_bit_string(a) && (as_bytes(b) || b.is_null_literal());
        both(&left, &right) || both(&right, &left)
    };
    let ty = if bytes {
        let mut ty = bytes_type(&left);
        if !shift {
            ty.length = left.ty.length.max(right.ty.length);
        }
        ty
    } else {
        bit_type()
    };
    let nullable = left.ty.nullable || right.ty.nullable;
    Node::new(Op::Bit(op, bytes), ty.with_nullable(nullable), vec![left, right])
}
