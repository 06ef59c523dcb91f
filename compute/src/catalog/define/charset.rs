//! Character sets and collations of databases, tables and columns.

use firn_mysql_parser::ast::{CharsetSpec, Ident};
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Arg, SqlError, Warnings, code};

/// The character set of a name, with the warnings that old names bring.
pub(crate) fn charset_named(
    name: &str,
    warnings: &mut Warnings,
) -> Result<&'static Charset, SqlError> {
    let set = Charset::by_name(name).ok_or_else(|| SqlError::unknown_character_set(name))?;
    if name.eq_ignore_ascii_case("utf8") {
        warnings.warn(SqlError::new(code::ER_DEPRECATED_UTF8_ALIAS, &[]));
    } else if matches!(set.name(), "utf8mb3" | "ucs2" | "macroman" | "macce" | "dec8" | "hp8") {
        warnings.warn(deprecated_charset(set));
    }
    Ok(set)
}

fn deprecated_charset(set: &Charset) -> SqlError {
    SqlError::new(code::ER_WARN_DEPRECATED_SYNTAX, &[set.name().into(), "utf8mb4".into()])
}

/// The collation of a name, with the warnings that old ones bring.
pub(crate) fn collation_named(
    name: &str,
    warnings: &mut Warnings,
) -> Result<&'static Collation, SqlError> {
    let found = Collation::by_name(name).ok_or_else(|| SqlError::unknown_collation(name))?;
    if found.charset().name() == "utf8mb3" {
        warnings.warn(SqlError::new(
            code::ER_WARN_DEPRECATED_UTF8MB3_COLLATION,
            &[found.name().into()],
        ));
    } else if matches!(found.charset().name(), "ucs2" | "macroman" | "macce" | "dec8" | "hp8") {
        warnings.warn(SqlError::new(
            code::ER_WARN_DEPRECATED_SYNTAX,
            &[found.name().into(), "utf8mb4_0900_ai_ci".into()],
        ));
    }
    Ok(found)
}

/// `CHARACTER SET` and `COLLATE` of a database or table, in the order written.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    charset: Option<&'static Charset>,
    collation: Option<&'static Collation>,
}

impl Defaults {
    /// Errors: 1115, 1302.
    pub(crate) fn charset(&mut self, name: &Ident, w: &mut Warnings) -> Result<(), SqlError> {
        let set = match name.as_str() {
            // CHARACTER SET DEFAULT is the surroundings' one.
            name if name.eq_ignore_ascii_case("default") => return Ok(()),
            name => charset_named(name, w)?,
        };
        if let Some(other) = self.charset
            && other != set
        {
            return Err(conflict("CHARACTER SET ", other.name(), set.name()));
        }
        if let Some(collation) = self.collation
            && collation.charset() != set
        {
            return Err(SqlError::collation_charset_mismatch(collation.name(), set.name()));
        }
        self.charset = Some(set);
        Ok(())
    }

    /// Errors: 1273, 1253.
    pub(crate) fn collate(&mut self, name: &Ident, w: &mut Warnings) -> Result<(), SqlError> {
        let collation = collation_named(name.as_str(), w)?;
        let set = self.charset.or(self.collation.map(Collation::charset));
        if let Some(set) = set
            && set != collation.charset()
        {
            return Err(SqlError::collation_charset_mismatch(collation.name(), set.name()));
        }
        self.collation = Some(collation);
        Ok(())
    }

    /// What they come to; `None` if nothing was written.
    pub(crate) fn resolve(&self) -> Option<CollationId> {
        let collation = self.collation.or_else(|| self.charset.map(Charset::default_collation))?;
        Some(CollationId(collation.id()))
    }
}

/// What `CHARACTER SET … COLLATE …` come to; `None` if neither is there.
pub(crate) fn collation_of(
    charset: Option<&Ident>,
    collation: Option<&Ident>,
    warnings: &mut Warnings,
) -> Result<Option<CollationId>, SqlError> {
    let mut defaults = Defaults::default();
    if let Some(name) = charset {
        defaults.charset(name, warnings)?;
    }
    if let Some(name) = collation {
        defaults.collate(name, warnings)?;
    }
    Ok(defaults.resolve())
}

fn conflict(word: &str, one: &str, other: &str) -> SqlError {
    let args = [Arg::Str(word), Arg::Str(one), Arg::Str(word), Arg::Str(other)];
    SqlError::new(code::ER_CONFLICTING_DECLARATIONS, &args)
}

/// A column's collation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnCollation {
    pub(crate) id: CollationId,
    /// The column itself names its set or collation.
    pub(crate) written: bool,
}

/// The collation of a column of a type with characters.
///
/// Errors: 1115, 1273, 1253; 1235 for those that have no order here.
pub(crate) fn column_collation(
    spec: &CharsetSpec,
    collate: Option<&Ident>,
    table: CollationId,
    warnings: &mut Warnings,
) -> Result<ColumnCollation, SqlError> {
    let found = named_collation(spec, collate, table, warnings)?;
    // What cannot be compared cannot be stored: rows would be lost to everybody.
    match Collation::by_id(found.id.0) {
        Some(rule) if !rule.is_supported() => {
            Err(SqlError::not_supported_yet(&format!("collation {}", rule.name())))
        }
        _ => Ok(found),
    }
}

fn named_collation(
    spec: &CharsetSpec,
    collate: Option<&Ident>,
    table: CollationId,
    warnings: &mut Warnings,
) -> Result<ColumnCollation, SqlError> {
    let set = match &spec.charset {
        Some(name) => Some(charset_named(name, warnings)?),
        None => None,
    };
    if spec.binary {
        warnings.warn(SqlError::new(
            code::ER_WARN_DEPRECATED_SYNTAX,
            &[
                "BINARY as attribute of a type".into(),
                "a CHARACTER SET clause with _bin collation".into(),
            ],
        ));
    }
    if let Some(name) = collate {
        let collation = collation_named(name.as_str(), warnings)?;
        if let Some(set) = set
            && set != collation.charset()
        {
            return Err(SqlError::collation_charset_mismatch(collation.name(), set.name()));
        }
        return Ok(ColumnCollation { id: CollationId(collation.id()), written: true });
    }
    let table_set =
        Collation::by_id(table.0).map_or_else(Charset::utf8mb4, |collation| collation.charset());
    let id = match set {
        _ if spec.binary => set.unwrap_or(table_set).binary_collation().id(),
        Some(set) => set.default_collation().id(),
        None => table.0,
    };
    Ok(ColumnCollation {
        id: CollationId(id),
        written: set.is_some() || (spec.binary && id != table.0),
    })
}
