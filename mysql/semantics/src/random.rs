//! Seeds for tests: another one each time, printed so that a failure can be
//! repeated.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use std::hash::{BuildHasher as _, RandomState};

/// A generator whose seed is printed; `FIRN_TEST_SEED` sets it.
pub(crate) fn generator() -> SmallRng {
    let seed = std::env::var("FIRN_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| RandomState::new().hash_one(0_u8));
    #[expect(clippy::print_stdout, reason = "shown when the test fails")]
    {
        println!("FIRN_TEST_SEED={seed}");
    }
    SmallRng::seed_from_u64(seed)
}
