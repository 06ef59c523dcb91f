//! CREATE, ALTER and DROP VIEW.

use firn_mysql_parser::ast::{DropView, Security, View, ViewAlgorithm, ViewCheck};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_table::descriptor::same_name;

use super::{Planner, TableIds};
use crate::catalog::snapshot::{Relation, wrong_object};
use crate::catalog::{CatalogChange, CatalogSnapshot, Facts, TableName, ViewBody, ViewDescriptor};

struct NoIds;

impl TableIds for NoIds {
    fn next_table_id(&self) -> Result<u32, SqlError> {
        Err(SqlError::new(code::ER_INTERNAL_ERROR, &["a view has no table id".into()]))
    }
}

/// The change of CREATE VIEW, or of ALTER VIEW (`alter`), whose query was bound to
/// `body`. What a view's query may not have is for the binder to refuse.
///
/// # Errors
/// 1049, 1050, 1060, 1146, 1347, 1353.
pub fn plan_create_view(
    catalog: &CatalogSnapshot,
    view: &View,
    body: &ViewBody<'_>,
    alter: bool,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<CatalogChange, SqlError> {
    let change = CatalogChange::default();
    let mut planner = Planner { catalog, ids: &NoIds, facts, warnings, change };
    let name = TableName::resolve(&view.name, facts)?;
    planner.check_changeable(&name.schema)?;
    catalog.known_schema(&name.schema)?;
    let was = match catalog.relation(&name.schema, &name.name) {
        Some(Relation::Table(_)) if alter || view.or_replace => {
            return Err(wrong_object(&name, "VIEW"));
        }
        None if alter => return Err(SqlError::no_such_table(&name.schema, &name.name)),
        None => None,
        Some(Relation::View(was)) if alter || view.or_replace => Some(was),
        Some(_) if view.if_not_exists => {
            planner.warnings.note(SqlError::table_exists(&name.name));
            return Ok(planner.change);
        }
        Some(_) => return Err(SqlError::table_exists(&name.name)),
    };
    let named = !view.columns.is_empty();
    if named && view.columns.len() != body.columns.len() {
        return Err(SqlError::new(code::ER_VIEW_WRONG_LIST, &[]));
    }
    let names: Vec<&str> = if named {
        view.columns.iter().map(|column| column.as_str()).collect()
    } else {
        body.columns.to_vec()
    };
    for (at, one) in names.iter().enumerate() {
        crate::catalog::name::check_column_name(one)?;
        if names.iter().take(at).any(|other| same_name(other, one)) {
            return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[(*one).into()]));
        }
    }
    let (user, host) = facts.account;
    let definer = match &view.definer {
        Some(user) => definer_of(user, facts),
        None => (user.to_owned(), host.to_owned()),
    };
    let algorithm = match view.algorithm {
        None | Some(ViewAlgorithm::Undefined) => "UNDEFINED",
        Some(ViewAlgorithm::Merge) => "MERGE",
        Some(ViewAlgorithm::Temptable) => "TEMPTABLE",
    };
    let descriptor = ViewDescriptor {
        schema: name.schema.to_string(),
        name: name.name.to_string(),
        version: was.map_or(1, |was| was.version + 1),
        algorithm: algorithm.to_owned(),
        definer,
        invoker: view.security == Some(Security::Invoker),
        columns: view.columns.iter().map(|column| column.as_str().to_owned()).collect(),
        query: body.query.to_owned(),
        check: view.check.map(|check| {
            match check {
                ViewCheck::Cascaded => "CASCADED",
                ViewCheck::Local => "LOCAL",
            }
            .to_owned()
        }),
        charset_client: body.charset_client.to_owned(),
        collation_connection: body.collation_connection.to_owned(),
        created_micros: facts.now_micros,
    };
    planner.change.put_view(was, descriptor);
    Ok(planner.change)
}

fn definer_of(user: &firn_mysql_parser::ast::User, facts: &Facts<'_>) -> (String, String) {
    use firn_mysql_parser::ast::User;
    match user {
        User::Named { name, host } => {
            (name.to_string(), host.as_ref().map_or_else(|| "%".to_owned(), ToString::to_string))
        }
        User::Current => (facts.account.0.to_owned(), facts.account.1.to_owned()),
    }
}

impl Planner<'_> {
    pub(super) fn drop_views(&mut self, drop: &DropView) -> Result<(), SqlError> {
        let mut unknown = Vec::new();
        let mut names = Vec::new();
        for name in &drop.views {
            let name = TableName::resolve(name, self.facts)?;
            self.check_changeable(&name.schema)?;
            if names.contains(&name) {
                return Err(SqlError::new(code::ER_NONUNIQ_TABLE, &[(&*name.name).into()]));
            }
            match self.catalog.relation(&name.schema, &name.name) {
                Some(Relation::View(view)) => self.change.drop_view(view),
                Some(Relation::Table(_)) => return Err(wrong_object(&name, "VIEW")),
                None => unknown.push(name.to_string()),
            }
            names.push(name);
        }
        if unknown.is_empty() {
            return Ok(());
        }
        if !drop.if_exists {
            return Err(SqlError::bad_table(&unknown.join(",")));
        }
        for name in unknown {
            self.warnings.note(SqlError::bad_table(&name));
        }
        Ok(())
    }
}
