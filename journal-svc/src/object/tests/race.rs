//! Many writers that take a log from each other, fall asleep in the middle of
//! anything, wake up again, trim and crash: what was acknowledged stays.

#![expect(clippy::print_stderr, reason = "seeds are printed")]

use std::collections::BTreeMap;

use super::slow::SlowStore;
use super::*;
use firn_engine::TaskClass;

/// What all writers together were told.
#[derive(Debug, Default)]
struct Told {
    epoch: u64,
    acknowledged: BTreeMap<u64, Record>,
    /// Highest position that someone asked to trim.
    asked: u64,
    /// The start was moved past the end to here.
    jumped: u64,
    openings: u64,
    fenced: u64,
}

#[derive(Clone)]
struct World {
    env: Env,
    store: Arc<dyn ObjectStore>,
    told: Arc<Mutex<Told>>,
    seed: u64,
}

impl World {
    fn below(&self, n: u64) -> u64 {
        self.env.random_u64() % n
    }

    /// One life of one writer; ends when it is fenced, or gives up.
    async fn write(&self, name: u64) -> Result<()> {
        let journal =
            journal(&self.env, Arc::new(SlowStore::new(Arc::clone(&self.store), self.env.clone())));
        let main = BranchName::main();
        let epoch = {
            let mut told = self.told.lock();
            // Sometimes two of one epoch.
            told.epoch += u64::from(told.epoch == 0 || self.below(5) > 0);
            told.epoch
        };
        let before: Vec<Record> = self.told.lock().acknowledged.values().cloned().collect();
        let writer = journal.open(&main, Epoch(epoch)).await?;
        self.told.lock().openings += 1;
        let bounds = writer.bounds();
        for record in before.iter().filter(|r| r.last_seq > bounds.trimmed) {
            assert!(
                record.last_seq <= bounds.last,
                "seed {}: {record:?} is not in {bounds:?}",
                self.seed
            );
        }
        let from = bounds.trimmed.next();
        let found: Vec<Record> = journal.read(&main, from).await?.try_collect().await?;
        for record in before.iter().filter(|r| r.last_seq > bounds.trimmed) {
            // If it is gone by now, someone trimmed it, and the read says so.
            assert!(found.contains(record), "seed {}: {record:?} is lost to {name}", self.seed);
        }
        let mut last = bounds.last.0;
        for round in 0..self.below(12) {
            if self.below(8) == 0 {
                self.env.sleep(Duration::from_millis(self.below(5000))).await;
            }
            if self.below(4) == 0 && last > 0 {
                let past = if self.below(10) == 0 { 5 } else { 0 };
                let through = last - self.below(3).min(last - 1) + past;
                if through > last {
                    last = through;
                }
                {
                    // In the log or not, it is not needed any more.
                    let mut told = self.told.lock();
                    told.asked = told.asked.max(through);
                }
                writer.trim(Seq(through)).await?;
                let mut told = self.told.lock();
                if past > 0 && through == last {
                    told.jumped = told.jumped.max(through);
                }
            }
            let next = last + 1;
            let text = format!("{name} {epoch} {round}");
            let record = record(epoch, next, next + self.below(2), &text);
            last = record.last_seq.0;
            writer.append(record.clone()).await?;
            let mut told = self.told.lock();
            for seq in record.first_seq.0..=record.last_seq.0 {
                let other = told.acknowledged.insert(seq, record.clone());
                assert!(other.is_none(), "seed {}: {record:?} and {other:?}", self.seed);
            }
        }
        Ok(())
    }
}

fn race(seed: u64) -> (u64, u64, usize) {
    simulate(seed, |env| async move {
        let store = memory(&env);
        let told = Arc::new(Mutex::new(Told::default()));
        let world = World { env: env.clone(), store, told, seed };
        let writers = (0..6).map(|n| {
            let world = world.clone();
            env.spawn(TaskClass::Foreground, "writer", async move {
                for life in 0..6 {
                    let limit = Duration::from_millis(100 + world.below(6000));
                    // Past its limit it crashes, wherever it is.
                    match world.env.timeout(limit, world.write(10 * n + life)).await {
                        Some(Err(e)) if e.kind() == ErrorKind::Fenced => {
                            world.told.lock().fenced += 1
                        }
                        Some(Err(e)) if e.kind() == ErrorKind::BadRequest => {
                            assert!(e.to_string().contains("trimmed"), "seed {seed}: {e}");
                        }
                        Some(Err(e)) => panic!("seed {seed}: {e:?}"),
                        Some(Ok(())) | None => {}
                    }
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            assert!(writer.await.is_some(), "seed {seed}");
        }
        let journal = journal(&env, Arc::clone(&world.store));
        let main = BranchName::main();
        let bounds = journal.bounds(&main).await.unwrap();
        let told = std::mem::take(&mut *world.told.lock());
        assert!(bounds.trimmed.0 <= told.asked, "seed {seed}: {bounds:?}, {}", told.asked);
        let found = journal.read(&main, bounds.trimmed.next()).await.unwrap();
        let found: Vec<Record> = found.try_collect().await.unwrap();
        for record in told.acknowledged.values().filter(|r| r.last_seq > bounds.trimmed) {
            assert!(found.contains(record), "seed {seed}: {record:?} is lost");
        }
        (told.openings, told.fenced, told.acknowledged.len())
    })
}

#[test]
fn racing_writers_lose_nothing_acknowledged() {
    let (seeds, base) = match std::env::var("FIRN_SEED") {
        Ok(text) => (1, text.parse().unwrap()),
        Err(_) => (100, u64::from(std::process::id()) << 20),
    };
    eprintln!("FIRN_SEED from {base}, {seeds} of them");
    let mut sums = (0, 0, 0);
    for seed in base..base + seeds {
        let (openings, fenced, acknowledged) = race(seed);
        sums = (sums.0 + openings, sums.1 + fenced, sums.2 + acknowledged);
    }
    eprintln!("{sums:?} openings, fenced, acknowledged seqs");
    assert!(
        seeds == 1 || (sums.0 > 500 && sums.1 > 500 && sums.2 > 1000),
        "it was a race: {sums:?}"
    );
}
