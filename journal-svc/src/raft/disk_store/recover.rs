//! Reading the log after a crash. Changes nothing on the disk.
//!
//! One frame is written at a time, the next one only after it is durable, and
//! nobody goes on in a segment that was read back: every life begins a new one.
//! So a crash leaves at most one frame unfinished, the last of the newest
//! segment. It was never durable for anybody, and is cut. Frames are numbered,
//! and a segment says with which number it begins: where one is missing in
//! front of another there is damage. A limit of this rule: damage to the very
//! last frame of a life that crashed looks as a torn write does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};

use super::format::{FRAMES_AT, Header, ITEMS_AT, frame_header, frame_items, frame_pages, item};
use super::index::Index;
use super::{Identity, Segment};
use crate::disk::segments::{SegmentFiles, corrupt, io_error};
use crate::disk::{Disk, PAGE, Pages};

/// Its files.
pub(super) const FILES: SegmentFiles = SegmentFiles { suffix: ".raft" };

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) index: Index,
    /// Numbers of spare files.
    pub(super) spares: Vec<u64>,
    /// Segments that a crash has brought back.
    pub(super) leftovers: Vec<PathBuf>,
    /// Number of the next frame.
    pub(super) next_frame: u64,
    /// Above the number of every segment. Their numbers have no gaps.
    pub(super) next_number: u64,
    /// Above the number of every spare file.
    pub(super) next_spare: u64,
}

/// Reads the log of `identity`.
///
/// # Errors
/// `BadRequest` if it is somebody else's, `Corrupt` for damage.
pub(super) fn recover(disk: &dyn Disk, dir: &Path, identity: &Identity) -> Result<Found> {
    let listed = FILES.list(disk, dir)?;
    for name in listed.others.iter().filter(|name| !name.starts_with('.')) {
        tracing::warn!(dir = %dir.display(), name, "not a file of the journal");
    }
    let above = |number: Option<&u64>| number.map_or(1, |number| number + 1);
    let mut found = Found {
        next_frame: 1,
        next_number: above(listed.segments.keys().max()),
        next_spare: above(listed.spares.iter().max()),
        spares: listed.spares,
        ..Found::default()
    };
    let mut segments = Vec::new();
    for (number, path) in listed.segments {
        segments.push(open(disk, dir, number, path, identity)?);
    }
    // A crash may bring back one that was retired; whether something needed is
    // missing shows in the entries.
    let begins = segments.windows(2).rposition(|w| w[0].header.number + 1 != w[1].header.number);
    let kept = segments.split_off(begins.map_or(0, |at| at + 1));
    found.leftovers = segments.into_iter().map(|segment| segment.path.clone()).collect();
    let segments = kept;
    for (at, segment) in segments.iter().enumerate() {
        let next = segments.get(at + 1).map(|next| next.header.first_frame);
        let first = segment.header.first_frame;
        if at == 0 {
            found.next_frame = first;
        }
        let expected = found.next_frame;
        if first != expected {
            let why = format!("it begins with frame {first}, not {expected}");
            return Err(corrupt(&segment.path, 0, why));
        }
        read(segment, next, &mut found)?;
    }
    found.index.check().map_err(|e| e.context(dir.display().to_string()))?;
    for segment in segments {
        found.index.live.entry(segment.header.number).or_default();
        found.index.segments.insert(segment.header.number, segment);
    }
    Ok(found)
}

fn open(
    disk: &dyn Disk,
    dir: &Path,
    number: u64,
    path: PathBuf,
    identity: &Identity,
) -> Result<Arc<Segment>> {
    let file = disk.open(&path).map_err(|e| io_error("reading", &path, e))?;
    let mut page = Pages::zeroed(PAGE);
    let read = file.read(0, page.as_mut()).map_err(|e| io_error("reading", &path, e))?;
    page.truncate(read);
    let header = Header::decode(page.as_ref()).map_err(|why| corrupt(&path, 0, why))?;
    if header.identity != *identity {
        let why = format!("{} belongs to {}, not to {identity}", dir.display(), header.identity);
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    if header.number != number {
        return Err(corrupt(&path, 0, format!("its header is that of segment {}", header.number)));
    }
    let len = file.len().map_err(|e| io_error("reading", &path, e))?;
    Ok(Arc::new(Segment { header, path, file, len }))
}

/// Reads the frames of a segment, as far as they come before that of the next one.
fn read(segment: &Segment, next_segment: Option<u64>, found: &mut Found) -> Result<()> {
    let damaged = |at, why: &str| corrupt(&segment.path, at, why);
    let (number, salt) = (segment.header.number, segment.header.salt);
    let len = usize::try_from(segment.len).map_err(|_| damaged(0, "it is too long"))?;
    let mut pages = Pages::zeroed(len.next_multiple_of(PAGE));
    let read =
        segment.file.read(0, pages.as_mut()).map_err(|e| io_error("reading", &segment.path, e))?;
    pages.truncate(read);
    let bytes = pages.as_ref();
    let mut at = FRAMES_AT;
    while next_segment.is_none_or(|next| found.next_frame < next) {
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let header = frame_header(rest, salt, at).filter(|(frame, _)| *frame == found.next_frame);
        let Some((items_len, items)) =
            header.and_then(|(_, len)| Some((len, frame_items(rest, len)?)))
        else {
            break;
        };
        let mut next = 0;
        while let Some(item) = item(items, next).map_err(|why| damaged(at, why))? {
            next = item.range.end;
            let place = at + ITEMS_AT + item.range.start as u64;
            let applied = found.index.apply(&item, number, place);
            applied.map_err(|e| e.context(format!("{} at {place}", segment.path.display())))?;
        }
        found.next_frame += 1;
        let pages = usize::try_from(items_len).map(frame_pages);
        at += pages.map_err(|_| damaged(at, "a frame is too long"))? as u64;
    }
    if next_segment.is_some_and(|next| found.next_frame < next) {
        return Err(damaged(at, &format!("frame {} is damaged", found.next_frame)));
    }
    if next_segment.is_none() {
        // Behind a torn frame there is none: it was the last.
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        for (i, page) in bytes[from..].chunks(PAGE).enumerate() {
            let here = at + (i * PAGE) as u64;
            if frame_header(page, salt, here).is_some_and(|(frame, _)| frame > found.next_frame) {
                return Err(damaged(at, &format!("frame {} is damaged", found.next_frame)));
            }
        }
    }
    Ok(())
}
