//! Errors as they travel: kind, retryability and the chain of causes survive.
//!
//! The `details` of a status hold an `ErrorDetail` of `proto/firn/v1/common.proto`. A status
//! without one was made by the transport, by a layer in front of the service, or by something
//! that is no Firn; what it means depends on whether the call may be made twice.

use firn_engine::{Error, ErrorKind};
use firn_proto::v1::{ErrorDetail, ErrorKind as PbKind};
use prost::Message;
use tonic::{Code, Status};

/// Lines of a chain that travel; the innermost are cut.
const CHAIN_LINES_MAX: usize = 16;
/// Bytes of the chain that travel: all of it goes into a header.
const CHAIN_BYTES_MAX: usize = 3 << 10;

/// Whether a call does the same if it is made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Making it again after a lost reply does no harm.
    Safe,
    /// It may have taken effect: only asking tells.
    Unsafe,
}

fn kind_to_pb(kind: ErrorKind) -> PbKind {
    match kind {
        ErrorKind::Retry => PbKind::Retry,
        ErrorKind::Fenced => PbKind::Fenced,
        ErrorKind::BadRequest => PbKind::BadRequest,
        ErrorKind::Corrupt => PbKind::Corrupt,
        ErrorKind::Unavailable => PbKind::Unavailable,
        ErrorKind::OutcomeUnknown => PbKind::OutcomeUnknown,
        // A kind that this contract has no name for is a bug on this side.
        _ => PbKind::Internal,
    }
}

fn kind_from_pb(kind: PbKind) -> Option<ErrorKind> {
    Some(match kind {
        PbKind::Unspecified => return None,
        PbKind::Retry => ErrorKind::Retry,
        PbKind::Fenced => ErrorKind::Fenced,
        PbKind::BadRequest => ErrorKind::BadRequest,
        PbKind::Corrupt => ErrorKind::Corrupt,
        PbKind::Unavailable => ErrorKind::Unavailable,
        PbKind::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        PbKind::Internal => ErrorKind::Internal,
    })
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Retry => Code::Aborted,
        ErrorKind::Fenced => Code::FailedPrecondition,
        ErrorKind::BadRequest => Code::InvalidArgument,
        ErrorKind::Corrupt => Code::DataLoss,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::OutcomeUnknown => Code::Unknown,
        _ => Code::Internal,
    }
}

/// The chain, outermost first, within bounds.
fn chain(error: &Error) -> Vec<String> {
    let mut lines = vec![error.message().to_owned()];
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        lines.push(match next.downcast_ref::<Error>() {
            Some(ours) => ours.message().to_owned(),
            None => next.to_string(),
        });
        cause = next.source();
    }
    lines.truncate(CHAIN_LINES_MAX);
    let mut left = CHAIN_BYTES_MAX;
    for line in &mut lines {
        let cut = (0..=line.len().min(left)).rev().find(|at| line.is_char_boundary(*at));
        line.truncate(cut.unwrap_or(0));
        left -= line.len();
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// An error as it is sent.
#[must_use]
pub fn to_status(error: &Error) -> Status {
    of_detail(&to_detail(error))
}

/// An error as part of a message.
#[must_use]
pub fn to_detail(error: &Error) -> ErrorDetail {
    ErrorDetail {
        kind: kind_to_pb(error.kind()).into(),
        retryable: error.is_retryable(),
        chain: chain(error),
    }
}

/// An error that was part of a message, as if the call had failed with it.
#[must_use]
pub fn of_detail(detail: &ErrorDetail) -> Status {
    let code = code(kind_from_pb(detail.kind()).unwrap_or(ErrorKind::Internal));
    Status::with_details(code, detail.chain.join(": "), detail.encode_to_vec().into())
}

/// A status as it is received from `peer`, of a call that is made twice or not.
#[must_use]
pub fn from_status(status: &Status, peer: &str, repeat: Repeat) -> Error {
    let detail = (!status.details().is_empty())
        .then(|| ErrorDetail::decode(status.details()).ok())
        .flatten()
        .filter(|detail| !detail.chain.is_empty());
    let told = detail.and_then(|detail| Some((kind_from_pb(detail.kind())?, detail)));
    match told {
        Some((kind, detail)) => {
            let with = |error: Error| if detail.retryable { error.retryable() } else { error };
            let mut lines = detail.chain.iter().rev();
            let innermost = lines.next().map_or_else(String::new, Clone::clone);
            let error = lines.fold(with(Error::new(kind, innermost)), |e, line| e.context(line));
            error.context(peer)
        }
        None => untold(status, repeat).context(peer),
    }
}

fn untold(status: &Status, repeat: Repeat) -> Error {
    let mut message = status.message().to_owned();
    // The transport's own message says little; its causes say which address and why.
    let mut cause = std::error::Error::source(status);
    while let Some(next) = cause {
        let line = next.to_string();
        if !message.contains(&line) {
            message = if message.is_empty() { line } else { format!("{message}: {line}") };
        }
        cause = next.source();
    }
    if message.is_empty() {
        message = status.code().description().to_owned();
    }
    let lost = |message| match repeat {
        Repeat::Safe => Error::new(ErrorKind::Unavailable, message).retryable(),
        Repeat::Unsafe => Error::new(ErrorKind::OutcomeUnknown, message),
    };
    match status.code() {
        // Nothing was done: turned away at the door, or never sent.
        Code::ResourceExhausted => Error::new(ErrorKind::Retry, message),
        Code::Unavailable if never_sent(status) => {
            Error::new(ErrorKind::Unavailable, message).retryable()
        }
        Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument => {
            Error::new(ErrorKind::BadRequest, message)
        }
        Code::Unimplemented => {
            let why = format!(
                "the peer does not know this call: another part listens there, or it may be \
                 older: {message}"
            );
            Error::new(ErrorKind::BadRequest, why)
        }
        Code::OutOfRange => Error::new(ErrorKind::BadRequest, message),
        _ => lost(message),
    }
}

/// Whether the connection could not be made at all.
fn never_sent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(next) = cause {
        if next.is::<tonic::ConnectError>() {
            return true;
        }
        cause = next.source();
    }
    false
}
