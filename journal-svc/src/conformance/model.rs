//! Random steps against a list of records.

use super::*;

struct Model {
    case: Case,
    random: Env,
    records: Vec<Record>,
    /// Highest position that a trim was asked for.
    asked: u64,
    last: u64,
    epoch: u64,
    writer: Option<Arc<dyn JournalWriter>>,
    step: u64,
}

impl Model {
    fn below(&self, n: u64) -> u64 {
        self.random.random_u64() % n
    }

    async fn step(&mut self) {
        match self.below(100) {
            0..50 => self.append().await,
            50..60 => self.trim().await,
            60..66 => self.crash().await,
            66..72 => self.take_over().await,
            72..77 => self.fail().await,
            _ => self.check().await,
        }
    }

    async fn writer(&mut self) -> Arc<dyn JournalWriter> {
        if self.writer.is_none() {
            self.epoch += self.below(3);
            self.epoch = self.epoch.max(1);
            self.writer = Some(self.case.open(self.epoch).await);
        }
        Arc::clone(self.writer.as_ref().unwrap())
    }

    fn record(&self) -> Record {
        let count = 1 + if self.below(2) == 0 { 0 } else { self.below(50) };
        let len = match self.below(20) {
            0 => 0,
            1..12 => self.below(300),
            12..16 => self.below(5000),
            16..19 => self.below(60_000),
            _ => self.below(600_000),
        };
        record(self.epoch, self.last + 1, self.last + count, len as usize)
    }

    async fn append(&mut self) {
        let writer = self.writer().await;
        for _ in 0..=self.below(6) {
            let record = self.record();
            writer.append(record.clone()).await.unwrap();
            self.last = record.last_seq.0;
            self.records.push(record);
        }
    }

    async fn trim(&mut self) {
        let writer = self.writer().await;
        let through = match self.below(6) {
            0 => self.last,
            1 => self.last + self.below(100),
            _ => self.asked + self.below(self.last.saturating_sub(self.asked) + 1),
        };
        writer.trim(Seq(through)).await.unwrap();
        self.asked = self.asked.max(through);
        if through > self.last {
            self.last = through;
            self.records.clear();
        }
        assert_eq!(writer.bounds().last, Seq(self.last), "step {}", self.step);
    }

    async fn crash(&mut self) {
        self.writer = None;
        self.case.subject.crash().await;
        self.check().await;
    }

    async fn take_over(&mut self) {
        let old = self.writer().await;
        let old_epoch = self.epoch;
        self.writer = None;
        let _new = self.writer().await;
        let late = record(old_epoch, self.last + 1, self.last + 1, 10);
        let e = old.append(late).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Fenced, "step {}: {e:?}", self.step);
    }

    async fn fail(&mut self) {
        let writer = self.writer().await;
        let faults = [AppendFault::Refused, AppendFault::Lost, AppendFault::ReplyLost];
        let fault = faults[self.below(3) as usize];
        let branch = self.case.branch.clone();
        if !self.case.subject.fail_next_append(&branch, fault) {
            return;
        }
        let record = self.record();
        let e = writer.append(record.clone()).await.unwrap_err();
        assert_eq!(e.is_retryable(), fault == AppendFault::Refused, "step {}: {e:?}", self.step);
        if e.is_retryable() {
            return;
        }
        self.writer = None;
        self.case.subject.crash().await;
        let last = self.case.bounds().await.last;
        if last == record.last_seq {
            self.last = last.0;
            self.records.push(record);
        } else {
            assert_ne!(fault, AppendFault::ReplyLost, "step {}: it was written", self.step);
        }
        self.check().await;
    }

    async fn check(&mut self) {
        let step = self.step;
        let bounds = self.case.bounds().await;
        assert_eq!((bounds.last, bounds.epoch), (Seq(self.last), Epoch(self.epoch)), "step {step}");
        assert!(bounds.trimmed <= Seq(self.asked), "step {step}: {bounds:?}, not {}", self.asked);
        assert!(bounds.trimmed <= bounds.last, "step {step}");
        let kept = bounds.trimmed.0 + 1;
        for from in [kept, kept + self.below(self.last + 2 - kept), self.last] {
            if from < kept {
                continue;
            }
            let at = self.records.partition_point(|r| r.last_seq.0 < from);
            let got = self.case.read(from).await;
            assert_eq!(seqs(&got), seqs(&self.records[at..]), "step {step}: from {from}");
            assert!(got == self.records[at..], "step {step}: from {from}");
        }
    }
}

pub(super) async fn run(case: Case, seed: u64) {
    let handle = tokio::runtime::Handle::current();
    let random = Env::tokio_seeded(handle.clone(), handle, seed);
    let records = Vec::new();
    let (asked, last, epoch, step) = (0, 0, 0, 0);
    let mut model = Model { case, random, records, asked, last, epoch, writer: None, step };
    for step in 0..100 {
        model.step = step;
        model.step().await;
    }
    model.crash().await;
}
