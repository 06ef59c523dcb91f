//! The way of one write, and of one record into the memtable.

use super::Inner;
use crate::batch::{Op, WriteBatch, for_each_op, skip_batches};
use crate::error::Result;
use crate::journal::Record;
use crate::memtable::Memtable;
use crate::types::Seq;
use crate::{child_span, trace};
use std::sync::atomic::Ordering;
use tracing::Instrument;
use tracing::field::Empty;

impl Inner {
    pub(super) async fn write(&self, batch: &WriteBatch) -> Result<Seq> {
        if batch.is_empty() {
            return Ok(self.visible());
        }
        if let Some(why) = self.stalled.load().as_deref() {
            return Err(why.clone());
        }
        self.admit(batch.byte_len()).await?;
        self.commit(batch).await
    }

    async fn commit(&self, batch: &WriteBatch) -> Result<Seq> {
        if !trace::is_traced() {
            return self.queued(batch).await;
        }
        let span = child_span!("commit", bytes = batch.byte_len(), seq = Empty);
        let done = self.queued(batch).instrument(span.clone()).await;
        match &done {
            Ok(seq) => drop(span.record("seq", seq.0)),
            Err(error) => trace::failed(&span, error),
        }
        done
    }

    /// Waits in the commit queue until it is done.
    async fn queued(&self, batch: &WriteBatch) -> Result<Seq> {
        let (index, group) = self.queue.push(batch).await?;
        let first = group.await?;
        Ok(Seq(first.0 + index))
    }

    /// See [`super::Db::barrier`].
    pub(super) async fn barrier(&self) -> Result<Seq> {
        if let Some(why) = self.stalled.load().as_deref() {
            return Err(why.clone());
        }
        self.commit(&WriteBatch::new()).await
    }

    /// Puts a durable record's commits into the memtable. `ops` is the number
    /// of operations inside.
    ///
    /// It never waits: what is durable must be shown soon. Admission stops
    /// writers while memory is full, so that memtables exceed their number only
    /// by the groups that were on their way.
    pub(super) fn apply(&self, record: &Record, ops: usize) {
        let room = Memtable::room_for(record.payload.len(), ops);
        let applying = self.applying.lock();
        let mut state = self.state.load_full();
        if !state.mem.has_room(room) || state.mem.bytes() >= self.options.memtable_bytes {
            self.rotate(&applying, room);
            state = self.state.load_full();
        }
        let mut swept = false;
        let insert = state.mem.insert_all(|inserter| {
            for_each_op(&record.payload, |batch, op| {
                let seq = Seq(record.first_seq.0 + batch);
                inserter.add(seq, op);
                match op {
                    Op::Put { key, value } => self.rows.committed(key, seq, Some(value)),
                    Op::Delete { key } => self.rows.committed(key, seq, None),
                    Op::DeleteRange { .. } => swept = true,
                }
            })
        });
        let commits = insert.expect("the payload was encoded here or checked when it was read");
        assert_eq!(commits, record.last_seq.0 - record.first_seq.0 + 1, "a batch for each seq");
        if swept {
            self.rows.swept(record.last_seq);
        }
        self.update_memtable_pressure(&state);
        state.mem.note_seqs(record.first_seq, record.last_seq, record.unix_ms);
    }

    /// Lets readers see everything up to `seq`.
    pub(super) fn publish(&self, seq: Seq) {
        debug_assert!(seq >= self.visible());
        self.visible.store(seq.0, Ordering::Release);
    }
}

/// The number of operations in a payload read from the journal.
///
/// # Errors
/// `Corrupt` if it is not made of batches, one for each seq of the record.
pub(super) fn count_ops(record: &Record) -> Result<usize> {
    let mut ops = 0;
    let batches = for_each_op(&record.payload, |_, _| ops += 1)?;
    if batches != record.last_seq.0 - record.first_seq.0 + 1 {
        return Err(crate::error::Error::corrupt(format!(
            "journal record {} to {}: {batches} commits inside",
            record.first_seq, record.last_seq
        )));
    }
    Ok(ops)
}

/// A record without its commits up to and including `through`, which are known.
///
/// # Errors
/// `Corrupt` if its payload is garbled.
pub(super) fn without_first(mut record: Record, through: Seq) -> Result<Record> {
    let known = through.0 + 1 - record.first_seq.0;
    record.payload = record.payload.slice(skip_batches(&record.payload, known)?..);
    record.first_seq = through.next();
    Ok(record)
}
