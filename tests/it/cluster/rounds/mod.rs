//! A whole cluster of processes under faults, with a load that is checked.
//!
//! In each round a part is chosen by chance, and what becomes of it: SIGKILL, a pause, a
//! pulled cable, both cable and SIGKILL (a machine that is lost), or a second compute that
//! takes the branch from one that lives. Writes must go on within a bound; the part comes
//! back; the journal's members must catch up, a compute that lost the branch must end by
//! itself, and every acknowledged transaction must be there once and whole.

mod away;
mod gate;
mod hosts;
mod load;
mod outages;
mod parts;

use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;

use hosts::Hosts;
use load::{Load, WRITERS};
use outages::Outages;
use parts::{Part, Parts};

/// How long it may take until writes go on.
const RESUME_MAX: Duration = Duration::from_secs(30);
/// How long members may take to catch up, and a compute to notice that it lost the branch.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);
/// Characters of a row's text at most.
const PAD_MAX: u64 = 4096;
/// Rounds between two checks of everything.
const CHECK_ALL_EVERY: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Pause,
    Cut,
    /// The cable first: nobody hears that the process has ended.
    Lose,
    /// Of a compute: another one takes the branch.
    Take,
    /// Of a member's disk: what was not synced is lost, and all its calls fail. The member
    /// must end by itself.
    Power,
}

/// Whom faults meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    All,
    /// A member of the journal.
    Member,
    /// The journal's leader alone.
    Leader,
    /// The compute that has the branch alone.
    Writer,
}

struct Rounds {
    parts: Parts,
    whom: Whom,
    load: Load,
    rng: SmallRng,
    faults: Vec<Fault>,
    /// Checked up to here.
    checked: [u64; WRITERS],
    outages: Outages,
}

impl Rounds {
    fn choose(&mut self, leader: usize) -> (Part, Fault) {
        let writer = Part::Compute(self.parts.writer);
        let part = match self.rng.random_range(0..10) {
            _ if self.whom == Whom::Member => Part::Journal(self.rng.random_range(0..3)),
            _ if self.whom == Whom::Leader => Part::Journal(leader),
            _ if self.whom == Whom::Writer => writer,
            0..4 => Part::Journal(self.rng.random_range(0..3)),
            4..7 => writer,
            7..9 => Part::Storage(self.rng.random_range(0..2)),
            _ => Part::Worker(self.rng.random_range(0..2)),
        };
        let take = usize::from(part == writer && self.whom == Whom::All);
        let at = self.rng.random_range(0..self.faults.len() + take);
        (part, self.faults.get(at).copied().unwrap_or(Fault::Take))
    }

    fn inflict(&mut self, part: Part, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::Kill => self.parts.kill(part),
            Fault::Pause => self.parts.signal(part, Signal::STOP),
            Fault::Cut => self.parts.cut(part)?,
            Fault::Lose => {
                self.parts.cut(part)?;
                self.parts.kill(part);
            }
            Fault::Take => {}
            Fault::Power => {
                self.parts.cut_power(part)?;
                self.parts.ends(part, CATCH_UP_MAX)?;
            }
        }
        Ok(())
    }

    fn mend(&mut self, part: Part, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::Pause => self.parts.signal(part, Signal::CONT),
            Fault::Cut | Fault::Lose => self.parts.join(part)?,
            Fault::Power => self.parts.restore_power(part)?,
            Fault::Kill | Fault::Take => {}
        }
        let gone = matches!(fault, Fault::Kill | Fault::Lose | Fault::Power);
        match part {
            // The place of the next writer.
            Part::Compute(_) => self.parts.ends(part, CATCH_UP_MAX),
            _ if gone => self.parts.run(part),
            _ => Ok(()),
        }
    }

    /// Starts the other compute, which takes the branch.
    fn take_over(&mut self) -> Result<(), String> {
        let next = 1 - self.parts.writer;
        self.parts.run(Part::Compute(next))?;
        self.parts.writer = next;
        let address = self.parts.writer_address();
        self.load.go_to(address);
        Ok(())
    }

    async fn resumed(&mut self, since: Instant, writers: &[usize]) -> Result<Duration, String> {
        loop {
            if let Some(at) = self.load.resumed(since, writers) {
                return Ok(at - since);
            }
            self.load.wrong()?;
            if since.elapsed() > RESUME_MAX {
                self.parts.all_run()?;
                return Err(format!("no writes for {RESUME_MAX:?}: {:?}", self.load.errors()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn round(&mut self, number: usize) -> Result<(), String> {
        let leader = self.parts.leader().await?;
        let (part, fault) = self.choose(leader);
        let all: Vec<usize> = (0..WRITERS).collect();
        self.resumed(Instant::now(), &all).await?;
        self.load.take_acks();
        let hold = Duration::from_millis(self.rng.random_range(0..2500));
        let what = match part {
            Part::Journal(at) if at == leader => "the leader of the journal",
            Part::Journal(_) => "a follower of the journal",
            Part::Storage(_) => "a storage service",
            Part::Worker(_) => "a worker",
            Part::Compute(_) => "the writer",
        };
        let since = Instant::now();
        tokio::task::block_in_place(|| self.inflict(part, fault))?;
        let writes = if matches!(part, Part::Compute(_)) {
            tokio::task::block_in_place(|| self.take_over())?;
            // The first keeps to the connection that it has.
            &all[1..]
        } else {
            &all
        };
        let outage = self.resumed(since, writes).await?;
        tokio::time::sleep(hold).await;
        tokio::task::block_in_place(|| self.mend(part, fault))?;
        self.parts.journal_catches_up(CATCH_UP_MAX).await?;
        self.resumed(Instant::now(), &all).await?;
        self.parts.all_run()?;
        self.load.wrong()?;
        let acks = self.load.take_acks();
        let longest = outages::longest_gap(since, &acks);
        eprintln!(
            "round {number}: {fault:?} {part}, {what}: writes after {outage:.2?}, longest pause \
             {longest:.2?}, {} commits",
            acks.len()
        );
        self.outages.add(format!("{fault:?} {what}"), outage, longest);
        let from = if number.is_multiple_of(CHECK_ALL_EVERY) { [0; WRITERS] } else { self.checked };
        self.check(from).await
    }

    async fn check(&mut self, from: [u64; WRITERS]) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            match self.load.check(self.parts.writer_address(), from).await {
                Ok(checked) => {
                    self.checked = checked?;
                    return Ok(());
                }
                Err(error) if begun.elapsed() > RESUME_MAX => return Err(error.to_string()),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

/// So many rounds with these faults. What is left behind on the disk stays if one fails.
async fn run(hosts: Hosts, whom: Whom, faults: &[Fault], count: usize) {
    let seed = std::env::var("FIRN_SEED").map_or_else(|_| rand::random(), |s| s.parse().unwrap());
    eprintln!("FIRN_SEED={seed}, {count} rounds");
    let folder = tempfile::tempdir().unwrap();
    let (ran, outages) = run_in(folder.path(), hosts, whom, faults, count, seed).await;
    eprintln!("{outages}");
    if let Err(why) = ran {
        let kept = folder.keep();
        panic!("FIRN_SEED={seed}: {why}\nlogs are in {}", kept.display());
    }
}

async fn run_in(
    folder: &Path,
    hosts: Hosts,
    whom: Whom,
    faults: &[Fault],
    count: usize,
    seed: u64,
) -> (Result<(), String>, Outages) {
    let started = async {
        let mut parts = tokio::task::block_in_place(|| {
            Parts::start(hosts, folder, Vec::new(), faults.contains(&Fault::Power))
        })?;
        let address = parts.writer_address();
        load::prepare(address).await.map_err(|error| error.to_string())?;
        Ok((parts, Load::start(address, PAD_MAX)))
    };
    let (parts, load) = match started.await {
        Ok(started) => started,
        Err(why) => return (Err(why), Outages::default()),
    };
    let mut rounds = Rounds {
        parts,
        whom,
        load,
        rng: SmallRng::seed_from_u64(seed),
        faults: faults.to_vec(),
        checked: [0; WRITERS],
        outages: Outages::default(),
    };
    let mut ran = Ok(());
    for number in 1..=count {
        ran = rounds.round(number).await.map_err(|why| format!("round {number}: {why}"));
        if ran.is_err() {
            break;
        }
    }
    rounds.load.stop().await;
    if ran.is_ok() {
        ran = rounds.check([0; WRITERS]).await;
    }
    for (error, count) in rounds.load.errors() {
        eprintln!("{count} times: {error}");
    }
    (ran, rounds.outages)
}

fn count() -> usize {
    std::env::var("FIRN_TEST_ROUNDS").map_or(100, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_keeps_its_promises_while_parts_are_killed_and_paused() {
    run(Hosts::loopback(), Whom::All, &[Fault::Kill, Fault::Pause], 5).await;
}

/// `FIRN_TEST_ROUNDS=300 cargo test --test it under_every_fault -- --ignored --nocapture`, as
/// root; with `FIRN_TEST_PROGRAM` another `firn` than the one that was built with it, with
/// `FIRN_TEST_WHOM=leader` or `writer` only the journal's leader or the writer are killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs root, network namespaces and time"]
async fn a_cluster_keeps_its_promises_under_every_fault() {
    let count = count();
    let hosts = Hosts::namespaces().expect("network namespaces");
    let all = [Fault::Kill, Fault::Pause, Fault::Cut, Fault::Lose];
    match std::env::var("FIRN_TEST_WHOM").as_deref() {
        Err(_) => run(hosts, Whom::All, &all, count).await,
        Ok("leader") => run(hosts, Whom::Leader, &[Fault::Kill], count).await,
        Ok("writer") => run(hosts, Whom::Writer, &[Fault::Kill], count).await,
        Ok(other) => panic!("FIRN_TEST_WHOM={other}"),
    }
}

/// `FIRN_TEST_ROUNDS=100 cargo test --test it lose_their_power -- --ignored --nocapture`, as
/// root.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs root, loop devices and time"]
async fn a_cluster_keeps_its_promises_while_disks_of_the_journal_lose_their_power() {
    run(Hosts::loopback(), Whom::Member, &[Fault::Power], count()).await;
}
