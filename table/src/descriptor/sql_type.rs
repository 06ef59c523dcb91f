//! The stored form of types.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};

/// Names of the kinds in stored descriptors. Never change one.
const KINDS: [(TypeKind, &str); 24] = [
    (TypeKind::TinyInt, "tinyint"),
    (TypeKind::SmallInt, "smallint"),
    (TypeKind::MediumInt, "mediumint"),
    (TypeKind::Int, "int"),
    (TypeKind::BigInt, "bigint"),
    (TypeKind::Decimal, "decimal"),
    (TypeKind::Float, "float"),
    (TypeKind::Double, "double"),
    (TypeKind::Bit, "bit"),
    (TypeKind::Year, "year"),
    (TypeKind::Date, "date"),
    (TypeKind::Time, "time"),
    (TypeKind::DateTime, "datetime"),
    (TypeKind::Timestamp, "timestamp"),
    (TypeKind::Char, "char"),
    (TypeKind::Varchar, "varchar"),
    (TypeKind::TinyText, "tinytext"),
    (TypeKind::Text, "text"),
    (TypeKind::MediumText, "mediumtext"),
    (TypeKind::LongText, "longtext"),
    (TypeKind::Enum, "enum"),
    (TypeKind::Set, "set"),
    (TypeKind::Json, "json"),
    (TypeKind::Geometry, "geometry"),
];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kind: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsigned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_null: bool,
    length: u32,
    #[serde(default)]
    decimals: u8,
    /// By name: numbers of collations are MySQL's, names are for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collation: Option<String>,
}

pub(super) fn serialize<S: Serializer>(ty: &SqlType, to: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error as _;
    let kind = KINDS.iter().find(|(kind, _)| *kind == ty.kind);
    let (_, kind) = kind.ok_or_else(|| S::Error::custom("a column has no type"))?;
    let stored = Stored {
        kind: (*kind).to_owned(),
        unsigned: ty.unsigned,
        not_null: !ty.nullable,
        length: ty.length,
        decimals: ty.decimals,
        collation: ty.kind.is_string().then(|| collation_name(ty.collation).to_owned()),
    };
    stored.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SqlType, D::Error> {
    let stored = Stored::deserialize(from)?;
    let kind = KINDS.iter().find(|(_, name)| *name == stored.kind);
    let (kind, _) = *kind.ok_or_else(|| D::Error::custom(format!("no type {:?}", stored.kind)))?;
    let collation = match stored.collation {
        Some(name) => collation_id(&name).map_err(D::Error::custom)?,
        // What JSON is as a text.
        None if kind == TypeKind::Json => CollationId::UTF8MB4_BIN,
        None => CollationId::BINARY,
    };
    let derivation = if kind.is_string() || kind == TypeKind::Json {
        Derivation::Implicit
    } else {
        Derivation::Numeric
    };
    Ok(SqlType {
        kind,
        unsigned: stored.unsigned,
        nullable: !stored.not_null,
        length: stored.length,
        decimals: stored.decimals,
        collation,
        derivation,
    })
}

fn collation_name(id: CollationId) -> &'static str {
    Collation::by_id(id.0).unwrap_or_else(Collation::binary).name()
}

fn collation_id(name: &str) -> Result<CollationId, String> {
    match Collation::by_name(name) {
        Some(collation) => Ok(CollationId(collation.id())),
        None => Err(format!("no collation {name:?}")),
    }
}

/// A collation by its name.
pub(super) mod collation {
    use super::{CollationId, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(
        id: &CollationId,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(super::collation_name(*id))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<CollationId, D::Error> {
        let name = String::deserialize(from)?;
        super::collation_id(&name).map_err(D::Error::custom)
    }
}
