//! What the session knows of itself.

use super::{Function, arg};
use crate::expr::{Call, Cx, Result};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "version",
        (0, 0),
        |site| Ok(site.system_text(60)),
        version,
        "The server's version",
    )
    .never_null(),
    Function::new(
        "database",
        (0, 0),
        |site| Ok(site.system_text(64)),
        database,
        "The database in use",
    )
    .nullable(),
    Function::new(
        "user",
        (0, 0),
        |site| Ok(site.system_text(288)),
        user,
        "The name that the client gave",
    )
    .nullable(),
    Function::new(
        "current_user",
        (0, 0),
        |site| Ok(site.system_text(288)),
        current_user,
        "The account in force",
    )
    .nullable(),
    Function::new(
        "connection_id",
        (0, 0),
        |_| Ok(SqlType::bigint(10).with_unsigned(true)),
        connection_id,
        "The session's number",
    )
    .never_null(),
    Function::new(
        "last_insert_id",
        (0, 1),
        |_| Ok(SqlType::bigint(21).with_unsigned(true)),
        last_insert_id,
        "The last automatic number",
    )
    .changing(),
    Function::new(
        "row_count",
        (0, 0),
        |_| Ok(SqlType::bigint(21)),
        row_count,
        "Rows that the last statement changed",
    )
    .never_null()
    .changing(),
    Function::new(
        "found_rows",
        (0, 0),
        |_| Ok(SqlType::bigint(21)),
        found_rows,
        "Rows that the last SELECT found",
    )
    .never_null()
    .changing(),
];

fn version(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(&*cx.session.version()))
}

fn database(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(cx.settings.database.as_deref().map_or(Value::Null, Value::from))
}

fn user(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(&*cx.session.user()))
}

fn current_user(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::from(&*cx.session.current_user()))
}

fn connection_id(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::UInt(cx.session.connection_id()))
}

fn last_insert_id(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    if call.len() == 0 {
        return Ok(Value::UInt(cx.session.last_insert_id()));
    }
    let id = arg!(call.int(0, cx)) as u64;
    cx.session.set_last_insert_id(id);
    Ok(Value::UInt(id))
}

fn row_count(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::Int(cx.session.row_count()))
}

fn found_rows(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    Ok(Value::Int(cx.session.found_rows() as i64))
}
