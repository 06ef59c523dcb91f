//! What goes wrong, and when.

use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_engine::Instant;
use firn_engine::object::FaultPlan;

use super::cluster::{COMPUTES, Cluster, READERS, STORAGES, WORKERS};
use super::network::Machine;

/// A reader that is away for longer may lose its lease; some is left for what was slow before.
const AWAY_MAX: Duration = Duration::from_secs(40);

/// Faults at a time, beside those of messages and requests.
const FAULTS_MAX: usize = 3;

/// What ends a fault.
#[derive(Debug, Clone)]
enum End {
    Start(Machine),
    Resume(Machine),
    Mend(Vec<(Machine, Machine)>),
    Reach(Machine),
    Outage,
}

/// Faults that last until some time.
#[derive(Debug, Default)]
pub(crate) struct Nemesis {
    ends: Vec<(Instant, End)>,
    /// How many of each kind there were.
    pub(crate) faults: u64,
}

impl Nemesis {
    /// One more fault, or none.
    pub(crate) fn strike(&mut self, cluster: &mut Cluster) {
        if self.ends.len() >= FAULTS_MAX {
            return;
        }
        let kind = cluster.below(100);
        self.faults += 1;
        match kind {
            0..14 => {
                let journals = cluster.journals().to_vec();
                self.kill(cluster, &journals, 1);
            }
            14..26 => self.kill(cluster, &STORAGES, 2),
            26..35 => self.kill(cluster, &WORKERS, 3),
            35..41 => self.kill(cluster, &COMPUTES, 2),
            41..46 => self.kill(cluster, &READERS, 3),
            46..66 => self.pause(cluster),
            66..80 => self.part(cluster),
            80..92 => self.cut(cluster),
            _ => {
                cluster.faults.set_outage(true);
                self.later(cluster, Duration::from_secs(1 + cluster.below(15)), End::Outage);
            }
        }
    }

    fn later(&mut self, cluster: &Cluster, after: Duration, end: End) {
        self.ends.push((cluster.env.now().after(after), end));
    }

    fn one(cluster: &Cluster, of: &[Machine]) -> Machine {
        of[cluster.below(of.len() as u64) as usize]
    }

    /// At most so many of a kind are down together.
    fn kill(&mut self, cluster: &mut Cluster, of: &[Machine], down_max: usize) {
        let machine = Self::one(cluster, of);
        let down = of.iter().filter(|m| !cluster.is_running(**m)).count();
        if down < down_max && cluster.is_running(machine) {
            cluster.kill(machine);
            let after = Duration::from_millis(cluster.below(20_000));
            self.later(cluster, after, End::Start(machine));
        }
    }

    fn time(cluster: &Cluster) -> Duration {
        let long = cluster.below(6) == 0;
        Duration::from_millis(cluster.below(if long { 150_000 } else { 12_000 }))
    }

    /// What may have cost a reader its lease, or all of them theirs.
    fn lapse(cluster: &Cluster, machines: &[Machine], time: Duration) {
        if time > AWAY_MAX {
            for machine in machines {
                if READERS.contains(machine) {
                    cluster.set_lapsed(*machine);
                } else if STORAGES.contains(machine) {
                    READERS.iter().for_each(|reader| cluster.set_lapsed(*reader));
                }
            }
        }
    }

    fn pause(&mut self, cluster: &Cluster) {
        let (machine, time) = (Self::one(cluster, &cluster.machines()), Self::time(cluster));
        if cluster.is_running(machine) {
            cluster.pause(machine);
            Self::lapse(cluster, &[machine], time);
            self.later(cluster, time, End::Resume(machine));
        }
    }

    /// One machine, or one and another, do not reach each other, or one does not reach the other.
    fn part(&mut self, cluster: &Cluster) {
        let all = cluster.machines();
        let (one, time) = (Self::one(cluster, &all), Self::time(cluster));
        let others = match cluster.below(2) {
            0 => all,
            _ => vec![Self::one(cluster, &all)],
        };
        let both = cluster.below(3) > 0;
        let mut ways = Vec::new();
        for other in others.iter().filter(|other| **other != one) {
            ways.push((one, *other));
            if both {
                ways.push((*other, one));
            }
        }
        ways.iter().for_each(|(from, to)| cluster.net.cut(*from, *to));
        Self::lapse(cluster, &[&others[..], &[one]].concat(), time);
        self.later(cluster, time, End::Mend(ways));
    }

    fn cut(&mut self, cluster: &Cluster) {
        let (machine, time) = (Self::one(cluster, &cluster.machines()), Self::time(cluster));
        cluster.set_cut(machine, true);
        Self::lapse(cluster, &[machine], time);
        self.later(cluster, time, End::Reach(machine));
    }

    /// Ends the faults whose time has come.
    pub(crate) async fn relent(&mut self, cluster: &mut Cluster) {
        let now = cluster.env.now();
        let (due, left) =
            std::mem::take(&mut self.ends).into_iter().partition(|(at, _)| *at <= now);
        self.ends = left;
        for (_, end) in due {
            self.end(cluster, end).await;
        }
    }

    async fn end(&mut self, cluster: &mut Cluster, end: End) {
        match end {
            End::Start(machine) => {
                if let Err(error) = cluster.start(machine).await {
                    cluster.verdict.fail(format!("machine {machine} does not start: {error:?}"));
                }
            }
            End::Resume(machine) => cluster.resume(machine),
            End::Mend(ways) => ways.iter().for_each(|(from, to)| cluster.net.mend(*from, *to)),
            End::Reach(machine) => cluster.set_cut(machine, false),
            End::Outage => cluster.faults.set_outage(false),
        }
    }

    /// Nothing is wrong any more, and everything runs. No new work is begun.
    pub(crate) async fn heal(&mut self, cluster: &mut Cluster) {
        cluster.stopping.store(true, Ordering::Relaxed);
        for (_, end) in std::mem::take(&mut self.ends) {
            self.end(cluster, end).await;
        }
        cluster.faults.set_plan(FaultPlan::default());
        cluster.net.heal();
    }
}
