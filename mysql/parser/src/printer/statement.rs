//! Which statement it is.

use super::Printer;
use crate::ast::{PrepareSource, PurgeLogs, Statement, StatementKind};

impl Printer {
    pub(super) fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Query(query) => self.query(query),
            StatementKind::Insert(insert) => self.insert(insert),
            StatementKind::Update(update) => self.update(update),
            StatementKind::Delete(delete) => self.delete(delete),
            StatementKind::Call(call) => {
                self.word("CALL");
                self.object(&call.name);
                self.paren_list(&call.args, Self::expr);
            }
            StatementKind::Do(exprs) => {
                self.word("DO");
                self.exprs(exprs);
            }
            StatementKind::Handler(handler) => self.handler(handler),
            StatementKind::Load(load) => self.load(load),
            StatementKind::ImportTable(files) => {
                self.word("IMPORT TABLE FROM");
                self.list(files, |p, file| p.string(file.as_bytes()));
            }
            StatementKind::Explain(explain) => self.explain(explain),
            StatementKind::Describe(describe) => self.describe(describe),
            StatementKind::Use(name) => self.verb_ident("USE", name),
            StatementKind::Help(topic) => self.word_string("HELP", Some(topic)),
            kind => self.definition(kind),
        }
    }

    /// CREATE, ALTER, DROP of anything but accounts.
    fn definition(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::CreateTable(create) => self.create_table(create),
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::DropTable(drop) => self.drop_table(drop),
            StatementKind::TruncateTable(name) => self.verb_object("TRUNCATE TABLE", name),
            StatementKind::RenameTable(pairs) => {
                self.word("RENAME TABLE");
                self.list(pairs, |p, (from, to)| {
                    p.object(from);
                    p.verb_object("TO", to);
                });
            }
            StatementKind::CreateIndex(create) => self.create_index(create),
            StatementKind::DropIndex(drop) => self.drop_index(drop),
            StatementKind::CreateDatabase(create) => self.create_database(create),
            StatementKind::AlterDatabase(alter) => self.alter_database(alter),
            StatementKind::DropDatabase { if_exists, name } => {
                self.drop_verb("DATABASE", *if_exists);
                self.ident(name);
            }
            StatementKind::CreateView(view) => self.view("CREATE", view),
            StatementKind::AlterView(view) => self.view("ALTER", view),
            StatementKind::DropView(drop) => self.drop_view(drop),
            StatementKind::CreateTablespace(create) => self.create_tablespace(create),
            StatementKind::AlterTablespace(alter) => self.alter_tablespace(alter),
            StatementKind::DropTablespace { undo, name, options } => {
                self.word("DROP");
                self.word_if(*undo, "UNDO");
                self.verb_ident("TABLESPACE", name);
                self.tablespace_options(options);
            }
            StatementKind::CreateLogfileGroup(group) => self.logfile_group("CREATE", group),
            StatementKind::AlterLogfileGroup(group) => self.logfile_group("ALTER", group),
            StatementKind::DropLogfileGroup { name, options } => {
                self.verb_ident("DROP LOGFILE GROUP", name);
                self.tablespace_options(options);
            }
            StatementKind::CreateServer { name, wrapper, options } => {
                self.verb_ident("CREATE SERVER", name);
                self.verb_ident("FOREIGN DATA WRAPPER", wrapper);
                self.server_options(options);
            }
            StatementKind::AlterServer { name, options } => {
                self.verb_ident("ALTER SERVER", name);
                self.server_options(options);
            }
            StatementKind::DropServer { if_exists, name } => {
                self.drop_verb("SERVER", *if_exists);
                self.ident(name);
            }
            StatementKind::CreateSrs(srs) => self.create_srs(srs),
            StatementKind::DropSrs { if_exists, id } => {
                self.drop_verb("SPATIAL REFERENCE SYSTEM", *if_exists);
                self.number(*id);
            }
            StatementKind::CreateResourceGroup(group) => self.resource_group(true, group),
            StatementKind::AlterResourceGroup(group) => self.resource_group(false, group),
            StatementKind::DropResourceGroup { name, force } => {
                self.verb_ident("DROP RESOURCE GROUP", name);
                self.word_if(*force, "FORCE");
            }
            StatementKind::CreateRoutine(create) => self.create_routine(create),
            StatementKind::CreateLoadable(create) => self.create_loadable(create),
            StatementKind::AlterRoutine(alter) => {
                self.word("ALTER");
                self.routine_kind(alter.kind);
                self.object(&alter.name);
                self.characteristics(&alter.characteristics);
            }
            StatementKind::DropRoutine { kind, if_exists, name } => {
                self.word("DROP");
                self.routine_kind(*kind);
                self.word_if(*if_exists, "IF EXISTS");
                self.object(name);
            }
            StatementKind::CreateTrigger(create) => self.create_trigger(create),
            StatementKind::DropTrigger { if_exists, name } => {
                self.drop_verb("TRIGGER", *if_exists);
                self.object(name);
            }
            StatementKind::CreateEvent(create) => self.create_event(create),
            StatementKind::AlterEvent(alter) => self.alter_event(alter),
            StatementKind::DropEvent { if_exists, name } => {
                self.drop_verb("EVENT", *if_exists);
                self.object(name);
            }
            kind => self.account_statement(kind),
        }
    }

    fn verb_object(&mut self, verb: &str, name: &crate::ast::ObjectName) {
        self.word(verb);
        self.object(name);
    }

    fn drop_verb(&mut self, what: &str, if_exists: bool) {
        self.word("DROP");
        self.word(what);
        self.word_if(if_exists, "IF EXISTS");
    }

    fn account_statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::CreateUser(create) => self.create_user(create),
            StatementKind::AlterUser(alter) => self.alter_user(alter),
            StatementKind::DropUser { if_exists, users } => {
                self.drop_verb("USER", *if_exists);
                self.users(users);
            }
            StatementKind::RenameUser(pairs) => {
                self.word("RENAME USER");
                self.list(pairs, |p, (from, to)| {
                    p.user(from);
                    p.word("TO");
                    p.user(to);
                });
            }
            StatementKind::CreateRole { if_not_exists, roles } => {
                self.word("CREATE ROLE");
                self.word_if(*if_not_exists, "IF NOT EXISTS");
                self.users(roles);
            }
            StatementKind::DropRole { if_exists, roles } => {
                self.drop_verb("ROLE", *if_exists);
                self.users(roles);
            }
            StatementKind::Grant(grant) => self.grant(grant),
            StatementKind::Revoke(revoke) => self.revoke(revoke),
            kind => self.session_statement(kind),
        }
    }

    fn session_statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::Set(items) => {
                self.word("SET");
                self.set_items(items);
            }
            StatementKind::SetNames(names) => self.set_names("SET NAMES", names),
            StatementKind::SetCharacterSet(names) => self.set_names("SET CHARACTER SET", names),
            StatementKind::SetPassword(set) => {
                self.word("SET");
                self.set_password(set);
            }
            StatementKind::SetTransaction { scope, characteristics } => {
                self.word("SET");
                self.word(scope.map_or("", |scope| scope.as_str()));
                self.word("TRANSACTION");
                self.characteristics_of(*characteristics);
            }
            StatementKind::SetRole(roles) => {
                self.word("SET ROLE");
                self.roles(roles);
            }
            StatementKind::SetDefaultRole { roles, users } => {
                self.word("SET DEFAULT ROLE");
                self.roles(roles);
                self.word("TO");
                self.users(users);
            }
            StatementKind::SetResourceGroup { name, threads } => {
                self.verb_ident("SET RESOURCE GROUP", name);
                self.word_if(!threads.is_empty(), "FOR");
                self.list(threads, |p, thread| p.number(*thread));
            }
            StatementKind::Begin(begin) => self.begin(*begin),
            StatementKind::Commit(completion) => self.completion("COMMIT", *completion),
            StatementKind::Rollback(completion) => self.completion("ROLLBACK", *completion),
            StatementKind::Savepoint(name) => self.verb_ident("SAVEPOINT", name),
            StatementKind::RollbackTo(name) => self.verb_ident("ROLLBACK TO SAVEPOINT", name),
            StatementKind::ReleaseSavepoint(name) => self.verb_ident("RELEASE SAVEPOINT", name),
            StatementKind::LockTables(tables) => self.lock_tables(tables),
            StatementKind::UnlockTables => self.word("UNLOCK TABLES"),
            StatementKind::LockInstance => self.word("LOCK INSTANCE FOR BACKUP"),
            StatementKind::UnlockInstance => self.word("UNLOCK INSTANCE"),
            StatementKind::Xa(xa) => self.xa(xa),
            StatementKind::Prepare { name, source } => {
                self.verb_ident("PREPARE", name);
                match source {
                    PrepareSource::Text(text) => self.word_string("FROM", Some(text)),
                    PrepareSource::Variable(variable) => {
                        self.word("FROM");
                        self.user_variable(&variable.text);
                    }
                }
            }
            StatementKind::Execute { name, using } => {
                self.verb_ident("EXECUTE", name);
                self.word_if(!using.is_empty(), "USING");
                self.list(using, |p, variable| p.user_variable(&variable.text));
            }
            StatementKind::Deallocate(name) => self.verb_ident("DEALLOCATE PREPARE", name),
            StatementKind::Signal(signal) => self.signal("SIGNAL", signal),
            StatementKind::Resignal(signal) => self.signal("RESIGNAL", signal),
            StatementKind::GetDiagnostics(get) => self.get_diagnostics(get),
            kind => self.admin_statement(kind),
        }
    }

    fn admin_statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::Show(show) => self.show(show),
            StatementKind::AnalyzeTable(analyze) => self.analyze(analyze),
            StatementKind::CheckTable(check) => {
                self.tables_of("CHECK", false, &check.tables);
                self.check_options(&check.options);
            }
            StatementKind::ChecksumTable { tables, option } => self.checksum(tables, *option),
            StatementKind::OptimizeTable { no_write_to_binlog, tables } => {
                self.tables_of("OPTIMIZE", *no_write_to_binlog, tables);
            }
            StatementKind::RepairTable(repair) => {
                self.tables_of("REPAIR", repair.no_write_to_binlog, &repair.tables);
                self.repair_options(&repair.options);
            }
            StatementKind::CacheIndex(cache) => {
                self.word("CACHE INDEX");
                self.key_cache_tables(&cache.tables);
                self.word("IN");
                match &cache.cache {
                    Some(cache) => self.ident(cache),
                    None => self.word("DEFAULT"),
                }
            }
            StatementKind::LoadIndex(tables) => {
                self.word("LOAD INDEX INTO CACHE");
                self.key_cache_tables(tables);
            }
            StatementKind::Flush { no_write_to_binlog, what } => {
                self.flush(*no_write_to_binlog, what);
            }
            StatementKind::Reset(resets) => self.reset(resets),
            StatementKind::ResetPersist { if_exists, name } => {
                self.word("RESET PERSIST");
                self.word_if(*if_exists, "IF EXISTS");
                if let Some(name) = name {
                    self.object(name);
                }
            }
            StatementKind::Kill { query, id } => {
                self.word("KILL");
                self.word_if(*query, "QUERY");
                self.expr(id);
            }
            StatementKind::Shutdown => self.word("SHUTDOWN"),
            StatementKind::Restart => self.word("RESTART"),
            StatementKind::AlterInstance(alter) => self.alter_instance(alter),
            StatementKind::Clone(clone) => self.clone_statement(clone),
            StatementKind::InstallPlugin { name, library } => {
                self.verb_ident("INSTALL PLUGIN", name);
                self.word_string("SONAME", Some(library));
            }
            StatementKind::UninstallPlugin(name) => self.verb_ident("UNINSTALL PLUGIN", name),
            StatementKind::InstallComponent { names, set } => {
                self.word("INSTALL COMPONENT");
                self.list(names, |p, name| p.string(name.as_bytes()));
                self.word_if(!set.is_empty(), "SET");
                self.set_items(set);
            }
            StatementKind::UninstallComponent(names) => {
                self.word("UNINSTALL COMPONENT");
                self.list(names, |p, name| p.string(name.as_bytes()));
            }
            StatementKind::Binlog(text) => self.word_string("BINLOG", Some(text)),
            kind => self.replication_statement(kind),
        }
    }

    fn replication_statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::ChangeReplicationSource(change) => self.change_source(change),
            StatementKind::ChangeReplicationFilter(change) => self.change_filter(change),
            StatementKind::StartReplica(start) => self.start_replica(start),
            StatementKind::StopReplica { threads, channel } => {
                self.word("STOP REPLICA");
                self.threads(threads);
                self.channel(channel.as_ref());
            }
            StatementKind::StartGroupReplication(credentials) => {
                self.word("START GROUP_REPLICATION");
                self.list(credentials, Self::credential);
            }
            StatementKind::StopGroupReplication => self.word("STOP GROUP_REPLICATION"),
            StatementKind::PurgeLogs(PurgeLogs::To(file)) => {
                self.word_string("PURGE BINARY LOGS TO", Some(file));
            }
            StatementKind::PurgeLogs(PurgeLogs::Before(expr)) => {
                self.word("PURGE BINARY LOGS BEFORE");
                self.expr(expr);
            }
            kind => self.program_statement(kind),
        }
    }
}
