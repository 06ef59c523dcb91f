//! Types as DESCRIBE and `information_schema` have them.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;
use firn_mysql_semantics::{SqlType, TypeKind};
use firn_table::descriptor::ColumnDescriptor;

use super::quoted;
use crate::catalog::define::Typed;

/// The text of a column's type: `int unsigned`, `varchar(20)`, `enum('a','b')`.
#[must_use]
pub fn type_text(column: &ColumnDescriptor) -> String {
    text_of(&column.ty, &column.members, column.display_width, column.zerofill)
}

/// The text of a type that was written, with the character set of strings.
pub(crate) fn written_type(typed: &Typed) -> String {
    let mut out = text_of(&typed.ty, &typed.members, typed.display_width, typed.zerofill);
    if let Some(collation) = Collation::by_id(typed.ty.collation.0)
        && typed.ty.kind.is_string()
        && typed.ty.kind != TypeKind::Json
        && !typed.ty.collation.is_binary()
    {
        out.push_str(" character set ");
        out.push_str(collation.charset().name());
        if collation.charset().default_collation().id() != collation.id() {
            out.push_str(" collate ");
            out.push_str(collation.name());
        }
    }
    out
}

fn text_of(ty: &SqlType, members: &[String], display_width: Option<u8>, zerofill: bool) -> String {
    let binary = ty.is_binary_string();
    let word = match ty.kind {
        TypeKind::Null => "null",
        TypeKind::TinyInt => "tinyint",
        TypeKind::SmallInt => "smallint",
        TypeKind::MediumInt => "mediumint",
        TypeKind::Int => "int",
        TypeKind::BigInt => "bigint",
        TypeKind::Decimal => "decimal",
        TypeKind::Float => "float",
        TypeKind::Double => "double",
        TypeKind::Bit => "bit",
        TypeKind::Year => "year",
        TypeKind::Date => "date",
        TypeKind::Time => "time",
        TypeKind::DateTime => "datetime",
        TypeKind::Timestamp => "timestamp",
        TypeKind::Char if binary => "binary",
        TypeKind::Char => "char",
        TypeKind::Varchar if binary => "varbinary",
        TypeKind::Varchar => "varchar",
        TypeKind::TinyText if binary => "tinyblob",
        TypeKind::TinyText => "tinytext",
        TypeKind::Text if binary => "blob",
        TypeKind::Text => "text",
        TypeKind::MediumText if binary => "mediumblob",
        TypeKind::MediumText => "mediumtext",
        TypeKind::LongText if binary => "longblob",
        TypeKind::LongText => "longtext",
        TypeKind::Enum => "enum",
        TypeKind::Set => "set",
        TypeKind::Json => "json",
        TypeKind::Geometry => "geometry",
    };
    let mut out = word.to_owned();
    match ty.kind {
        TypeKind::Decimal => out.push_str(&format!("({},{})", ty.precision(), ty.decimals)),
        TypeKind::Float | TypeKind::Double if ty.decimals < NOT_FIXED_DECIMALS => {
            out.push_str(&format!("({},{})", ty.length, ty.decimals));
        }
        TypeKind::Bit | TypeKind::Char | TypeKind::Varchar => {
            out.push_str(&format!("({})", ty.length));
        }
        TypeKind::Time | TypeKind::DateTime | TypeKind::Timestamp if ty.decimals > 0 => {
            out.push_str(&format!("({})", ty.decimals));
        }
        TypeKind::Enum | TypeKind::Set => {
            out.push('(');
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let mut text = Vec::new();
                quoted(member.as_bytes(), &mut text);
                out.push_str(&String::from_utf8_lossy(&text));
            }
            out.push(')');
        }
        kind if kind.is_integer() => {
            if let Some(width) = display_width {
                out.push_str(&format!("({width})"));
            }
        }
        _ => {}
    }
    let number = ty.kind.is_integer()
        || matches!(ty.kind, TypeKind::Decimal | TypeKind::Float | TypeKind::Double);
    if number && ty.unsigned {
        out.push_str(" unsigned");
    }
    if zerofill {
        out.push_str(" zerofill");
    }
    out
}
