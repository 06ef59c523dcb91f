//! The conditions of a statement: what SHOW WARNINGS lists.

use super::SqlError;

/// How many conditions a statement keeps by default (`max_error_count`).
pub const MAX_ERROR_COUNT: usize = 1024;

/// How serious a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For information; not kept where `sql_notes` is off.
    Note,
    /// The statement went on with a changed value.
    Warning,
    /// The statement ended here.
    Error,
}

impl Level {
    /// As SHOW WARNINGS prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Warning => "Warning",
            Self::Error => "Error",
        }
    }
}

/// One line of SHOW WARNINGS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How serious it is.
    pub level: Level,
    /// Number, SQLSTATE and text.
    pub error: SqlError,
}

/// The conditions of one statement: the first ones are kept, all are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warnings {
    kept: Vec<Condition>,
    limit: usize,
    total: u64,
    errors: u64,
}

/// A place in a list of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    kept: usize,
    total: u64,
    errors: u64,
}

impl Default for Warnings {
    fn default() -> Self {
        Self::new(MAX_ERROR_COUNT)
    }
}

impl Warnings {
    /// An empty list that keeps at most `limit` conditions.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, total: 0, errors: 0 }
    }

    /// Adds a condition; beyond the limit it is counted only.
    pub fn push(&mut self, level: Level, error: SqlError) {
        self.count(level);
        if self.kept.len() < self.limit {
            self.kept.push(Condition { level, error });
        }
    }

    /// As [`Self::push`], but makes the error only if it will be kept: for loops
    /// that warn for every row.
    pub fn push_with(&mut self, level: Level, error: impl FnOnce() -> SqlError) {
        self.count(level);
        if self.kept.len() < self.limit {
            self.kept.push(Condition { level, error: error() });
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, error: SqlError) {
        self.push(Level::Warning, error);
    }

    /// Adds a note.
    pub fn note(&mut self, error: SqlError) {
        self.push(Level::Note, error);
    }

    /// Adds what came elsewhere in the same statement.
    pub fn append(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.errors = self.errors.saturating_add(other.errors);
        let room = self.limit.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
    }

    /// Adds the same warning so many times, made only if it will be kept.
    pub fn warn_times(&mut self, times: u64, error: impl Fn() -> SqlError) {
        let room = self.limit.saturating_sub(self.kept.len()) as u64;
        for _ in 0..times.min(room) {
            self.kept.push(Condition { level: Level::Warning, error: error() });
        }
        self.total = self.total.saturating_add(times);
    }

    fn count(&mut self, level: Level) {
        self.total = self.total.saturating_add(1);
        if level == Level::Error {
            self.errors = self.errors.saturating_add(1);
        }
    }

    /// What was kept, in the order it came.
    #[must_use]
    pub fn kept(&self) -> &[Condition] {
        &self.kept
    }

    /// How many conditions came, kept or not (`@@warning_count`).
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many errors came, kept or not (`@@error_count`).
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// The count that an OK or EOF packet carries.
    #[must_use]
    pub fn packet_count(&self) -> u16 {
        u16::try_from(self.total).unwrap_or(u16::MAX)
    }

    /// True if nothing came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// How far the list is now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { kept: self.kept.len(), total: self.total, errors: self.errors }
    }

    /// What was kept since `mark`.
    #[must_use]
    pub fn since(&self, mark: Mark) -> &[Condition] {
        self.kept.get(mark.kept..).unwrap_or_default()
    }

    /// Forgets what came since `mark`: what was only tried.
    pub fn rewind(&mut self, mark: Mark) {
        self.kept.truncate(mark.kept);
        self.total = mark.total;
        self.errors = mark.errors;
    }

    /// Forgets everything: what a new statement begins with.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.total = 0;
        self.errors = 0;
    }
}
