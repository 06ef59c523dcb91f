//! What a log's folder holds: reading it after a crash.
//!
//! # Telling a torn tail from damage
//!
//! One record is written at a time, the next one only after it is durable, and
//! a writer that opens the log never goes on in an old segment. So a crash
//! leaves at most one record unfinished in a segment, with none after it. At
//! the first place where no whole record stands, the records of a segment end:
//!
//! - If another segment says that a writer was opened at some seq
//!   ([`Start::At`]), the records before it must reach exactly to that seq.
//!   They do not: damage. They reach further: what is further was not seen by
//!   that opening and is not part of the log.
//! - If the next segment has records, they must follow: otherwise damage.
//! - If there is nothing after, and on no later page of the segment is the
//!   header of a later record (same salt, later seq): the tail, possibly torn.
//!   It was never acknowledged and is cut. If there is such a header: damage.
//!
//! The salt is drawn anew for each use of a file, so no record of an earlier
//! use is taken for one of these; and no payload can contain the header of a
//! later record, since nobody knows it before it is written.
//!
//! A limit of this rule: damage to the very last record of a log whose writer
//! did not end in good order looks as a torn write does. A writer that ends in
//! good order, and any opening, starts a new segment, after which it is noticed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firn_engine::{BranchName, Epoch, Error, Result, Seq};

use super::log::Kept;
use super::segment::{Header, RECORDS_AT, Segment, Start, Window};
use crate::disk::segments::{SegmentFiles, corrupt, io_error};
use crate::disk::{Disk, PAGE, Pages};

/// Its files.
pub(super) const FILES: SegmentFiles = SegmentFiles { suffix: ".log" };

/// A log as found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kept: VecDeque<Kept>,
    /// Segments without a part in the log any more, oldest first.
    pub(super) leftovers: Vec<Arc<Segment>>,
    /// Numbers of spare files.
    pub(super) spares: Vec<u64>,
    pub(super) epoch: Epoch,
    /// Above every number in use.
    pub(super) next_number: u64,
}

/// Reads everything that is kept of a log. Changes nothing.
pub(super) fn recover(disk: &dyn Disk, dir: &Path, branch: &BranchName) -> Result<Found> {
    let doing = |e: Error| e.context(format!("journal of {branch}"));
    let listed = FILES.list(disk, dir).map_err(doing)?;
    for name in listed.others {
        tracing::warn!(dir = %dir.display(), name, "not a file of the journal");
    }
    let spares = listed.spares;
    let highest = listed.segments.keys().chain(&spares).max().copied();
    let mut segments = Vec::new();
    for (number, path) in listed.segments {
        segments.push(open_segment(disk, number, path).map_err(doing)?);
    }
    let epoch = segments.iter().map(|s| s.header.epoch).max().unwrap_or_default();
    let anew = segments.iter().rposition(|s| matches!(s.header.start, Start::Anew(_)));
    let mut leftovers = segments;
    let live = leftovers.split_off(anew.unwrap_or(0));
    let mut chain = Chain::default();
    for segment in &live {
        chain.add(segment).map_err(doing)?;
    }
    chain.check_end().map_err(doing)?;
    leftovers.extend(chain.empty);
    leftovers.sort_by_key(|s| s.header.number);
    let next_number = highest.map_or(1, |n| n + 1);
    Ok(Found { kept: chain.kept, leftovers, spares, epoch, next_number })
}

fn open_segment(disk: &dyn Disk, number: u64, path: PathBuf) -> Result<Arc<Segment>> {
    let file = disk.open(&path).map_err(|e| io_error("reading", &path, e))?;
    let mut page = Pages::zeroed(PAGE);
    let read = file.read(0, page.as_mut()).map_err(|e| io_error("reading", &path, e))?;
    page.truncate(read);
    let header = Header::decode(page.as_ref()).map_err(|why| corrupt(&path, 0, why))?;
    if header.number != number {
        return Err(corrupt(&path, 0, format!("its header is that of segment {}", header.number)));
    }
    let len = file.len().map_err(|e| io_error("reading", &path, e))?;
    Ok(Arc::new(Segment { header, path, file, len }))
}

/// Segments put together one by one.
#[derive(Default)]
struct Chain {
    kept: VecDeque<Kept>,
    /// Made ahead of time and not used.
    empty: Vec<Arc<Segment>>,
    /// Seq that the next record must have, once that is known.
    next: Option<Seq>,
}

impl Chain {
    fn add(&mut self, segment: &Arc<Segment>) -> Result<()> {
        let path = &segment.path;
        match segment.header.start {
            Start::Anew(first) => {
                assert!(self.kept.is_empty(), "what is before it was left out");
                self.next = Some(first);
            }
            Start::At(first) => {
                if let Some(next) = self.next
                    && next != first
                {
                    self.cut_back(first, path)?;
                }
                self.next = Some(first);
            }
            Start::Follows => {}
        }
        let kept = self.scan(segment)?;
        if kept.is_empty() && segment.header.start == Start::Follows {
            // Damage at its beginning would leave later headers.
            no_later_header(&kept, self.next.unwrap_or_default())?;
            self.empty.push(Arc::clone(segment));
            return Ok(());
        }
        if segment.header.start == Start::Follows
            && let Some(next) = self.next
            && kept.first != next
        {
            let (end, path) = match self.kept.back() {
                Some(last) => (last.end, &last.segment.path),
                None => (RECORDS_AT, path),
            };
            return Err(corrupt(
                path,
                end,
                format!(
                    "records end before seq {next}, but go on at {} in the next file",
                    kept.first
                ),
            ));
        }
        self.next = Some(kept.last.next());
        self.kept.push_back(kept);
        Ok(())
    }

    /// Reads the records of a segment up to the first place where none is.
    fn scan(&self, segment: &Arc<Segment>) -> Result<Kept> {
        let path = &segment.path;
        let mut window = Window::new(Arc::clone(segment));
        let next = match segment.header.start {
            Start::Follows => None,
            Start::At(first) | Start::Anew(first) => Some(first),
        };
        let mut kept = Kept::new(Arc::clone(segment), next.or(self.next).unwrap_or_default());
        let mut next = next;
        loop {
            let at = kept.end;
            let record =
                window.record(at, segment.len).map_err(|e| io_error("reading", path, e))?;
            let Ok((record, end)) = record else {
                return Ok(kept);
            };
            if record.epoch != segment.header.epoch {
                let why = format!(
                    "a record of epoch {} in a file of {}",
                    record.epoch, segment.header.epoch
                );
                return Err(corrupt(path, at, why));
            }
            if let Some(next) = next
                && record.first_seq != next
            {
                let why = format!("a record begins at seq {}, not at {next}", record.first_seq);
                return Err(corrupt(path, at, why));
            }
            kept.push(record.first_seq, record.last_seq, end);
            next = Some(record.last_seq.next());
        }
    }

    /// A writer was opened at `first`, but the records before it end elsewhere.
    fn cut_back(&mut self, first: Seq, opened: &Path) -> Result<()> {
        let Some(last) = self.kept.back_mut() else {
            let why = format!("it was opened at seq {first}, the log starts later");
            return Err(corrupt(opened, 0, why));
        };
        let (path, end) = (last.segment.path.clone(), last.end);
        if last.last.next() < first {
            let why = format!("the records up to seq {} are damaged or missing", first.prev());
            return Err(corrupt(&path, end, why));
        }
        // At most one record: the one that was on its way.
        let cut = last.cut_to(first).map_err(|e| io_error("reading", &path, e))?;
        if !cut {
            let why = format!("the log was opened at seq {first}, which is inside a record");
            return Err(corrupt(&path, end, why));
        }
        Ok(())
    }

    fn check_end(&self) -> Result<()> {
        match self.kept.back() {
            Some(last) => no_later_header(last, last.last.next()),
            None if self.empty.is_empty() => Ok(()),
            None => {
                let path = &self.empty[0].path;
                Err(corrupt(path, RECORDS_AT, "the log has no beginning: its records are missing"))
            }
        }
    }
}

/// Checks that what follows the records is no later record.
fn no_later_header(kept: &Kept, next: Seq) -> Result<()> {
    let path = &kept.segment.path;
    let mut window = Window::new(Arc::clone(&kept.segment));
    let found =
        window.find_header(kept.end, next.next()).map_err(|e| io_error("reading", path, e))?;
    match found {
        None => Ok(()),
        Some(at) if at == kept.end => Err(corrupt(
            path,
            at,
            format!("the header of a record begins at another seq than {next}"),
        )),
        Some(at) => {
            let why = format!("no whole record stands here, but another one does at {at}");
            Err(corrupt(path, kept.end, why))
        }
    }
}
