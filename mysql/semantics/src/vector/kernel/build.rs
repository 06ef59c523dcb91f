//! Which kernels a tree becomes.

mod choice;

use super::{Change, Kernel, Lane};
use crate::expr::{
    ArithOp, CastTarget, CompareOp, Comparison, Domain, ListReading, Membership, Node, Op,
};
use crate::types::{CollationId, TypeKind};
use crate::vector::rows::{self, Form, Used};

/// Digits of decimals that 128 bits hold.
const DECIMAL_DIGITS: u32 = 38;

impl Kernel {
    /// The kernels of a tree over the columns `used`; `None` where running row by row
    /// is all there is.
    pub(in crate::vector) fn of(node: &Node, form: Form, used: &[Used]) -> Option<Kernel> {
        let planner = Planner { used };
        let kernel = match form {
            Form::Truth => planner.truth(node)?,
            _ if node.is_constant() => constant(node, Lane::Any),
            _ => planner.value(node)?,
        };
        (!matches!(kernel, Kernel::Rows { .. })).then_some(kernel)
    }
}

struct Planner<'a> {
    used: &'a [Used],
}

fn constant(node: &Node, lane: Lane) -> Kernel {
    Kernel::Constant { node: Box::new(node.clone()), lane, beside: None }
}

fn is_choice(op: &Op) -> bool {
    matches!(op, Op::If | Op::Case { .. } | Op::CaseOf { .. } | Op::Coalesce)
}

/// As what is compared, and by which collation.
fn lane_of(with: Comparison) -> Option<(Lane, CollationId)> {
    let lane = match with {
        Comparison::Int | Comparison::Wrapped => Lane::Int,
        Comparison::Decimal => Lane::Decimal,
        Comparison::Double => Lane::Double,
        Comparison::Text(collation) => return Some((Lane::Text, collation)),
        Comparison::DateTime | Comparison::NamedDateTime | Comparison::LenientDateTime => {
            Lane::DateTime
        }
        Comparison::Time => Lane::Time,
        Comparison::Json | Comparison::Packed => return None,
    };
    Some((lane, CollationId::BINARY))
}

impl Planner<'_> {
    fn column(&self, node: &Node, lane: Lane) -> Option<Kernel> {
        let Op::Column(column) = &node.op else { return None };
        let place = self.used.iter().position(|used| used.index == column.index)?;
        Some(Kernel::Column(place, lane))
    }

    fn by_rows(&self, node: &Node, form: Form) -> Option<Kernel> {
        let used = rows::used_columns(node);
        let place = |one: &Used| self.used.iter().position(|used| used.index == one.index);
        let places = used.iter().map(place).collect::<Option<_>>()?;
        let node = Box::new(node.clone());
        Some(Kernel::Rows { node, form, used: used.into_boxed_slice(), places })
    }

    /// `kernel`, unless all that it would combine runs row by row anyway.
    fn worth(&self, node: &Node, form: Form, kernel: Kernel) -> Option<Kernel> {
        if is_gainful(&kernel) { Some(kernel) } else { self.by_rows(node, form) }
    }

    /// The values as [`Node::run`] gives them.
    fn value(&self, node: &Node) -> Option<Kernel> {
        match &node.op {
            Op::Column(_) => self.column(node, Lane::Any),
            Op::Collate => self.value(node.args.first()?),
            op if op.is_truth() => self.truth(node),
            op if is_choice(op) => self.choice(node),
            _ => match node.ty.kind {
                TypeKind::Decimal => self.decimal(node),
                TypeKind::Double => self.double(node),
                _ => self.int(node),
            },
        }
    }

    /// As a truth; row by row at worst.
    fn truth(&self, node: &Node) -> Option<Kernel> {
        if node.is_constant() {
            return Some(constant(node, Lane::Truth));
        }
        let kernel = match &node.op {
            op if op.is_truth() => self.truth_operator(node),
            _ => {
                let number = match node.ty.kind {
                    TypeKind::Decimal => self.decimal(node),
                    TypeKind::Float | TypeKind::Double => self.double(node),
                    _ => self.int(node),
                };
                return match number {
                    Some(number) => Some(Kernel::Change(Change::ToTruth, Box::new(number))),
                    None => self.by_rows(node, Form::Truth),
                };
            }
        };
        match kernel {
            Some(kernel) => self.worth(node, Form::Truth, kernel),
            None => self.by_rows(node, Form::Truth),
        }
    }

    fn truths(&self, nodes: &[Node]) -> Option<Box<[Kernel]>> {
        nodes.iter().map(|node| self.truth(node)).collect()
    }

    fn truth_operator(&self, node: &Node) -> Option<Kernel> {
        let args = &*node.args;
        match (&node.op, args) {
            (Op::Compare(op, with), [left, right]) => self.compare(*op, *with, left, right),
            (Op::Between { negated, low, high }, [value, least, most]) => {
                let above = self.compare(CompareOp::Ge, *low, value, least)?;
                let below = self.compare(CompareOp::Le, *high, value, most)?;
                if !above.is_quiet() || !below.is_quiet() {
                    return None;
                }
                let both = Kernel::Both(Box::new([above, below]));
                Some(if *negated { Kernel::Not(Box::new(both)) } else { both })
            }
            (Op::In { negated, how }, [value, list @ ..]) => match how {
                Membership::Each(with) => self.among(*negated, with, value, list),
                Membership::Constants(reading) => self.among_keys(*negated, *reading, value, list),
                Membership::DatesAs(_) => None,
            },
            (Op::Like { negated, collation }, [value, pattern, escape]) => {
                if !pattern.is_constant() || !escape.is_constant() {
                    return None;
                }
                Some(Kernel::Like {
                    negated: *negated,
                    collation: *collation,
                    value: Box::new(self.operand(value, Lane::Text)?),
                    pattern: Box::new(constant(pattern, Lane::Text)),
                    escape: Box::new(escape.clone()),
                })
            }
            // What is never NULL is not even asked.
            (Op::IsNull { negated }, [arg]) if arg.ty.nullable => self.is_null(*negated, arg),
            (Op::IsTruth { truth, negated }, [arg]) => {
                let arg = Box::new(self.truth(arg)?);
                Some(Kernel::IsTruth { truth: *truth, negated: *negated, arg })
            }
            (Op::And, args) => Some(Kernel::Fold { decisive: false, args: self.truths(args)? }),
            (Op::Or, args) => Some(Kernel::Fold { decisive: true, args: self.truths(args)? }),
            (Op::Xor, args) => Some(Kernel::Xor(self.truths(args)?)),
            (Op::Not, [arg]) => Some(Kernel::Not(Box::new(self.truth(arg)?))),
            _ => None,
        }
    }

    fn is_null(&self, negated: bool, arg: &Node) -> Option<Kernel> {
        let arg = match &arg.op {
            Op::Column(_) => self.column(arg, Lane::Any)?,
            op if op.is_truth() => self.truth(arg)?,
            _ => match arg.ty.kind {
                TypeKind::Decimal => self.decimal(arg)?,
                TypeKind::Double => self.double(arg)?,
                _ => self.int(arg)?,
            },
        };
        Some(Kernel::IsNull { negated, arg: Box::new(arg) })
    }

    fn compare(
        &self,
        op: CompareOp,
        with: Comparison,
        left: &Node,
        right: &Node,
    ) -> Option<Kernel> {
        if op == CompareOp::NullSafeEq {
            let asked = if right.is_null_literal() { left } else { right };
            if left.is_null_literal() != right.is_null_literal() {
                return self.is_null(false, asked);
            }
        }
        let (lane, collation) = lane_of(with)?;
        let a = self.compared(left, right, lane, with)?;
        let b = self.compared(right, left, lane, with)?;
        // `<=>` asks for its operands twice.
        if op == CompareOp::NullSafeEq && !(a.is_quiet() && b.is_quiet()) {
            return None;
        }
        Some(Kernel::Compare { op, lane, collation, args: Box::new([a, b]) })
    }

    fn compared(&self, node: &Node, other: &Node, lane: Lane, with: Comparison) -> Option<Kernel> {
        let kernel = if node.is_constant() {
            let beside = Some(Box::new((other.clone(), with)));
            Kernel::Constant { node: Box::new(node.clone()), lane, beside }
        } else {
            self.operand(node, lane)?
        };
        Some(match with {
            Comparison::Wrapped => {
                Kernel::Change(Change::Wrap { unsigned: false }, Box::new(kernel))
            }
            _ => kernel,
        })
    }

    fn among(
        &self,
        negated: bool,
        with: &[Comparison],
        value: &Node,
        list: &[Node],
    ) -> Option<Kernel> {
        // What is compared in no way is compared with NULL.
        let typed = |(with, one): &(&Comparison, &Node)| (!one.is_null_literal()).then_some(**with);
        let mut ways = with.iter().zip(list).filter_map(|pair| typed(&pair));
        let way = ways.next()?;
        if !ways.all(|with| with == way) || !list.iter().all(Node::is_constant) {
            return None;
        }
        let (lane, collation) = lane_of(way)?;
        let kernel = self.compared(value, value, lane, way)?;
        if !kernel.is_quiet() {
            return None;
        }
        let list = list.iter().map(|one| self.compared(one, value, lane, way));
        Some(Kernel::In {
            negated,
            value: Box::new(kernel),
            lane,
            collation,
            list: list.collect::<Option<_>>()?,
        })
    }

    fn among_keys(
        &self,
        negated: bool,
        reading: ListReading,
        value: &Node,
        list: &[Node],
    ) -> Option<Kernel> {
        let kind = value.ty.kind;
        let kernel = match reading {
            ListReading::Integers => self.int(value)?,
            ListReading::Doubles => self.operand(value, Lane::Double)?,
            ListReading::Dates if kind == TypeKind::Date => self.column(value, Lane::DateTime)?,
            ListReading::DateTimes if kind.has_date() => self.column(value, Lane::DateTime)?,
            ListReading::Times if kind == TypeKind::Time => self.column(value, Lane::Time)?,
            _ => return None,
        };
        if !kernel.is_quiet() || !list.iter().all(Node::is_constant) {
            return None;
        }
        Some(Kernel::Keys {
            negated,
            reading,
            value: Box::new(kernel),
            asked: Box::new(value.clone()),
            list: list.into(),
        })
    }

    /// In the lane that an operator wants.
    fn operand(&self, node: &Node, lane: Lane) -> Option<Kernel> {
        if node.is_constant() {
            return Some(constant(node, lane));
        }
        match lane {
            Lane::Int => self.int(node).or_else(|| self.by_rows(node, Form::Int)),
            Lane::Double => match self.double(node) {
                Some(kernel) => Some(kernel),
                None => match self.int(node).or_else(|| self.decimal(node)) {
                    Some(kernel) => Some(Kernel::Change(Change::ToDouble, Box::new(kernel))),
                    None => self.by_rows(node, Form::Double),
                },
            },
            Lane::Decimal => self.decimal(node).or_else(|| self.int(node)),
            Lane::Text => match &node.op {
                Op::Collate => self.operand(node.args.first()?, Lane::Text),
                Op::Column(_) if is_plain_text(node.ty.kind) => self.column(node, Lane::Text),
                op if is_choice(op) && is_plain_text(node.ty.kind) => {
                    self.choice(node).or_else(|| self.by_rows(node, Form::Text))
                }
                _ => self.by_rows(node, Form::Text),
            },
            Lane::DateTime if node.ty.kind.has_date() => self.column(node, lane),
            Lane::Time if node.ty.kind == TypeKind::Time => self.column(node, lane),
            _ => None,
        }
    }

    /// What is an integer by itself.
    fn int(&self, node: &Node) -> Option<Kernel> {
        let args = &*node.args;
        let unsigned = node.ty.unsigned;
        let kernel = match (&node.op, args) {
            (Op::Column(_), _) => {
                let kind = node.ty.kind;
                let whole = kind.is_integer()
                    || matches!(
                        kind,
                        TypeKind::Bit | TypeKind::Year | TypeKind::Enum | TypeKind::Set
                    );
                return if whole { self.column(node, Lane::Int) } else { None };
            }
            (op, _) if op.is_truth() => {
                Kernel::Change(Change::TruthToInt, Box::new(self.truth(node)?))
            }
            (op, _) if is_choice(op) && node.ty.kind.is_integer() => return self.choice(node),
            (Op::Arith(op, Domain::Int), [left, right]) => {
                let whole = left.computes_as_int() && right.computes_as_int();
                if *op == ArithOp::IntDivide && !whole {
                    return None;
                }
                let args =
                    Box::new([self.operand(left, Lane::Int)?, self.operand(right, Lane::Int)?]);
                Kernel::Arith { op: *op, lane: Lane::Int, unsigned, decimals: 0, args }
            }
            (Op::Negate(Domain::Int), [arg]) if !unsigned => {
                Kernel::Negate { lane: Lane::Int, arg: Box::new(self.operand(arg, Lane::Int)?) }
            }
            (Op::Bit(op, false), [left, right]) if unsigned => {
                let args =
                    Box::new([self.operand(left, Lane::Int)?, self.operand(right, Lane::Int)?]);
                Kernel::Bits { op: *op, args }
            }
            (Op::BitNot(false), [arg]) => Kernel::BitNot(Box::new(self.operand(arg, Lane::Int)?)),
            (Op::Cast(target @ (CastTarget::Signed | CastTarget::Unsigned)), [arg]) => {
                let unsigned = *target == CastTarget::Unsigned;
                if let Some(arg) = self.int(arg) {
                    Kernel::Change(Change::Wrap { unsigned }, Box::new(arg))
                } else if let Some(arg) = self.decimal(arg) {
                    Kernel::Change(Change::Round { unsigned }, Box::new(arg))
                } else if matches!(arg.op, Op::Column(_)) {
                    // What arithmetic made may be out of range, which is an error.
                    Kernel::Change(Change::Round { unsigned }, Box::new(self.double(arg)?))
                } else {
                    return None;
                }
            }
            _ => return None,
        };
        is_gainful(&kernel).then_some(kernel)
    }

    fn double(&self, node: &Node) -> Option<Kernel> {
        let kernel = match (&node.op, &*node.args) {
            (Op::Column(_), _) => {
                return match node.ty.kind {
                    TypeKind::Double => self.column(node, Lane::Double),
                    TypeKind::Float => {
                        let column = Box::new(self.column(node, Lane::Any)?);
                        Some(Kernel::Change(Change::ToDouble, column))
                    }
                    _ => None,
                };
            }
            (op, _) if is_choice(op) && node.ty.kind == TypeKind::Double => {
                return self.choice(node);
            }
            (Op::Arith(op, Domain::Double), [left, right]) => {
                let args = Box::new([
                    self.operand(left, Lane::Double)?,
                    self.operand(right, Lane::Double)?,
                ]);
                Kernel::Arith { op: *op, lane: Lane::Double, unsigned: false, decimals: 0, args }
            }
            (Op::Negate(Domain::Double), [arg]) => Kernel::Negate {
                lane: Lane::Double,
                arg: Box::new(self.operand(arg, Lane::Double)?),
            },
            (Op::Cast(CastTarget::Double), [arg]) => {
                return match self.operand(arg, Lane::Double)? {
                    Kernel::Rows { .. } => None,
                    kernel => Some(kernel),
                };
            }
            _ => return None,
        };
        is_gainful(&kernel).then_some(kernel)
    }

    fn decimal(&self, node: &Node) -> Option<Kernel> {
        if node.ty.kind != TypeKind::Decimal {
            return None;
        }
        let kernel = match (&node.op, &*node.args) {
            (Op::Column(_), _) if node.ty.precision() > DECIMAL_DIGITS => return None,
            (Op::Column(_), _) => return self.column(node, Lane::Decimal),
            // Products have the digits of both sides, and few of them: what 128 bits do not
            // hold runs row by row.
            (Op::Arith(op, Domain::Decimal), [left, right]) => {
                let args = Box::new([
                    self.operand(left, Lane::Decimal)?,
                    self.operand(right, Lane::Decimal)?,
                ]);
                let decimals = node.ty.decimals;
                Kernel::Arith { op: *op, lane: Lane::Decimal, unsigned: false, decimals, args }
            }
            (Op::Cast(CastTarget::Decimal), [arg]) => {
                let precision = u8::try_from(node.ty.precision()).ok()?;
                let change = Change::Fit { precision, scale: node.ty.decimals };
                Kernel::Change(change, Box::new(self.decimal(arg).or_else(|| self.int(arg))?))
            }
            (Op::Negate(Domain::Decimal), [arg]) => {
                Kernel::Negate { lane: Lane::Decimal, arg: Box::new(self.decimal(arg)?) }
            }
            _ => return None,
        };
        is_gainful(&kernel).then_some(kernel)
    }
}

/// Not all operands run row by row anyway.
fn is_gainful(kernel: &Kernel) -> bool {
    let by_rows = |one: &&Kernel| matches!(one, Kernel::Rows { .. } | Kernel::Constant { .. });
    !kernel.operands().iter().all(by_rows)
}

/// Strings whose arrays hold their text.
fn is_plain_text(kind: TypeKind) -> bool {
    kind.is_string() && !matches!(kind, TypeKind::Enum | TypeKind::Set)
}
