//! Constants beside a column of dates or times. They are stored in the column's type
//! before anything is compared, with the warnings that storing has.

use super::super::{Binder, fold};
use crate::decimal::Decimal;
use crate::expr::arith::Domain;
use crate::expr::cast::CastTarget;
use crate::expr::leaf;
use crate::expr::node::{ColumnOp, Node, Op};
use crate::temporal::{
    Date, DateMode, DateTime, Time, TimeOrDateTime, datetime_from_number, parse_datetime,
    parse_time, time_from_number,
};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// The largest number that is a date and time.
const NUMBER_MAX: i64 = 99_991_231_235_959;
/// Fractions of a second from here on are rounded up.
const HALF_SECOND_NANOS: u32 = 500_000_000;

/// What storing a constant came to: the value, if the column can hold one, and
/// whether something was wrong with it or left out.
struct Stored {
    value: Option<Value>,
    complete: bool,
}

impl Stored {
    const NOTHING: Stored = Stored { value: None, complete: false };

    fn whole(value: Value) -> Stored {
        Stored { value: Some(value), complete: true }
    }
}

/// The number a constant is, if it is a number.
fn constant_number(node: &Node) -> Option<Decimal> {
    match &node.op {
        Op::Literal(Value::Decimal(value)) => Some(value.clone()),
        Op::Literal(Value::Double(value)) => Some(Decimal::from_f64(*value).value),
        Op::Literal(Value::UInt(value)) => Some(Decimal::from(*value)),
        Op::Negate(_) => node.args.first().and_then(constant_number).map(|value| value.neg()),
        _ => match node.numeric_class()? {
            Domain::Double => fold::double(node).map(|(value, _)| Decimal::from_f64(value).value),
            Domain::Int | Domain::Decimal => fold::decimal(node),
        },
    }
}

fn shown_number(constant: &Node, number: &Decimal) -> String {
    let mut shown = Vec::new();
    match &constant.op {
        Op::Literal(Value::Double(value)) => crate::number::write_double(*value, &mut shown),
        _ if constant.numeric_class() == Some(Domain::Double) => {
            let value = fold::double(constant).map_or(number.to_f64(), |(value, _)| value);
            crate::number::write_double(value, &mut shown);
        }
        _ => number.write_text(&mut shown),
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// The bytes of a constant string.
fn constant_text(node: &Node) -> Option<Vec<u8>> {
    if node.ty.kind.is_string() { fold::text(node) } else { None }
}

fn number_as_date(number: &Decimal, exact: bool, column: &SqlType, mode: DateMode) -> Stored {
    let (whole, nanos) = leaf::split_number(number);
    let below_zero = number.is_negative() && (whole != 0 || nanos != 0 || !exact);
    if below_zero || !(0..=NUMBER_MAX).contains(&whole) {
        return Stored::NOTHING;
    }
    let date_only = column.kind == TypeKind::Date;
    let parsed = datetime_from_number(whole, nanos, mode);
    let Some(value) = parsed.value else { return Stored::NOTHING };
    let date = |value: DateTime, complete: bool| Stored {
        value: Some(Value::Date(value.date())),
        complete,
    };
    if whole == 0 {
        return match date_only {
            true => date(DateTime::ZERO, nanos < HALF_SECOND_NANOS),
            false => Stored::whole(Value::DateTime(value)),
        };
    }
    if !parsed.has_time && nanos != 0 {
        let value = DateTime::from(value.date());
        return match date_only {
            true => date(value, false),
            false => Stored { value: Some(Value::DateTime(value)), complete: false },
        };
    }
    let rounded = value
        .with_nanoseconds(parsed.nanoseconds, false)
        .and_then(|value| value.round(if date_only { 0 } else { column.decimals.min(6) }, false));
    match rounded {
        Some(value) if date_only => date(value, value.day_micros() == 0),
        Some(value) => Stored::whole(Value::DateTime(value)),
        None => Stored::NOTHING,
    }
}

fn number_as_time(number: &Decimal, column: &SqlType) -> Stored {
    let (whole, nanos) = leaf::split_number(number);
    let parsed = time_from_number(whole, nanos);
    match parsed.value {
        Some(TimeOrDateTime::Time(time)) if parsed.warnings.is_empty() => {
            let time = if whole == 0 && number.is_negative() { -time } else { time };
            Stored::whole(Value::Time(rounded(time, column)))
        }
        Some(TimeOrDateTime::DateTime(value)) if parsed.warnings.is_empty() => {
            Stored { value: Some(Value::Time(rounded(value.time(), column))), complete: false }
        }
        _ => Stored::NOTHING,
    }
}

fn rounded(time: Time, column: &SqlType) -> Time {
    let (Ok(time) | Err(time)) = time.round(column.decimals.min(6), false);
    time
}

/// `None` where only the session can tell, for an offset.
fn text_as_date(text: &[u8], column: &SqlType, mode: DateMode) -> Option<Stored> {
    let parsed = parse_datetime(text, mode);
    if parsed.offset_seconds.is_some() {
        return None;
    }
    Some(match parsed.value.filter(|_| parsed.warnings.is_empty()) {
        None => Stored::NOTHING,
        Some(value) if column.kind == TypeKind::Date => {
            Stored { value: Some(Value::Date(value.date())), complete: value.day_micros() == 0 }
        }
        Some(value) => match value.round(column.decimals.min(6), false) {
            Some(value) => Stored::whole(Value::DateTime(value)),
            None => Stored::NOTHING,
        },
    })
}

fn text_as_time(text: &[u8], column: &SqlType) -> Option<Stored> {
    let parsed = parse_time(text);
    if parsed.offset_seconds.is_some() {
        return None;
    }
    Some(match parsed.value.filter(|_| parsed.warnings.is_empty()) {
        None => Stored::NOTHING,
        Some(TimeOrDateTime::Time(time)) => Stored::whole(Value::Time(rounded(time, column))),
        Some(TimeOrDateTime::DateTime(value)) => Stored {
            value: Some(Value::Time(rounded(value.time(), column))),
            complete: value.date() == Date::ZERO,
        },
    })
}

impl Binder<'_> {
    /// A number beside a column of dates or times, as the column stores it; `None`,
    /// with a warning, if it cannot.
    pub(in crate::expr::bind) fn stored_number(
        &self,
        column: &Node,
        constant: &Node,
    ) -> Option<Node> {
        let op = column_of(column)?;
        let number = constant_number(constant)?;
        self.warn_of_constant(constant);
        let exact = !matches!(constant.numeric_class(), Some(Domain::Double));
        let stored = match column.ty.kind {
            TypeKind::Time => number_as_time(&number, &column.ty),
            _ => number_as_date(&number, exact, &column.ty, self.stored_mode()),
        };
        self.settle(column, op, stored, || shown_number(constant, &number))
    }

    /// The same for numbers, strings, dates and times.
    pub(in crate::expr::bind) fn stored_constant(
        &self,
        column: &Node,
        constant: &Node,
    ) -> Option<Node> {
        if constant_number(constant).is_some() {
            return self.stored_number(column, constant);
        }
        let op = column_of(column)?;
        if let Some(text) = constant_text(constant) {
            let text = &text[..];
            if column.ty.kind == TypeKind::Time
                && let Some(odd) = parse_time(text).odd_delimiter
            {
                let shown = leaf::shown_in_full(text, constant.ty.collation);
                let shown = String::from_utf8_lossy(&shown);
                self.warn(crate::convert::delimiter_warning(&odd, &shown, 1));
            }
            let stored = match column.ty.kind {
                TypeKind::Time => text_as_time(text, &column.ty)?,
                _ => text_as_date(text, &column.ty, self.stored_mode())?,
            };
            let shown = || {
                let shown = leaf::shown_in_full(text, constant.ty.collation);
                String::from_utf8_lossy(&shown).into_owned()
            };
            return self.settle(column, op, stored, shown);
        }
        let Op::Literal(value) = &constant.op else { return None };
        let stored = match (value, column.ty.kind) {
            (Value::Date(_), TypeKind::Time) => Stored::whole(Value::Time(Time::ZERO)),
            (Value::DateTime(value), TypeKind::Time) => {
                Stored { value: Some(Value::Time(value.time())), complete: false }
            }
            (Value::Time(time), TypeKind::Time) => {
                Stored::whole(Value::Time(rounded(*time, &column.ty)))
            }
            (Value::Date(date), TypeKind::Date) => Stored::whole(Value::Date(*date)),
            (Value::Date(date), _) => Stored::whole(Value::DateTime(DateTime::from(*date))),
            (Value::DateTime(value), TypeKind::Date) => {
                Stored { value: Some(Value::Date(value.date())), complete: value.day_micros() == 0 }
            }
            (Value::DateTime(value), _) => match value.round(column.ty.decimals.min(6), false) {
                Some(value) => Stored::whole(Value::DateTime(value)),
                None => Stored::NOTHING,
            },
            // Today's date is known only when it runs.
            (Value::Time(time), kind) => {
                let target = match kind {
                    TypeKind::Date => CastTarget::Date,
                    _ => CastTarget::DateTime,
                };
                if kind == TypeKind::Date && *time != Time::ZERO {
                    let mut shown = Vec::new();
                    time.write_text(0, &mut shown);
                    let shown = String::from_utf8_lossy(&shown);
                    self.warn(leaf::not_for_column(&column.ty, op, &shown));
                }
                let ty = column.ty.not_null();
                return Some(Node::new(Op::Cast(target), ty, vec![constant.clone()]));
            }
            _ => return None,
        };
        let shown = || {
            let shown = leaf::text_of(value, constant).unwrap_or_default();
            String::from_utf8_lossy(&shown).into_owned()
        };
        self.settle(column, op, stored, shown)
    }

    /// Any date but those with zeros in them, if the session refuses these.
    fn stored_mode(&self) -> DateMode {
        DateMode {
            no_zero_in_date: self.settings.no_zero_in_date,
            allow_invalid: true,
            ..DateMode::default()
        }
    }

    fn settle(
        &self,
        column: &Node,
        op: &ColumnOp,
        stored: Stored,
        shown: impl FnOnce() -> String,
    ) -> Option<Node> {
        if !stored.complete {
            self.warn(leaf::not_for_column(&column.ty, op, &shown()));
        }
        let value = stored.value?;
        Some(Node::leaf(Op::Literal(value), column.ty.not_null()).with_ascii(true))
    }
}

fn column_of(node: &Node) -> Option<&ColumnOp> {
    match &node.op {
        Op::Column(op) if node.ty.kind.has_date() || node.ty.kind == TypeKind::Time => Some(op),
        _ => None,
    }
}
