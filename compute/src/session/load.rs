//! LOAD DATA: the file comes piece by piece, from the client with LOCAL, else from where
//! `secure_file_priv` allows the server to read.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::result::{LocalInfile, Response};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Session as _};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, Value};

use super::Session;
use super::relations::CatalogRelations;
use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::transaction::Unit;
use crate::bind::BoundLoad;
use crate::execute::{Format, Load, LoadPlan, LoadStep, Reading, View};
use crate::server::FileReading;
use crate::txn::LockMode;
use crate::variables::{SqlMode, id};

/// How often a statement is planned again because a table changed meanwhile.
const REPLANS_MAX: u32 = 20;

/// Where the file comes from.
enum Source<'r, 'b> {
    Client(LocalInfile<'r, 'b>),
    Server(FileReading),
}

impl Source<'_, '_> {
    /// Adds the next piece; `false` at the end.
    async fn push_next(&mut self, run: &mut Load<'_>) -> Result<bool, Ended> {
        match self {
            Self::Client(file) => match file.next().await? {
                Some(part) => run.push(&part),
                None => return Ok(false),
            },
            Self::Server(file) => match file.next().await? {
                Some(part) => run.push(&part),
                None => return Ok(false),
            },
        }
        Ok(true)
    }
}

impl Session {
    /// LOAD DATA
    pub(crate) async fn load(
        &mut self,
        sql: &[u8],
        load: &ast::Load,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.refuse_in_read_only()?;
        if load.local && !self.server.globals.get(id::local_infile).as_bool() {
            return Err(SqlError::new(code::ER_CLIENT_LOCAL_FILES_DISABLED, &[]).into());
        }
        if load.xml || load.algorithm_bulk || load.source != ast::LoadSource::Infile {
            return Err(SqlError::not_supported_yet("LOAD XML and bulk loads").into());
        }
        let mut unit = self.unit();
        let result = self.load_in(sql, load, arguments, &mut unit, response).await;
        self.end_unit(unit, result).await
    }

    async fn load_in(
        &mut self,
        sql: &[u8],
        load: &ast::Load,
        arguments: &Arguments,
        unit: &mut Unit,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let charset = match &load.charset {
            Some(name) => Charset::by_name(name.as_str()).ok_or_else(|| {
                SqlError::new(code::ER_UNKNOWN_CHARACTER_SET, &[name.as_str().into()])
            })?,
            None => {
                let name = self.values.system_variable("character_set_database");
                let name = match &name {
                    Some((Value::Bytes(name), _)) => std::str::from_utf8(name).ok(),
                    _ => None,
                };
                name.and_then(Charset::by_name).unwrap_or_else(Charset::utf8mb4)
            }
        };
        charset.supported().map_err(|why| SqlError::not_supported_yet(&why.to_string()))?;
        if charset.min_bytes() > 1 {
            let text = format!("LOAD DATA of files in {}", charset.name());
            return Err(SqlError::not_supported_yet(&text).into());
        }
        let backslash = !self.values.variables.hot().sql_mode.has(SqlMode::NO_BACKSLASH_ESCAPES);
        let format = Format::new(&load.format, backslash)
            .map_err(|_| SqlError::new(code::ER_WRONG_FIELD_TERMINATORS, &[]))?;
        if format.is_fixed() {
            return Err(SqlError::not_supported_yet("fields of fixed lengths").into());
        }
        let collation = CollationId(charset.default_collation().id());
        let ignore = load.local || load.duplicates == Some(ast::Duplicates::Ignore);
        // What SET finds in variables that fields go to are texts.
        let text = SqlType::varchar(255, collation, Derivation::Implicit);
        for column in &load.columns {
            if let ast::LoadColumn::Variable(name) = column {
                let name = name.as_str().to_lowercase();
                self.values.set_user_variable(&name, Value::Null, text);
            }
        }
        let mut plan = None;
        for _ in 0..REPLANS_MAX {
            let bound = self.bind(sql, &arguments.types, |statement| {
                BoundLoad::bind(statement, load, ignore)
            })?;
            let one = LoadPlan::new(bound, collation, format.clone(), load.skip)?;
            let tables = self.changed(vec![Arc::clone(&one.insert().table)])?;
            if self.lock_tables(unit, &tables).await? {
                plan = Some(one);
                break;
            }
        }
        let Some(plan) = plan else {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        };
        for warning in &plan.insert().warnings {
            self.warnings.warn(warning.clone());
        }
        let opened = match load.local {
            true => None,
            false => {
                let (files, name) = (&self.server.files, load.file.as_str());
                let path = files.path(name, self.values.variables.database());
                Some(files.read(&self.server.env, path).await?)
            }
        };
        let zone = self.values.variables.zone().clone();
        let storing = self.storing(&zone, ignore, false);
        let settings = Arc::clone(&self.settings);
        let wait = self.lock_wait();
        let reading = Reading::Locking(LockMode::Exclusive);
        let relations = CatalogRelations::new(self);
        let mut view = View::new(&mut unit.transaction, reading, wait).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let mut source = match opened {
            Some(file) => Source::Server(file),
            None => Source::Client(response.local_infile(load.file.as_bytes()).await?),
        };
        let mut run = Load::new(&plan, &storing);
        let taken = take_all(&mut run, &mut source, &mut view, &mut cx).await;
        // The client is told only when all of its file was read.
        if let Source::Client(mut file) = source {
            file.skip().await?;
        }
        taken?;
        let done = run.done();
        self.values.check_assignments()?;
        let deleted = done.deleted;
        let skipped = done.records.saturating_sub(done.copied);
        if let Some(id) = done.first_id() {
            self.values.variables.facts.last_insert_id = id;
        }
        let affected = done.affected(false);
        self.values.row_count = affected.cast_signed();
        let info = format!(
            "Records: {}  Deleted: {deleted}  Skipped: {skipped}  Warnings: {}",
            done.records,
            self.warnings.total()
        );
        let last_insert_id = done.told_id();
        Ok(Done { affected, last_insert_id, info, ..Done::default() }.into())
    }
}

async fn take_all(
    run: &mut Load<'_>,
    source: &mut Source<'_, '_>,
    view: &mut View<'_>,
    cx: &mut Cx<'_>,
) -> Result<(), Ended> {
    loop {
        match run.step(view, cx).await? {
            LoadStep::Line => {}
            LoadStep::End => return Ok(()),
            LoadStep::More => {
                // A long line is looked at again only when there is twice as much of it.
                let wanted = run.waiting() * 2;
                loop {
                    if !source.push_next(run).await? {
                        run.complete();
                        break;
                    }
                    if run.waiting() >= wanted {
                        break;
                    }
                }
            }
        }
    }
}
