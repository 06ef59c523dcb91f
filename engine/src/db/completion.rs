//! How the tasks of one group of commits learn that it is done.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::error::Result;
use crate::types::Seq;

/// Shared by all commits of a group: one allocation and one lock for thousands.
#[derive(Debug, Default)]
pub(super) struct Completion {
    done: AtomicBool,
    result: OnceLock<Result<Seq>>,
    wakers: Mutex<Vec<Waker>>,
}

impl Completion {
    /// Tells everyone, once: the seq of the group's first commit, or why not.
    /// Later calls do nothing: the first answer stands.
    pub(super) fn complete(&self, result: Result<Seq>) {
        if self.result.set(result).is_err() {
            return;
        }
        self.done.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers.lock());
        for waker in wakers {
            waker.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>, registered: &mut bool) -> Poll<Result<Seq>> {
        if !self.done.load(Ordering::Acquire) {
            let mut wakers = self.wakers.lock();
            // A group's tasks are woken once; who is polled earlier is a
            // `select` whose waker may have changed.
            if !self.done.load(Ordering::Acquire) {
                if !*registered || !wakers.iter().any(|w| w.will_wake(cx.waker())) {
                    wakers.push(cx.waker().clone());
                    *registered = true;
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(self.result.get().expect("set before `done`").clone())
    }
}

/// Waits for a group.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) group: Arc<Completion>,
    registered: bool,
}

impl Done {
    pub(super) fn new(group: Arc<Completion>) -> Self {
        Self { group, registered: false }
    }
}

impl Future for Done {
    type Output = Result<Seq>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.group.poll(cx, &mut this.registered)
    }
}
