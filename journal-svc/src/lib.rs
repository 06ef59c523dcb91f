//! Firn's journals: implementations of [`firn_engine::journal::Journal`].
//!
//! | journal | survives | for |
//! |---|---|---|
//! | [`LocalJournal`] | a crash of the process or machine, not the loss of its disk | the default |
//! | [`MemoryJournal`] | its process, not more | tests and benchmarks |
//! | [`ObjectJournal`] | the loss of everything but the object store | no disk, no servers, slower commits |
//! | [`Archived`] | what its inner journal does; trimmed records, what the object store does | point-in-time recovery |
//!
//! Every one of them passes the suite in `conformance`.

mod archive;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod disk;
mod local;
mod memory;
mod object;
pub mod raft;
pub mod service;

pub use archive::{ArchiveOptions, ArchivePlace, Archived};
pub use local::{LocalJournal, LocalOptions};
pub use memory::{AppendFault, MemoryJournal};
pub use object::{ObjectJournal, ObjectOptions};

use firn_engine::journal::{PAYLOAD_LEN_MAX, Record};
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};

/// Checks that `record` may be appended by the writer of `epoch` to a log that
/// ends at `last`.
fn check_follows(branch: &BranchName, last: Seq, epoch: Epoch, record: &Record) -> Result<()> {
    let what =
        || format!("journal of {branch}: record {} to {}", record.first_seq, record.last_seq);
    let wrong = |why: String| Err(Error::new(ErrorKind::BadRequest, format!("{}: {why}", what())));
    if record.first_seq != last.next() {
        return wrong(format!("the log ends at seq {last}"));
    }
    if record.last_seq < record.first_seq {
        return wrong("it ends before it begins".into());
    }
    if record.epoch != epoch {
        return wrong(format!("written under epoch {}, by the writer of {epoch}", record.epoch));
    }
    if record.payload.len() > PAYLOAD_LEN_MAX {
        return wrong(format!("{} bytes, over {PAYLOAD_LEN_MAX}", record.payload.len()));
    }
    Ok(())
}

/// The error of a writer or opener that came too late.
fn fenced(branch: &BranchName, epoch: Epoch, by: Epoch) -> Error {
    let why = if by == epoch {
        format!("journal of {branch}: epoch {epoch} was opened again by a later writer")
    } else {
        format!("journal of {branch}: epoch {epoch} is fenced by epoch {by}")
    };
    Error::new(ErrorKind::Fenced, why)
}

/// The error of a read from a position that is gone.
fn trimmed(branch: &BranchName, from: Seq, trimmed: Seq) -> Error {
    let why =
        format!("journal of {branch}: seq {from} was trimmed, the log starts after {trimmed}");
    Error::new(ErrorKind::BadRequest, why)
}
