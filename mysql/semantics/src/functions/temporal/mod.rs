//! Functions of dates and times.

pub(super) mod calendar;
pub(super) mod clock;
pub(super) mod period;
pub(super) mod present;

use crate::error::SqlError;
use crate::expr::{Node, Result, Site, leaf};
use crate::types::{SqlType, TypeKind};

fn date_type(_: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(SqlType::plain(TypeKind::Date, 10, 0))
}

fn sized(kind: TypeKind, whole: u32, decimals: u8) -> SqlType {
    let length = if decimals == 0 { whole } else { whole + 1 + u32::from(decimals) };
    SqlType::plain(kind, length, decimals)
}

/// Decimals of an argument where it becomes a time.
fn time_decimals(site: &Site<'_, '_>, at: usize, dated: bool) -> u8 {
    let Some(arg) = site.args.get(at) else { return 0 };
    let computed = arg.ty.kind.is_string() && !arg.is_literal();
    if computed {
        site.binder.warn_of_constant(arg);
    }
    match site.constant_text(at).filter(|_| computed) {
        Some(text) => leaf::decimals_of_text(&text, dated),
        None => leaf::decimals_as_time(arg, dated),
    }
}

/// 6527 for what the type of an expression cannot hold.
fn out_of_range(kind: &str, node: &Node) -> SqlError {
    let shown = crate::expr::printed(node);
    SqlError::with_message(6527, format!("{kind} value is out of range in '{shown}'"))
}
