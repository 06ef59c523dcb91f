//! What happens, one line for each event, for whoever looks into a seed that failed.

use std::fmt::Display;
use std::sync::LazyLock;

use firn_engine::Env;

static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("FIRN_TRACE").is_some());

/// Prints an event with its time, if `FIRN_TRACE` is set.
pub(crate) fn trace<T: Display>(env: &Env, event: impl FnOnce() -> T) {
    if *WANTED {
        eprintln!("{:>12.6} {}", env.now().0 as f64 / 1e9, event());
    }
}
