//! The raft library's messages in our own stored form, and back.

use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use firn_proto::v1;
use prost::Message as _;
use raft::eraftpb::{Entry, EntryType, Message, MessageType, Snapshot, SnapshotMetadata};

use super::catch_up::Base;
use super::view::conf_state;

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::BadRequest, format!("a message between journal members: {what}"))
}

/// An entry as it is stored and sent.
#[must_use]
pub fn entry_to_proto(entry: &Entry) -> v1::RaftEntry {
    use v1::raft_entry::Kind;
    let kind = match entry.entry_type {
        EntryType::EntryNormal => Kind::Normal,
        EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => Kind::MemberChange,
    };
    v1::RaftEntry {
        kind: kind.into(),
        term: entry.term,
        index: entry.index,
        data: entry.data.clone(),
        context: entry.context.clone(),
    }
}

/// From the form in which an entry is stored and sent.
///
/// # Errors
/// `BadRequest` for a kind that is not known.
pub fn entry_from_proto(stored: v1::RaftEntry) -> Result<Entry> {
    use v1::raft_entry::Kind;
    let entry_type = match Kind::try_from(stored.kind) {
        Ok(Kind::Normal) => EntryType::EntryNormal,
        Ok(Kind::MemberChange) => EntryType::EntryConfChange,
        Err(_) => return Err(malformed("an unknown kind of entry")),
    };
    Ok(Entry {
        entry_type,
        term: stored.term,
        index: stored.index,
        data: stored.data,
        context: stored.context,
        ..Entry::default()
    })
}

/// A base as the library's snapshot.
pub(super) fn base_to_snapshot(base: &Base) -> Snapshot {
    let metadata = SnapshotMetadata {
        conf_state: Some(conf_state(&base.members)).into(),
        index: base.index,
        term: base.term,
        ..SnapshotMetadata::default()
    };
    Snapshot {
        data: Bytes::from(base.to_proto().encode_to_vec()),
        metadata: Some(metadata).into(),
        ..Snapshot::default()
    }
}

/// The base in the library's snapshot.
pub(super) fn base_from_snapshot(snapshot: &Snapshot) -> Result<Base> {
    let stored = v1::RaftBase::decode(snapshot.data.clone())
        .map_err(|e| Error::with_source(ErrorKind::Corrupt, "a base from a leader", e))?;
    Base::from_proto(stored)
}

/// A message as it is sent.
///
/// # Errors
/// `Internal` if its base cannot be read back.
pub fn message_to_proto(message: &Message) -> Result<v1::RaftMessage> {
    let base = match message.snapshot.as_ref() {
        Some(snapshot) => Some(base_from_snapshot(snapshot)?.to_proto()),
        None => None,
    };
    Ok(v1::RaftMessage {
        kind: message.msg_type as u32,
        to: message.to,
        from: message.from,
        term: message.term,
        log_term: message.log_term,
        index: message.index,
        entries: message.entries.iter().map(entry_to_proto).collect(),
        commit: message.commit,
        commit_term: message.commit_term,
        base,
        request_snapshot: message.request_snapshot,
        reject: message.reject,
        reject_hint: message.reject_hint,
        context: message.context.clone(),
        priority: message.priority,
    })
}

/// The kinds that members send each other; others never come from outside.
const SENT: [MessageType; 12] = [
    MessageType::MsgAppend,
    MessageType::MsgAppendResponse,
    MessageType::MsgRequestVote,
    MessageType::MsgRequestVoteResponse,
    MessageType::MsgSnapshot,
    MessageType::MsgHeartbeat,
    MessageType::MsgHeartbeatResponse,
    MessageType::MsgTimeoutNow,
    MessageType::MsgReadIndex,
    MessageType::MsgReadIndexResp,
    MessageType::MsgRequestPreVote,
    MessageType::MsgRequestPreVoteResponse,
];

/// A message as it was received.
///
/// # Errors
/// `BadRequest` if members do not send such messages, `Corrupt` for a damaged base.
pub fn message_from_proto(sent: v1::RaftMessage) -> Result<Message> {
    let kind = SENT.into_iter().find(|kind| *kind as u32 == sent.kind);
    let msg_type = kind.ok_or_else(|| malformed("an unknown kind"))?;
    let snapshot = match sent.base {
        Some(base) => Some(base_to_snapshot(&Base::from_proto(base)?)),
        None if msg_type == MessageType::MsgSnapshot => return Err(malformed("no base")),
        None => None,
    };
    let entries: Result<Vec<Entry>> = sent.entries.into_iter().map(entry_from_proto).collect();
    Ok(Message {
        msg_type,
        to: sent.to,
        from: sent.from,
        term: sent.term,
        log_term: sent.log_term,
        index: sent.index,
        entries: entries?.into(),
        commit: sent.commit,
        commit_term: sent.commit_term,
        snapshot: snapshot.into(),
        request_snapshot: sent.request_snapshot,
        reject: sent.reject,
        reject_hint: sent.reject_hint,
        context: sent.context,
        priority: sent.priority,
        ..Message::default()
    })
}
