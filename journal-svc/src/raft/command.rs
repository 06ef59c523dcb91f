//! What a raft entry of a journal says.

use bytes::Bytes;
use firn_engine::journal::{Record, frame};
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};
use firn_proto::v1::{self, journal_command::Kind};
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the checksum in front of an encoded command.
const CHECKSUM_LEN: usize = 8;

/// A change of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The log it is about.
    pub branch: BranchName,
    /// What is done to it.
    pub change: Change,
}

/// What a [`Command`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Takes the log for writing.
    Open {
        /// Epoch of the writer.
        epoch: Epoch,
        /// Random number of this opening: the same twice is one opening.
        writer: u64,
    },
    /// Adds a part of a record.
    Append(Ticket, Part),
    /// Lets records up to and including a seq go.
    Trim(Ticket, Seq),
}

/// What a writer shows: the right it got by an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Epoch under which it opened.
    pub epoch: Epoch,
    /// What the opening returned.
    pub generation: u64,
}

/// A part of a record's frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Seq of the record's first commit.
    pub first: Seq,
    /// Seq of the record's last commit.
    pub last: Seq,
    /// XXH3-64 of the whole frame.
    pub checksum: u64,
    /// Bytes of the whole frame.
    pub frame_len: u64,
    /// Where this part starts in it.
    pub offset: u64,
    /// The part.
    pub bytes: Bytes,
}

/// Salt of the frames of a branch's records.
#[must_use]
pub fn salt(branch: &BranchName) -> u64 {
    xxh3_64(format!("replicated journal of {branch}").as_bytes())
}

/// The parts of a record, each of at most `part_len_max` bytes.
///
/// # Panics
/// If the record is over the limits that [`crate::check_follows`] checks.
#[must_use]
pub fn parts(branch: &BranchName, record: &Record, part_len_max: usize) -> Vec<Part> {
    let mut whole = Vec::with_capacity(frame::HEADER_LEN + record.payload.len());
    whole.extend_from_slice(&frame::header(record, salt(branch)));
    whole.extend_from_slice(&record.payload);
    let whole = Bytes::from(whole);
    let (checksum, len) = (xxh3_64(&whole), whole.len());
    let step = part_len_max.max(1);
    (0..len)
        .step_by(step)
        .map(|at| Part {
            first: record.first_seq,
            last: record.last_seq,
            checksum,
            frame_len: len as u64,
            offset: at as u64,
            bytes: whole.slice(at..(at + step).min(len)),
        })
        .collect()
}

/// Puts the checksum in front of an encoded message.
pub(super) fn seal(message: &impl Message) -> Bytes {
    let mut out = vec![0; CHECKSUM_LEN];
    out.reserve(message.encoded_len());
    message.encode_raw(&mut out);
    let sum = xxh3_64(&out[CHECKSUM_LEN..]);
    out[..CHECKSUM_LEN].copy_from_slice(&sum.to_le_bytes());
    out.into()
}

/// Checks and decodes what [`seal`] made.
pub(super) fn unseal<M: Message + Default>(bytes: &Bytes, what: &str) -> Result<M> {
    let corrupt = |why: &str| Error::new(ErrorKind::Corrupt, format!("{what}: {why}"));
    let sum = bytes.first_chunk().ok_or_else(|| corrupt("too short"))?;
    let body = bytes.slice(CHECKSUM_LEN..);
    if u64::from_le_bytes(*sum) != xxh3_64(&body) {
        return Err(corrupt("its checksum does not match"));
    }
    M::decode(body).map_err(|e| corrupt(&e.to_string()))
}

impl Command {
    /// The bytes of a raft entry.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let kind = match &self.change {
            Change::Open { epoch, writer } => {
                Kind::Open(v1::OpenCommand { epoch: epoch.0, writer: *writer })
            }
            Change::Append(ticket, part) => Kind::Append(v1::AppendCommand {
                epoch: ticket.epoch.0,
                generation: ticket.generation,
                first_seq: part.first.0,
                last_seq: part.last.0,
                checksum: part.checksum,
                frame_len: part.frame_len,
                offset: part.offset,
                part: part.bytes.clone(),
            }),
            Change::Trim(ticket, through) => Kind::Trim(v1::TrimCommand {
                epoch: ticket.epoch.0,
                generation: ticket.generation,
                through_seq: through.0,
            }),
        };
        seal(&v1::JournalCommand { branch: self.branch.to_string(), kind: Some(kind) })
    }

    /// Decodes the bytes of a raft entry.
    ///
    /// # Errors
    /// `Corrupt` if they are not what was proposed, or of a version to come.
    pub fn decode(bytes: &Bytes) -> Result<Self> {
        let what = "an entry of the replicated journal";
        let stored: v1::JournalCommand = unseal(bytes, what)?;
        let branch = BranchName::new(&stored.branch)
            .map_err(|e| Error::with_source(ErrorKind::Corrupt, what, e))?;
        let ticket = |epoch, generation| Ticket { epoch: Epoch(epoch), generation };
        let change = match stored.kind {
            Some(Kind::Open(c)) => Change::Open { epoch: Epoch(c.epoch), writer: c.writer },
            Some(Kind::Append(c)) => {
                let part = Part {
                    first: Seq(c.first_seq),
                    last: Seq(c.last_seq),
                    checksum: c.checksum,
                    frame_len: c.frame_len,
                    offset: c.offset,
                    bytes: c.part,
                };
                Change::Append(ticket(c.epoch, c.generation), part)
            }
            Some(Kind::Trim(c)) => Change::Trim(ticket(c.epoch, c.generation), Seq(c.through_seq)),
            None => {
                let why = format!("{what}: a command that this version does not know");
                return Err(Error::new(ErrorKind::Corrupt, why));
            }
        };
        Ok(Self { branch, change })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_back_and_damage_is_noticed() {
        let branch = BranchName::main();
        let ticket = Ticket { epoch: Epoch(3), generation: 9 };
        let record = Record {
            epoch: Epoch(3),
            first_seq: Seq(5),
            last_seq: Seq(7),
            unix_ms: 11,
            payload: Bytes::from(vec![7; 1000]),
        };
        let cut = parts(&branch, &record, 100);
        assert_eq!(cut.len(), 11);
        assert_eq!(cut.iter().map(|p| p.bytes.len()).sum::<usize>() as u64, cut[0].frame_len);
        let mut changes =
            vec![Change::Open { epoch: Epoch(4), writer: 17 }, Change::Trim(ticket, Seq(6))];
        changes.extend(cut.into_iter().map(|part| Change::Append(ticket, part)));
        for change in changes {
            let command = Command { branch: branch.clone(), change };
            let bytes = command.encode();
            assert_eq!(Command::decode(&bytes).unwrap(), command);
            for at in 0..bytes.len() {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 1;
                let e = Command::decode(&damaged.into()).unwrap_err();
                assert_eq!(e.kind(), ErrorKind::Corrupt);
                assert!(Command::decode(&bytes.slice(..at)).is_err());
            }
        }
    }
}
