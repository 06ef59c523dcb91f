//! From a tree to MySQL's text of it.

use firn_mysql_parser::ast::{
    BinaryOp, ColumnRef, Expr, ExprKind, IntervalUnit, JsonOn, Literal, TrimSide, UnaryOp,
    WeightForm,
};
use firn_mysql_parser::quote_name;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::expr::Settings;
use firn_table::descriptor::TableDescriptor;

use super::calls;
use super::resolved::Resolutions;
use super::types::cast_type;
use crate::catalog::define::charset_of;

/// The text of an expression, for a session with these settings. Columns are called what
/// they are called in the table.
pub(crate) fn canonical(expr: &Expr, settings: &Settings, table: &TableDescriptor) -> String {
    let mut printer = Printer {
        out: String::new(),
        charset: charset_of(settings.connection_collation),
        week_format: settings.week_format,
        names: Names::Table(table),
        numbered: None,
    };
    printer.value(expr);
    printer.out
}

/// Whether it is a truth by its form, as CHECK wants it.
pub(crate) fn is_truth(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Literal::Bool(_))
        | ExprKind::Logical(..)
        | ExprKind::IsNull { .. }
        | ExprKind::IsTruth { .. }
        | ExprKind::Like(_)
        | ExprKind::Regexp(_)
        | ExprKind::InList(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::Quantified(_)
        | ExprKind::Exists(_)
        | ExprKind::Unary(UnaryOp::Not, _) => true,
        ExprKind::Binary(binary) => matches!(
            binary.op,
            BinaryOp::Eq
                | BinaryOp::NullSafeEq
                | BinaryOp::Ne
                | BinaryOp::Lt
                | BinaryOp::Le
                | BinaryOp::Gt
                | BinaryOp::Ge
                | BinaryOp::SoundsLike
                | BinaryOp::MemberOf
        ),
        ExprKind::Call(call) => calls::is_truth(call.name.as_str()),
        _ => false,
    }
}

pub(super) struct Printer<'a> {
    pub(super) out: String,
    /// Of literals without an introducer.
    pub(super) charset: &'static Charset,
    pub(super) week_format: u8,
    /// What columns are called.
    pub(super) names: Names<'a>,
    /// SELECTs so far, if each says which one it is.
    pub(super) numbered: Option<u64>,
}

/// Where the names of columns come from.
pub(super) enum Names<'a> {
    /// They are the table's own.
    Table(&'a TableDescriptor),
    /// They are what binding the query found.
    Query(&'a Resolutions),
}

impl Printer<'_> {
    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn name(&mut self, name: &str) {
        self.out.push_str(&quote_name(name));
    }

    pub(super) fn column(&mut self, column: &ColumnRef) {
        let name = column.name.as_str();
        match &self.names {
            Names::Table(table) => {
                let known = table.column_named(name).map(|at| table.columns[at].name.clone());
                self.name(known.as_deref().unwrap_or(name));
            }
            Names::Query(names) => match names.column_of(column) {
                Some(column) => self.resolved(&column),
                None => self.name(name),
            },
        }
    }

    pub(super) fn list(&mut self, exprs: &[Expr]) {
        for (at, expr) in exprs.iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            self.value(expr);
        }
    }

    pub(super) fn infix(&mut self, left: &Expr, word: &str, right: &Expr) {
        self.put("(");
        self.value(left);
        self.put(word);
        self.value(right);
        self.put(")");
    }

    /// An operand of AND, OR, XOR, NOT or IS TRUE.
    pub(super) fn truth(&mut self, expr: &Expr) {
        if is_truth(expr) {
            self.value(expr);
        } else {
            self.put("(0 <> ");
            self.value(expr);
            self.put(")");
        }
    }

    pub(super) fn value(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Param(_) => self.put("?"),
            ExprKind::Column(column) => self.column(column),
            ExprKind::UserVariable(name) => {
                self.put("@");
                self.name(name.as_str());
            }
            ExprKind::Unary(UnaryOp::Not, operand) => self.negated(operand),
            ExprKind::Unary(UnaryOp::Binary, operand) => {
                self.put("cast(");
                self.value(operand);
                self.put(" as char charset binary)");
            }
            ExprKind::Unary(op, operand) => {
                self.put(if *op == UnaryOp::Minus { "-(" } else { "~(" });
                self.value(operand);
                self.put(")");
            }
            ExprKind::Binary(binary) => self.binary(binary.op, &binary.left, &binary.right),
            ExprKind::Logical(op, operands) => {
                self.logical(*op, operands.iter().map(|operand| (operand, false)));
            }
            ExprKind::IsNull { expr, negated } => {
                self.put("(");
                self.value(expr);
                self.put(if *negated { " is not null)" } else { " is null)" });
            }
            ExprKind::IsTruth { expr, truth, negated } => self.is(expr, *truth, *negated),
            ExprKind::Like(like) => {
                self.put(if like.negated { "(not((" } else { "(" });
                self.value(&like.expr);
                self.put(" like ");
                self.value(&like.pattern);
                if let Some(escape) = &like.escape {
                    self.put(" escape ");
                    self.value(escape);
                }
                self.put(if like.negated { ")))" } else { ")" });
            }
            ExprKind::Regexp(regexp) => {
                self.put(if regexp.negated { "(not(regexp_like(" } else { "regexp_like(" });
                self.value(&regexp.expr);
                self.put(",");
                self.value(&regexp.pattern);
                self.put(if regexp.negated { ")))" } else { ")" });
            }
            ExprKind::InList(list) => self.in_list(list, list.negated),
            ExprKind::Between(between) => {
                self.put("(");
                self.value(&between.expr);
                self.put(if between.negated { " not between " } else { " between " });
                self.value(&between.low);
                self.put(" and ");
                self.value(&between.high);
                self.put(")");
            }
            ExprKind::Row(items) => {
                self.put("(");
                self.list(items);
                self.put(")");
            }
            ExprKind::Case(case) => {
                self.put("(case ");
                if let Some(operand) = &case.operand {
                    self.value(operand);
                    self.put(" ");
                }
                for (when, then) in &case.branches {
                    self.put("when ");
                    self.value(when);
                    self.put(" then ");
                    self.value(then);
                    self.put(" ");
                }
                if let Some(otherwise) = &case.otherwise {
                    self.put("else ");
                    self.value(otherwise);
                    self.put(" ");
                }
                self.put("end)");
            }
            ExprKind::Cast(cast) => {
                self.put("cast(");
                self.value(&cast.expr);
                if let Some(zone) = &cast.time_zone {
                    self.put(" at time zone '");
                    self.put(zone);
                    self.put("'");
                }
                self.put(" as ");
                let target = cast_type(&cast.to, Some(self.charset));
                self.put(&target);
                self.put(if cast.array { " array)" } else { ")" });
            }
            ExprKind::ConvertUsing(pair) => {
                self.put("convert(");
                self.value(&pair.0);
                self.put(" using ");
                self.put(&pair.1.as_str().to_ascii_lowercase());
                self.put(")");
            }
            ExprKind::Collate(pair) => {
                self.put("(");
                self.value(&pair.0);
                self.put(" collate ");
                self.put(&pair.1.as_str().to_ascii_lowercase());
                self.put(")");
            }
            ExprKind::Call(call) => {
                calls::call(self, call);
                if let Some(window) = &call.window {
                    self.over(&window.over);
                }
            }
            ExprKind::DateArith(arith) => {
                let sign = if arith.subtract { " - interval " } else { " + interval " };
                self.interval(&arith.date, sign, &arith.amount, arith.unit);
            }
            ExprKind::Extract(unit, expr) => {
                self.put("extract(");
                self.put(unit.name());
                self.put(" from ");
                self.value(expr);
                self.put(")");
            }
            ExprKind::Trim(trim) => {
                self.put("trim(");
                self.put(match trim.side {
                    TrimSide::Both => "",
                    TrimSide::Leading => "leading ",
                    TrimSide::Trailing => "trailing ",
                });
                if let Some(remove) = &trim.remove {
                    self.value(remove);
                    self.put(" from ");
                } else if trim.side != TrimSide::Both {
                    self.put("from ");
                }
                self.value(&trim.expr);
                self.put(")");
            }
            ExprKind::UnitCall(call) if call.diff => {
                self.put("timestampdiff(");
                self.put(&call.unit.name().to_ascii_uppercase());
                self.put(",");
                self.value(&call.first);
                self.put(",");
                self.value(&call.second);
                self.put(")");
            }
            ExprKind::UnitCall(call) => {
                self.interval(&call.second, " + interval ", &call.first, call.unit);
            }
            ExprKind::GetFormat(kind, expr) => {
                use firn_mysql_parser::ast::FormatKind;
                self.put(match kind {
                    FormatKind::Date => "get_format(DATE, ",
                    FormatKind::Time => "get_format(TIME, ",
                    FormatKind::DateTime => "get_format(DATETIME, ",
                });
                self.value(expr);
                self.put(")");
            }
            ExprKind::Char(char) => {
                self.put("char(");
                self.list(&char.0);
                if let Some(charset) = &char.1 {
                    self.put(" using ");
                    self.put(&charset.as_str().to_ascii_lowercase());
                }
                self.put(")");
            }
            ExprKind::WeightString(weight) => {
                self.put("weight_string(");
                self.value(&weight.expr);
                match weight.form {
                    WeightForm::Plain => {}
                    WeightForm::Char(n) => self.put(&format!(" as char({n})")),
                    WeightForm::Binary(n) => self.put(&format!(" as binary({n})")),
                    WeightForm::Numbers(a, b, c) => self.put(&format!(",{a},{b},{c}")),
                }
                self.put(")");
            }
            ExprKind::DefaultOf(column) => {
                self.put("default(");
                self.column(column);
                self.put(")");
            }
            ExprKind::Values(column) => {
                self.put("values(");
                self.name(column.name.as_str());
                self.put(")");
            }
            ExprKind::JsonPath(path) => {
                self.put(if path.unquote { "json_unquote(json_extract(" } else { "json_extract(" });
                self.column(&path.column);
                self.put(",");
                self.text(&path.path, None);
                self.put(if path.unquote { "))" } else { ")" });
            }
            ExprKind::JsonValue(value) => {
                self.put("json_value(");
                self.value(&value.expr);
                self.put(", ");
                self.value(&value.path);
                self.put(" returning ");
                let target = match &value.returning {
                    Some(target) => cast_type(target, None),
                    None => "char(512)".to_owned(),
                };
                self.put(&target);
                self.json_on(value.on_empty.as_ref(), " on empty");
                self.json_on(value.on_error.as_ref(), " on error");
                self.put(")");
            }
            ExprKind::Named(pair) => self.value(&pair.0),
            ExprKind::InQuery(asked) => {
                let word = if asked.negated { " not in " } else { " in " };
                self.compared_with_query(&asked.expr, word, &asked.query);
            }
            ExprKind::Quantified(asked) => {
                self.quantified(&asked.expr, asked.op, asked.all, &asked.query);
            }
            ExprKind::Subquery(query) => {
                self.put("(");
                self.query(query, false);
                self.put(")");
            }
            ExprKind::Exists(query) => {
                self.put("exists(");
                self.existing(query);
                self.put(")");
            }
            ExprKind::Aggregate(call) => self.aggregate(call),
            // What has no place in a definition is refused before it is printed.
            ExprKind::SystemVariable(_)
            | ExprKind::Assign(_)
            | ExprKind::Match(_)
            | ExprKind::Default => {
                let text = firn_mysql_parser::print_expr(expr, Default::default());
                self.put(&String::from_utf8_lossy(&text));
            }
        }
    }

    pub(super) fn json_on(&mut self, on: Option<&JsonOn>, when: &str) {
        match on {
            None => return,
            Some(JsonOn::Error) => self.put(" error"),
            Some(JsonOn::Null) => self.put(" null"),
            Some(JsonOn::Default(expr)) => {
                self.put(" default ");
                self.value(expr);
            }
        }
        self.put(when);
    }

    pub(super) fn interval(&mut self, date: &Expr, sign: &str, amount: &Expr, unit: IntervalUnit) {
        self.put("(");
        self.value(date);
        self.put(sign);
        self.value(amount);
        self.put(" ");
        self.put(unit.name());
        self.put(")");
    }
}
