//! Operators, by precedence climbing.
//!
//! MySQL's grammar has layers, and an operator asks of its operands which layer
//! they come from: the left side of LIKE may be `a + b` but not `a = b`, its right
//! side not even `a + b`; `a IS TRUE` cannot be compared. So each operator has a
//! level of its own, a least level of its left side and one for its right side,
//! and the level of what has been parsed is carried along.

use super::Grammar;
use super::primary::Group;
use crate::ast::{
    Between, Binary, BinaryOp, Call, DateArith, Expr, ExprKind, InList, InQuery, Like, LogicalOp,
    Quantified, Regexp, Truth,
};
use crate::error::Result;
use crate::lexer::T;
use crate::mode::SqlMode;

/// How tightly an operator binds.
pub(crate) mod level {
    pub(crate) const ANY: u8 = 0;
    pub(crate) const OR: u8 = 1;
    pub(crate) const XOR: u8 = 2;
    pub(crate) const AND: u8 = 3;
    /// NOT, and IS TRUE, which cannot be followed by a comparison.
    pub(crate) const NOT: u8 = 4;
    /// Comparisons and IS NULL.
    pub(crate) const COMPARE: u8 = 5;
    /// LIKE, IN, BETWEEN and so on: neither chain.
    pub(crate) const PREDICATE: u8 = 6;
    pub(crate) const BIT_OR: u8 = 7;
    pub(crate) const BIT_AND: u8 = 8;
    pub(crate) const SHIFT: u8 = 9;
    pub(crate) const ADD: u8 = 10;
    pub(crate) const MULTIPLY: u8 = 11;
    pub(crate) const BIT_XOR: u8 = 12;
    /// `||` as concatenation.
    pub(crate) const CONCAT: u8 = 13;
    /// Signs, `~`, `!`, BINARY.
    pub(crate) const UNARY: u8 = 14;
    pub(crate) const COLLATE: u8 = 15;
    pub(crate) const PRIMARY: u8 = 16;
}

/// What an operator's token does.
enum Infix {
    Logical(LogicalOp),
    Binary(BinaryOp),
    Compare(BinaryOp),
    Concat,
    Collate,
    Is,
    Predicate,
}

impl Grammar<'_> {
    /// An expression.
    #[inline]
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_at(level::ANY)
    }

    pub(super) fn expr_list(&mut self) -> Result<Vec<Expr>> {
        self.list(Self::expr)
    }

    /// What may stand beside `+`.
    pub(super) fn bit_expr(&mut self) -> Result<Expr> {
        self.expr_at(level::BIT_OR)
    }

    /// What may stand beside `||` as concatenation.
    pub(super) fn simple_expr(&mut self) -> Result<Expr> {
        self.expr_at(level::CONCAT)
    }

    /// An expression whose operators outside of parentheses bind at least as
    /// tightly as `min`.
    pub(super) fn expr_at(&mut self, min: u8) -> Result<Expr> {
        self.enter()?;
        let outer = std::mem::take(&mut self.height);
        let (left, left_level) = self.prefix(min)?;
        let expr = self.infix(left, left_level, min)?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(expr)
    }

    fn prefix(&mut self, min: u8) -> Result<(Expr, u8)> {
        let start = self.here();
        let (operand, op, own) = match self.kind() {
            T::NOT if self.mode.has(SqlMode::HIGH_NOT_PRECEDENCE) => {
                (level::UNARY, Some(crate::ast::UnaryOp::Not), level::UNARY)
            }
            T::NOT if min <= level::NOT => (level::NOT, Some(crate::ast::UnaryOp::Not), level::NOT),
            T::Bang => (level::UNARY, Some(crate::ast::UnaryOp::Not), level::UNARY),
            T::Minus => (level::UNARY, Some(crate::ast::UnaryOp::Minus), level::UNARY),
            T::Plus => (level::UNARY, None, level::UNARY),
            T::Tilde => (level::UNARY, Some(crate::ast::UnaryOp::BitNot), level::UNARY),
            T::BINARY => (level::UNARY, Some(crate::ast::UnaryOp::Binary), level::UNARY),
            T::INTERVAL => return self.interval_prefix(),
            _ => return Ok((self.primary()?, level::PRIMARY)),
        };
        self.bump();
        let operand = self.expr_at(operand)?;
        let Some(op) = op else {
            return Ok((operand, own));
        };
        self.taller()?;
        let kind = ExprKind::Unary(op, Box::new(operand));
        Ok((Expr { kind, span: self.span_from(start) }, own))
    }

    /// `INTERVAL n unit + date`, or the function INTERVAL.
    fn interval_prefix(&mut self) -> Result<(Expr, u8)> {
        let start = self.here();
        if self.is_interval_function() {
            return Ok((self.interval_function()?, level::PRIMARY));
        }
        let (amount, unit) = self.interval()?;
        self.expect(T::Plus)?;
        // Whatever is no AND, OR or XOR belongs to the date: comparisons too.
        let date = self.expr_at(level::NOT)?;
        self.taller()?;
        let kind = ExprKind::DateArith(Box::new(DateArith { date, subtract: false, amount, unit }));
        Ok((Expr { kind, span: self.span_from(start) }, level::PRIMARY))
    }

    /// Goes on behind an operand that is parsed already.
    pub(super) fn infix(&mut self, mut left: Expr, mut left_level: u8, min: u8) -> Result<Expr> {
        loop {
            let (infix, own, needs) = match self.kind() {
                T::Eq => (Infix::Compare(BinaryOp::Eq), level::COMPARE, level::COMPARE),
                T::NullSafeEq => {
                    (Infix::Compare(BinaryOp::NullSafeEq), level::COMPARE, level::COMPARE)
                }
                T::Ne => (Infix::Compare(BinaryOp::Ne), level::COMPARE, level::COMPARE),
                T::Lt => (Infix::Compare(BinaryOp::Lt), level::COMPARE, level::COMPARE),
                T::Le => (Infix::Compare(BinaryOp::Le), level::COMPARE, level::COMPARE),
                T::Gt => (Infix::Compare(BinaryOp::Gt), level::COMPARE, level::COMPARE),
                T::Ge => (Infix::Compare(BinaryOp::Ge), level::COMPARE, level::COMPARE),
                T::AND | T::AndAnd => (Infix::Logical(LogicalOp::And), level::AND, level::AND),
                T::OR => (Infix::Logical(LogicalOp::Or), level::OR, level::OR),
                T::PipePipe if self.mode.has(SqlMode::PIPES_AS_CONCAT) => {
                    (Infix::Concat, level::CONCAT, level::CONCAT)
                }
                T::PipePipe => (Infix::Logical(LogicalOp::Or), level::OR, level::OR),
                T::XOR => (Infix::Logical(LogicalOp::Xor), level::XOR, level::XOR),
                T::Plus => (Infix::Binary(BinaryOp::Add), level::ADD, level::ADD),
                T::Minus => (Infix::Binary(BinaryOp::Subtract), level::ADD, level::ADD),
                T::Star => (Infix::Binary(BinaryOp::Multiply), level::MULTIPLY, level::MULTIPLY),
                T::Slash => (Infix::Binary(BinaryOp::Divide), level::MULTIPLY, level::MULTIPLY),
                T::DIV => (Infix::Binary(BinaryOp::IntDivide), level::MULTIPLY, level::MULTIPLY),
                T::Percent | T::MOD => {
                    (Infix::Binary(BinaryOp::Modulo), level::MULTIPLY, level::MULTIPLY)
                }
                T::Caret => (Infix::Binary(BinaryOp::BitXor), level::BIT_XOR, level::BIT_XOR),
                T::Pipe => (Infix::Binary(BinaryOp::BitOr), level::BIT_OR, level::BIT_OR),
                T::Amp => (Infix::Binary(BinaryOp::BitAnd), level::BIT_AND, level::BIT_AND),
                T::ShiftLeft => (Infix::Binary(BinaryOp::ShiftLeft), level::SHIFT, level::SHIFT),
                T::ShiftRight => (Infix::Binary(BinaryOp::ShiftRight), level::SHIFT, level::SHIFT),
                T::COLLATE => (Infix::Collate, level::COLLATE, level::UNARY),
                T::IS => (Infix::Is, level::COMPARE, level::COMPARE),
                T::LIKE | T::REGEXP | T::RLIKE | T::IN | T::BETWEEN | T::NOT => {
                    (Infix::Predicate, level::PREDICATE, level::BIT_OR)
                }
                T::SOUNDS | T::MEMBER => (Infix::Predicate, level::PREDICATE, level::BIT_OR),
                _ => return Ok(left),
            };
            // IS TRUE binds like NOT; the token alone does not tell it from IS NULL.
            let is_truth = matches!(infix, Infix::Is) && self.is_truth();
            let own = if is_truth { level::NOT } else { own };
            if own < min || left_level < needs {
                return Ok(left);
            }
            let start = left.span.start;
            let kind = match infix {
                Infix::Logical(op) => self.logical(op, left, own)?,
                Infix::Binary(op) => {
                    self.bump();
                    if own == level::ADD && self.at(T::INTERVAL) && !self.is_interval_function() {
                        let (amount, unit) = self.interval()?;
                        let subtract = op == BinaryOp::Subtract;
                        ExprKind::DateArith(Box::new(DateArith {
                            date: left,
                            subtract,
                            amount,
                            unit,
                        }))
                    } else {
                        let right = self.expr_at(own + 1)?;
                        ExprKind::Binary(Box::new(Binary { op, left, right }))
                    }
                }
                Infix::Compare(op) => self.compare(op, left)?,
                Infix::Concat => {
                    let token = self.bump();
                    let right = self.expr_at(own + 1)?;
                    let name = Self::word("concat", token);
                    let args = vec![left, right];
                    ExprKind::Call(Box::new(Call {
                        schema: None,
                        name,
                        keyword: false,
                        args,
                        window: None,
                    }))
                }
                Infix::Collate => {
                    self.bump();
                    ExprKind::Collate(Box::new((left, self.collation_name()?)))
                }
                Infix::Is => self.is(left)?,
                Infix::Predicate => {
                    let negatable = [T::LIKE, T::REGEXP, T::RLIKE, T::IN, T::BETWEEN]
                        .contains(&self.kind_at(1));
                    if self.at(T::NOT) && !negatable {
                        self.bump();
                        return Err(self.unexpected());
                    }
                    if self.at(T::SOUNDS) && self.kind_at(1) != T::LIKE
                        || self.at(T::MEMBER) && !self.member_of_follows()
                    {
                        return Ok(left);
                    }
                    self.predicate(left)?
                }
            };
            self.taller()?;
            // The unit ends `a + INTERVAL b DAY`: what binds tighter than `+` takes all
            // of it for its left side.
            left_level = match kind {
                ExprKind::DateArith(_) => level::BIT_XOR,
                _ => own,
            };
            left = Expr { kind, span: self.span_from(start) };
        }
    }

    fn member_of_follows(&self) -> bool {
        self.kind_at(1) == T::OF || self.kind_at(1) == T::LParen
    }

    /// Operands of one logical operator become one node: a row of thousands of
    /// ORs must not make a tree thousands high.
    fn logical(&mut self, op: LogicalOp, left: Expr, own: u8) -> Result<ExprKind> {
        let mut operands = Vec::with_capacity(2);
        operands.push(left);
        loop {
            let same = match (self.kind(), op) {
                (T::AND | T::AndAnd, LogicalOp::And) | (T::XOR, LogicalOp::Xor) => true,
                (T::OR, LogicalOp::Or) => true,
                (T::PipePipe, LogicalOp::Or) => !self.mode.has(SqlMode::PIPES_AS_CONCAT),
                _ => false,
            };
            if !same {
                return Ok(ExprKind::Logical(op, operands));
            }
            self.bump();
            operands.push(self.expr_at(own + 1)?);
        }
    }

    fn compare(&mut self, op: BinaryOp, left: Expr) -> Result<ExprKind> {
        self.bump();
        if op != BinaryOp::NullSafeEq
            && self.at_any(&[T::ALL, T::ANY, T::SOME])
            && self.kind_at(1) == T::LParen
        {
            let all = self.bump().kind == T::ALL;
            let query = self.subquery()?;
            return Ok(ExprKind::Quantified(Box::new(Quantified { expr: left, op, all, query })));
        }
        let right = self.expr_at(level::PREDICATE)?;
        Ok(ExprKind::Binary(Box::new(Binary { op, left, right })))
    }

    fn is_truth(&self) -> bool {
        let ahead = if self.kind_at(1) == T::NOT { 2 } else { 1 };
        matches!(self.kind_at(ahead), T::TRUE | T::FALSE | T::UNKNOWN)
    }

    fn is(&mut self, left: Expr) -> Result<ExprKind> {
        self.bump();
        let negated = self.eat(T::NOT);
        let expr = Box::new(left);
        let truth = match self.kind() {
            T::NULL => {
                self.bump();
                return Ok(ExprKind::IsNull { expr, negated });
            }
            T::TRUE => Truth::True,
            T::FALSE => Truth::False,
            T::UNKNOWN => Truth::Unknown,
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(ExprKind::IsTruth { expr, truth, negated })
    }

    fn predicate(&mut self, expr: Expr) -> Result<ExprKind> {
        let negated = self.eat(T::NOT);
        match self.bump().kind {
            T::LIKE => {
                let pattern = self.simple_expr()?;
                let escape = if self.eat(T::ESCAPE) { Some(self.simple_expr()?) } else { None };
                Ok(ExprKind::Like(Box::new(Like { expr, pattern, escape, negated })))
            }
            T::REGEXP | T::RLIKE => {
                let pattern = self.bit_expr()?;
                Ok(ExprKind::Regexp(Box::new(Regexp { expr, pattern, negated })))
            }
            T::BETWEEN => {
                let low = self.bit_expr()?;
                self.expect(T::AND)?;
                let high = self.expr_at(level::PREDICATE)?;
                Ok(ExprKind::Between(Box::new(Between { expr, low, high, negated })))
            }
            T::IN => match self.group()? {
                Group::Query(query) => {
                    let query = self.without_into(query)?;
                    Ok(ExprKind::InQuery(Box::new(InQuery { expr, query, negated })))
                }
                Group::Expr(one) => {
                    Ok(ExprKind::InList(Box::new(InList { expr, list: vec![one], negated })))
                }
                Group::List(list) => Ok(ExprKind::InList(Box::new(InList { expr, list, negated }))),
            },
            T::SOUNDS => {
                self.expect(T::LIKE)?;
                let right = self.bit_expr()?;
                let op = BinaryOp::SoundsLike;
                Ok(ExprKind::Binary(Box::new(Binary { op, left: expr, right })))
            }
            T::MEMBER => {
                self.eat(T::OF);
                let right = self.parens(Self::simple_expr)?;
                let op = BinaryOp::MemberOf;
                Ok(ExprKind::Binary(Box::new(Binary { op, left: expr, right })))
            }
            _ => Err(self.unexpected()),
        }
    }
}
