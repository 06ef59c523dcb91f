//! COLUMNS.

use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::Facts;
use super::cell::{maybe, maybe_number, number, text, yes};
use super::definition;
use super::tables::{Named, named};
use crate::accounts::Privileges;
use crate::catalog::show::{ColumnInfo, column_infos};

/// Privileges as columns show them.
pub(crate) fn privileges(own: Privileges) -> String {
    own.names().map(str::to_lowercase).collect::<Vec<_>>().join(",")
}

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for schema in super::schemata::names(facts) {
        for one in named(facts, &schema) {
            match one {
                Named::Table(table) => {
                    let shown = table.columns.iter().filter(|column| !column.hidden);
                    for (at, (info, column)) in column_infos(table).iter().zip(shown).enumerate() {
                        let own = facts.on_column(&schema, &table.name, &info.name);
                        if own.is_empty() {
                            continue;
                        }
                        let start = [text(&schema), text(&table.name)];
                        rows.push(row(start, at, info, &column.ty, own));
                    }
                }
                Named::System(table) => {
                    for (at, column) in table.columns.iter().enumerate() {
                        let own = facts.on_column(&schema, table.name, column.name);
                        if own.is_empty() {
                            continue;
                        }
                        let start = [text(&schema), text(table.name)];
                        rows.push(row(start, at, &system_info(column), &column.ty, own));
                    }
                }
                Named::View(view) => {
                    let name = (view.schema.clone(), view.name.clone());
                    let columns = facts.view_columns.get(&name).into_iter().flatten();
                    for (at, (info, ty)) in columns.enumerate() {
                        let own = facts.on_column(&schema, &view.name, &info.name);
                        if own.is_empty() {
                            continue;
                        }
                        let start = [text(&schema), text(&view.name)];
                        rows.push(row(start, at, info, ty, own));
                    }
                }
            }
        }
    }
    rows
}

/// A column of a table that is not stored, as DESCRIBE has it.
pub(crate) fn system_info(column: &definition::ColumnDefinition) -> ColumnInfo {
    ColumnInfo {
        name: column.name.to_owned(),
        type_text: column.type_text.clone(),
        collation: column.collation,
        nullable: column.nullable,
        key: "",
        default: column.default.clone().map(String::into_bytes),
        extra: String::new(),
        comment: String::new(),
        generation: String::new(),
    }
}

fn row(
    start: [Value; 2],
    at: usize,
    info: &ColumnInfo,
    ty: &SqlType,
    own: Privileges,
) -> Vec<Value> {
    let [schema, table] = start;
    let (characters, bytes) = lengths(info, ty);
    let (precision, scale) = numeric(info, ty);
    let moment = matches!(ty.kind, TypeKind::Time | TypeKind::DateTime | TypeKind::Timestamp);
    let set = info.collation.and_then(Collation::by_name).map(|one| one.charset().name());
    let word = info.type_text.split(['(', ' ']).next().unwrap_or_default();
    vec![
        text("def"),
        schema,
        table,
        text(&info.name),
        number(at as u64 + 1),
        maybe(info.default.as_deref()),
        yes(info.nullable),
        text(word),
        maybe_number(characters),
        maybe_number(bytes),
        maybe_number(precision),
        maybe_number(scale),
        maybe_number(moment.then_some(u64::from(ty.decimals))),
        maybe(set),
        maybe(info.collation),
        text(&info.type_text),
        text(info.key),
        text(&info.extra),
        text(privileges(own)),
        text(&info.comment),
        text(&info.generation),
        Value::Null,
    ]
}

/// CHARACTER_MAXIMUM_LENGTH and CHARACTER_OCTET_LENGTH.
fn lengths(info: &ColumnInfo, ty: &SqlType) -> (Option<u64>, Option<u64>) {
    if !ty.kind.is_string() {
        return (None, None);
    }
    let collation = info.collation.and_then(Collation::by_name);
    let set = collation.map_or(Charset::binary(), Collation::charset);
    let width = set.max_bytes() as u64;
    match ty.kind {
        TypeKind::TinyText => (Some(0xff), Some(0xff)),
        TypeKind::Text => (Some(0xffff), Some(0xffff)),
        TypeKind::MediumText => (Some(0xff_ffff), Some(0xff_ffff)),
        TypeKind::LongText => (Some(0xffff_ffff), Some(0xffff_ffff)),
        _ => (Some(ty.length.into()), Some(u64::from(ty.length) * width)),
    }
}

/// NUMERIC_PRECISION and NUMERIC_SCALE.
fn numeric(info: &ColumnInfo, ty: &SqlType) -> (Option<u64>, Option<u64>) {
    let unsigned = info.type_text.contains(" unsigned");
    let precision = match ty.kind {
        TypeKind::TinyInt => 3,
        TypeKind::SmallInt => 5,
        TypeKind::MediumInt => 7,
        TypeKind::Int => 10,
        TypeKind::BigInt if unsigned => 20,
        TypeKind::BigInt => 19,
        TypeKind::Decimal => {
            return (Some(ty.precision().into()), Some(ty.decimals.into()));
        }
        TypeKind::Float | TypeKind::Double => {
            if ty.decimals < NOT_FIXED_DECIMALS {
                return (Some(ty.length.into()), Some(ty.decimals.into()));
            }
            let digits = if ty.kind == TypeKind::Float { 12 } else { 22 };
            return (Some(digits), None);
        }
        TypeKind::Bit => return (Some(ty.length.into()), None),
        _ => return (None, None),
    };
    (Some(precision), Some(0))
}
