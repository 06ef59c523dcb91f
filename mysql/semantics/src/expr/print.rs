//! An expression as MySQL's error texts print it.

use super::cast::CastTarget;
use super::compare::CompareOp;
use super::interval::unit_name;
use super::leaf;
use super::node::{CallOp, Node, Op};
use crate::value::Value;

/// Longest text, in bytes: error texts are cut anyway.
const LIMIT_BYTES: usize = 512;

/// The text of a node.
pub(super) fn expression(node: &Node) -> String {
    let mut out = String::new();
    put(node, &mut out);
    out
}

/// A literal of a string behind its introducer.
pub(super) fn introduced(node: &Node, charset: &str) -> String {
    let mut out = format!("_{charset}");
    if let Op::Literal(Value::Bytes(text)) = &node.op {
        quoted(text, &mut out);
    }
    out
}

fn quoted(text: &[u8], out: &mut String) {
    out.push('\'');
    for piece in utf8_or_marks(text).chars() {
        match piece {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{1a}' => out.push_str("\\Z"),
            // Names are of utf8mb3.
            other if other.len_utf8() > 3 => out.push_str("????"),
            other => out.push(other),
        }
    }
    out.push('\'');
}

/// What is no UTF-8 is a question mark for each byte.
fn utf8_or_marks(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    out
}

fn list(nodes: &[Node], out: &mut String) {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put(node, out);
    }
}

fn infix(nodes: &[Node], symbol: &str, out: &mut String) {
    out.push('(');
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
            out.push_str(symbol);
            out.push(' ');
        }
        put(node, out);
    }
    out.push(')');
}

fn call(name: &str, nodes: &[Node], out: &mut String) {
    out.push_str(name);
    out.push('(');
    list(nodes, out);
    out.push(')');
}

fn literal(node: &Node, value: &Value, out: &mut String) {
    let text = leaf::text_of(value, node);
    match (value, text) {
        (Value::Bytes(bytes), _) => {
            // What has become text of another set has no introducer.
            if node.ty.collation.is_binary() {
                quoted(bytes, out);
            } else {
                quoted(leaf::to_utf8(bytes, node.ty.collation).as_bytes(), out);
            }
        }
        (Value::Date(_), Some(text)) => {
            out.push_str("DATE");
            quoted(&text, out);
        }
        (Value::Time(_), Some(text)) => {
            out.push_str("TIME");
            quoted(&text, out);
        }
        (Value::DateTime(_), Some(text)) => {
            out.push_str("TIMESTAMP");
            quoted(&text, out);
        }
        // No other integer is so short.
        (Value::Int(value), _) if node.ty.length == 1 => {
            out.push_str(if *value == 0 { "false" } else { "true" });
        }
        (_, Some(text)) => out.push_str(&String::from_utf8_lossy(&text)),
        (_, None) => out.push_str("NULL"),
    }
}

fn put(node: &Node, out: &mut String) {
    if out.len() > LIMIT_BYTES {
        return;
    }
    if node.is_cached {
        out.push_str("<cache>(");
        put_plain(node, out);
        out.push(')');
        return;
    }
    put_plain(node, out);
}

fn put_plain(node: &Node, out: &mut String) {
    if let Some(written) = &node.written {
        out.push_str(written);
        return;
    }
    let args = &node.args;
    match &node.op {
        Op::Literal(value) => literal(node, value, out),
        Op::Hex(bytes) => {
            out.push_str("0x");
            for byte in bytes {
                out.push_str(&format!("{byte:02x}"));
            }
        }
        Op::Column(column) => out.push_str(&column.name),
        Op::Param(_) => out.push('?'),
        Op::UserVariable(name) => {
            out.push_str("(@`");
            out.push_str(name);
            out.push_str("`)");
        }
        Op::Assign(name) => {
            out.push_str("(@`");
            out.push_str(name);
            out.push_str("`:=");
            list(args, out);
            out.push(')');
        }
        Op::SystemVariable(name) => {
            out.push_str("@@");
            out.push_str(name);
        }
        Op::Arith(op, _) => infix(args, op.symbol(), out),
        Op::Negate(_) => call("-", args, out),
        Op::Bit(op, _) => infix(args, op.symbol(), out),
        Op::BitNot(_) => call("~", args, out),
        Op::CompareRows(op, _) => compared_rows(*op, args, out),
        Op::Compare(op, _) => infix(args, op.symbol(), out),
        Op::And => truths(args, " and ", out),
        Op::Or => truths(args, " or ", out),
        Op::Xor => truths(args, " xor ", out),
        Op::Not => {
            let [operand] = &**args else { return };
            negated(operand, out);
        }
        Op::Between { negated, .. } => {
            let [value, low, high] = &**args else { return };
            out.push('(');
            put(value, out);
            out.push_str(if *negated { " not between " } else { " between " });
            put(low, out);
            out.push_str(" and ");
            put(high, out);
            out.push(')');
        }
        Op::In { negated, .. } | Op::InRows { negated, .. } => {
            let [value, rest @ ..] = &**args else { return };
            out.push('(');
            put(value, out);
            out.push_str(if *negated { " not in (" } else { " in (" });
            list(rest, out);
            out.push_str("))");
        }
        Op::Like { .. } => {
            let [value, pattern, escape] = &**args else { return };
            out.push('(');
            put(value, out);
            out.push_str(" like ");
            put(pattern, out);
            if !matches!(&escape.op, Op::Literal(Value::Bytes(text)) if &**text == b"\\") {
                out.push_str(" escape ");
                put(escape, out);
            }
            out.push(')');
        }
        Op::IsNull { negated } => {
            out.push('(');
            list(args, out);
            out.push_str(if *negated { " is not null)" } else { " is null)" });
        }
        Op::IsTruth { truth, negated } => {
            out.push('(');
            args.iter().for_each(|arg| as_truth(arg, out));
            out.push_str(match (truth, negated) {
                (true, false) => " is true)",
                (true, true) => " is not true)",
                (false, false) => " is false)",
                (false, true) => " is not false)",
            });
        }
        Op::Case { otherwise } => case(None, args, *otherwise, out),
        Op::CaseOf { otherwise, .. } => {
            let [operand, rest @ ..] = &**args else { return };
            case(Some(operand), rest, *otherwise, out);
        }
        Op::If => call("if", args, out),
        Op::Coalesce => call(if node.is_ifnull { "ifnull" } else { "coalesce" }, args, out),
        Op::NullIf(_) => call("nullif", args, out),
        Op::Extreme { greatest, .. } => {
            call(if *greatest { "greatest" } else { "least" }, args, out);
        }
        Op::Cast(target) => {
            out.push_str("cast(");
            list(args, out);
            out.push_str(" as ");
            out.push_str(&cast_name(node, target));
            out.push(')');
        }
        Op::ToCharset { written: false, .. } => list(args, out),
        Op::ToCharset { .. } => {
            out.push_str("convert(");
            list(args, out);
            out.push_str(" using ");
            out.push_str(leaf::charset_name(node.ty.collation));
            out.push(')');
        }
        Op::Collate => {
            out.push('(');
            list(args, out);
            out.push_str(" collate ");
            out.push_str(leaf::collation_name(node.ty.collation));
            out.push(')');
        }
        Op::Row => call("", args, out),
        Op::Subquery { slot, .. } => out.push_str(&format!("(select #{})", slot + 2)),
        Op::DateArith { subtract, unit } => {
            let [date, amount] = &**args else { return };
            out.push('(');
            put(date, out);
            out.push_str(if *subtract { " - interval " } else { " + interval " });
            put(amount, out);
            out.push(' ');
            out.push_str(unit_name(*unit));
            out.push(')');
        }
        Op::Extract(unit) => {
            out.push_str("extract(");
            out.push_str(unit_name(*unit));
            out.push_str(" from ");
            list(args, out);
            out.push(')');
        }
        Op::TimestampDiff(unit) => {
            out.push_str("timestampdiff(");
            out.push_str(&unit_name(*unit).to_ascii_uppercase());
            out.push(',');
            list(args, out);
            out.push(')');
        }
        Op::Call(site) => function(site, node, out),
    }
}

/// It gives a truth by itself: no comparison with zero is added.
fn is_truth(node: &Node) -> bool {
    match &node.op {
        Op::Literal(Value::Int(_)) => node.ty.length == 1,
        Op::Call(call) => call.function.name == "regexp_like",
        _ => node.op.is_truth(),
    }
}

fn as_truth(node: &Node, out: &mut String) {
    if is_truth(node) {
        return put(node, out);
    }
    out.push_str("(0 <> ");
    put(node, out);
    out.push(')');
}

fn truths(nodes: &[Node], word: &str, out: &mut String) {
    out.push('(');
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            out.push_str(word);
        }
        as_truth(node, out);
    }
    out.push(')');
}

/// NOT goes inwards as far as it can.
fn negated(node: &Node, out: &mut String) {
    let opposite = match &node.op {
        _ if node.written.is_some() => None,
        Op::Compare(CompareOp::Eq, _) => Some("<>"),
        Op::Compare(CompareOp::Ne, _) => Some("="),
        Op::Compare(CompareOp::Lt, _) => Some(">="),
        Op::Compare(CompareOp::Le, _) => Some(">"),
        Op::Compare(CompareOp::Gt, _) => Some("<="),
        Op::Compare(CompareOp::Ge, _) => Some("<"),
        _ => None,
    };
    if let Some(symbol) = opposite {
        return infix(&node.args, symbol, out);
    }
    match &node.op {
        Op::And | Op::Or => {
            let word = if matches!(node.op, Op::And) { " or " } else { " and " };
            out.push('(');
            for (at, arg) in node.args.iter().enumerate() {
                if at > 0 {
                    out.push_str(word);
                }
                negated(arg, out);
            }
            out.push(')');
        }
        _ if is_truth(node) => {
            out.push_str("(not(");
            put(node, out);
            out.push_str("))");
        }
        _ => {
            out.push_str("(0 = ");
            put(node, out);
            out.push(')');
        }
    }
}

/// Rows that are equal or not are compared column by column.
fn compared_rows(op: CompareOp, rows: &[Node], out: &mut String) {
    let joined = match op {
        CompareOp::Eq | CompareOp::NullSafeEq => " and ",
        CompareOp::Ne => " or ",
        _ => return infix(rows, op.symbol(), out),
    };
    let [left, right] = rows else { return };
    out.push('(');
    for (at, (a, b)) in left.args.iter().zip(&right.args).enumerate() {
        if at > 0 {
            out.push_str(joined);
        }
        infix(&[a.clone(), b.clone()], op.symbol(), out);
    }
    out.push(')');
}

/// A call; some functions are others under another name.
fn function(site: &CallOp, node: &Node, out: &mut String) {
    let args = &*node.args;
    let fraction = match node.ty.decimals {
        0 => String::new(),
        decimals => format!("({decimals})"),
    };
    let with = |name: &str, last: &str, out: &mut String| {
        out.push_str(name);
        out.push('(');
        list(args, out);
        out.push_str(last);
        out.push(')');
    };
    match (site.function.name, args) {
        ("week" | "yearweek", [_]) => with(site.function.name, ",0", out),
        ("weekofyear", _) => with("week", ",3", out),
        ("date", _) => with("cast", " as date", out),
        ("time", _) => with("cast", &format!(" as time{fraction}"), out),
        ("timestamp", [_]) => with("cast", &format!(" as datetime{fraction}"), out),
        ("substring", _) => call("substr", args, out),
        ("round", [_]) => with("round", ",0", out),
        ("bin", _) => with("conv", ",10,2", out),
        ("oct", _) => with("conv", ",10,8", out),
        ("atan2", _) => call("atan", args, out),
        ("instr", [text, part]) => {
            out.push_str("locate(");
            put(part, out);
            out.push(',');
            put(text, out);
            out.push(')');
        }
        ("trim", [text, part]) => {
            out.push_str(match site.extra {
                crate::functions::LEADING => "trim(leading ",
                crate::functions::TRAILING => "trim(trailing ",
                _ => "trim(both ",
            });
            put(part, out);
            out.push_str(" from ");
            put(text, out);
            out.push(')');
        }
        ("datediff", [from, to]) => {
            out.push_str("(to_days(");
            put(from, out);
            out.push_str(") - to_days(");
            put(to, out);
            out.push_str("))");
        }
        ("get_format", _) => {
            out.push_str("get_format(");
            out.push_str(match site.extra {
                0 => "DATE, ",
                1 => "TIME, ",
                _ => "DATETIME, ",
            });
            list(args, out);
            out.push(')');
        }
        (name, _) => call(name, args, out),
    }
}

fn case(operand: Option<&Node>, pairs: &[Node], otherwise: bool, out: &mut String) {
    out.push_str("(case ");
    if let Some(operand) = operand {
        put(operand, out);
        out.push(' ');
    }
    for pair in pairs.chunks(2) {
        match pair {
            [when, then] => {
                out.push_str("when ");
                put(when, out);
                out.push_str(" then ");
                put(then, out);
                out.push(' ');
            }
            [value] if otherwise => {
                out.push_str("else ");
                put(value, out);
                out.push(' ');
            }
            _ => {}
        }
    }
    out.push_str("end)");
}

fn cast_name(node: &Node, target: &CastTarget) -> String {
    let ty = &node.ty;
    let fraction = |name: &str| {
        if ty.decimals == 0 { name.to_owned() } else { format!("{name}({})", ty.decimals) }
    };
    match target {
        CastTarget::Signed => "signed".to_owned(),
        CastTarget::Unsigned => "unsigned".to_owned(),
        CastTarget::Decimal => format!("decimal({},{})", ty.precision(), ty.decimals),
        CastTarget::Float => "float".to_owned(),
        CastTarget::Double => "double".to_owned(),
        CastTarget::Date => "date".to_owned(),
        CastTarget::Time => fraction("time"),
        CastTarget::DateTime => fraction("datetime"),
        CastTarget::Year => "year".to_owned(),
        CastTarget::Json => "json".to_owned(),
        CastTarget::Binary { bytes: None } => "char charset binary".to_owned(),
        CastTarget::Binary { bytes: Some(bytes) } => format!("char({bytes}) charset binary"),
        CastTarget::Text { characters } => {
            let charset = leaf::charset_name(ty.collation);
            match characters {
                None => format!("char charset {charset}"),
                Some(count) => format!("char({count}) charset {charset}"),
            }
        }
    }
}
