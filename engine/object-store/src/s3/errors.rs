//! What an answer of S3, or none, stands for.
//!
//! Only the code and the message of an answer are taken over: the rest of some
//! answers (`SignatureDoesNotMatch`) repeats what was signed.

use std::error::Error as StdError;
use std::io;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use firn_engine::object::{Cause, StoreError};

/// Why a request failed.
pub(super) fn classify<E>(e: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    match e {
        SdkError::ServiceError(answer) => {
            let (code, message) = (answer.err().code(), answer.err().message());
            of_answer(answer.raw().status().as_u16(), code, message)
        }
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            match of_status(status) {
                Some(cause) => StoreError::new(cause, format!("HTTP {status}")),
                None => StoreError::new(Cause::Failed, "its answer makes no sense"),
            }
        }
        SdkError::TimeoutError(_) => StoreError::new(Cause::Timeout, "no connection in time"),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(e) if failure.is_timeout() => StoreError::new(Cause::Timeout, deepest(e)),
            Some(e) => unsent(of_connection(e), deepest(e)),
            None => StoreError::new(Cause::Failed, "the request could not be sent"),
        },
        SdkError::ConstructionFailure(_) => unsent(Cause::BadRequest, deepest(e)),
        _ => unsent(Cause::Failed, deepest(e)),
    }
}

/// A failure on this side, or on the way. Without credentials, no try will do.
fn unsent(cause: Cause, what: String) -> StoreError {
    if what.contains("no credentials found") {
        let what = "no credentials: neither in the settings, nor AWS_ACCESS_KEY_ID, nor a profile, \
                    nor a role of this machine or container";
        return StoreError::new(Cause::Denied, what);
    }
    StoreError::new(cause, what)
}

/// From the code of an answer, or its HTTP status if it has none.
pub(super) fn of_answer(status: u16, code: Option<&str>, message: Option<&str>) -> StoreError {
    let cause = code.and_then(of_code).or_else(|| of_status(status)).unwrap_or(Cause::Failed);
    let what = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => format!("HTTP {status}"),
    };
    StoreError::new(cause, what)
}

/// A connection that could not be made, or broke.
fn of_connection(e: &(dyn StdError + 'static)) -> Cause {
    let mut next = Some(e);
    while let Some(e) = next {
        if let Some(io) = e.downcast_ref::<io::Error>() {
            use io::ErrorKind as K;
            if matches!(
                io.kind(),
                K::ConnectionRefused | K::HostUnreachable | K::NetworkUnreachable | K::NotFound
            ) {
                return Cause::Unreachable;
            }
        }
        let text = e.to_string();
        if ["dns error", "tcp connect error", "invalid peer certificate"]
            .iter()
            .any(|connecting| text.contains(connecting))
        {
            return Cause::Unreachable;
        }
        next = e.source();
    }
    Cause::Failed
}

/// The words of the last error in a chain that has any.
fn deepest(e: &(dyn StdError + 'static)) -> String {
    let mut said = e.to_string();
    let mut next = e.source();
    while let Some(e) = next {
        said = e.to_string();
        next = e.source();
    }
    said
}

fn of_code(code: &str) -> Option<Cause> {
    Some(match code {
        "NoSuchKey" | "NotFound" | "NoSuchUpload" => Cause::NotFound,
        "NoSuchBucket" => Cause::NoBucket,
        "AccessDenied"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "RequestTimeTooSkewed"
        | "AccountProblem"
        | "AllAccessDisabled"
        | "Forbidden" => Cause::Denied,
        "PreconditionFailed" => Cause::Precondition,
        "NotModified" => Cause::NotModified,
        "ConditionalRequestConflict" | "ConcurrentModification" | "OperationAborted" => {
            Cause::Conflict
        }
        "SlowDown"
        | "ServiceUnavailable"
        | "TooManyRequests"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" => Cause::Throttled,
        "RequestTimeout" | "InternalError" => Cause::Failed,
        "BadDigest"
        | "InvalidDigest"
        | "XAmzContentChecksumMismatch"
        | "XAmzContentSHA256Mismatch"
        | "IncompleteBody" => Cause::Damaged,
        "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull" => Cause::NoSpace,
        "NotImplemented" => Cause::NotSupported,
        _ => return None,
    })
}

fn of_status(status: u16) -> Option<Cause> {
    Some(match status {
        304 => Cause::NotModified,
        401 | 403 => Cause::Denied,
        404 => Cause::NotFound,
        408 => Cause::Timeout,
        409 => Cause::Conflict,
        412 => Cause::Precondition,
        429 | 503 => Cause::Throttled,
        501 => Cause::NotSupported,
        507 => Cause::NoSpace,
        500..=599 => Cause::Failed,
        300..=499 => Cause::BadRequest,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn having_no_credentials_is_not_tried_again() {
        let e = unsent(Cause::Failed, "no credentials found in chain. Attempted: …".into());
        assert_eq!(e.cause(), Cause::Denied);
        assert_eq!(unsent(Cause::Unreachable, "dns error".into()).cause(), Cause::Unreachable);
    }

    #[test]
    fn codes_come_before_status() {
        for (status, code, cause) in [
            (404, Some("NoSuchKey"), Cause::NotFound),
            (404, Some("NoSuchBucket"), Cause::NoBucket),
            (404, None, Cause::NotFound),
            (403, Some("SignatureDoesNotMatch"), Cause::Denied),
            (400, Some("RequestTimeout"), Cause::Failed),
            (400, Some("BadDigest"), Cause::Damaged),
            (409, Some("ConcurrentModification"), Cause::Conflict),
            (409, Some("SomethingNew"), Cause::Conflict),
            (503, Some("SlowDown"), Cause::Throttled),
            (503, None, Cause::Throttled),
            (502, None, Cause::Failed),
            (416, Some("InvalidRange"), Cause::BadRequest),
            (301, Some("PermanentRedirect"), Cause::BadRequest),
            (507, None, Cause::NoSpace),
        ] {
            assert_eq!(of_answer(status, code, None).cause(), cause, "{status} {code:?}");
        }
        let e = of_answer(404, Some("NoSuchBucket"), Some("it is\nnot there"));
        assert_eq!(e.to_string(), "no such bucket or folder (NoSuchBucket: it is not there)");
    }
}
