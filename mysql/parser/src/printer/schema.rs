//! Databases, views, tablespaces, servers, reference systems, resource groups.

use super::Printer;
use crate::ast::{
    AlterDatabase, AlterTablespace, CreateDatabase, CreateSrs, DatabaseOption, DropView, Literal,
    LogfileGroup, ResourceGroup, Security, ServerOption, SrsAttribute, Tablespace,
    TablespaceAction, TablespaceOption, User, View, ViewAlgorithm, ViewCheck,
};

impl Printer {
    pub(super) fn create_database(&mut self, create: &CreateDatabase) {
        self.word("CREATE DATABASE");
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.ident(&create.name);
        self.database_options(&create.options);
    }

    pub(super) fn alter_database(&mut self, alter: &AlterDatabase) {
        self.word("ALTER DATABASE");
        if let Some(name) = &alter.name {
            self.ident(name);
        }
        self.database_options(&alter.options);
    }

    fn database_options(&mut self, options: &[DatabaseOption]) {
        for option in options {
            match option {
                DatabaseOption::Charset(name) => self.set_ident("DEFAULT CHARACTER SET", name),
                DatabaseOption::Collate(name) => self.set_ident("DEFAULT COLLATE", name),
                DatabaseOption::Encryption(text) => {
                    self.word_string("DEFAULT ENCRYPTION =", Some(text));
                }
                DatabaseOption::ReadOnly(n) => self.set_or_default("READ ONLY", *n),
            }
        }
    }

    pub(super) fn definer(&mut self, definer: Option<&User>) {
        if let Some(definer) = definer {
            self.word("DEFINER =");
            self.user(definer);
        }
    }

    pub(super) fn security(&mut self, security: Security) {
        self.word(match security {
            Security::Definer => "SQL SECURITY DEFINER",
            Security::Invoker => "SQL SECURITY INVOKER",
        });
    }

    pub(super) fn view(&mut self, verb: &str, view: &View) {
        self.word(verb);
        self.word_if(view.or_replace, "OR REPLACE");
        self.word(match view.algorithm {
            None => "",
            Some(ViewAlgorithm::Undefined) => "ALGORITHM = UNDEFINED",
            Some(ViewAlgorithm::Merge) => "ALGORITHM = MERGE",
            Some(ViewAlgorithm::Temptable) => "ALGORITHM = TEMPTABLE",
        });
        self.definer(view.definer.as_ref());
        if let Some(security) = view.security {
            self.security(security);
        }
        self.word("VIEW");
        self.word_if(view.if_not_exists, "IF NOT EXISTS");
        self.object(&view.name);
        if !view.columns.is_empty() {
            self.idents(&view.columns);
        }
        self.word("AS");
        self.query(&view.query);
        self.word(match view.check {
            None => "",
            Some(ViewCheck::Cascaded) => "WITH CASCADED CHECK OPTION",
            Some(ViewCheck::Local) => "WITH LOCAL CHECK OPTION",
        });
    }

    pub(super) fn drop_view(&mut self, drop: &DropView) {
        self.word("DROP VIEW");
        self.word_if(drop.if_exists, "IF EXISTS");
        self.list(&drop.views, Self::object);
        self.cascade(drop.cascade);
    }

    pub(super) fn create_tablespace(&mut self, create: &Tablespace) {
        self.word("CREATE");
        self.word_if(create.undo, "UNDO");
        self.word("TABLESPACE");
        self.ident(&create.name);
        self.word_string("ADD DATAFILE", create.datafile.as_ref());
        if let Some(group) = &create.logfile_group {
            self.word("USE LOGFILE GROUP");
            self.ident(group);
        }
        self.tablespace_options(&create.options);
    }

    pub(super) fn alter_tablespace(&mut self, alter: &AlterTablespace) {
        self.word("ALTER");
        self.word_if(alter.undo, "UNDO");
        self.word("TABLESPACE");
        self.ident(&alter.name);
        match &alter.action {
            TablespaceAction::AddDatafile(file) => self.word_string("ADD DATAFILE", Some(file)),
            TablespaceAction::DropDatafile(file) => self.word_string("DROP DATAFILE", Some(file)),
            TablespaceAction::Rename(name) => {
                self.word("RENAME TO");
                self.ident(name);
            }
            TablespaceAction::Active => self.word("SET ACTIVE"),
            TablespaceAction::Inactive => self.word("SET INACTIVE"),
            TablespaceAction::Options => {}
        }
        self.tablespace_options(&alter.options);
    }

    pub(super) fn tablespace_options(&mut self, options: &[TablespaceOption]) {
        for option in options {
            match option {
                TablespaceOption::InitialSize(n) => self.set_number("INITIAL_SIZE", *n),
                TablespaceOption::AutoextendSize(n) => self.set_number("AUTOEXTEND_SIZE", *n),
                TablespaceOption::MaxSize(n) => self.set_number("MAX_SIZE", *n),
                TablespaceOption::ExtentSize(n) => self.set_number("EXTENT_SIZE", *n),
                TablespaceOption::UndoBufferSize(n) => self.set_number("UNDO_BUFFER_SIZE", *n),
                TablespaceOption::RedoBufferSize(n) => self.set_number("REDO_BUFFER_SIZE", *n),
                TablespaceOption::FileBlockSize(n) => self.set_number("FILE_BLOCK_SIZE", *n),
                TablespaceOption::NodeGroup(n) => self.set_number("NODEGROUP", *n),
                TablespaceOption::Engine(name) => self.set_ident("ENGINE", name),
                TablespaceOption::Wait(wait) => self.word(if *wait { "WAIT" } else { "NO_WAIT" }),
                TablespaceOption::Comment(text) => self.word_string("COMMENT =", Some(text)),
                TablespaceOption::Encryption(text) => self.word_string("ENCRYPTION =", Some(text)),
                TablespaceOption::EngineAttribute(text) => {
                    self.word_string("ENGINE_ATTRIBUTE =", Some(text));
                }
            }
        }
    }

    pub(super) fn logfile_group(&mut self, verb: &str, group: &LogfileGroup) {
        self.word(verb);
        self.word("LOGFILE GROUP");
        self.ident(&group.name);
        self.word_string("ADD UNDOFILE", Some(&group.undofile));
        self.tablespace_options(&group.options);
    }

    pub(super) fn server_options(&mut self, options: &[(ServerOption, Literal)]) {
        self.word("OPTIONS");
        self.paren_list(options, |p, (option, value)| {
            p.word(match option {
                ServerOption::Host => "HOST",
                ServerOption::Database => "DATABASE",
                ServerOption::User => "USER",
                ServerOption::Password => "PASSWORD",
                ServerOption::Socket => "SOCKET",
                ServerOption::Owner => "OWNER",
                ServerOption::Port => "PORT",
            });
            p.literal(value);
        });
    }

    pub(super) fn create_srs(&mut self, srs: &CreateSrs) {
        self.word("CREATE");
        self.word_if(srs.or_replace, "OR REPLACE");
        self.word("SPATIAL REFERENCE SYSTEM");
        self.word_if(srs.if_not_exists, "IF NOT EXISTS");
        self.number(srs.id);
        for attribute in &srs.attributes {
            match attribute {
                SrsAttribute::Name(text) => self.word_string("NAME", Some(text)),
                SrsAttribute::Definition(text) => self.word_string("DEFINITION", Some(text)),
                SrsAttribute::Organization { name, id } => {
                    self.word_string("ORGANIZATION", Some(name));
                    self.word("IDENTIFIED BY");
                    self.number(*id);
                }
                SrsAttribute::Description(text) => self.word_string("DESCRIPTION", Some(text)),
            }
        }
    }

    pub(super) fn resource_group(&mut self, create: bool, group: &ResourceGroup) {
        self.word(if create { "CREATE RESOURCE GROUP" } else { "ALTER RESOURCE GROUP" });
        self.ident(&group.name);
        if create {
            self.word(if group.system { "TYPE = SYSTEM" } else { "TYPE = USER" });
        }
        if !group.cpus.is_empty() {
            self.word("VCPU =");
            self.list(&group.cpus, |p, (first, last)| {
                p.number(*first);
                if last != first {
                    p.put(&format!("-{last}"));
                }
            });
        }
        if let Some(priority) = group.priority {
            self.word("THREAD_PRIORITY =");
            self.word(&priority.to_string());
        }
        match group.enable {
            None => {}
            Some(true) => self.word("ENABLE"),
            Some(false) => self.word("DISABLE"),
        }
        self.word_if(group.force, "FORCE");
    }
}
