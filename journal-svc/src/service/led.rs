//! Trims of a member that keeps the archive as long as it leads.
//!
//! A trim first shows that its writer owns the log and that this member leads:
//! an entry that trims nothing says so. Then the records are stored and, after
//! that, trimmed by a second entry. A leader that loses its office in between
//! leaves segments that the next one finds or makes again, byte for byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use firn_engine::journal::{LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Env, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use tokio::sync::Mutex;

use crate::archive::ArchivePlace;
use crate::archive::archiver::{Archiver, Source};
use crate::raft::command::Ticket;
use crate::raft::{Accepted, Answer, Node, Proposal};

/// Bytes of records that are read at once.
const READ_BYTES: u64 = 4 << 20;

/// The archivers of the logs that this member leads.
#[derive(Debug)]
pub(super) struct LedArchive {
    env: Env,
    node: Weak<Node>,
    place: ArchivePlace,
    running: Mutex<BTreeMap<BranchName, (Ticket, Arc<Archiver>)>>,
}

impl LedArchive {
    pub(super) fn new(env: Env, node: &Arc<Node>, place: ArchivePlace) -> Self {
        Self { env, node: Arc::downgrade(node), place, running: Mutex::default() }
    }

    /// Lets records go once they are stored, for a writer that owns the log now.
    pub(super) async fn trim(
        &self,
        branch: &BranchName,
        ticket: Ticket,
        through: Seq,
    ) -> Result<()> {
        let archiver = {
            let mut running = self.running.lock().await;
            match running.get(branch) {
                Some((of, archiver)) if *of == ticket && !archiver.has_ended() => {
                    Arc::clone(archiver)
                }
                _ => {
                    let (node, name) = (Weak::clone(&self.node), branch.clone());
                    let led = Arc::new(Led { node, branch: name, ticket });
                    let archiver = Arc::new(self.place.archiver(&self.env, branch, led));
                    running.insert(branch.clone(), (ticket, Arc::clone(&archiver)));
                    archiver
                }
            }
        };
        archiver.trim(through).await
    }

    /// This member does not lead any more, or the writer is not the owner.
    pub(super) async fn end(&self, branch: &BranchName) {
        self.running.lock().await.remove(branch);
    }
}

/// A log that this member leads, on behalf of its writer.
#[derive(Debug)]
struct Led {
    node: Weak<Node>,
    branch: BranchName,
    ticket: Ticket,
}

impl Led {
    fn node(&self) -> Result<Arc<Node>> {
        let ended = || Error::new(ErrorKind::Fenced, "the member has ended");
        self.node.upgrade().ok_or_else(ended)
    }
}

#[async_trait]
impl Source for Led {
    fn bounds(&self) -> LogBounds {
        self.node.upgrade().map(|node| node.bounds(&self.branch)).unwrap_or_default()
    }

    async fn read(&self, from: Seq) -> Result<RecordStream> {
        let end = self.bounds().last;
        let (node, branch) = (Weak::clone(&self.node), self.branch.clone());
        let chunks = futures::stream::unfold(Some(from), move |next| {
            let (node, branch) = (node.upgrade(), branch.clone());
            async move {
                let next = next.filter(|next| *next <= end)?;
                match node?.records(&branch, next, READ_BYTES).await {
                    Ok(records) => {
                        let last = records.last()?.last_seq;
                        let records: Vec<Result<Record>> = records.into_iter().map(Ok).collect();
                        Some((records, Some(last.next())))
                    }
                    Err(e) => Some((vec![Err(e)], None)),
                }
            }
        });
        Ok(chunks.flat_map(futures::stream::iter).boxed())
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        let (branch, ticket) = (self.branch.clone(), self.ticket);
        let proposal = Proposal::Trim { branch: branch.clone(), ticket, through };
        let error = |kind, why: &str| Error::new(kind, format!("journal of {branch}: {why}"));
        match self.node()?.propose(proposal).await {
            Answer::Done(Ok(Accepted::Trimmed(_)), _) => Ok(()),
            Answer::Done(Err(refusal), _) => Err(refusal.error(&branch, ticket.epoch)),
            Answer::Refused(e) => Err(e),
            // Whoever leads goes on.
            Answer::NotLeader(_) => {
                Err(error(ErrorKind::Fenced, "this member does not lead any more"))
            }
            Answer::Unknown => {
                Err(error(ErrorKind::Unavailable, "leadership changed meanwhile").retryable())
            }
            other => {
                let why = format!("an answer to another question: {other:?}");
                Err(error(ErrorKind::Internal, &why))
            }
        }
    }
}
