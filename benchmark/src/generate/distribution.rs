//! Which key comes next.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{Rng, Shuffle, mix};

/// How operations spread over the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// In key order, all workers together; from the start again at the end.
    Sequential,
    /// Every key is as likely as any other.
    Uniform,
    /// Few keys get most operations; which ones, looks random.
    Zipfian,
    /// As zipfian, but the newest keys are the popular ones. Puts add new keys.
    Latest,
}

/// What the workers of a phase share: how far the sequences have come.
#[derive(Debug, Default)]
pub struct Cursors {
    /// The next operation of a sequence.
    pub next: AtomicU64,
    /// Keys there are, for `latest`.
    pub newest: AtomicU64,
}

/// Chooses keys for one worker.
#[derive(Debug, Clone)]
pub struct Chooser {
    distribution: Distribution,
    keys: u64,
    zipf: Option<Zipf>,
    shuffle: Shuffle,
}

impl Chooser {
    /// A chooser among the first `keys` keys; `theta` says how skewed, between
    /// 0 and 1.
    #[must_use]
    pub fn new(distribution: Distribution, keys: u64, theta: f64, seed: u64) -> Self {
        let skewed = matches!(distribution, Distribution::Zipfian | Distribution::Latest);
        Self {
            distribution,
            keys,
            zipf: skewed.then(|| Zipf::new(keys, theta)),
            shuffle: Shuffle::new(keys, mix(seed, 0x73_6875_6666)),
        }
    }

    /// The key that operation number `number` of a load writes: every key once.
    #[must_use]
    pub fn load(&self, number: u64) -> u64 {
        debug_assert!(number < self.keys);
        match self.distribution {
            Distribution::Sequential => number,
            _ => self.shuffle.apply(number),
        }
    }

    /// The key that a read takes. `number` is the operation's place in the sequence.
    #[inline]
    pub fn read(&self, number: u64, rng: &mut Rng, cursors: &Cursors) -> u64 {
        match (self.distribution, &self.zipf) {
            (Distribution::Zipfian, Some(zipf)) => self.shuffle.apply(zipf.rank(rng)),
            (Distribution::Latest, Some(zipf)) => {
                let newest = cursors.newest.load(Ordering::Relaxed).max(1);
                newest - 1 - zipf.rank(rng).min(newest - 1)
            }
            (Distribution::Sequential, _) => number % self.keys,
            _ => rng.below(self.keys),
        }
    }

    /// The key that a put writes.
    #[inline]
    pub fn write(&self, number: u64, rng: &mut Rng, cursors: &Cursors) -> u64 {
        match self.distribution {
            Distribution::Latest => cursors.newest.fetch_add(1, Ordering::Relaxed),
            _ => self.read(number, rng, cursors),
        }
    }

    /// How many keys there are to choose from.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Whether operations need their place in a sequence.
    #[must_use]
    pub fn is_sequential(&self) -> bool {
        self.distribution == Distribution::Sequential
    }
}

/// Ranks below `n`, rank `r` with a probability in proportion to `1 / (r+1)^theta`
/// (after Gray and others, "Quickly generating billion-record synthetic databases").
#[derive(Debug, Clone)]
struct Zipf {
    n: f64,
    theta: f64,
    zeta_n: f64,
    half_pow: f64,
    alpha: f64,
    eta: f64,
}

/// Sum of `1 / i^theta` for i from 1 to n: the first terms one by one, the rest
/// by the Euler-Maclaurin formula, whose error is far below 1e-9 here.
fn zeta(n: u64, theta: f64) -> f64 {
    const EXACT: u64 = 1000;
    let term = |i: u64| (i as f64).powf(-theta);
    let head: f64 = (1..=n.min(EXACT)).map(term).sum();
    if n <= EXACT {
        return head;
    }
    let (a, b) = (EXACT as f64, n as f64);
    let integral = (b.powf(1.0 - theta) - a.powf(1.0 - theta)) / (1.0 - theta);
    let ends = (term(n) - term(EXACT)) / 2.0;
    let slopes = -theta * (b.powf(-theta - 1.0) - a.powf(-theta - 1.0)) / 12.0;
    head + integral + ends + slopes
}

impl Zipf {
    fn new(n: u64, theta: f64) -> Self {
        let zeta_n = zeta(n, theta);
        let n = n as f64;
        let alpha = 1.0 / (1.0 - theta);
        let eta = (1.0 - (2.0 / n).powf(1.0 - theta)) / (1.0 - zeta(2, theta) / zeta_n);
        Self { n, theta, zeta_n, half_pow: 1.0 + 0.5f64.powf(theta), alpha, eta }
    }

    #[inline]
    fn rank(&self, rng: &mut Rng) -> u64 {
        debug_assert!(self.theta > 0.0 && self.theta < 1.0);
        let u = rng.unit();
        let uz = u * self.zeta_n;
        if uz < 1.0 || self.n < 2.0 {
            return 0;
        }
        if uz < self.half_pow || self.n < 3.0 {
            return 1;
        }
        let rank = self.n * (self.eta * u - self.eta + 1.0).powf(self.alpha);
        rank.min(self.n - 1.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn zeta_without_summing_is_the_sum() {
        for (n, theta) in [(10u64, 0.99), (1001, 0.5), (2_000_000, 0.99), (2_000_000, 0.7)] {
            let sum: f64 = (1..=n).map(|i| (i as f64).powf(-theta)).sum();
            assert!((zeta(n, theta) / sum - 1.0).abs() < 1e-9, "n = {n}, theta = {theta}");
        }
    }

    #[test]
    fn zipfian_ranks_follow_the_law() {
        let (n, theta, draws) = (1_000_000u64, 0.99, 400_000);
        let zipf = Zipf::new(n, theta);
        let mut rng = Rng::new(8);
        let mut ranks: Vec<u64> = (0..draws).map(|_| zipf.rank(&mut rng)).collect();
        assert!(ranks.iter().all(|r| *r < n));
        ranks.sort_unstable();
        // The share of draws at or below a rank, against the law's.
        for rank in [0u64, 1, 9, 99, 9_999, 99_999, 499_999] {
            let got = ranks.partition_point(|r| *r <= rank) as f64 / f64::from(draws);
            let want = zeta(rank + 1, theta) / zeta(n, theta);
            assert!((got - want).abs() < 0.02, "rank {rank}: {got:.3}, not {want:.3}");
        }
    }

    #[test]
    fn tiny_sets_of_keys_work_too() {
        let cursors = Cursors::default();
        for keys in 1..5 {
            for d in [Distribution::Zipfian, Distribution::Uniform, Distribution::Sequential] {
                let chooser = Chooser::new(d, keys, 0.99, 1);
                let mut rng = Rng::new(1);
                let seen: BTreeSet<u64> =
                    (0..1000).map(|i| chooser.read(i, &mut rng, &cursors)).collect();
                assert_eq!(seen, (0..keys).collect(), "{d:?}");
            }
        }
    }

    #[test]
    fn a_load_writes_every_key_once() {
        for d in [Distribution::Sequential, Distribution::Uniform] {
            let chooser = Chooser::new(d, 10_000, 0.99, 1);
            let keys: BTreeSet<u64> = (0..10_000).map(|i| chooser.load(i)).collect();
            assert_eq!(keys.len(), 10_000);
            assert_eq!(keys.last(), Some(&9_999));
            assert_eq!(chooser.load(5) == 5, d == Distribution::Sequential);
        }
    }

    #[test]
    fn zipfian_scatters_its_favourites_and_latest_does_not() {
        let cursors = Cursors::default();
        cursors.newest.store(1000, Ordering::Relaxed);
        let favourite = |d| {
            let chooser = Chooser::new(d, 1000, 0.99, 3);
            let mut rng = Rng::new(2);
            let mut counts = vec![0u32; 1000];
            for i in 0..20_000 {
                counts[chooser.read(i, &mut rng, &cursors) as usize] += 1;
            }
            let most = counts.iter().max().copied().unwrap_or(0);
            assert!(most > 1_500, "{d:?}: {most} of 20,000");
            counts.iter().position(|c| *c == most)
        };
        assert_eq!(favourite(Distribution::Latest), Some(999));
        let zipfian = favourite(Distribution::Zipfian);
        assert!(zipfian != Some(0) && zipfian != Some(999), "{zipfian:?}");
    }

    #[test]
    fn latest_puts_add_keys_and_reads_follow_them() {
        let cursors = Cursors::default();
        let chooser = Chooser::new(Distribution::Latest, 100, 0.99, 3);
        let mut rng = Rng::new(2);
        assert_eq!(chooser.read(0, &mut rng, &cursors), 0, "nothing there yet");
        assert!((0..50).all(|i| chooser.write(0, &mut rng, &cursors) == i));
        assert!((0..1000).all(|_| chooser.read(0, &mut rng, &cursors) < 50));
    }
}
