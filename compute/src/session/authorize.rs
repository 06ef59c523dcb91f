//! What statements need that do not read or change rows, before they run. Those that do
//! are checked when their names are bound: see [`Uses`](crate::bind::Uses).

use firn_mysql_parser::ast::{self, Flush, FlushLock, FlushOption, Show, StatementKind as S};
use firn_mysql_semantics::error::{SqlError, code};

use super::Session;
use crate::accounts::{Access, Command, Privileges as P};
use crate::catalog::Relation;

type Result<T> = std::result::Result<T, SqlError>;

/// What is listed last behind "or", as MySQL has it of newer privileges.
fn need_or(access: &Access, first: &str, second: &str) -> Result<()> {
    if access.has_any(&[first, second]) {
        return Ok(());
    }
    let both = format!("{first} or {second}");
    Err(SqlError::new(code::ER_SPECIFIC_ACCESS_DENIED_ERROR, &[(&both).into()]))
}

impl Session {
    /// Whether the session may run a statement.
    ///
    /// # Errors
    /// 1044, 1045, 1142, 1227; 1046 for names without a database.
    pub(crate) fn authorize(&self, kind: &S) -> Result<()> {
        let access = self.access();
        match kind {
            S::Query(query) => match query.into.as_deref() {
                Some(ast::IntoClause::Outfile { .. } | ast::IntoClause::Dumpfile(_)) => {
                    access.check_any(&["FILE"])
                }
                _ => Ok(()),
            },
            S::Insert(_) | S::Update(_) | S::Delete(_) => Ok(()),
            S::Load(load) => {
                if !load.local && !access.has(P::FILE) {
                    return Err(access.denied());
                }
                self.need(&load.table, P::INSERT)
            }

            S::CreateTable(_)
            | S::AlterTable(_)
            | S::DropTable(_)
            | S::TruncateTable(_)
            | S::RenameTable(_)
            | S::CreateIndex(_)
            | S::DropIndex(_)
            | S::CreateView(_)
            | S::AlterView(_)
            | S::DropView(_)
                if access.may_all() && !has_definer(kind) =>
            {
                Ok(())
            }
            S::CreateTable(create) => self.may_create_table(create),
            S::AlterTable(alter) => self.may_alter_table(alter),
            S::DropTable(drop) if drop.temporary => Ok(()),
            S::DropTable(drop) => drop.tables.iter().try_for_each(|name| self.need(name, P::DROP)),
            S::TruncateTable(name) if self.is_host_cache(name) => {
                access.check_table(P::DROP, "performance_schema", "host_cache")
            }
            S::TruncateTable(name) => self.need(name, P::DROP),
            S::RenameTable(pairs) => pairs.iter().try_for_each(|(from, to)| {
                self.need(from, P::ALTER.with(P::DROP))?;
                self.need(to, P::CREATE.with(P::INSERT))
            }),
            S::CreateIndex(create) => self.need(&create.table, P::INDEX),
            S::DropIndex(drop) => self.need(&drop.table, P::INDEX),
            S::CreateDatabase(create) => access.check_database(P::CREATE, create.name.as_str()),
            S::AlterDatabase(alter) => match &alter.name {
                Some(name) => access.check_database(P::ALTER, name.as_str()),
                None => match self.values.variables.database() {
                    Some(name) => access.check_database(P::ALTER, name),
                    None => Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
                },
            },
            S::DropDatabase { name, .. } => access.check_database(P::DROP, name.as_str()),
            S::CreateView(view) => self.may_create_view(view, view.or_replace),
            S::AlterView(view) => self.may_create_view(view, true),
            S::DropView(drop) => drop.views.iter().try_for_each(|name| self.need(name, P::DROP)),

            S::LockTables(list) => {
                list.iter().try_for_each(|lock| self.may_lock_table(&lock.table))
            }
            S::Flush { what, .. } => self.may_flush(what),
            S::AnalyzeTable(analyze) => self.need_all(&analyze.tables, P::SELECT.with(P::INSERT)),
            S::OptimizeTable { tables, .. } => self.need_all(tables, P::SELECT.with(P::INSERT)),
            S::RepairTable(repair) => self.need_all(&repair.tables, P::SELECT.with(P::INSERT)),
            S::CheckTable(check) => self.need_all(&check.tables, P::SELECT),
            S::ChecksumTable { tables, .. } => self.need_all(tables, P::SELECT),
            S::Show(show) => self.may_show(show),
            S::StartReplica(_) | S::StopReplica { .. } => {
                access.check_any(&["SUPER", "REPLICATION_SLAVE_ADMIN"])
            }
            S::Reset(_) => access.check_any(&["RELOAD"]),
            S::Shutdown | S::Restart => access.check_any(&["SHUTDOWN"]),
            _ => Ok(()),
        }
    }

    /// The list of hosts that tools empty where they used to flush it.
    pub(crate) fn is_host_cache(&self, name: &ast::ObjectName) -> bool {
        let full = self.full_name(name);
        full.is_ok_and(|(schema, table)| {
            schema.eq_ignore_ascii_case("performance_schema")
                && table.eq_ignore_ascii_case("host_cache")
        })
    }

    fn need(&self, name: &ast::ObjectName, privileges: P) -> Result<()> {
        let (schema, table) = self.full_name(name)?;
        self.need_on(&schema, &table, privileges)
    }

    fn need_on(&self, schema: &str, table: &str, privileges: P) -> Result<()> {
        // With its own tables a session may do everything.
        if self.temporary.named(schema, table).is_some() {
            return Ok(());
        }
        // Nobody changes what is not stored, whatever was granted.
        match crate::information_schema::schema(schema) {
            Some("mysql") | None => self.access().check_table(privileges, schema, table),
            Some(_) if P::SELECT.has(privileges) => Ok(()),
            Some(_) => Err(self.access().database_denied(schema)),
        }
    }

    fn need_all(&self, names: &[ast::ObjectName], privileges: P) -> Result<()> {
        names.iter().try_for_each(|name| self.need(name, privileges))
    }

    fn may_create_table(&self, create: &ast::CreateTable) -> Result<()> {
        let (schema, table) = self.full_name(&create.name)?;
        if create.temporary {
            self.access().check_database(P::CREATE_TEMPORARY_TABLES, &schema)?;
        } else if create.query.is_some() {
            self.need_on(&schema, &table, P::CREATE.with(P::INSERT))?;
        } else {
            self.need_on(&schema, &table, P::CREATE)?;
        }
        if let Some(like) = &create.like {
            self.need(like, P::SELECT)?;
        }
        create.elements.iter().try_for_each(|element| self.may_refer_in(element, &schema))
    }

    fn may_refer_in(&self, element: &ast::TableElement, schema: &str) -> Result<()> {
        match element {
            ast::TableElement::ForeignKey(key) => self.may_refer(&key.references, schema),
            ast::TableElement::Column(column) => self.may_refer_from(column, schema),
            ast::TableElement::Index(_) | ast::TableElement::Check(_) => Ok(()),
        }
    }

    fn may_refer_from(&self, column: &ast::ColumnDef, schema: &str) -> Result<()> {
        column.attributes.iter().try_for_each(|one| match one {
            ast::ColumnAttribute::References(references) => self.may_refer(references, schema),
            _ => Ok(()),
        })
    }

    /// REFERENCES, on the table or on its columns.
    fn may_refer(&self, references: &ast::References, schema: &str) -> Result<()> {
        let schema = references.table.schema.as_ref().map_or(schema, |name| name.as_str());
        let table = references.table.name.as_str();
        let access = self.access();
        let columns = references.columns.iter().map(|name| name.as_str().to_lowercase());
        let columns: Vec<String> = columns.collect();
        let columns = columns.iter().map(String::as_str);
        let any = access.check_columns(P::REFERENCES, schema, table, columns);
        any.map_err(|_| access.table_denied(P::REFERENCES, &format!("{schema}.{table}")))
    }

    fn may_alter_table(&self, alter: &ast::AlterTable) -> Result<()> {
        use ast::AlterAction as A;
        let (schema, table) = self.full_name(&alter.name)?;
        let renamed = alter.actions.iter().find_map(|action| match action {
            A::Rename(name) => Some(name),
            _ => None,
        });
        let own = if renamed.is_some() { P::ALTER.with(P::DROP) } else { P::ALTER };
        self.need_on(&schema, &table, own)?;
        if let Some(name) = renamed {
            let schema = name.schema.as_ref().map_or(schema.as_str(), |name| name.as_str());
            self.need_on(schema, name.name.as_str(), P::CREATE.with(P::INSERT))?;
        }
        alter.actions.iter().try_for_each(|action| match action {
            A::Add(element) => self.may_refer_in(element, &schema),
            A::AddElements(list) => {
                list.iter().try_for_each(|element| self.may_refer_in(element, &schema))
            }
            A::AddColumn { column, .. } | A::Change { column, .. } | A::Modify { column, .. } => {
                self.may_refer_from(column, &schema)
            }
            _ => Ok(()),
        })
    }

    fn may_create_view(&self, view: &ast::View, replaces: bool) -> Result<()> {
        let access = self.access();
        if let Some(ast::User::Named { name, host }) = &view.definer {
            let own = access.account();
            let host = host.as_deref().unwrap_or("%");
            if **name != *own.user || !host.eq_ignore_ascii_case(&own.host) {
                need_or(access, "SUPER", "SET_ANY_DEFINER")?;
            }
        }
        let need = if replaces { P::CREATE_VIEW.with(P::DROP) } else { P::CREATE_VIEW };
        self.need(&view.name, need)
    }

    fn may_lock_table(&self, name: &ast::ObjectName) -> Result<()> {
        let (schema, table) = self.full_name(name)?;
        if crate::information_schema::schema(&schema).is_some() {
            return Ok(());
        }
        self.access().check_database(P::LOCK_TABLES, &schema)?;
        self.access().check_command(Command::READ, &schema, &table)
    }

    fn may_flush(&self, what: &Flush) -> Result<()> {
        let access = self.access();
        match what {
            Flush::Tables { tables, lock } => {
                need_or(access, "RELOAD", "FLUSH_TABLES")?;
                match lock {
                    FlushLock::None => Ok(()),
                    _ => tables.iter().try_for_each(|name| self.may_lock_table(name)),
                }
            }
            Flush::Options(options) => options.iter().try_for_each(|option| match option {
                FlushOption::Privileges => need_or(access, "RELOAD", "FLUSH_PRIVILEGES"),
                FlushOption::Status => need_or(access, "RELOAD", "FLUSH_STATUS"),
                FlushOption::UserResources => need_or(access, "RELOAD", "FLUSH_USER_RESOURCES"),
                FlushOption::OptimizerCosts => need_or(access, "RELOAD", "FLUSH_OPTIMIZER_COSTS"),
                _ => access.check_any(&["RELOAD"]),
            }),
        }
    }

    fn may_show(&self, show: &Show) -> Result<()> {
        let access = self.access();
        match show {
            Show::Columns { table, .. } | Show::Index { table, .. } => self.may_describe(table),
            Show::Create(what, name) => self.may_show_create(*what, name),
            Show::CreateDatabase { name, .. } => {
                let name = name.as_str();
                let account = access.account();
                // Here MySQL tells where the client is, not the account's host.
                let denied =
                    |_| SqlError::database_access_denied(&account.user, access.host(), name);
                access.check_use(name).map_err(denied)
            }
            Show::Events { schema: Some(schema), .. } => {
                access.check_database(P::EVENT, schema.as_str())
            }
            Show::Engine { .. } => access.check_any(&["PROCESS"]),
            Show::BinaryLogs | Show::BinaryLogStatus | Show::ReplicaStatus(_) => {
                access.check_any(&["SUPER", "REPLICATION CLIENT"])
            }
            Show::Replicas | Show::BinlogEvents { .. } | Show::RelaylogEvents { .. } => {
                access.check_any(&["REPLICATION SLAVE"])
            }
            _ => Ok(()),
        }
    }

    fn may_show_create(&self, what: ast::ShowCreate, name: &ast::ObjectName) -> Result<()> {
        let access = self.access();
        if access.may_all() {
            return Ok(());
        }
        let (schema, table) = self.full_name(name)?;
        if self.temporary.named(&schema, &table).is_some() {
            return Ok(());
        }
        let open = crate::information_schema::is_open(&schema);
        match what {
            ast::ShowCreate::Table if open => return Ok(()),
            ast::ShowCreate::Table => {
                if !access.on_table(&schema, &table).has_any(P::TABLE) {
                    return Err(access.table_denied_to("SHOW", &table));
                }
            }
            ast::ShowCreate::View => access.check_command(Command::READ, &schema, &table)?,
            _ => return Ok(()),
        }
        let catalog = self.server.catalog.snapshot();
        match catalog.relation(&schema, &table) {
            Some(Relation::View(_)) => access.check_table(P::SHOW_VIEW, &schema, &table),
            _ => Ok(()),
        }
    }

    /// Something on the table or on one of its columns.
    ///
    /// # Errors
    /// 1142.
    pub(super) fn may_describe(&self, name: &ast::ObjectName) -> Result<()> {
        let access = self.access();
        let (schema, table) = self.full_name(name)?;
        let own = || self.temporary.named(&schema, &table).is_some();
        if access.may_all() || crate::information_schema::is_open(&schema) || own() {
            return Ok(());
        }
        access.check_any_on_table(P::SELECT, &schema, &table)
    }
}

/// A definer may be somebody else, which is another privilege.
fn has_definer(kind: &S) -> bool {
    matches!(kind, S::CreateView(view) | S::AlterView(view) if view.definer.is_some())
}
