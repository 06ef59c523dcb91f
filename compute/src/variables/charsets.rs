//! Variables that name character sets and collations.

use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, Warnings, code};

use super::assign::{Given, wrong_type, wrong_value};
use super::definition::VarId;
use super::id;
use super::setting::Setting;

type Result<T> = std::result::Result<T, SqlError>;

/// The variable that names the set of a collation, or a collation of a set.
pub(super) fn partner(of: VarId) -> Option<VarId> {
    Some(match of {
        id::character_set_connection => id::collation_connection,
        id::collation_connection => id::character_set_connection,
        id::character_set_server => id::collation_server,
        id::collation_server => id::character_set_server,
        id::character_set_database => id::collation_database,
        id::collation_database => id::character_set_database,
        _ => return None,
    })
}

/// What the partner of a variable holds when that one holds `setting`.
pub(super) fn of_partner(of: VarId, setting: &Setting, utf8mb4: &Setting) -> Setting {
    let text = setting.as_text();
    match Charset::by_name(text) {
        // `binary` is the name of both.
        Some(set) if !is_collation(of) => Setting::text(default_collation(set, utf8mb4).name()),
        _ => match Collation::by_name(text) {
            Some(collation) => Setting::text(collation.charset().name()),
            None => Setting::Null,
        },
    }
}

/// The default of a set; that of utf8mb4 is a variable.
pub(super) fn default_collation(set: &'static Charset, utf8mb4: &Setting) -> &'static Collation {
    match Collation::by_name(utf8mb4.as_text()) {
        Some(collation) if collation.charset() == set => collation,
        _ => set.default_collation(),
    }
}

fn is_collation(id: VarId) -> bool {
    matches!(id, id::collation_connection | id::collation_server | id::collation_database)
}

/// The setting if the variable is one of these.
pub(super) fn assigned(
    id: VarId,
    given: &Given,
    warnings: &mut Warnings,
) -> Result<Option<Setting>> {
    let is_set = matches!(
        id,
        id::character_set_client
            | id::character_set_connection
            | id::character_set_database
            | id::character_set_filesystem
            | id::character_set_results
            | id::character_set_server
    );
    let utf8mb4 = id == id::default_collation_for_utf8mb4;
    if !is_set && !utf8mb4 && !is_collation(id) {
        return Ok(None);
    }
    let name = match given {
        Given::Real(_) | Given::Decimal(_) => return Err(wrong_type(id)),
        Given::Null if id == id::character_set_results => return Ok(Some(Setting::Null)),
        Given::Null => return Err(wrong_value(id, given)),
        Given::Int(number) => {
            // MySQL has no more of it.
            let number = *number as i32;
            let found = u16::try_from(number).ok().and_then(Collation::by_id);
            match found {
                Some(found) if is_set => found.charset().name().to_owned(),
                Some(found) => found.name().to_owned(),
                None => number.to_string(),
            }
        }
        Given::Text(text) => text.clone(),
    };
    if is_set {
        let set = charset(&name, warnings)?;
        if id == id::character_set_client {
            check_client(set)?;
        }
        return Ok(Some(Setting::text(set.name())));
    }
    let collation = collation(&name, warnings)?;
    if utf8mb4 && !matches!(collation.name(), "utf8mb4_0900_ai_ci" | "utf8mb4_general_ci") {
        let name = collation.name().into();
        return Err(SqlError::new(code::ER_INVALID_DEFAULT_UTF8MB4_COLLATION, &[name]));
    }
    Ok(Some(Setting::text(collation.name())))
}

/// A set by name.
///
/// # Errors
///
/// 1115; 1235 for those that Firn does not have.
pub(super) fn charset(name: &str, warnings: &mut Warnings) -> Result<&'static Charset> {
    let set = Charset::by_name(name).ok_or_else(|| SqlError::unknown_character_set(name))?;
    set.supported().map_err(|error| SqlError::not_supported_yet(&error.to_string()))?;
    if name.eq_ignore_ascii_case("utf8") {
        warnings.warn(SqlError::new(code::ER_DEPRECATED_UTF8_ALIAS, &[]));
    } else if matches!(set.name(), "utf8mb3" | "ucs2" | "hp8" | "dec8" | "macroman" | "macce") {
        let names = [set.name().into(), "utf8mb4".into()];
        warnings.warn(SqlError::new(code::ER_WARN_DEPRECATED_SYNTAX, &names));
    }
    Ok(set)
}

/// A collation by name.
///
/// # Errors
///
/// 1273; 1235 for those that Firn does not have.
pub(super) fn collation(name: &str, warnings: &mut Warnings) -> Result<&'static Collation> {
    let found = Collation::by_name(name).ok_or_else(|| SqlError::unknown_collation(name))?;
    found.supported().map_err(|error| SqlError::not_supported_yet(&error.to_string()))?;
    if found.charset().name() == "utf8mb3" {
        let name = found.name().into();
        warnings.warn(SqlError::new(code::ER_WARN_DEPRECATED_UTF8MB3_COLLATION, &[name]));
    }
    Ok(found)
}

/// A set whose ASCII is not single bytes cannot be that of statements.
///
/// # Errors
///
/// 1231.
pub(super) fn check_client(set: &Charset) -> Result<()> {
    if set.min_bytes() > 1 || set.name() == "utf16le" {
        return Err(SqlError::wrong_value_for_variable("character_set_client", set.name()));
    }
    Ok(())
}
