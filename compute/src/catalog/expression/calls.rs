//! Calls of functions as MySQL prints them.

use firn_mysql_parser::ast::{Call, Expr, ExprKind, IntervalUnit, Literal, Span};

use super::print::Printer;

/// Functions under the one name that is printed.
const NAMES: [(&str, &str); 21] = [
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("mid", "substr"),
    ("substring", "substr"),
    ("octet_length", "length"),
    ("character_length", "char_length"),
    ("day", "dayofmonth"),
    ("power", "pow"),
    ("ceil", "ceiling"),
    ("atan2", "atan"),
    ("session_user", "user"),
    ("system_user", "user"),
    ("schema", "database"),
    ("current_timestamp", "now"),
    ("localtime", "now"),
    ("localtimestamp", "now"),
    ("current_date", "curdate"),
    ("current_time", "curtime"),
    ("position", "locate"),
    ("sha1", "sha"),
    ("master_pos_wait", "source_pos_wait"),
];

/// Functions that give a truth.
const TRUTHS: [&str; 30] = [
    "strcmp",
    "json_contains",
    "json_contains_path",
    "json_overlaps",
    "json_valid",
    "json_schema_valid",
    "isnull",
    "regexp_like",
    "is_ipv4",
    "is_ipv6",
    "is_ipv4_compat",
    "is_ipv4_mapped",
    "is_uuid",
    "gtid_subset",
    "st_contains",
    "st_crosses",
    "st_disjoint",
    "st_equals",
    "st_intersects",
    "st_overlaps",
    "st_touches",
    "st_within",
    "mbrcontains",
    "mbrcoveredby",
    "mbrcovers",
    "mbrdisjoint",
    "mbrequals",
    "mbrintersects",
    "mbroverlaps",
    "mbrwithin",
];

/// Whether a call of it is a truth by its form.
pub(super) fn is_truth(name: &str) -> bool {
    TRUTHS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The name that MySQL prints for a function.
pub(super) fn printed_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match NAMES.iter().find(|(synonym, _)| *synonym == name) {
        Some((_, known)) => (*known).to_owned(),
        None => name,
    }
}

fn int(value: u64) -> Expr {
    Expr { kind: ExprKind::Literal(Literal::Int(value)), span: Span::default() }
}

pub(super) fn call(printer: &mut Printer<'_>, call: &Call) {
    let name = printed_name(call.name.as_str());
    let args = &call.args[..];
    let cast = match (&name[..], args) {
        ("date", [_]) => Some("date"),
        ("time", [_]) => Some("time"),
        ("timestamp", [_]) => Some("datetime"),
        _ => None,
    };
    if let (Some(target), [arg]) = (cast, args) {
        printer.put("cast(");
        printer.value(arg);
        printer.put(" as ");
        printer.put(target);
        printer.put(")");
        return;
    }
    match (&name[..], args) {
        ("isnull", [arg]) => {
            printer.put("(");
            printer.value(arg);
            printer.put(" is null)");
        }
        ("mod", [left, right]) => {
            printer.put("(");
            printer.value(left);
            printer.put(" % ");
            printer.value(right);
            printer.put(")");
        }
        ("datediff", [left, right]) => {
            printer.put("(to_days(");
            printer.value(left);
            printer.put(") - to_days(");
            printer.value(right);
            printer.put("))");
        }
        ("adddate", [date, days]) => {
            printer.interval(date, " + interval ", days, IntervalUnit::Day);
        }
        ("subdate", [date, days]) => {
            printer.interval(date, " - interval ", days, IntervalUnit::Day);
        }
        ("instr", [text, part]) => plain(printer, "locate", &[part.clone(), text.clone()]),
        ("bin", [number]) => plain(printer, "conv", &[number.clone(), int(10), int(2)]),
        ("oct", [number]) => plain(printer, "conv", &[number.clone(), int(10), int(8)]),
        ("round", [number]) => plain(printer, "round", &[number.clone(), int(0)]),
        ("week", [date]) => {
            let mode = int(u64::from(printer.week_format));
            plain(printer, "week", &[date.clone(), mode]);
        }
        ("weekofyear", [date]) => plain(printer, "week", &[date.clone(), int(3)]),
        _ => plain(printer, &name, args),
    }
}

fn plain(printer: &mut Printer<'_>, name: &str, args: &[Expr]) {
    printer.put(name);
    printer.put("(");
    printer.list(args);
    printer.put(")");
}
