//! Databases and tables by name, in the engine's own key space.
//!
//! [`Catalog`] reads what is stored when it is opened and from then on keeps it as a
//! [`CatalogSnapshot`] that never changes; a statement takes one and looks names up in
//! it. [`plan_ddl`] turns a statement of data definition into a [`CatalogChange`]
//! without doing anything; [`Catalog::apply`] makes it, as one write batch, and swaps
//! the snapshot. [`plan_alter`] does the same for ALTER TABLE, where rows may have to be
//! read or written before the change is made. Locks are the session's business, around
//! all of it.

mod accounts;
mod alter;
mod change;
mod ddl;
mod define;
mod expression;
mod facts;
mod name;
mod open;
pub mod show;
mod snapshot;
mod store;
mod temporary;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use accounts::StoredAccounts;
pub use alter::{AlterPlan, AskedLock, Work, plan_alter};
pub use change::CatalogChange;
pub use ddl::{TableIds, plan_create_table_as, plan_create_view, plan_ddl};
pub use define::{ResultColumn, TableScope, default_value};
pub(crate) use define::{TypeSite, Typed};
pub use expression::parse as parse_expression;
pub(crate) use expression::{Resolutions, ResolvedColumn, canonical_query, numbered_query};
pub use facts::Facts;
pub use name::TableName;
pub use open::{Catalog, ChangeError, Guard};
pub use snapshot::{CatalogSnapshot, OpenTable, Relation, Schema, SchemaDescriptor};
pub use store::{
    CATALOG_SPACE, FIRST_TABLE_ID, auto_increment_key, forget_scratch, forget_scratch_index,
    statistics_key, statistics_prefix,
};
pub use temporary::TemporaryTables;
pub use view::{ViewBody, ViewDescriptor};
