//! How often, how long and how far apart requests are repeated.

use std::time::Duration;

use crate::object::stats::RequestKind;

/// What one call may take, with all its tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tries, the first one included. Those refused by a throttling store do not count.
    pub tries: u32,
    /// Time for all tries and the pauses between them; a try that has begun is not cut.
    pub time: Duration,
    /// Time for one try, beside the time that its bytes need at [`RetryOptions::bytes_per_second_min`].
    pub try_time: Duration,
}

/// Pauses that double from `first` to `max`, each shortened by chance by up to a half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause.
    pub first: Duration,
    /// The longest.
    pub max: Duration,
}

impl Backoff {
    /// The pause before repetition `n`, counted from 1, before chance.
    pub(super) fn pause(&self, n: u32) -> Duration {
        let factor = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }
}

/// When a second request is sent because the first is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HedgeOptions {
    /// Reads of more bytes are not hedged; 0 switches hedging off.
    pub bytes_max: u64,
    /// However fast the store is otherwise, a read is given this long.
    pub floor: Duration,
    /// Second requests per hundred reads at most.
    pub percent_max: u32,
}

/// Limits of all requests to one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOptions {
    /// GET and HEAD.
    pub read: Limits,
    /// PUT of objects and parts, copies.
    pub write: Limits,
    /// LIST, each page for itself.
    pub list: Limits,
    /// DELETE, each batch for itself.
    pub delete: Limits,
    /// Pauses after a failure.
    pub backoff: Backoff,
    /// Pauses after the store asked for fewer requests.
    pub throttled: Backoff,
    /// How long a call goes on while the store asks for fewer requests.
    pub throttled_time: Duration,
    /// Slower than this a transfer counts as hanging.
    pub bytes_per_second_min: u64,
    /// Requests under way at most; more wait.
    pub in_flight_max: usize,
    /// Hedging of small reads.
    pub hedge: HedgeOptions,
}

impl Default for RetryOptions {
    fn default() -> Self {
        let limits = |time, try_time| Limits {
            tries: 10,
            time: Duration::from_secs(time),
            try_time: Duration::from_secs(try_time),
        };
        Self {
            read: limits(30, 5),
            write: limits(60, 15),
            list: limits(60, 20),
            delete: limits(60, 20),
            backoff: Backoff { first: Duration::from_millis(50), max: Duration::from_secs(5) },
            throttled: Backoff { first: Duration::from_millis(250), max: Duration::from_secs(15) },
            throttled_time: Duration::from_secs(180),
            bytes_per_second_min: 512 << 10,
            in_flight_max: 128,
            hedge: HedgeOptions {
                bytes_max: 1 << 20,
                floor: Duration::from_millis(50),
                percent_max: 2,
            },
        }
    }
}

impl RetryOptions {
    /// One try and no more: for asking once whether a store is there, and for tests.
    #[must_use]
    pub fn once() -> Self {
        let mut options = Self::default();
        for limits in
            [&mut options.read, &mut options.write, &mut options.list, &mut options.delete]
        {
            limits.tries = 1;
        }
        options.throttled_time = Duration::ZERO;
        options.hedge.bytes_max = 0;
        options
    }

    pub(super) fn limits(&self, kind: RequestKind) -> &Limits {
        match kind {
            RequestKind::Get | RequestKind::Head => &self.read,
            RequestKind::List => &self.list,
            RequestKind::Delete => &self.delete,
            RequestKind::Put
            | RequestKind::PutPart
            | RequestKind::Multipart
            | RequestKind::Copy => &self.write,
        }
    }

    /// Time for one try that sends or fetches `bytes`.
    pub(super) fn try_time(&self, kind: RequestKind, bytes: u64) -> Duration {
        let seconds = bytes as f64 / self.bytes_per_second_min.max(1) as f64;
        self.limits(kind).try_time + Duration::from_secs_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let backoff = Backoff { first: Duration::from_millis(10), max: Duration::from_millis(65) };
        let pauses: Vec<_> = [1, 2, 3, 4, 40].map(|n| backoff.pause(n).as_millis()).into();
        assert_eq!(pauses, [10, 20, 40, 65, 65]);
    }

    #[test]
    fn long_transfers_get_more_time() {
        let options = RetryOptions { bytes_per_second_min: 1 << 20, ..RetryOptions::default() };
        let small = options.try_time(RequestKind::Put, 0);
        assert_eq!(options.try_time(RequestKind::Put, 8 << 20) - small, Duration::from_secs(8));
    }
}
