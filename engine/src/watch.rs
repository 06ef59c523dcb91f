//! The newest of a value, for whoever waits until it changes.
//!
//! As `tokio::sync::watch`, except that those who wait are woken in the order in which they
//! began to. Tokio's spreads them by chance over several lists, out of reach of a seed, so that
//! a simulated cluster would never do the same twice.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
use tokio::sync::Notify;

/// The value, locked for as long as this lives: not to be kept.
#[derive(Debug)]
pub struct Ref<'a, T>(MappedRwLockReadGuard<'a, T>);

impl<'a, T> Ref<'a, T> {
    fn of(state: RwLockReadGuard<'a, State<T>>) -> Self {
        Self(RwLockReadGuard::map(state, |state| &state.value))
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// No sender is left, so the value never changes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody is left to change the value")
    }
}

impl std::error::Error for Closed {}

#[derive(Debug)]
struct State<T> {
    value: T,
    /// Changes so far.
    changes: u64,
}

#[derive(Debug)]
struct Shared<T> {
    state: RwLock<State<T>>,
    changed: Notify,
    senders: AtomicUsize,
}

impl<T> Shared<T> {
    fn borrow(&self) -> Ref<'_, T> {
        Ref::of(self.state.read())
    }

    /// Until there are other than `seen` changes, which become those.
    async fn changed(&self, seen: &mut u64) -> Result<(), Closed> {
        loop {
            // Made before the look: it hears of every change from here on.
            let changed = self.changed.notified();
            let changes = self.state.read().changes;
            if changes != *seen {
                *seen = changes;
                return Ok(());
            }
            if self.senders.load(Ordering::Acquire) == 0 {
                return Err(Closed);
            }
            changed.await;
        }
    }
}

/// Changes the value. Clones change the same one.
#[derive(Debug)]
pub struct Sender<T>(Arc<Shared<T>>);

/// Sees the value, and waits until it changes.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

/// A sender and a receiver that has seen `value`.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Sender<T> {
    /// Receivers come by [`Self::subscribe`].
    pub fn new(value: T) -> Self {
        let state = RwLock::new(State { value, changes: 0 });
        Self(Arc::new(Shared { state, changed: Notify::new(), senders: AtomicUsize::new(1) }))
    }

    /// A receiver that has seen what the value is now.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.0.state.read().changes;
        Receiver { shared: Arc::clone(&self.0), seen }
    }

    /// The value.
    #[must_use]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.borrow()
    }

    /// Puts another value in its place, and returns what it was.
    pub fn send_replace(&self, value: T) -> T {
        let mut value = value;
        self.send_modify(|now| std::mem::swap(now, &mut value));
        value
    }

    /// Changes the value, and wakes who waits.
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// As [`Self::send_modify`], if `modify` says that there is something to see; returns that.
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let modified = {
            let mut state = self.0.state.write();
            let modified = modify(&mut state.value);
            state.changes += u64::from(modified);
            modified
        };
        if modified {
            self.0.changed.notify_waiters();
        }
        modified
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}

impl<T> Receiver<T> {
    /// The value, seen or not.
    #[must_use]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow()
    }

    /// The value, which is seen with this.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let state = self.shared.state.read();
        self.seen = state.changes;
        Ref::of(state)
    }

    /// Until there is a value that was not seen, which is seen with this.
    ///
    /// # Errors
    /// [`Closed`] if there is none and never will be.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        self.shared.changed(&mut self.seen).await
    }

    /// Until the value is as `wanted`; each that it looks at is seen.
    ///
    /// # Errors
    /// [`Closed`] if it is not and never will be.
    pub async fn wait_for(
        &mut self,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, Closed> {
        loop {
            {
                let state = self.shared.state.read();
                self.seen = state.changes;
                if wanted(&state.value) {
                    return Ok(Ref::of(state));
                }
            }
            self.shared.changed(&mut self.seen).await?;
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), seen: self.seen }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::*;
    use crate::{Env, TaskClass};

    #[tokio::test(start_paused = true)]
    async fn a_change_is_seen_once_and_the_end_after_it() {
        let (sender, mut receiver) = channel(1);
        let env = Env::simulated(1);
        let second = Duration::from_secs(1);
        assert!(env.timeout(second, receiver.changed()).await.is_none(), "the first is seen");
        assert_eq!(sender.send_replace(2), 1);
        assert!(!sender.send_if_modified(|_| false));
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(*receiver.borrow(), 2);
        assert!(env.timeout(second, receiver.changed()).await.is_none(), "seen with that");
        let other = sender.clone();
        other.send_modify(|value| *value += 1);
        drop((sender, other));
        assert_eq!(receiver.changed().await, Ok(()), "what was not seen comes before the end");
        assert_eq!(receiver.changed().await, Err(Closed));
        assert_eq!(receiver.wait_for(|value| *value == 3).await.map(|value| *value), Ok(3));
        assert_eq!(receiver.wait_for(|value| *value == 4).await.map(|value| *value), Err(Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_waited_for_past_others() {
        let (sender, receiver) = channel(0);
        let env = Env::simulated(1);
        let mut slow = receiver.clone();
        let waiting = env.spawn(TaskClass::Foreground, "waiting", async move {
            slow.wait_for(|value| *value >= 5).await.map(|value| *value)
        });
        for value in 1..=7 {
            sender.send_replace(value);
            env.yield_now().await;
            env.yield_now().await;
        }
        assert_eq!(waiting.await, Some(Ok(5)));
        assert_eq!(*receiver.borrow(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_in_the_order_of_waiting() {
        let env = Env::simulated(1);
        let (sender, receiver) = channel(0);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..50 {
            let (mut receiver, woken) = (receiver.clone(), Arc::clone(&woken));
            tasks.push(env.spawn(TaskClass::Foreground, "waiting", async move {
                receiver.changed().await.unwrap();
                woken.lock().push(number);
            }));
        }
        env.yield_now().await;
        sender.send_replace(1);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(woken.lock().iter().copied().eq(0..50), "{woken:?}");
    }
}
