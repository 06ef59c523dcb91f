//! Reading from the archive what the journal has trimmed, then from the journal.

use std::collections::VecDeque;

use firn_engine::journal::{Record, RecordStream};
use firn_engine::{BranchName, Error, ErrorKind, Result, Seq};
use futures::StreamExt;

use super::Archived;
use super::segment::Segments;

struct Reader {
    archived: Archived,
    branch: BranchName,
    segments: Segments,
    /// Seq of the next record wanted.
    next: Seq,
    tail: bool,
    /// First and last seqs of the segments, as listed last.
    listed: Vec<(Seq, Seq)>,
    ahead: VecDeque<Record>,
    /// The journal's own stream, once what it has is reached.
    live: Option<RecordStream>,
}

pub(super) async fn stream(
    archived: &Archived,
    branch: &BranchName,
    from: Seq,
    tail: bool,
) -> Result<RecordStream> {
    let mut reader = Reader {
        archived: archived.clone(),
        branch: branch.clone(),
        segments: archived.segments(branch),
        next: from,
        tail,
        listed: Vec::new(),
        ahead: VecDeque::new(),
        live: None,
    };
    // Says at once if the position is nowhere.
    reader.fill().await?;
    let stream = futures::stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(None) => None,
            Ok(Some(record)) => Some((Ok(record), Some(reader))),
            Err(e) => Some((Err(e), None)),
        }
    });
    Ok(stream.boxed())
}

async fn is_trimmed(archived: &Archived, branch: &BranchName, seq: Seq) -> Result<bool> {
    Ok(seq <= archived.inner.bounds(branch).await?.trimmed)
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.ahead.pop_front() {
                self.next = record.last_seq.next();
                return Ok(Some(record));
            }
            let Some(live) = &mut self.live else {
                self.fill().await?;
                continue;
            };
            match live.next().await {
                Some(Ok(record)) => {
                    self.next = record.last_seq.next();
                    return Ok(Some(record));
                }
                None => return Ok(None),
                // It may have been trimmed under us: then it is in the archive.
                Some(Err(e)) => {
                    self.live = None;
                    if !is_trimmed(&self.archived, &self.branch, self.next).await? {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Gets what comes next, from the journal if it is there.
    async fn fill(&mut self) -> Result<()> {
        loop {
            if is_trimmed(&self.archived, &self.branch, self.next).await? {
                return self.load().await;
            }
            let (inner, branch) = (&self.archived.inner, &self.branch);
            let opened = if self.tail {
                inner.tail(branch, self.next).await
            } else {
                inner.read(branch, self.next).await
            };
            match opened {
                Ok(stream) => {
                    self.live = Some(stream);
                    return Ok(());
                }
                // Trimmed since we looked.
                Err(e)
                    if e.kind() == ErrorKind::BadRequest
                        && is_trimmed(&self.archived, &self.branch, self.next).await? => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Loads the archived segment that contains `next`.
    async fn load(&mut self) -> Result<()> {
        let next = self.next;
        let covers = |(first, last): &&(Seq, Seq)| *first <= next && next <= *last;
        let mut found = self.listed.iter().find(covers).copied();
        if found.is_none() {
            self.listed = self.segments.list(None).await?;
            found = self.listed.iter().find(covers).copied();
        }
        let Some((first, last)) = found else {
            let why = format!(
                "journal of {}: seq {next} was trimmed, and is not in the archive",
                self.branch
            );
            return Err(Error::new(ErrorKind::BadRequest, why));
        };
        let records = self.segments.load(first, last).await?;
        self.ahead = records.into_iter().filter(|r| r.last_seq >= next).collect();
        Ok(())
    }
}
