//! What breaks, and when.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing special.
    None,
    /// 503 `SlowDown`, not carried out.
    SlowDown,
    /// 500, not carried out.
    ErrorBefore,
    /// 500, carried out.
    ErrorAfter,
    /// 409 `ConditionalRequestConflict`, not carried out.
    ConflictBefore,
    /// 409, carried out.
    ConflictAfter,
    /// Carried out after this many milliseconds.
    Delay(u64),
    /// Carried out; the reply never comes.
    Hang,
}

/// Faults for the requests to come, and counts of those that came.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: Mutex<VecDeque<(String, Fault)>>,
    requests: AtomicU64,
}

impl Faults {
    /// The next request of an operation (`PutObject`, `*` for any) gets a fault.
    pub(crate) fn add(&self, operation: &str, fault: Fault) {
        self.next.lock().push_back((operation.to_owned(), fault));
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Runs a request with the fault that is due to it.
    pub(crate) async fn around<T>(
        &self,
        operation: &str,
        request: impl Future<Output = S3Result<T>>,
    ) -> S3Result<T> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = {
            let mut next = self.next.lock();
            let due = next.iter().position(|(of, _)| of == operation || of == "*");
            due.and_then(|due| next.remove(due)).map_or(Fault::None, |(_, fault)| fault)
        };
        let say = |code| Err(S3Error::with_message(code, "made to"));
        match fault {
            Fault::None => request.await,
            Fault::SlowDown => say(S3ErrorCode::SlowDown),
            Fault::ErrorBefore => say(S3ErrorCode::InternalError),
            Fault::ConflictBefore => say(S3ErrorCode::ConditionalRequestConflict),
            Fault::ErrorAfter => {
                request.await?;
                say(S3ErrorCode::InternalError)
            }
            Fault::ConflictAfter => {
                request.await?;
                say(S3ErrorCode::ConditionalRequestConflict)
            }
            Fault::Delay(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                request.await
            }
            Fault::Hang => {
                let _lost = request.await;
                std::future::pending().await
            }
        }
    }
}
