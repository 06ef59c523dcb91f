//! The floor under every durable commit: one block written and synced, with nothing else
//! around it.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Bytes written before each sync.
const BLOCK: usize = 4096;
/// Blocks of the file, which is written over and over: as a log that was laid out before.
const BLOCKS: u64 = 256;
/// Longest latency told apart.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// Median time, in microseconds, of writing a block of 4 KiB into a file in `dir` and
/// syncing it (`fdatasync`), one after the other for as long as `duration`.
///
/// # Errors
/// If the file cannot be made, written or synced.
pub fn fsync_p50_us(dir: &Path, duration: Duration) -> io::Result<f64> {
    let file = tempfile::tempfile_in(dir)?;
    for block in 0..BLOCKS {
        file.write_all_at(&[0; BLOCK], block * BLOCK as u64)?;
    }
    file.sync_all()?;
    let mut latencies =
        Histogram::<u64>::new_with_bounds(1, LATENCY_MAX_NS, 3).expect("bounds that are in order");
    let begun = Instant::now();
    let mut turn = 0u64;
    while turn == 0 || begun.elapsed() < duration {
        let at = Instant::now();
        file.write_all_at(&[turn as u8; BLOCK], turn % BLOCKS * BLOCK as u64)?;
        file.sync_data()?;
        let nanos = u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        latencies.saturating_record(nanos.max(1));
        turn += 1;
    }
    Ok(latencies.value_at_quantile(0.5) as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synced_block_takes_time() {
        let dir = tempfile::tempdir().unwrap();
        assert!(fsync_p50_us(dir.path(), Duration::ZERO).unwrap() > 0.0);
        assert!(fsync_p50_us(&dir.path().join("missing"), Duration::ZERO).is_err());
    }
}
