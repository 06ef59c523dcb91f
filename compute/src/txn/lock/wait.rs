//! How a task waits for a lock.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use firn_engine::Env;
use parking_lot::Mutex;

use crate::txn::error::{Error, Result};
use crate::txn::interrupt::Interrupt;

/// How a wait ends, when the lock table ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Granted,
    /// Chosen to break a deadlock.
    Victim,
}

/// One wait. Its outcome is set once, under the lock of the queue it stands in.
#[derive(Debug, Default)]
pub(super) struct Wait(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Wait {
    pub(super) fn end(&self, outcome: Outcome) {
        let waker = {
            let mut state = self.0.lock();
            state.outcome = Some(outcome);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.0.lock().outcome
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.0.lock();
        match state.outcome {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    empty => *empty = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    /// Until the wait is granted.
    ///
    /// # Errors
    /// `Deadlock`, `LockWaitTimeout`, `Interrupted`: whichever comes first.
    pub(super) async fn granted(
        &self,
        env: &Env,
        limit: Duration,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let mut sleep = env.sleep(limit);
        let mut interrupted = pin!(interrupt.interrupted());
        std::future::poll_fn(|cx| {
            if let Poll::Ready(outcome) = self.poll(cx) {
                return Poll::Ready(match outcome {
                    Outcome::Granted => Ok(()),
                    Outcome::Victim => Err(Error::Deadlock),
                });
            }
            if let Poll::Ready(why) = interrupted.as_mut().poll(cx) {
                return Poll::Ready(Err(Error::Interrupted(why)));
            }
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Error::LockWaitTimeout));
            }
            Poll::Pending
        })
        .await
    }
}
