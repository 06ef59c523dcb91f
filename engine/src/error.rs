//! Errors in two tiers.
//!
//! Inside a crate errors are as rich as the code wants ([`Detail`] here). What
//! crosses a crate's boundary is one [`Error`]: a [`ErrorKind`] that tells the
//! caller what to do, a `retryable` flag that is set where the cause is known
//! and never guessed from the kind, one line that names what and where, and
//! the chain of causes. Services carry the same four over the network.

use std::fmt;

/// What the caller has to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing happened; the same call may succeed if made again.
    Retry,
    /// A newer writer owns the branch. This writer must stop for good.
    Fenced,
    /// The request itself is wrong; repeating it cannot help.
    BadRequest,
    /// Stored bytes are not what was written. Do not go on with this object.
    Corrupt,
    /// A part that is needed cannot be reached or is out of room.
    Unavailable,
    /// It is not known whether the call took effect.
    OutcomeUnknown,
    /// A bug, or an invariant that no longer holds.
    Internal,
}

impl ErrorKind {
    /// A short stable name, for logs, metrics and the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Fenced => "fenced",
            Self::BadRequest => "bad request",
            Self::Corrupt => "corrupt",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Internal => "internal",
        }
    }
}

/// An error as every public function of the engine and its parts returns it.
#[derive(Clone)]
pub struct Error(std::sync::Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    retryable: bool,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Shorthand for a result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause. Not retryable unless [`Self::retryable`] says so.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::build(kind, kind == ErrorKind::Retry, message.into(), None)
    }

    /// An error with its cause.
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::build(kind, kind == ErrorKind::Retry, message.into(), Some(source.into()))
    }

    fn build(
        kind: ErrorKind,
        retryable: bool,
        message: String,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(std::sync::Arc::new(Inner { kind, retryable, message, source }))
    }

    /// Says that making the same call again is safe and may succeed.
    #[must_use]
    pub fn retryable(self) -> Self {
        let (kind, message) = (self.0.kind, self.0.message.clone());
        match std::sync::Arc::try_unwrap(self.0) {
            Ok(inner) => Self::build(inner.kind, true, inner.message, inner.source),
            Err(shared) => Self::build(kind, true, message, Some(Box::new(Self(shared)))),
        }
    }

    /// Puts a line in front that says what was being done, keeping kind and chain.
    #[must_use]
    pub fn context(self, doing: impl fmt::Display) -> Self {
        let (kind, retryable) = (self.kind(), self.is_retryable());
        Self::build(kind, retryable, doing.to_string(), Some(Box::new(self)))
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether this error or one of its causes is of a kind.
    pub fn is_caused_by(&self, kind: ErrorKind) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = next {
            if error.downcast_ref::<Self>().is_some_and(|error| error.kind() == kind) {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// Whether the same call may be made again as it is.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The outermost line, without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }
}

impl fmt::Display for Error {
    /// The whole chain on one line: `opening the database: GET x: no such object`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut cause = std::error::Error::source(self);
        // An inner `Error` prints its own chain, so stop there.
        if let Some(next) = cause {
            write!(f, ": {next}")?;
            cause = if next.is::<Self>() { None } else { next.source() };
        }
        while let Some(next) = cause {
            write!(f, ": {next}")?;
            cause = if next.is::<Self>() { None } else { next.source() };
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retry = if self.0.retryable { ", retryable" } else { "" };
        write!(f, "[{}{retry}] {self}", self.0.kind.as_str())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

/// Adds what was being done to the error of a result.
pub trait Context<T> {
    /// See [`Error::context`]; the closure runs only on an error.
    fn context<C: fmt::Display>(self, doing: impl FnOnce() -> C) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context<C: fmt::Display>(self, doing: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|e| e.context(doing()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_however_deep_it_lies() {
        let fenced = Error::new(ErrorKind::Fenced, "epoch 2").context("an append");
        let unknown = Error::with_source(ErrorKind::OutcomeUnknown, "a commit", fenced);
        assert!(unknown.is_caused_by(ErrorKind::Fenced));
        assert!(unknown.is_caused_by(ErrorKind::OutcomeUnknown));
        assert!(!unknown.is_caused_by(ErrorKind::Corrupt));
    }

    #[test]
    fn the_chain_is_one_line_and_keeps_kind_and_retryability() {
        let io = std::io::Error::other("disk on fire");
        let e = Error::with_source(ErrorKind::Unavailable, "PUT sst/1.sst", io).retryable();
        let e = e.context("flushing memtable 7").context("closing the database");
        assert_eq!(
            e.to_string(),
            "closing the database: flushing memtable 7: PUT sst/1.sst: disk on fire"
        );
        assert_eq!(e.kind(), ErrorKind::Unavailable);
        assert!(e.is_retryable());
        assert!(format!("{e:?}").starts_with("[unavailable, retryable] closing"));
    }

    #[test]
    fn retry_is_retryable_and_others_only_when_told() {
        assert!(Error::new(ErrorKind::Retry, "busy").is_retryable());
        assert!(!Error::new(ErrorKind::Unavailable, "away").is_retryable());
        let shared = Error::new(ErrorKind::Unavailable, "away");
        let kept = shared.clone();
        assert!(shared.retryable().is_retryable());
        assert!(!kept.is_retryable());
    }
}
