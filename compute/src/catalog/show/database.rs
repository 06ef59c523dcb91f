//! SHOW CREATE DATABASE.

use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::collation::Collation;

use crate::catalog::SchemaDescriptor;

/// The statement that makes the database.
#[must_use]
pub fn create_database(schema: &SchemaDescriptor, if_not_exists: bool) -> String {
    let collation = Collation::by_id(schema.collation).unwrap_or_else(Collation::binary);
    let mut out = "CREATE DATABASE ".to_owned();
    if if_not_exists {
        out.push_str("/*!32312 IF NOT EXISTS*/ ");
    }
    out.push_str(&firn_mysql_parser::quote_name(&schema.name));
    out.push_str(" /*!40100 DEFAULT CHARACTER SET ");
    out.push_str(collation.charset().name());
    let once_another = CollationId(schema.collation) == CollationId::UTF8MB4_0900_AI_CI;
    if once_another || !collation.is_default() {
        out.push_str(" COLLATE ");
        out.push_str(collation.name());
    }
    out.push_str(" */ /*!80016 DEFAULT ENCRYPTION='N' */");
    if schema.read_only {
        out.push_str(" /* READ ONLY=1 */");
    }
    out
}
