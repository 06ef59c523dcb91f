//! Databases that are not stored: `information_schema`.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::expr::Result;

use crate::bind::FoundTable;
use crate::catalog::CatalogSnapshot;
use crate::session::Session;

/// The collation of a database, stored or not; `None` if there is no such one.
pub(crate) fn database_collation(
    catalog: &CatalogSnapshot,
    name: &str,
) -> Option<&'static Collation> {
    if name.eq_ignore_ascii_case("information_schema") {
        return Collation::by_name("utf8mb3_general_ci");
    }
    let schema = catalog.schema(name)?;
    Collation::by_id(schema.descriptor.collation)
}

/// A table of a database that is not stored; `None` if the database is.
///
/// # Errors
/// 1109 if there is no such table.
pub(crate) fn table(session: &Session, schema: &str, name: &str) -> Result<Option<FoundTable>> {
    let _ = (session, name);
    if schema.eq_ignore_ascii_case("information_schema") {
        return Err(firn_mysql_semantics::error::SqlError::not_supported_yet("information_schema"));
    }
    Ok(None)
}
