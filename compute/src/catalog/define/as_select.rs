//! CREATE TABLE … SELECT: columns made of a query's.

use firn_mysql_parser::ast::{CreateTable, TableElement};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, TableDescriptor, same_name,
};

use super::data_type::charset_of;
use super::{Builder, TakenNames, empty_table, option};
use crate::catalog::{Facts, TableName};

/// Longest VARCHAR that a computed string becomes, in characters.
const VARCHAR_CHARS_MAX: u32 = 512;
/// Longest integer that becomes an INT, in characters with its sign.
const INT_LENGTH_MAX: u32 = 11;

/// A column of a query's result.
#[derive(Debug, Clone, Copy)]
pub struct ResultColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: SqlType,
    /// The table's column that it is, if it is one as it stands.
    pub base: Option<&'a ColumnDescriptor>,
}

/// The descriptor of a CREATE TABLE … SELECT. Columns that only the list has come first,
/// then the query's; the list's definition of a column that both have holds.
///
/// Errors: as of any CREATE TABLE; 1060 if the query has a name twice.
pub(crate) fn create_table_as<'a>(
    written: &'a CreateTable,
    result: &[ResultColumn<'_>],
    name: &TableName,
    schema_collation: CollationId,
    facts: &'a Facts<'a>,
    taken: &'a dyn TakenNames,
    warnings: &'a mut Warnings,
) -> Result<TableDescriptor, SqlError> {
    if written.partitioning.is_some() {
        return Err(SqlError::not_supported_yet("PARTITION BY"));
    }
    let collation = option::collation(&written.options, warnings)?.unwrap_or(schema_collation);
    let mut table = empty_table(name, collation, facts);
    option::apply(&mut table, &written.options, facts, warnings)?;
    let mut builder = Builder::new(table, facts, taken, warnings);
    let defined = |name: &str| {
        written.elements.iter().find_map(|element| match element {
            TableElement::Column(column) if same_name(column.name.as_str(), name) => Some(column),
            _ => None,
        })
    };
    for (at, one) in result.iter().enumerate() {
        if result.iter().take(at).any(|other| same_name(other.name, one.name)) {
            return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[one.name.into()]));
        }
    }
    for element in &written.elements {
        match element {
            TableElement::Column(column) => {
                let theirs = |one: &ResultColumn<'_>| same_name(one.name, column.name.as_str());
                if !result.iter().any(theirs) {
                    builder.column(column, None)?;
                }
            }
            other => builder.element(other)?,
        }
    }
    for one in result {
        match defined(one.name) {
            Some(column) => {
                let at = builder.column(column, None)?;
                // What the query's column is called stays.
                one.name.clone_into(&mut builder.table.columns[at].name);
            }
            None => {
                crate::catalog::name::check_column_name(one.name)?;
                builder.take_column(made(one, facts)?);
            }
        }
    }
    builder.finish()
}

impl Builder<'_> {
    /// Adds a column that is described already.
    fn take_column(&mut self, mut column: ColumnDescriptor) {
        column.id = ColumnId(self.table.next_column_id);
        self.table.next_column_id += 1;
        self.said_default.push(column.id);
        self.table.columns.push(column);
    }
}

fn made(one: &ResultColumn<'_>, facts: &Facts<'_>) -> Result<ColumnDescriptor, SqlError> {
    if let Some(base) = one.base {
        let mut column = base.clone();
        one.name.clone_into(&mut column.name);
        column.ty.nullable = one.ty.nullable;
        column.instant_default = None;
        column.auto_increment = false;
        column.invisible = false;
        if column.generated.take().is_some() || base.auto_increment {
            column.default =
                if column.ty.nullable { ColumnDefault::Null } else { ColumnDefault::None };
        }
        if base.auto_increment {
            column.default = ColumnDefault::Constant(b"0".to_vec());
        }
        if column.default == ColumnDefault::None && column.ty.nullable {
            column.default = ColumnDefault::Null;
        }
        return Ok(column);
    }
    let ty = column_type(&one.ty)?;
    let zero_dates = !facts.settings.no_zero_date;
    Ok(ColumnDescriptor {
        id: ColumnId(0),
        name: one.name.to_owned(),
        ty,
        members: Vec::new(),
        zerofill: false,
        display_width: None,
        collation_written: false,
        default: if ty.nullable { ColumnDefault::Null } else { empty_default(&ty, zero_dates) },
        on_update_now: false,
        auto_increment: false,
        generated: None,
        comment: String::new(),
        invisible: false,
        hidden: false,
        instant_default: None,
    })
}

/// The type of a column that holds a computed value.
fn column_type(ty: &SqlType) -> Result<SqlType, SqlError> {
    let mut out = ty.as_stored();
    out.derivation = Derivation::Numeric;
    match ty.kind {
        TypeKind::Null => {
            out = SqlType::varchar(0, CollationId::BINARY, Derivation::Implicit);
        }
        kind if kind.is_integer() => {
            if kind == TypeKind::BigInt && ty.length <= INT_LENGTH_MAX {
                out.kind = TypeKind::Int;
            }
            out.length = match (out.kind, ty.unsigned) {
                (TypeKind::TinyInt, false) => 4,
                (TypeKind::TinyInt, true) => 3,
                (TypeKind::SmallInt, false) => 6,
                (TypeKind::SmallInt, true) => 5,
                (TypeKind::MediumInt, false) => 9,
                (TypeKind::MediumInt, true) => 8,
                (TypeKind::Int, false) => 11,
                (TypeKind::Int, true) => 10,
                _ => 20,
            };
        }
        TypeKind::Double if ty.decimals >= NOT_FIXED_DECIMALS => out.length = 22,
        TypeKind::Float if ty.decimals >= NOT_FIXED_DECIMALS => out.length = 12,
        TypeKind::Json => {
            out.length = u32::MAX / 4;
            out.decimals = NOT_FIXED_DECIMALS;
            out.collation = CollationId::UTF8MB4_BIN;
            out.derivation = Derivation::Implicit;
        }
        TypeKind::Geometry => {
            return Err(SqlError::not_supported_yet("columns of type GEOMETRY"));
        }
        kind if kind.is_string() => {
            out.derivation = Derivation::Implicit;
            out.decimals = NOT_FIXED_DECIMALS;
            let bytes = u64::from(ty.length) * charset_of(ty.collation).max_bytes() as u64;
            let long = kind.is_text() || ty.length > VARCHAR_CHARS_MAX;
            out.kind = match (long, bytes) {
                (false, _) => TypeKind::Varchar,
                (true, ..=65_535) => TypeKind::Text,
                (true, _) => TypeKind::LongText,
            };
            match out.kind {
                TypeKind::Text => out.length = 65_535,
                TypeKind::LongText => out.length = u32::MAX,
                _ => {}
            }
        }
        _ => {}
    }
    Ok(out)
}

/// What a computed column that is never NULL has for rows that say nothing of it.
fn empty_default(ty: &SqlType, zero_dates: bool) -> ColumnDefault {
    let fraction = |whole: &str, decimals: u8| match decimals {
        0 => whole.to_owned(),
        decimals => format!("{whole}.{}", "0".repeat(decimals.into())),
    };
    let text = match ty.kind {
        kind if kind.is_integer() => "0".to_owned(),
        TypeKind::Decimal => fraction("0", ty.decimals),
        TypeKind::Float | TypeKind::Double if ty.decimals < NOT_FIXED_DECIMALS => {
            fraction("0", ty.decimals)
        }
        TypeKind::Float | TypeKind::Double => "0".to_owned(),
        TypeKind::Time => fraction("00:00:00", ty.decimals),
        TypeKind::Date if zero_dates => "0000-00-00".to_owned(),
        TypeKind::DateTime | TypeKind::Timestamp if zero_dates => {
            fraction("0000-00-00 00:00:00", ty.decimals)
        }
        TypeKind::Year => "0000".to_owned(),
        TypeKind::Varchar | TypeKind::Char => String::new(),
        _ => return ColumnDefault::None,
    };
    ColumnDefault::Constant(text.into_bytes())
}
