//! A fixed shuffle of the numbers below `n`, without a table.

use super::random::{Rng, mix};

/// Puts `0..n` into an order that looks random: one to one, and the same for
/// the same seed.
///
/// It is a chain of steps on just as many bits as `n` has, each of which can be
/// undone; a result that is not below `n` goes through again, twice on average
/// at most.
#[derive(Debug, Clone)]
pub struct Shuffle {
    n: u64,
    mask: u64,
    shift: u32,
    factors: [u64; 3],
    add: u64,
}

impl Shuffle {
    /// A shuffle of the numbers below `n`, which is not 0.
    #[must_use]
    pub fn new(n: u64, seed: u64) -> Self {
        assert!(n > 0, "nothing to shuffle");
        let bits = (u64::BITS - (n - 1).leading_zeros()).max(1);
        let mut rng = Rng::new(mix(seed, n));
        Self {
            n,
            mask: u64::MAX >> (u64::BITS - bits),
            shift: bits / 2 + 1,
            // Multiplying by an odd number can be undone, modulo a power of two.
            factors: [rng.next_u64() | 1, rng.next_u64() | 1, rng.next_u64() | 1],
            add: rng.next_u64(),
        }
    }

    /// Where `i`, which is below `n`, goes.
    #[inline]
    #[must_use]
    pub fn apply(&self, i: u64) -> u64 {
        debug_assert!(i < self.n);
        let mut x = i;
        loop {
            x = x.wrapping_add(self.add) & self.mask;
            for factor in self.factors {
                x = x.wrapping_mul(factor) & self.mask;
                x ^= x >> self.shift.min(63);
            }
            if x < self.n {
                return x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_once() {
        for n in [1u64, 2, 3, 7, 64, 65, 1000, 4096, 100_003] {
            let shuffle = Shuffle::new(n, 5);
            let mut seen = vec![false; n as usize];
            for i in 0..n {
                let at = shuffle.apply(i) as usize;
                assert!(!std::mem::replace(&mut seen[at], true), "{at} twice, n = {n}");
            }
        }
    }

    #[test]
    fn neighbours_are_torn_apart() {
        let n = 1_000_000;
        let shuffle = Shuffle::new(n, 9);
        let near = (1..n).filter(|i| shuffle.apply(*i).abs_diff(shuffle.apply(i - 1)) < 1000);
        // By chance about 0.2 %.
        let near = near.count();
        assert!(near < 4_000, "{near} neighbours stayed near");
        assert_ne!(Shuffle::new(n, 10).apply(0), shuffle.apply(0));
    }
}
