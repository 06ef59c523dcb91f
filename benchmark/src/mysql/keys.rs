//! Which id comes next, as sysbench 1.0 chooses it.

use super::config::Distribution;
use crate::generate::Rng;

/// How many even numbers are averaged for the bell of `special`.
const BELL_OF: u32 = 12;
/// Of a hundred ids, how many lie in the middle that `special` prefers.
const MIDDLE_PERCENT: u64 = 1;
/// Of a hundred choices, how many go there.
const PREFERRED_PERCENT: u64 = 75;

/// Chooses ids from 1 to `rows`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    distribution: Distribution,
    rows: u64,
}

impl Keys {
    pub(crate) fn new(distribution: Distribution, rows: u64) -> Self {
        Self { distribution, rows: rows.max(1) }
    }

    /// The next id.
    pub(crate) fn next(&self, rng: &mut Rng) -> i64 {
        let index = match self.distribution {
            Distribution::Uniform => rng.below(self.rows),
            Distribution::Special if rng.below(100) < PREFERRED_PERCENT => {
                let middle = (self.rows * MIDDLE_PERCENT / 100).max(1);
                self.rows / 2 - middle / 2 + rng.below(middle)
            }
            Distribution::Special => {
                let sum: f64 = (0..BELL_OF).map(|_| rng.unit()).sum();
                ((sum / f64::from(BELL_OF)) * self.rows as f64) as u64
            }
        };
        // Rows are at most 2^30.
        index.min(self.rows - 1) as i64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(distribution: Distribution, rows: u64) -> Vec<u32> {
        let (keys, mut rng) = (Keys::new(distribution, rows), Rng::new(7));
        let mut counts = vec![0; rows as usize];
        for _ in 0..100_000 {
            let id = keys.next(&mut rng);
            counts[id as usize - 1] += 1;
        }
        counts
    }

    #[test]
    fn uniform_is_even() {
        assert!(counts(Distribution::Uniform, 100).iter().all(|n| (850..1150).contains(n)));
    }

    #[test]
    fn special_prefers_the_middle_hundredth() {
        let counts = counts(Distribution::Special, 10_000);
        let middle: u32 = counts[4950..5050].iter().sum();
        // Three quarters, and what the bell has there.
        assert!((75_000..80_000).contains(&middle), "{middle}");
        let near: u32 = counts[4000..6000].iter().sum();
        assert!(near > 88_000 && near < 99_000, "{near}");
        assert_eq!(counts[..500].iter().sum::<u32>(), 0);
    }

    #[test]
    fn a_table_of_one_row_has_one_id() {
        for distribution in [Distribution::Uniform, Distribution::Special] {
            assert_eq!(counts(distribution, 1), [100_000]);
            assert!(counts(distribution, 2).iter().all(|n| *n > 0));
        }
    }
}
