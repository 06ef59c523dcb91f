//! Foreign keys, as a statement's catalog has them.

use std::sync::Arc;

use super::Session;
use crate::catalog::CatalogSnapshot;
use crate::execute::{Link, Relate, Relations, Result};
use crate::server::Server;
use crate::table::OpenTable;

/// Foreign keys of one moment of the catalog.
pub(crate) struct CatalogRelations {
    server: Arc<Server>,
    catalog: Arc<CatalogSnapshot>,
    /// `foreign_key_checks`
    enabled: bool,
}

impl CatalogRelations {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            server: Arc::clone(&session.server),
            catalog: session.server.catalog.snapshot(),
            enabled: session.values.variables.hot().foreign_key_checks,
        }
    }

    /// All tables that a change of `table` may reach by foreign keys, itself left out.
    ///
    /// # Errors
    /// As opening them.
    pub(crate) fn reached(&self, table: &Arc<OpenTable>) -> Result<Vec<Arc<OpenTable>>> {
        let mut reached: Vec<Arc<OpenTable>> = Vec::new();
        let mut waiting = vec![Arc::clone(table)];
        while let Some(next) = waiting.pop() {
            let Some(relations) = self.relations(&next)? else { continue };
            for link in relations.parents.iter().chain(&relations.children) {
                let Some(other) = &link.other else { continue };
                let id = other.descriptor().id;
                let known = id == table.descriptor().id
                    || reached.iter().any(|one| one.descriptor().id == id);
                if !known {
                    reached.push(Arc::clone(other));
                    waiting.push(Arc::clone(other));
                }
            }
        }
        Ok(reached)
    }
}

impl Relate for CatalogRelations {
    fn relations(&self, table: &OpenTable) -> Result<Option<Arc<Relations>>> {
        if !self.enabled || table.temporary {
            return Ok(None);
        }
        let found = table.relations(self.catalog.version, || {
            let descriptor = table.descriptor();
            let open = |schema: &str, name: &str| {
                self.catalog
                    .table(schema, name)
                    .map(|other| self.server.opened.get(&other.descriptor))
                    .transpose()
            };
            let mut relations = Relations::default();
            for key in &descriptor.foreign_keys {
                let parent = open(&key.parent_schema, &key.parent_table)?;
                relations.parents.extend(Link::to_parent(descriptor, key, parent));
            }
            for (child, key) in self.catalog.referring(&descriptor.schema, &descriptor.name) {
                let child = self.server.opened.get(&child.descriptor)?;
                relations.children.extend(Link::to_child(descriptor, key, child));
            }
            Ok(relations)
        })?;
        Ok((!found.is_empty()).then_some(found))
    }
}
