//! What happens, one line for each event, for whoever looks into a seed that failed.

use std::cell::RefCell;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hasher};
use std::sync::LazyLock;

use firn_engine::Env;

static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("FIRN_TRACE").is_some());

thread_local! {
    /// Over the lines of this thread's world, while somebody wants that.
    static DIGEST: RefCell<Option<DefaultHasher>> = const { RefCell::new(None) };
}

/// What `run` returns, with a digest of the lines of the world that it runs on this thread.
pub(crate) fn digested<T>(run: impl FnOnce() -> T) -> (T, u64) {
    DIGEST.with_borrow_mut(|digest| *digest = Some(DefaultHasher::new()));
    let ran = run();
    let digest = DIGEST.with_borrow_mut(Option::take);
    (ran, digest.map_or(0, |digest| digest.finish()))
}

/// Prints an event with its time, if `FIRN_TRACE` is set.
pub(crate) fn trace<T: Display>(env: &Env, event: impl FnOnce() -> T) {
    DIGEST.with_borrow_mut(|digest| {
        if digest.is_none() && !*WANTED {
            return;
        }
        let line = format!("{:>12.6} {}", env.now().0 as f64 / 1e9, event());
        if let Some(digest) = digest {
            digest.write(line.as_bytes());
        }
        if *WANTED {
            eprintln!("{line}");
        }
    });
}
