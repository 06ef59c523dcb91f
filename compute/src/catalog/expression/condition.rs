//! Comparisons and truths: where MySQL moves NOT, and what it joins.

use firn_mysql_parser::ast::{BinaryOp, Expr, ExprKind, InList, LogicalOp, Truth, UnaryOp};

use super::print::{Printer, is_truth};

impl Printer<'_> {
    /// Operands, each negated or not. Those of the same kind are joined.
    pub(super) fn logical<'e>(
        &mut self,
        op: LogicalOp,
        operands: impl Iterator<Item = (&'e Expr, bool)>,
    ) {
        if op == LogicalOp::Xor {
            // From left to right, two at a time.
            let operands: Vec<_> = operands.collect();
            let opening = operands.len().saturating_sub(1);
            self.put(&"(".repeat(opening));
            for (at, (operand, negated)) in operands.into_iter().enumerate() {
                if at > 0 {
                    self.put(" xor ");
                }
                self.maybe_negated(operand, negated);
                if at > 0 {
                    self.put(")");
                }
            }
            return;
        }
        let word = if op == LogicalOp::And { " and " } else { " or " };
        self.put("(");
        let mut first = true;
        self.joined(op, word, &mut first, operands);
        self.put(")");
    }

    pub(super) fn joined<'e>(
        &mut self,
        op: LogicalOp,
        word: &str,
        first: &mut bool,
        operands: impl Iterator<Item = (&'e Expr, bool)>,
    ) {
        for (operand, negated) in operands {
            if let ExprKind::Logical(inner, inside) = &operand.kind {
                let same = if negated { opposite(*inner) } else { Some(*inner) };
                if same == Some(op) {
                    let inside: Vec<_> = inside.iter().map(|one| (one, negated)).collect();
                    self.joined(op, word, first, inside.into_iter());
                    continue;
                }
            }
            if !*first {
                self.put(word);
            }
            *first = false;
            self.maybe_negated(operand, negated);
        }
    }

    pub(super) fn maybe_negated(&mut self, operand: &Expr, negated: bool) {
        if negated { self.negated(operand) } else { self.truth(operand) }
    }

    /// NOT of an operand, with the NOT moved inwards where MySQL moves it.
    pub(super) fn negated(&mut self, operand: &Expr) {
        match &operand.kind {
            ExprKind::Unary(UnaryOp::Not, inner) => self.truth(inner),
            ExprKind::Logical(LogicalOp::Xor, operands) => {
                let first = operands.iter().enumerate().map(|(at, one)| (one, at == 0));
                self.logical(LogicalOp::Xor, first);
            }
            ExprKind::Logical(op, operands) => {
                let op = opposite(*op).unwrap_or(*op);
                self.logical(op, operands.iter().map(|one| (one, true)));
            }
            ExprKind::IsNull { expr, negated } => {
                self.put("(");
                self.value(expr);
                self.put(if *negated { " is null)" } else { " is not null)" });
            }
            ExprKind::IsTruth { expr, truth, negated } => self.is(expr, *truth, !negated),
            ExprKind::InList(list) => self.in_list(list, !list.negated),
            ExprKind::Between(between) => {
                self.put("(");
                self.value(&between.expr);
                self.put(if between.negated { " between " } else { " not between " });
                self.value(&between.low);
                self.put(" and ");
                self.value(&between.high);
                self.put(")");
            }
            ExprKind::Binary(binary) if inverse(binary.op).is_some() => {
                let op = inverse(binary.op).unwrap_or(binary.op);
                self.binary(op, &binary.left, &binary.right);
            }
            ExprKind::Call(call) if call.name.as_str().eq_ignore_ascii_case("isnull") => {
                self.put("(");
                self.list(&call.args);
                self.put(" is not null)");
            }
            ExprKind::Like(like) if like.negated => {
                let mut plain = like.clone();
                plain.negated = false;
                self.value(&Expr { kind: ExprKind::Like(plain), span: operand.span });
            }
            ExprKind::Regexp(regexp) if regexp.negated => {
                let mut plain = regexp.clone();
                plain.negated = false;
                self.value(&Expr { kind: ExprKind::Regexp(plain), span: operand.span });
            }
            _ if is_truth(operand) => {
                self.put("(not(");
                self.value(operand);
                self.put("))");
            }
            _ => {
                self.put("(0 = ");
                self.value(operand);
                self.put(")");
            }
        }
    }

    pub(super) fn is(&mut self, expr: &Expr, truth: Truth, negated: bool) {
        self.put("(");
        if truth == Truth::Unknown {
            self.value(expr);
            self.put(if negated { " is not null)" } else { " is null)" });
            return;
        }
        self.truth(expr);
        self.put(if negated { " is not " } else { " is " });
        self.put(if truth == Truth::True { "true)" } else { "false)" });
    }

    pub(super) fn in_list(&mut self, list: &InList, negated: bool) {
        if let [only] = &list.list[..] {
            let op = if negated { BinaryOp::Ne } else { BinaryOp::Eq };
            self.binary(op, &list.expr, only);
            return;
        }
        self.put("(");
        self.value(&list.expr);
        self.put(if negated { " not in (" } else { " in (" });
        self.list(&list.list);
        self.put("))");
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        if let (ExprKind::Row(lefts), ExprKind::Row(rights)) = (&left.kind, &right.kind)
            && matches!(op, BinaryOp::Eq | BinaryOp::NullSafeEq | BinaryOp::Ne)
            && lefts.len() == rights.len()
        {
            self.put("(");
            for (at, (left, right)) in lefts.iter().zip(rights).enumerate() {
                if at > 0 {
                    self.put(if op == BinaryOp::Ne { " or " } else { " and " });
                }
                self.binary(op, left, right);
            }
            self.put(")");
            return;
        }
        let word = match op {
            BinaryOp::Eq => " = ",
            BinaryOp::NullSafeEq => " <=> ",
            BinaryOp::Ne => " <> ",
            BinaryOp::Lt => " < ",
            BinaryOp::Le => " <= ",
            BinaryOp::Gt => " > ",
            BinaryOp::Ge => " >= ",
            BinaryOp::BitOr => " | ",
            BinaryOp::BitAnd => " & ",
            BinaryOp::BitXor => " ^ ",
            BinaryOp::ShiftLeft => " << ",
            BinaryOp::ShiftRight => " >> ",
            BinaryOp::Add => " + ",
            BinaryOp::Subtract => " - ",
            BinaryOp::Multiply => " * ",
            BinaryOp::Divide => " / ",
            BinaryOp::IntDivide => " DIV ",
            BinaryOp::Modulo => " % ",
            BinaryOp::SoundsLike => {
                self.put("(soundex(");
                self.value(left);
                self.put(") = soundex(");
                self.value(right);
                self.put("))");
                return;
            }
            BinaryOp::MemberOf => {
                self.value(left);
                self.put(" member of (");
                self.value(right);
                self.put(")");
                return;
            }
        };
        self.infix(left, word, right);
    }
}

fn opposite(op: LogicalOp) -> Option<LogicalOp> {
    match op {
        LogicalOp::And => Some(LogicalOp::Or),
        LogicalOp::Or => Some(LogicalOp::And),
        LogicalOp::Xor => None,
    }
}

fn inverse(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Eq => BinaryOp::Ne,
        BinaryOp::Ne => BinaryOp::Eq,
        BinaryOp::Lt => BinaryOp::Ge,
        BinaryOp::Ge => BinaryOp::Lt,
        BinaryOp::Gt => BinaryOp::Le,
        BinaryOp::Le => BinaryOp::Gt,
        _ => return None,
    })
}
