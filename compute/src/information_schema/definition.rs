//! What MySQL's own tables and SHOW look like: `tables.txt`, read once.

use std::sync::{Arc, LazyLock};

use firn_mysql_protocol::result::Column;
use firn_mysql_protocol::{ColumnFlags, ColumnType};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::json::parse;
use firn_mysql_semantics::value::Bytes;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

use crate::bind::ScopeColumn;
use crate::output::ResultCharset;

static FACTS: &str = include_str!("tables.txt");

/// Collation of texts in the recorded metadata: utf8mb4, four bytes a character.
const RECORDED_COLLATION: u16 = 255;
const RECORDED_BYTES: u32 = 4;

/// A table that is not stored.
#[derive(Debug)]
pub(crate) struct TableDefinition {
    /// Its database.
    pub(crate) schema: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns.
    pub(crate) columns: Vec<ColumnDefinition>,
    /// The same, as names reach them.
    pub(crate) scope: Arc<[ScopeColumn]>,
    /// SHOW CREATE TABLE, of those of `mysql`.
    pub(crate) create: Option<String>,
}

/// A column of one.
#[derive(Debug)]
pub(crate) struct ColumnDefinition {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) ty: SqlType,
    /// `COLUMN_TYPE`
    pub(crate) type_text: String,
    /// Whether it takes NULL.
    pub(crate) nullable: bool,
    /// Its collation, if it has characters.
    pub(crate) collation: Option<&'static str>,
    /// Its default.
    pub(crate) default: Option<String>,
    /// Of ENUM and SET.
    members: Option<Arc<[Bytes]>>,
    flags: ColumnFlags,
}

/// The columns of a SHOW.
#[derive(Debug)]
pub(crate) struct ShowDefinition {
    /// As a client is told of them, with texts in utf8mb4.
    pub(crate) columns: Vec<Column>,
    /// Their types.
    pub(crate) types: Vec<SqlType>,
}

struct Definitions {
    tables: Vec<TableDefinition>,
    shows: Vec<(&'static str, ShowDefinition)>,
}

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(read);

/// All tables that are not stored.
pub(crate) fn tables() -> &'static [TableDefinition] {
    &DEFINITIONS.tables
}

/// One of them, by its name in any case.
pub(crate) fn table(schema: &str, name: &str) -> Option<&'static TableDefinition> {
    tables().iter().find(|table| {
        table.schema.eq_ignore_ascii_case(schema) && table.name.eq_ignore_ascii_case(name)
    })
}

/// The columns of a SHOW; empty ones for what the file does not have.
pub(crate) fn show(name: &str) -> &'static ShowDefinition {
    static NONE: ShowDefinition = ShowDefinition { columns: Vec::new(), types: Vec::new() };
    let found = DEFINITIONS.shows.iter().find(|(known, _)| *known == name);
    debug_assert!(found.is_some(), "no SHOW {name}");
    found.map_or(&NONE, |(_, show)| show)
}

fn read() -> Definitions {
    let mut all = Definitions { tables: Vec::new(), shows: Vec::new() };
    let mut in_show = false;
    for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&'static str> = line.split('\t').collect();
        match fields[..] {
            ["table", schema, name] => {
                in_show = false;
                let (columns, scope) = (Vec::new(), Arc::from(Vec::new()));
                all.tables.push(TableDefinition { schema, name, columns, scope, create: None });
            }
            ["create", statement] => {
                if let Some(table) = all.tables.last_mut() {
                    table.create = Some(unescaped(statement));
                }
            }
            ["show", name] => {
                in_show = true;
                let show = ShowDefinition { columns: Vec::new(), types: Vec::new() };
                all.shows.push((name, show));
            }
            [name, kind, flags, collation, length, decimals, ref rest @ ..] => {
                let wire = wire(name, [kind, flags, collation, length, decimals]);
                match (in_show, rest) {
                    (false, [type_text, nullable, collation, default]) => {
                        let column =
                            table_column(name, &wire, type_text, nullable, collation, default);
                        if let Some(table) = all.tables.last_mut() {
                            table.columns.push(column);
                        }
                    }
                    (true, [schema, table, org_table, org_name]) => {
                        if let Some((_, show)) = all.shows.last_mut() {
                            let collation = CollationId::UTF8MB3_GENERAL_CI;
                            let mut ty = type_of(&wire, collation);
                            // Their values are texts here.
                            if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
                                ty.kind = TypeKind::Varchar;
                            }
                            show.types.push(ty);
                            show.columns.push(Column {
                                schema: (*schema).into(),
                                table: (*table).into(),
                                org_table: (*org_table).into(),
                                org_name: (*org_name).into(),
                                ..wire
                            });
                        }
                    }
                    _ => debug_assert!(false, "{line}"),
                }
            }
            _ => debug_assert!(false, "{line}"),
        }
    }
    for table in &mut all.tables {
        table.scope = table.columns.iter().map(ColumnDefinition::scope).collect();
    }
    all
}

/// The common part of a line: what a client is told.
fn wire(name: &str, [kind, flags, collation, length, decimals]: [&str; 5]) -> Column {
    let kind = kind.parse().ok().and_then(ColumnType::from_wire);
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    let mut column = Column::new(
        name,
        kind.unwrap_or(ColumnType::VarString),
        number(collation) as u16,
        number(length),
    );
    column.flags = ColumnFlags(u16::from_str_radix(flags, 16).unwrap_or_default());
    column.decimals = number(decimals) as u8;
    column
}

/// The type that values of a column have here.
fn type_of(wire: &Column, collation: CollationId) -> SqlType {
    let is_text = wire.collation == RECORDED_COLLATION;
    let length = if is_text { wire.length / RECORDED_BYTES } else { wire.length };
    let kind = match wire.kind {
        ColumnType::Tiny => TypeKind::TinyInt,
        ColumnType::Short => TypeKind::SmallInt,
        ColumnType::Int24 => TypeKind::MediumInt,
        ColumnType::Long => TypeKind::Int,
        ColumnType::LongLong => TypeKind::BigInt,
        ColumnType::NewDecimal => TypeKind::Decimal,
        ColumnType::Float => TypeKind::Float,
        ColumnType::Double => TypeKind::Double,
        ColumnType::Timestamp => TypeKind::Timestamp,
        ColumnType::DateTime => TypeKind::DateTime,
        ColumnType::Date => TypeKind::Date,
        ColumnType::Time => TypeKind::Time,
        ColumnType::Json => TypeKind::Json,
        ColumnType::Blob if length > 0xff_ffff => TypeKind::LongText,
        ColumnType::Blob if length > 0xffff => TypeKind::MediumText,
        ColumnType::Blob => TypeKind::Text,
        _ if wire.flags.contains(ColumnFlags::ENUM) => TypeKind::Enum,
        _ if wire.flags.contains(ColumnFlags::SET) => TypeKind::Set,
        ColumnType::String => TypeKind::Char,
        _ => TypeKind::Varchar,
    };
    let nullable = !wire.flags.contains(ColumnFlags::NOT_NULL);
    let mut ty = if kind.is_string() {
        let collation = if is_text { collation } else { CollationId::BINARY };
        SqlType { kind, ..SqlType::varchar(length, collation, Derivation::Implicit) }
    } else {
        SqlType::plain(kind, length, wire.decimals)
    };
    ty.unsigned = wire.flags.contains(ColumnFlags::UNSIGNED);
    ty.with_nullable(nullable)
}

fn table_column(
    name: &'static str,
    wire: &Column,
    type_text: &str,
    nullable: &str,
    collation: &'static str,
    default: &str,
) -> ColumnDefinition {
    let given = |text: &'static str| (text != "-").then_some(text);
    let known = Collation::by_name(collation).filter(|one| one.is_supported());
    let id = known.map_or(CollationId::UTF8MB3_GENERAL_CI, |one| CollationId(one.id()));
    let ty = type_of(wire, id);
    let type_text = unescaped(type_text);
    let members = matches!(ty.kind, TypeKind::Enum | TypeKind::Set).then(|| {
        let list = type_text.split_once('(').map_or("", |(_, list)| list.trim_end_matches(')'));
        list.split(',').map(|one| Bytes::from_slice(one.trim_matches('\'').as_bytes())).collect()
    });
    ColumnDefinition {
        name,
        ty,
        nullable: nullable == "YES",
        collation: given(collation),
        default: (default != "-").then(|| unescaped(default)),
        members,
        flags: wire.flags,
        type_text,
    }
}

/// A document; NULL for what is none.
fn json(text: &[u8]) -> Value {
    let document = std::str::from_utf8(text).ok().and_then(|text| parse(text).ok());
    document.map_or(Value::Null, |document| Value::from(document.into_bytes()))
}

fn unescaped(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\")
}

impl ColumnDefinition {
    fn scope(&self) -> ScopeColumn {
        ScopeColumn {
            printed: None,
            name: Arc::from(self.name),
            ty: self.ty,
            members: self.members.clone(),
            flags: self.flags,
            zerofill: None,
            named: true,
            starred: true,
            origin: None,
        }
    }

    /// A value as the column has it: members of ENUM by their numbers.
    pub(crate) fn fit(&self, value: Value) -> Value {
        match (&value, &self.members) {
            (Value::Bytes(text), Some(members)) if self.ty.kind == TypeKind::Enum => {
                let at = members.iter().position(|member| member == text);
                at.map_or(Value::UInt(0), |at| Value::UInt(at as u64 + 1))
            }
            (Value::Bytes(text), Some(members)) => {
                let bit = |name: &[u8]| members.iter().position(|member| **member == *name);
                let bits = text.split(|byte| *byte == b',').filter_map(bit);
                Value::UInt(bits.fold(0, |all, bit| all | 1 << bit))
            }
            (Value::Bytes(text), None) if self.ty.kind == TypeKind::Json => json(text),
            _ => value,
        }
    }
}

/// A recorded column as a client with these settings is told of it.
pub(crate) fn told(column: &Column, results: ResultCharset) -> Column {
    let mut column = column.clone();
    if column.collation == RECORDED_COLLATION {
        let to = results.filter(|to| !to.is_binary()).unwrap_or(CollationId::UTF8MB3_GENERAL_CI);
        let set = Collation::by_id(to.0).map_or(Charset::utf8mb3(), Collation::charset);
        column.collation = to.0;
        if column.length < u32::MAX {
            column.length = (column.length / RECORDED_BYTES).saturating_mul(set.max_bytes() as u32);
        }
    }
    column
}
