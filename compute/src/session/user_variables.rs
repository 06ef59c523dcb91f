//! `@name`: the variables that a session makes up.

use std::collections::BTreeMap;

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use firn_mysql_semantics::value::Value;

/// What all user variables of a session may take together, names included.
pub const USER_VARIABLES_MAX_BYTES: usize = 64 << 20;
/// What a variable takes beside its name and text.
const ENTRY_BYTES: usize = 128;
/// Most characters of a text that is kept.
const TEXT_CHARACTERS: u32 = 16_777_215;

/// A session's user variables, by name in lower case.
#[derive(Debug, Default)]
pub struct UserVariables {
    by_name: BTreeMap<Box<str>, (Value, SqlType)>,
    bytes: usize,
}

impl UserVariables {
    /// Value and type, if it was ever set.
    pub fn get(&self, name: &str) -> Option<&(Value, SqlType)> {
        self.by_name.get(name)
    }

    /// Sets one: kept as whole number, DECIMAL, DOUBLE or text.
    ///
    /// # Errors
    ///
    /// 3170 if all of them would take more than [`USER_VARIABLES_MAX_BYTES`].
    pub fn set(&mut self, name: &str, value: Value, ty: SqlType) -> Result<(), SqlError> {
        let (value, ty) = kept(value, ty);
        let size =
            |value: &Value| name.len() + ENTRY_BYTES + value.as_bytes().map_or(0, <[u8]>::len);
        let before = self.by_name.get(name).map_or(0, |(value, _)| size(value));
        let bytes = self.bytes - before + size(&value);
        if bytes > USER_VARIABLES_MAX_BYTES {
            let limit = USER_VARIABLES_MAX_BYTES as u64;
            let args = [limit.into(), "user variables".into(), "".into()];
            return Err(SqlError::new(code::ER_CAPACITY_EXCEEDED, &args));
        }
        self.bytes = bytes;
        self.by_name.insert(name.into(), (value, ty));
        Ok(())
    }

    /// Names, values and types, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value, &SqlType)> {
        self.by_name.iter().map(|(name, (value, ty))| (&**name, value, ty))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = UserVariables::default();
    }
}

/// A value as a variable keeps it, and the type that it has from then on.
fn kept(value: Value, ty: SqlType) -> (Value, SqlType) {
    let number = |kind, length, decimals| {
        let mut ty = SqlType::plain(kind, length, decimals).with_unsigned(ty.unsigned);
        ty.derivation = Derivation::Implicit;
        ty
    };
    let text = |collation: CollationId| {
        let widest = Collation::by_id(collation.0).map_or(1, |one| one.charset().max_bytes());
        let mut ty =
            SqlType::varchar(TEXT_CHARACTERS * widest as u32, collation, Derivation::Implicit);
        ty.kind = if widest > 1 { TypeKind::LongText } else { TypeKind::MediumText };
        ty
    };
    let whole = SqlType::bigint(21).with_unsigned(ty.unsigned);
    let whole = SqlType { derivation: Derivation::Implicit, ..whole };
    match ty.kind {
        TypeKind::Year | TypeKind::Bit => (value, whole.with_unsigned(true)),
        kind if kind.is_integer() => (value, whole),
        TypeKind::Decimal => (value, number(TypeKind::Decimal, 67, 30)),
        TypeKind::Float | TypeKind::Double => {
            let value =
                if let Value::Float(value) = value { Value::Double(value.into()) } else { value };
            (value, number(TypeKind::Double, 23, NOT_FIXED_DECIMALS))
        }
        TypeKind::Null => (value, text(CollationId::BINARY)),
        TypeKind::Json => (value, text(CollationId::UTF8MB4_BIN)),
        kind if kind.is_temporal() => {
            let mut out = Vec::new();
            match value {
                Value::Date(date) => date.write_text(&mut out),
                Value::Time(time) => time.write_text(ty.decimals, &mut out),
                Value::DateTime(at) => at.write_text(ty.decimals, &mut out),
                other => return (other, text(CollationId::LATIN1_SWEDISH_CI)),
            }
            (Value::from(out), text(CollationId::LATIN1_SWEDISH_CI))
        }
        _ => (value, text(ty.collation)),
    }
}
