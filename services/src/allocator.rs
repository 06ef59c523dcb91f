//! Memory that is free and that the allocator keeps.
//!
//! glibc's allocator gives back what lies at the end of a heap; free pages between others
//! it keeps. A server that changed millions of rows in transactions grew with every
//! statement that way, 6 % past its limit, while what it had in use was half of it. So a
//! thread looks at what is resident, and has free pages given back before it is too much:
//! 200 MiB become 165 within 5 to 20 ms.

use std::time::Duration;

use crate::process::resident_bytes;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Pages are given back above so many eighths of the limit.
const EIGHTHS_MAX: u64 = 7;
/// If that gains little, it is left alone for as long, twice as long each time in a row.
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(64);
/// What is little: this part of the limit.
const LITTLE: u64 = 32;

/// When to have pages given back.
#[derive(Debug)]
struct Keeper {
    limit: u64,
    rest: Duration,
}

impl Keeper {
    fn new(limit: u64) -> Self {
        Self { limit, rest: LOOK_EVERY }
    }

    fn is_too_much(&self, resident: u64) -> bool {
        resident > self.limit / 8 * EIGHTHS_MAX
    }

    /// How long to rest after `before` bytes became `after`.
    fn rest(&mut self, before: u64, after: u64) -> Duration {
        let gained = before.saturating_sub(after) >= self.limit / LITTLE;
        self.rest = match gained {
            true => LOOK_EVERY,
            false => (self.rest * 2).clamp(REST_FIRST, REST_MAX),
        };
        self.rest
    }
}

/// Keeps the process within `limit` bytes, as far as that is the allocator's doing, for as
/// long as it lives.
pub fn keep_within(limit: u64) {
    let mut keeper = Keeper::new(limit);
    let look = move || {
        loop {
            let before = resident_bytes();
            let rest = match keeper.is_too_much(before) {
                true => {
                    give_back();
                    keeper.rest(before, resident_bytes())
                }
                false => LOOK_EVERY,
            };
            std::thread::sleep(rest);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("firn-memory".into()).spawn(look) {
        tracing::warn!(%error, "nobody gives free memory back to the system");
    }
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: it takes the allocator's own locks, and frees nothing that is in use.
    let _ = unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_gains_little_is_left_alone_for_longer_and_longer() {
        let mut keeper = Keeper::new(256 * MIB);
        assert!(!keeper.is_too_much(224 * MIB));
        assert!(keeper.is_too_much(225 * MIB));
        assert_eq!(keeper.rest(225 * MIB, 217 * MIB), LOOK_EVERY);
        assert_eq!(keeper.rest(225 * MIB, 224 * MIB), REST_FIRST);
        assert_eq!(keeper.rest(225 * MIB, 226 * MIB), REST_FIRST * 2);
        for _ in 0..20 {
            assert!(keeper.rest(225 * MIB, 225 * MIB) <= REST_MAX);
        }
        assert_eq!(keeper.rest(225 * MIB, 200 * MIB), LOOK_EVERY);
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn pages_between_others_are_given_back() {
        const PAGE: usize = 4 << 10;
        // Below what glibc maps apart, and every second one freed: nothing at an end.
        let mut all: Vec<Option<Vec<u8>>> = (0..20_000).map(|_| Some(vec![1; 2 * PAGE])).collect();
        all.iter_mut().step_by(2).for_each(|one| *one = None);
        let before = resident_bytes();
        give_back();
        let after = resident_bytes();
        assert!(before.saturating_sub(after) > 30 * MIB, "{before} became {after}");
        assert!(all.iter().flatten().all(|one| one[PAGE] == 1));
    }
}
