//! Appends to a local journal as fast as one writer can, for measuring by hand:
//!
//! ```text
//! cargo run --release -p firn-journal --example append -- FOLDER [SECONDS]
//! ```
//!
//! Beside each record length it measures the bare writes that the journal
//! cannot be faster than: the same pages by `O_DIRECT|O_DSYNC` into a written file.

#![expect(clippy::print_stdout, reason = "it is a command")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use firn_engine::journal::{Journal, JournalWriter, Record};
use firn_engine::{BranchName, Env, Epoch, Seq};
use firn_journal::{LocalJournal, LocalOptions};
use rustix::fs::OFlags;

const LENS: [usize; 3] = [128, 27 << 10, 512 << 10];

/// Records are trimmed when so many bytes are behind.
const TRIM_BYTES: u64 = 512 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder?")?;
    let seconds = Duration::from_secs(args.next().map_or(Ok(5), |s| s.parse())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let env = Env::tokio(runtime.handle().clone(), runtime.handle().clone());
    println!(
        "{:>9} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "", "bytes", "per s", "p50 us", "p99", "p99.9", "max"
    );
    for len in LENS {
        report("bare", len, bare(Path::new(&folder), len, seconds)?);
        let journal = runtime.block_on(journal(&env, Path::new(&folder), len, seconds))?;
        report("journal", len, journal);
    }
    Ok(())
}

fn report(what: &str, len: usize, mut micros: Vec<u64>) {
    let total: u64 = micros.iter().sum();
    micros.sort_unstable();
    let at = |q: f64| micros[((micros.len() - 1) as f64 * q) as usize];
    let rate = micros.len() as f64 * 1e6 / total as f64;
    println!(
        "{what:>9} {len:>8} {rate:>9.0} {:>8} {:>8} {:>8} {:>8}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

async fn journal(
    env: &Env,
    folder: &Path,
    len: usize,
    limit: Duration,
) -> firn_engine::Result<Vec<u64>> {
    let journal = LocalJournal::open(env.clone(), folder, LocalOptions::default()).await?;
    let branch = BranchName::new("bench")?;
    let epoch = Epoch(journal.bounds(&branch).await?.epoch.0 + 1);
    let writer = journal.open(&branch, epoch).await?;
    let payload = Bytes::from(vec![0x5a; len]);
    let env = env.clone();
    // On a worker thread, as a database does it.
    let run = tokio::spawn(async move { append_for(&*writer, &env, epoch, payload, limit).await });
    run.await.expect("no panic")
}

async fn append_for(
    writer: &dyn JournalWriter,
    env: &Env,
    epoch: Epoch,
    payload: Bytes,
    limit: Duration,
) -> firn_engine::Result<Vec<u64>> {
    let mut micros = Vec::new();
    let begun = Instant::now();
    let mut seq = writer.bounds().last;
    while begun.elapsed() < limit {
        seq = seq.next();
        let record = Record {
            epoch,
            first_seq: seq,
            last_seq: seq,
            unix_ms: env.unix_ms(),
            payload: payload.clone(),
        };
        let start = Instant::now();
        writer.append(record).await?;
        micros.push(start.elapsed().as_micros() as u64);
        if seq.0.is_multiple_of(1000) && writer.bounds().bytes > TRIM_BYTES {
            writer.trim(Seq(seq.0 - 100)).await?;
        }
    }
    writer.trim(seq).await?;
    Ok(micros)
}

fn bare(folder: &Path, len: usize, limit: Duration) -> std::io::Result<Vec<u64>> {
    const FILE: usize = 64 << 20;
    std::fs::create_dir_all(folder)?;
    let path = folder.join("bare");
    std::fs::write(&path, vec![0; FILE])?;
    let flags = (OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed();
    let file = OpenOptions::new().write(true).custom_flags(flags).open(&path)?;
    file.sync_all()?;
    let len = (len + 56).next_multiple_of(4096);
    let buffer = vec![0x5a; len + 4096];
    let start = buffer.as_ptr().align_offset(4096);
    let pages = &buffer[start..start + len];
    let (mut micros, mut at) = (Vec::new(), 0);
    let begun = Instant::now();
    while begun.elapsed() < limit {
        let start = Instant::now();
        file.write_all_at(pages, at as u64)?;
        micros.push(start.elapsed().as_micros() as u64);
        at = if at + 2 * len > FILE { 0 } else { at + len };
    }
    std::fs::remove_file(path)?;
    Ok(micros)
}
