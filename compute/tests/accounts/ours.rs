//! Our answers, as a server would give them.

use std::sync::Arc;

use firn_compute::accounts::{
    Access, AccountContext, AccountName, AccountStore, Accounts, Directory, Objects, RootLogin,
    Row, RowChange, StoreFuture,
};
use firn_mysql_parser::ast::{Show, StatementKind};
use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::error::{SqlError, Warnings};
use parking_lot::Mutex;

/// Rows in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<std::collections::BTreeMap<Vec<u8>, Vec<u8>>>);

impl AccountStore for MemoryStore {
    fn load(&self) -> StoreFuture<'_, Vec<Row>> {
        let rows = self.0.lock().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Box::pin(async move { Ok(rows) })
    }

    fn write(&self, rows: Vec<RowChange>) -> StoreFuture<'_, ()> {
        let mut all = self.0.lock();
        for (key, value) in rows {
            match value {
                Some(value) => all.insert(key, value),
                None => all.remove(&key),
            };
        }
        Box::pin(async { Ok(()) })
    }
}

/// What the script makes on the server.
struct Made;

impl Objects for Made {
    fn has_table(&self, database: &str, table: &str) -> bool {
        matches!((database, table), ("db3" | "db4", "t1") | ("db4", "t2"))
    }

    fn has_column(&self, database: &str, table: &str, column: &str) -> bool {
        self.has_table(database, table) && matches!((table, column), (_, "a") | ("t1", "b"))
    }

    fn has_routine(&self, procedure: bool, database: &str, name: &str) -> bool {
        matches!((procedure, database, name), (true, "db3" | "db4", "p") | (false, "db4", "f"))
    }
}

pub(crate) struct Ours {
    store: Arc<MemoryStore>,
    accounts: Accounts,
    access: Access,
    database: Option<String>,
}

impl Ours {
    pub(crate) async fn new() -> Ours {
        let store = Arc::new(MemoryStore::default());
        let accounts =
            Accounts::open(store.clone(), &RootLogin::Developer, 0).await.expect("opens");
        let root = AccountName::new("root", "localhost");
        let access = Access::new(&accounts.directory(), root, "localhost", false, false);
        Ours { store, accounts, access, database: None }
    }

    async fn run(&mut self, sql: &str, warnings: &mut Warnings) -> Result<Vec<String>, SqlError> {
        let parsed = Parser::new(Options::default()).parse(sql.as_bytes());
        let statement =
            parsed.map_err(|error| SqlError::with_message(error.code(), error.to_string()))?;
        let directory = self.accounts.directory();
        self.access.refresh(&directory);
        let access = self.access.clone();
        let mut cx = AccountContext {
            access: &access,
            database: self.database.as_deref(),
            objects: &Made,
            now_ms: 1_700_000_000_000,
            random: &|| Ok(7),
            random_password_chars: 20,
            require_current: false,
            password_history: 0,
            password_reuse_days: 0,
            warnings,
        };
        let accounts = &self.accounts;
        match statement.kind {
            StatementKind::CreateUser(create) => {
                accounts.change(|all| all.create_user(&create, &mut cx)).await?;
            }
            StatementKind::AlterUser(alter) => {
                accounts.change(|all| all.alter_user(&alter, &mut cx)).await?;
            }
            StatementKind::DropUser { if_exists, users } => {
                let drop =
                    |all: &mut Directory| all.drop_accounts(false, if_exists, &users, &mut cx);
                accounts.change(drop).await?;
            }
            StatementKind::DropRole { if_exists, roles } => {
                let drop =
                    |all: &mut Directory| all.drop_accounts(true, if_exists, &roles, &mut cx);
                accounts.change(drop).await?;
            }
            StatementKind::CreateRole { if_not_exists, roles } => {
                accounts.change(|all| all.create_roles(if_not_exists, &roles, &mut cx)).await?;
            }
            StatementKind::RenameUser(pairs) => {
                accounts.change(|all| all.rename_users(&pairs, &mut cx)).await?;
            }
            StatementKind::Grant(grant) => {
                accounts.change(|all| all.grant(&grant, &mut cx)).await?;
            }
            StatementKind::Revoke(revoke) => {
                accounts.change(|all| all.revoke(&revoke, &mut cx)).await?;
            }
            StatementKind::SetPassword(set) => {
                accounts.change(|all| all.set_password(&set, &mut cx)).await?;
            }
            StatementKind::SetDefaultRole { roles, users } => {
                accounts.change(|all| all.set_default_role(&roles, &users, &mut cx)).await?;
            }
            StatementKind::SetRole(set) => self.access.set_role(&directory, &set)?,
            StatementKind::Use(name) => self.database = Some(name.as_str().to_owned()),
            StatementKind::Show(show) => match *show {
                Show::Grants { user, using } => {
                    return directory.show_grants(user.as_ref(), &using, &access);
                }
                Show::CreateUser(user) => {
                    return Ok(vec![directory.show_create_user(&user, false, &access)?]);
                }
                other => panic!("{other:?}"),
            },
            // What is there for privileges is known beforehand.
            _ => {}
        }
        // What was stored has to be the same when it is read again.
        let again = Accounts::open(self.store.clone(), &RootLogin::Developer, 0).await?;
        let (stored, now) = (again.directory(), self.accounts.directory());
        assert!(stored.iter().eq(now.iter()), "{sql}: {stored:?}");
        Ok(Vec::new())
    }

    pub(crate) async fn answer(&mut self, sql: &str) -> String {
        let mut warnings = Warnings::default();
        let rows = match self.run(sql, &mut warnings).await {
            Ok(rows) => rows,
            Err(error) => return format!("error {} {}", error.number(), error.message()),
        };
        let warning = |one: &firn_mysql_semantics::error::Condition| {
            format!("{} {} {}", one.level.name(), one.error.number(), one.error.message())
        };
        let mut parts: Vec<String> = warnings.kept().iter().map(warning).collect();
        parts.extend(rows);
        if parts.is_empty() { "ok".to_owned() } else { parts.join("\n") }
    }
}
