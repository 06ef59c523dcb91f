//! Stored programs.

use super::Printer;
use super::expr::unit;
use crate::ast::{
    AlterEvent, Characteristic, CreateEvent, CreateLoadable, CreateRoutine, CreateTrigger,
    EventStatus, LoadableType, ParameterMode, RoutineBody, RoutineKind, Schedule, TriggerEvent,
};

impl Printer {
    pub(super) fn routine_kind(&mut self, kind: RoutineKind) {
        self.word(match kind {
            RoutineKind::Procedure => "PROCEDURE",
            RoutineKind::Function => "FUNCTION",
        });
    }

    pub(super) fn create_routine(&mut self, create: &CreateRoutine) {
        self.word("CREATE");
        self.definer(create.definer.as_ref());
        self.routine_kind(create.kind);
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.object(&create.name);
        self.paren_list(&create.params, |p, param| {
            p.word(match param.mode {
                ParameterMode::In => "",
                ParameterMode::Out => "OUT",
                ParameterMode::InOut => "INOUT",
            });
            p.ident(&param.name);
            p.data_type(&param.data_type);
            p.collate(param.collation.as_ref());
        });
        if let Some((data_type, collation)) = &create.returns {
            self.word("RETURNS");
            self.data_type(data_type);
            self.collate(collation.as_ref());
        }
        self.characteristics(&create.characteristics);
        match &create.body {
            RoutineBody::Sql(statement) => self.statement(statement),
            RoutineBody::Text(text) => self.word_string("AS", Some(text)),
        }
    }

    pub(super) fn characteristics(&mut self, characteristics: &[Characteristic]) {
        for one in characteristics {
            match one {
                Characteristic::Comment(text) => self.word_string("COMMENT", Some(text)),
                Characteristic::Language(name) if name.text == "SQL" => self.word("LANGUAGE SQL"),
                Characteristic::Language(name) => {
                    self.word("LANGUAGE");
                    self.ident(name);
                }
                Characteristic::NoSql => self.word("NO SQL"),
                Characteristic::ContainsSql => self.word("CONTAINS SQL"),
                Characteristic::ReadsSqlData => self.word("READS SQL DATA"),
                Characteristic::ModifiesSqlData => self.word("MODIFIES SQL DATA"),
                Characteristic::Security(security) => self.security(*security),
                Characteristic::Deterministic(true) => self.word("DETERMINISTIC"),
                Characteristic::Deterministic(false) => self.word("NOT DETERMINISTIC"),
            }
        }
    }

    pub(super) fn create_loadable(&mut self, create: &CreateLoadable) {
        self.word("CREATE");
        self.word_if(create.aggregate, "AGGREGATE");
        self.word("FUNCTION");
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.ident(&create.name);
        self.word("RETURNS");
        self.word(match create.returns {
            LoadableType::String => "STRING",
            LoadableType::Integer => "INTEGER",
            LoadableType::Real => "REAL",
            LoadableType::Decimal => "DECIMAL",
        });
        self.word_string("SONAME", Some(&create.library));
    }

    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) {
        self.word("CREATE");
        self.definer(create.definer.as_ref());
        self.word("TRIGGER");
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.object(&create.name);
        self.word(if create.before { "BEFORE" } else { "AFTER" });
        self.word(match create.event {
            TriggerEvent::Insert => "INSERT",
            TriggerEvent::Update => "UPDATE",
            TriggerEvent::Delete => "DELETE",
        });
        self.word("ON");
        self.object(&create.table);
        self.word("FOR EACH ROW");
        if let Some((follows, other)) = &create.order {
            self.word(if *follows { "FOLLOWS" } else { "PRECEDES" });
            self.ident(other);
        }
        self.statement(&create.body);
    }

    pub(super) fn create_event(&mut self, create: &CreateEvent) {
        self.word("CREATE");
        self.definer(create.definer.as_ref());
        self.word("EVENT");
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.object(&create.name);
        self.schedule(&create.schedule);
        self.event_tail(create.preserve);
        self.event_status(create.status);
        self.word_string("COMMENT", create.comment.as_ref());
        self.word("DO");
        self.statement(&create.body);
    }

    pub(super) fn alter_event(&mut self, alter: &AlterEvent) {
        self.word("ALTER");
        self.definer(alter.definer.as_ref());
        self.word("EVENT");
        self.object(&alter.name);
        if let Some(schedule) = &alter.schedule {
            self.schedule(schedule);
        }
        self.event_tail(alter.preserve);
        if let Some(name) = &alter.rename {
            self.word("RENAME TO");
            self.object(name);
        }
        self.event_status(alter.status);
        self.word_string("COMMENT", alter.comment.as_ref());
        if let Some(body) = &alter.body {
            self.word("DO");
            self.statement(body);
        }
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.word("ON SCHEDULE");
        match schedule {
            Schedule::At(expr) => {
                self.word("AT");
                self.expr(expr);
            }
            Schedule::Every { amount, unit: of, starts, ends } => {
                self.word("EVERY");
                self.expr(amount);
                self.word(unit(*of));
                if let Some(starts) = starts {
                    self.word("STARTS");
                    self.expr(starts);
                }
                if let Some(ends) = ends {
                    self.word("ENDS");
                    self.expr(ends);
                }
            }
        }
    }

    fn event_tail(&mut self, preserve: Option<bool>) {
        match preserve {
            None => {}
            Some(true) => self.word("ON COMPLETION PRESERVE"),
            Some(false) => self.word("ON COMPLETION NOT PRESERVE"),
        }
    }

    fn event_status(&mut self, status: Option<EventStatus>) {
        self.word(match status {
            None => "",
            Some(EventStatus::Enable) => "ENABLE",
            Some(EventStatus::Disable) => "DISABLE",
            Some(EventStatus::DisableOnReplica) => "DISABLE ON REPLICA",
        });
    }
}
