//! Expressions.

use super::Printer;
use crate::ast::{
    Aggregate, AggregateKind, BinaryOp, Call, CastType, Expr, ExprKind, FormatKind, IntervalUnit,
    JsonOn, LogicalOp, MatchMode, TrimSide, Truth, UnaryOp, WeightForm,
};
use crate::grammar::level;

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr) {
        self.expr_at(expr, level::ANY);
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, Self::expr);
    }

    /// In parentheses if it binds less tightly than `min`.
    pub(super) fn expr_at(&mut self, expr: &Expr, min: u8) {
        let own = level_of(&expr.kind);
        if own < min || (self.explicit && own < level::PRIMARY && min > level::ANY) {
            self.parens(|p| p.kind(&expr.kind));
        } else {
            self.kind(&expr.kind);
        }
    }

    fn kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Param(_) => self.word("?"),
            ExprKind::Column(column) => self.column(column),
            ExprKind::UserVariable(name) => self.user_variable(&name.text),
            ExprKind::SystemVariable(variable) => {
                self.word("@@");
                self.system_variable(variable);
            }
            ExprKind::Assign(assign) => self.parens(|p| {
                p.user_variable(&assign.variable.text);
                p.word(":=");
                p.expr(&assign.value);
            }),
            ExprKind::Unary(op, operand) => self.unary(*op, operand),
            ExprKind::Binary(binary) => self.binary(binary.op, &binary.left, &binary.right),
            ExprKind::Logical(op, operands) => {
                let (word, own) = logical(*op);
                for (i, operand) in operands.iter().enumerate() {
                    self.word_if(i > 0, word);
                    self.expr_at(operand, own + 1);
                }
            }
            ExprKind::IsNull { expr, negated } => {
                self.expr_at(expr, level::COMPARE);
                self.word(if *negated { "IS NOT NULL" } else { "IS NULL" });
            }
            ExprKind::IsTruth { expr, truth, negated } => {
                self.expr_at(expr, level::COMPARE);
                self.word(if *negated { "IS NOT" } else { "IS" });
                self.word(match truth {
                    Truth::True => "TRUE",
                    Truth::False => "FALSE",
                    Truth::Unknown => "UNKNOWN",
                });
            }
            ExprKind::Like(like) => {
                self.negatable(&like.expr, like.negated, "LIKE");
                self.expr_at(&like.pattern, level::CONCAT);
                if let Some(escape) = &like.escape {
                    self.word("ESCAPE");
                    self.expr_at(escape, level::CONCAT);
                }
            }
            ExprKind::Regexp(regexp) => {
                self.negatable(&regexp.expr, regexp.negated, "REGEXP");
                self.expr_at(&regexp.pattern, level::BIT_OR);
            }
            ExprKind::InList(list) => {
                self.negatable(&list.expr, list.negated, "IN");
                self.paren_list(&list.list, |p, e| match &e.kind {
                    // A query alone in the list would be the query's rows.
                    ExprKind::Subquery(_) if list.list.len() == 1 => {
                        p.put("+");
                        p.expr(e);
                    }
                    _ => p.expr(e),
                });
            }
            ExprKind::InQuery(list) => {
                self.negatable(&list.expr, list.negated, "IN");
                self.parens(|p| p.query(&list.query));
            }
            ExprKind::Between(between) => {
                self.negatable(&between.expr, between.negated, "BETWEEN");
                self.expr_at(&between.low, level::BIT_OR);
                self.word("AND");
                self.expr_at(&between.high, level::PREDICATE);
            }
            ExprKind::Quantified(one) => {
                self.expr_at(&one.expr, level::COMPARE);
                self.word(binary(one.op).0);
                self.word(if one.all { "ALL" } else { "ANY" });
                self.parens(|p| p.query(&one.query));
            }
            ExprKind::Subquery(query) => self.parens(|p| p.query(query)),
            ExprKind::Exists(query) => {
                self.word("EXISTS");
                self.parens(|p| p.query(query));
            }
            ExprKind::Row(row) => {
                self.word("ROW");
                self.paren_list(row, Self::expr);
            }
            ExprKind::Case(case) => {
                self.word("CASE");
                if let Some(operand) = &case.operand {
                    self.expr(operand);
                }
                for (when, then) in &case.branches {
                    self.word("WHEN");
                    self.expr(when);
                    self.word("THEN");
                    self.expr(then);
                }
                if let Some(otherwise) = &case.otherwise {
                    self.word("ELSE");
                    self.expr(otherwise);
                }
                self.word("END");
            }
            ExprKind::Cast(cast) => {
                self.word("CAST(");
                self.expr(&cast.expr);
                self.word_string("AT TIME ZONE", cast.time_zone.as_ref());
                self.word("AS");
                self.cast_type(&cast.to);
                self.word_if(cast.array, "ARRAY");
                self.put(")");
            }
            ExprKind::ConvertUsing(convert) => {
                self.word("CONVERT(");
                self.expr(&convert.0);
                self.word("USING");
                self.ident(&convert.1);
                self.put(")");
            }
            ExprKind::Collate(collate) => {
                self.expr_at(&collate.0, level::COLLATE);
                self.word("COLLATE");
                self.ident(&collate.1);
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Match(one) => {
                self.word("MATCH (");
                self.list(&one.columns, Self::column);
                self.put(") AGAINST (");
                self.expr_at(&one.against, level::BIT_OR);
                self.word(match one.mode {
                    MatchMode::Natural => "",
                    MatchMode::NaturalWithExpansion => "WITH QUERY EXPANSION",
                    MatchMode::Boolean => "IN BOOLEAN MODE",
                });
                self.put(")");
            }
            // Parameters have to keep their order.
            ExprKind::DateArith(arith) if arith.amount.span.start < arith.date.span.start => {
                self.parens(|p| {
                    p.put("INTERVAL ");
                    p.expr(&arith.amount);
                    p.word(unit(arith.unit));
                    p.word("+");
                    p.expr_at(&arith.date, level::NOT);
                });
            }
            ExprKind::DateArith(arith) => {
                self.word(if arith.subtract { "DATE_SUB(" } else { "DATE_ADD(" });
                self.expr(&arith.date);
                self.put(", INTERVAL ");
                self.expr(&arith.amount);
                self.word(unit(arith.unit));
                self.put(")");
            }
            ExprKind::Extract(of, expr) => {
                self.word("EXTRACT(");
                self.put(unit(*of));
                self.word("FROM");
                self.expr(expr);
                self.put(")");
            }
            ExprKind::Trim(trim) => {
                self.word("TRIM(");
                let side = match trim.side {
                    TrimSide::Both => "BOTH",
                    TrimSide::Leading => "LEADING",
                    TrimSide::Trailing => "TRAILING",
                };
                if trim.side != TrimSide::Both || trim.remove.is_some() {
                    self.put(side);
                    if let Some(remove) = &trim.remove {
                        self.expr(remove);
                    }
                    self.word("FROM");
                }
                self.expr(&trim.expr);
                self.put(")");
            }
            ExprKind::UnitCall(call) => {
                self.word(if call.diff { "TIMESTAMPDIFF(" } else { "TIMESTAMPADD(" });
                self.put(unit(call.unit));
                self.put(", ");
                self.expr(&call.first);
                self.put(", ");
                self.expr(&call.second);
                self.put(")");
            }
            ExprKind::GetFormat(kind, expr) => {
                self.word(match kind {
                    FormatKind::Date => "GET_FORMAT(DATE, ",
                    FormatKind::Time => "GET_FORMAT(TIME, ",
                    FormatKind::DateTime => "GET_FORMAT(DATETIME, ",
                });
                self.expr(expr);
                self.put(")");
            }
            ExprKind::Char(char) => {
                self.word("CHAR(");
                self.exprs(&char.0);
                if let Some(charset) = &char.1 {
                    self.word("USING");
                    self.ident(charset);
                }
                self.put(")");
            }
            ExprKind::WeightString(weight) => {
                self.word("WEIGHT_STRING(");
                self.expr(&weight.expr);
                match weight.form {
                    WeightForm::Plain => {}
                    WeightForm::Char(n) => self.word(&format!("AS CHAR({n})")),
                    WeightForm::Binary(n) => self.word(&format!("AS BINARY({n})")),
                    WeightForm::Numbers(a, b, c) => self.put(&format!(", {a}, {b}, {c}")),
                }
                self.put(")");
            }
            ExprKind::Default => self.word("DEFAULT"),
            ExprKind::DefaultOf(column) => {
                self.word("DEFAULT(");
                self.column(column);
                self.put(")");
            }
            ExprKind::Values(column) => {
                self.word("VALUES(");
                self.column(column);
                self.put(")");
            }
            ExprKind::JsonPath(path) => {
                self.column(&path.column);
                self.word(if path.unquote { "->>" } else { "->" });
                self.string(&path.path);
            }
            ExprKind::JsonValue(value) => {
                self.word("JSON_VALUE(");
                self.expr_at(&value.expr, level::CONCAT);
                self.put(", ");
                self.expr(&value.path);
                if let Some(returning) = &value.returning {
                    self.word("RETURNING");
                    self.cast_type(returning);
                }
                self.json_on(value.on_empty.as_ref(), "EMPTY");
                self.json_on(value.on_error.as_ref(), "ERROR");
                self.put(")");
            }
            ExprKind::Named(named) => {
                self.expr(&named.0);
                self.word("AS");
                self.ident(&named.1);
            }
        }
    }

    fn negatable(&mut self, expr: &Expr, negated: bool, word: &str) {
        self.expr_at(expr, level::BIT_OR);
        self.word_if(negated, "NOT");
        self.word(word);
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr) {
        match op {
            UnaryOp::Not => self.parens(|p| {
                p.word("NOT");
                // Alone in parentheses; the operand is what all modes take for it.
                p.expr_at(operand, level::UNARY);
            }),
            UnaryOp::Minus => {
                self.word("-");
                // Not two dashes, which might start a comment.
                if matches!(operand.kind, ExprKind::Unary(UnaryOp::Minus, _)) {
                    self.put(" ");
                }
                self.expr_at(operand, level::UNARY);
            }
            UnaryOp::BitNot => {
                self.word("~");
                self.expr_at(operand, level::UNARY);
            }
            UnaryOp::Binary => {
                self.word("BINARY");
                self.expr_at(operand, level::UNARY);
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let (word, own) = binary(op);
        match op {
            BinaryOp::SoundsLike => {
                self.expr_at(left, level::BIT_OR);
                self.word(word);
                self.expr_at(right, level::BIT_OR);
            }
            BinaryOp::MemberOf => {
                self.expr_at(left, level::BIT_OR);
                self.word(word);
                self.parens(|p| p.expr_at(right, level::CONCAT));
            }
            _ => {
                self.expr_at(left, own);
                self.word(word);
                self.expr_at(right, own + 1);
            }
        }
    }

    fn call(&mut self, call: &Call) {
        self.blank();
        if let Some(schema) = &call.schema {
            self.schema(schema);
            self.name(&call.name.text);
        } else if call.keyword || is_plain_word(&call.name.text) {
            self.put(&call.name.text);
        } else {
            self.name(&call.name.text);
        }
        self.put("(");
        self.exprs(&call.args);
        self.put(")");
        if let Some(window) = &call.window {
            self.word_if(window.from_last, "FROM LAST");
            self.word_if(window.ignore_nulls, "IGNORE NULLS");
            self.over(&window.over);
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        self.word(match aggregate.kind {
            AggregateKind::Avg => "AVG(",
            AggregateKind::BitAnd => "BIT_AND(",
            AggregateKind::BitOr => "BIT_OR(",
            AggregateKind::BitXor => "BIT_XOR(",
            AggregateKind::Count => "COUNT(",
            AggregateKind::GroupConcat => "GROUP_CONCAT(",
            AggregateKind::JsonArrayAgg => "JSON_ARRAYAGG(",
            AggregateKind::JsonObjectAgg => "JSON_OBJECTAGG(",
            AggregateKind::Max => "MAX(",
            AggregateKind::Min => "MIN(",
            AggregateKind::StCollect => "ST_COLLECT(",
            AggregateKind::StddevPop => "STDDEV_POP(",
            AggregateKind::StddevSamp => "STDDEV_SAMP(",
            AggregateKind::Sum => "SUM(",
            AggregateKind::VarPop => "VAR_POP(",
            AggregateKind::VarSamp => "VAR_SAMP(",
        });
        self.word_if(aggregate.distinct, "DISTINCT");
        if aggregate.args.is_empty() {
            self.put("*");
        }
        self.exprs(&aggregate.args);
        self.order_by(&aggregate.order_by);
        self.word_string("SEPARATOR", aggregate.separator.as_ref());
        self.put(")");
        if let Some(over) = &aggregate.over {
            self.over(over);
        }
    }

    pub(super) fn json_on(&mut self, on: Option<&JsonOn>, what: &str) {
        let Some(on) = on else { return };
        match on {
            JsonOn::Error => self.word("ERROR"),
            JsonOn::Null => self.word("NULL"),
            JsonOn::Default(expr) => {
                self.word("DEFAULT");
                self.expr(expr);
            }
        }
        self.word("ON");
        self.word(what);
    }

    pub(super) fn cast_type(&mut self, to: &CastType) {
        match to {
            CastType::Signed => self.word("SIGNED"),
            CastType::Unsigned => self.word("UNSIGNED"),
            CastType::Data(data_type) => self.data_type(data_type),
        }
    }
}

/// Whether a function's name may stand without quotes.
fn is_plain_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !crate::is_keyword(name)
}

fn logical(op: LogicalOp) -> (&'static str, u8) {
    match op {
        LogicalOp::And => ("AND", level::AND),
        LogicalOp::Or => ("OR", level::OR),
        LogicalOp::Xor => ("XOR", level::XOR),
    }
}

pub(super) fn binary(op: BinaryOp) -> (&'static str, u8) {
    match op {
        BinaryOp::Eq => ("=", level::COMPARE),
        BinaryOp::NullSafeEq => ("<=>", level::COMPARE),
        BinaryOp::Ne => ("<>", level::COMPARE),
        BinaryOp::Lt => ("<", level::COMPARE),
        BinaryOp::Le => ("<=", level::COMPARE),
        BinaryOp::Gt => (">", level::COMPARE),
        BinaryOp::Ge => (">=", level::COMPARE),
        BinaryOp::BitOr => ("|", level::BIT_OR),
        BinaryOp::BitAnd => ("&", level::BIT_AND),
        BinaryOp::BitXor => ("^", level::BIT_XOR),
        BinaryOp::ShiftLeft => ("<<", level::SHIFT),
        BinaryOp::ShiftRight => (">>", level::SHIFT),
        BinaryOp::Add => ("+", level::ADD),
        BinaryOp::Subtract => ("-", level::ADD),
        BinaryOp::Multiply => ("*", level::MULTIPLY),
        BinaryOp::Divide => ("/", level::MULTIPLY),
        BinaryOp::IntDivide => ("DIV", level::MULTIPLY),
        BinaryOp::Modulo => ("%", level::MULTIPLY),
        BinaryOp::SoundsLike => ("SOUNDS LIKE", level::PREDICATE),
        BinaryOp::MemberOf => ("MEMBER OF", level::PREDICATE),
    }
}

fn level_of(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Logical(op, _) => logical(*op).1,
        ExprKind::IsTruth { .. } => level::NOT,
        ExprKind::IsNull { .. } | ExprKind::Quantified(_) => level::COMPARE,
        ExprKind::Like(_)
        | ExprKind::Regexp(_)
        | ExprKind::InList(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_) => level::PREDICATE,
        ExprKind::Binary(one) => binary(one.op).1,
        // NOT is printed in its parentheses.
        ExprKind::Unary(UnaryOp::Not, _) => level::PRIMARY,
        ExprKind::Unary(..) => level::UNARY,
        ExprKind::Collate(_) => level::COLLATE,
        _ => level::PRIMARY,
    }
}

pub(super) fn unit(unit: IntervalUnit) -> &'static str {
    match unit {
        IntervalUnit::Microsecond => "MICROSECOND",
        IntervalUnit::Second => "SECOND",
        IntervalUnit::Minute => "MINUTE",
        IntervalUnit::Hour => "HOUR",
        IntervalUnit::Day => "DAY",
        IntervalUnit::Week => "WEEK",
        IntervalUnit::Month => "MONTH",
        IntervalUnit::Quarter => "QUARTER",
        IntervalUnit::Year => "YEAR",
        IntervalUnit::SecondMicrosecond => "SECOND_MICROSECOND",
        IntervalUnit::MinuteMicrosecond => "MINUTE_MICROSECOND",
        IntervalUnit::MinuteSecond => "MINUTE_SECOND",
        IntervalUnit::HourMicrosecond => "HOUR_MICROSECOND",
        IntervalUnit::HourSecond => "HOUR_SECOND",
        IntervalUnit::HourMinute => "HOUR_MINUTE",
        IntervalUnit::DayMicrosecond => "DAY_MICROSECOND",
        IntervalUnit::DaySecond => "DAY_SECOND",
        IntervalUnit::DayMinute => "DAY_MINUTE",
        IntervalUnit::DayHour => "DAY_HOUR",
        IntervalUnit::YearMonth => "YEAR_MONTH",
    }
}
