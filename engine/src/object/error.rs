//! What can go wrong with an object store, sorted by what to do about it.
//!
//! Stores put a [`StoreError`] inside `object_store::Error::Generic` where the
//! variants of `object_store::Error` do not say enough. [`cause_of`] reads the
//! cause back from any error; the retry protocol acts on it, and [`from_store`]
//! turns it into the engine's error. What is said about a failure is one line
//! made of an operation, a name and a store's code and message: requests and
//! their headers, where credentials are, never get in.

use std::fmt;
use std::io;

use object_store::path::Path;

use crate::error::{Error, ErrorKind};

/// Text of a store is cut after this many characters.
const WHAT_CHARS_MAX: usize = 400;

/// Why a request to a store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// There is no such object.
    NotFound,
    /// There is no such bucket, or no such folder.
    NoBucket,
    /// Unknown key, wrong secret, or no right to do this.
    Denied,
    /// A conditional create found an object.
    Exists,
    /// A conditional request found another version.
    Precondition,
    /// A conditional read found the version that the caller has.
    NotModified,
    /// The store saw two writers at once and refused this one: HTTP 409.
    Conflict,
    /// The store wants fewer requests: HTTP 429, or 503 `SlowDown`.
    Throttled,
    /// No answer in time. The request may have been carried out.
    Timeout,
    /// No connection: the request was never sent.
    Unreachable,
    /// The connection broke or the store failed: HTTP 5xx. The request may have been carried out.
    Failed,
    /// The store, or the disk under it, is full.
    NoSpace,
    /// What arrived, here or there, is not what was sent.
    Damaged,
    /// The request itself is wrong.
    BadRequest,
    /// The store cannot do this.
    NotSupported,
    /// The parts of an upload are gone. Beginning another upload may go better.
    UploadGone,
    /// A conditional write may have been carried out, and it can no longer be told.
    OutcomeUnknown,
}

impl Cause {
    /// Whether the same request may go better when it is made again.
    #[must_use]
    pub fn is_transient(self) -> bool {
        use Cause::*;
        matches!(self, Conflict | Throttled | Timeout | Unreachable | Failed | Damaged)
    }

    /// Whether the request may have been carried out although it failed. A 409
    /// counts: some stores give it to a request of which they already took a copy.
    #[must_use]
    pub fn is_ambiguous(self) -> bool {
        use Cause::*;
        matches!(self, Conflict | Throttled | Timeout | Failed | Damaged | OutcomeUnknown)
    }

    /// What it says when a store says nothing.
    fn text(self) -> &'static str {
        match self {
            Self::NotFound => "no such object",
            Self::NoBucket => "no such bucket or folder",
            Self::Denied => "access denied",
            Self::Exists => "the object exists already",
            Self::Precondition => "the object was changed",
            Self::NotModified => "the object was not changed",
            Self::Conflict => "another writer was at it",
            Self::Throttled => "the store asks for fewer requests",
            Self::Timeout => "no answer in time",
            Self::Unreachable => "the store cannot be reached",
            Self::Failed => "the store failed",
            Self::NoSpace => "the store is full",
            Self::Damaged => "bytes were damaged on their way",
            Self::BadRequest => "the store refuses the request",
            Self::NotSupported => "the store cannot do this",
            Self::UploadGone => "the upload is gone",
            Self::OutcomeUnknown => "it may or may not have been stored",
        }
    }

    /// The cause that an error of the file system stands for.
    #[must_use]
    pub fn of_io(e: &io::Error) -> Self {
        use io::ErrorKind as K;
        match e.kind() {
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => Self::NoSpace,
            K::PermissionDenied | K::ReadOnlyFilesystem => Self::Denied,
            K::TimedOut => Self::Timeout,
            K::ConnectionRefused | K::HostUnreachable | K::NetworkUnreachable => Self::Unreachable,
            K::NotFound => Self::NotFound,
            K::InvalidInput | K::InvalidFilename | K::NotADirectory | K::IsADirectory => {
                Self::BadRequest
            }
            K::Unsupported => Self::NotSupported,
            _ => Self::Failed,
        }
    }
}

/// An error of a store: its cause and one line about it.
#[derive(Debug, Clone)]
pub struct StoreError {
    cause: Cause,
    what: String,
}

impl StoreError {
    /// `what` is put on one line and cut if it is long; empty means that the
    /// cause says all there is.
    #[must_use]
    pub fn new(cause: Cause, what: impl AsRef<str>) -> Self {
        Self { cause, what: one_line(what.as_ref()) }
    }

    /// From an error of the file system.
    #[must_use]
    pub fn io(what: impl fmt::Display, e: &io::Error) -> Self {
        Self::new(Cause::of_io(e), format!("{what}: {e}"))
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The same words, for another cause.
    #[must_use]
    pub fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// As the error of a store on the object at `path`.
    #[must_use]
    pub fn at(self, store: &'static str, path: &Path) -> object_store::Error {
        let (path, cause) = (path.to_string(), self.cause);
        let source = Box::new(self);
        match cause {
            Cause::NotFound => object_store::Error::NotFound { path, source },
            Cause::Exists => object_store::Error::AlreadyExists { path, source },
            Cause::Precondition => object_store::Error::Precondition { path, source },
            Cause::NotModified => object_store::Error::NotModified { path, source },
            Cause::Denied => object_store::Error::PermissionDenied { path, source },
            Cause::NotSupported => object_store::Error::NotSupported { source },
            _ => object_store::Error::Generic { store, source },
        }
    }
}

impl StoreError {
    /// What an error of any store is about, without the path that its caller names anyway.
    pub(super) fn found_in(e: &object_store::Error) -> Self {
        let what = match (deepest(e), std::error::Error::source(e)) {
            (Some(found), _) => found.what,
            // An error of a foreign store: its own words are all there is.
            (None, Some(source)) => source.to_string(),
            (None, None) => e.to_string(),
        };
        Self::new(cause_of(e), what)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause.text())?;
        if !self.what.is_empty() {
            write!(f, " ({})", self.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(WHAT_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Why an error of any store happened.
#[must_use]
pub fn cause_of(e: &object_store::Error) -> Cause {
    use object_store::Error as E;
    match e {
        E::NotFound { .. } => Cause::NotFound,
        E::AlreadyExists { .. } => Cause::Exists,
        E::Precondition { .. } => Cause::Precondition,
        E::NotModified { .. } => Cause::NotModified,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => Cause::Denied,
        E::NotSupported { .. } | E::NotImplemented { .. } => Cause::NotSupported,
        E::InvalidPath { .. } | E::UnknownConfigurationKey { .. } => Cause::BadRequest,
        _ => deepest(e).map_or(Cause::Failed, |found| found.cause),
    }
}

/// The [`StoreError`] in a chain of causes; an error of the file system counts as one.
fn deepest(e: &object_store::Error) -> Option<StoreError> {
    let mut next = std::error::Error::source(e);
    while let Some(e) = next {
        if let Some(found) = e.downcast_ref::<StoreError>() {
            return Some(found.clone());
        }
        if let Some(io) = e.downcast_ref::<io::Error>() {
            return Some(StoreError::new(Cause::of_io(io), io.to_string()));
        }
        next = e.source();
    }
    None
}

/// Puts a remark behind what an error says and gives it another cause.
pub(super) fn with_remark(
    e: &object_store::Error,
    path: &Path,
    cause: Cause,
    remark: &str,
) -> object_store::Error {
    let found = StoreError::found_in(e);
    let said = if found.cause == cause { found.what } else { found.to_string() };
    let what = match (said.is_empty(), remark.is_empty()) {
        (true, _) => remark.to_owned(),
        (false, true) => said,
        (false, false) => format!("{said}; {remark}"),
    };
    StoreError::new(cause, what).at("retried", path)
}

/// An error of a store on an object, for a caller: `op` is what was asked (`GET`, `PUT`, `LIST` …).
/// See [`store_error`].
#[must_use]
pub fn from_store(op: &str, path: &Path, e: object_store::Error) -> Error {
    store_error(format_args!("{op} {path}"), &e)
}

/// An error of a store, for a caller: one line that begins with what was being done.
///
/// | cause | kind | retryable |
/// |---|---|---|
/// | the object is not there | `Corrupt`: it was named by something stored | no |
/// | exists, was changed, was not changed | `Internal`: whoever expects it looks before | no |
/// | throttled, timeout, unreachable, failed, damaged, conflict | `Unavailable` | yes |
/// | full, upload gone | `Unavailable` | yes |
/// | no bucket, denied | `Unavailable` | no |
/// | bad request, not supported | `BadRequest` | no |
/// | outcome unknown | `OutcomeUnknown` | no |
#[must_use]
pub fn store_error(doing: impl fmt::Display, e: &object_store::Error) -> Error {
    let cause = cause_of(e);
    let kind = match cause {
        Cause::NotFound => ErrorKind::Corrupt,
        Cause::Exists | Cause::Precondition | Cause::NotModified => ErrorKind::Internal,
        Cause::BadRequest | Cause::NotSupported => ErrorKind::BadRequest,
        Cause::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        _ => ErrorKind::Unavailable,
    };
    let error = Error::new(kind, format!("{doing}: {}", StoreError::found_in(e)));
    let again = cause.is_transient() || matches!(cause, Cause::NoSpace | Cause::UploadGone);
    if again { error.retryable() } else { error }
}

/// Whether an error of a store says that there is no such object. A missing
/// bucket is not that.
#[must_use]
pub fn is_not_found(e: &object_store::Error) -> bool {
    cause_of(e) == Cause::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cause: Cause, what: &str) -> Error {
        let path = Path::from("sst/1.sst");
        from_store("GET", &path, StoreError::new(cause, what).at("S3", &path))
    }

    #[test]
    fn each_cause_survives_the_trip_through_the_trait() {
        use Cause::*;
        for cause in [
            NotFound,
            NoBucket,
            Denied,
            Exists,
            Precondition,
            NotModified,
            Conflict,
            Throttled,
            Timeout,
            Unreachable,
            Failed,
            NoSpace,
            Damaged,
            BadRequest,
            NotSupported,
            OutcomeUnknown,
            UploadGone,
        ] {
            let path = Path::from("x");
            assert_eq!(cause_of(&StoreError::new(cause, "").at("S3", &path)), cause);
            let again =
                with_remark(&StoreError::new(cause, "a").at("S3", &path), &path, cause, "b");
            assert_eq!(cause_of(&again), cause);
        }
    }

    #[test]
    fn one_line_names_operation_path_and_cause() {
        let e = shown(Cause::Throttled, "SlowDown:\n please\treduce");
        assert_eq!(
            e.to_string(),
            "GET sst/1.sst: the store asks for fewer requests (SlowDown: please reduce)"
        );
        assert!(e.is_retryable());
        assert_eq!(e.kind(), ErrorKind::Unavailable);
        assert!(shown(Cause::Failed, &"x".repeat(9999)).to_string().len() < 600);
    }

    #[test]
    fn a_missing_bucket_is_not_a_missing_object() {
        let path = Path::from("x");
        assert!(!is_not_found(&StoreError::new(Cause::NoBucket, "b").at("S3", &path)));
        assert!(is_not_found(&StoreError::new(Cause::NotFound, "").at("S3", &path)));
        let e = shown(Cause::NoBucket, "data");
        assert_eq!((e.kind(), e.is_retryable()), (ErrorKind::Unavailable, false));
    }

    #[test]
    fn errors_of_the_file_system_are_recognised() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let e = object_store::Error::Generic { store: "folder", source: Box::new(full) };
        let e = from_store("PUT", &Path::from("x"), e);
        assert!(e.is_retryable());
        assert!(e.to_string().starts_with("PUT x: the store is full"), "{e}");
    }

    #[test]
    fn foreign_errors_keep_their_words() {
        let e = object_store::Error::Generic { store: "X", source: "something odd".into() };
        let e = from_store("LIST", &Path::from("x"), e);
        assert_eq!(e.to_string(), "LIST x: the store failed (something odd)");
    }
}
