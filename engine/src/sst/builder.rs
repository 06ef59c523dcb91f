//! Writes one sorted file, front to back.

use bytes::Bytes;
use firn_proto::v1 as pb;
use prost::Message;

use super::block::BlockBuilder;
use super::footer::{Footer, put_range_deletes};
use super::stored::{Compression, Handle, Storer};
use super::{BLOCK_BYTES, PARTITION_BLOCKS, filter};
use crate::key::{KeyRange, ValueKind, successor};
use crate::manifest::{RangeDelete, SstMeta, WIDEST_MAX};
use crate::range_delete::RangeDeletes;
use crate::types::{ObjectId, Seq, SpaceId};

/// A key's versions may fill this many blocks' worth before they are split.
const VERSIONS_FACTOR: usize = 4;

/// See the module. Bytes are taken from the front with [`Self::take`] while
/// more are added, so that a file never lies in memory as a whole.
pub(crate) struct SstBuilder {
    space: SpaceId,
    block_bytes: usize,
    partition_blocks: usize,
    filter_prefix_len: usize,
    storer: Storer,
    /// Finished bytes that nobody has taken yet.
    out: Vec<u8>,
    /// Bytes taken already.
    taken: u64,
    block: BlockBuilder,
    /// Index of the blocks since the last partition.
    index: BlockBuilder,
    index_blocks: usize,
    hashes: Vec<u64>,
    last_prefix_hash: Option<u64>,
    /// Stored partitions and their last keys, to be written behind the data.
    partitions: Vec<(Vec<u8>, Partition)>,
    range_deletes: RangeDeletes,
    first_key: Option<Bytes>,
    last_key: Vec<u8>,
    stats: pb::SstProperties,
}

/// A partition that waits to be written.
struct Partition {
    raw: Vec<u8>,
}

/// What a finished file is, for the manifest.
pub(crate) struct Finished {
    pub(crate) meta: SstMeta,
    /// The last bytes of the file, following those taken before.
    pub(crate) rest: Vec<u8>,
}

impl SstBuilder {
    /// For a file of one space. `filter_prefix_len` counts without the space.
    pub(crate) fn new(space: SpaceId, filter_prefix_len: u32, compression: Compression) -> Self {
        Self {
            space,
            block_bytes: BLOCK_BYTES,
            partition_blocks: PARTITION_BLOCKS,
            filter_prefix_len: match filter_prefix_len {
                0 => 0,
                n => n as usize + SpaceId::LEN,
            },
            storer: Storer::new(compression),
            out: Vec::new(),
            taken: 0,
            block: BlockBuilder::default(),
            index: BlockBuilder::default(),
            index_blocks: 0,
            hashes: Vec::new(),
            last_prefix_hash: None,
            partitions: Vec::new(),
            range_deletes: RangeDeletes::default(),
            first_key: None,
            last_key: Vec::new(),
            stats: pb::SstProperties { seq_min: u64::MAX, ..Default::default() },
        }
    }

    /// With other sizes, so that little data makes many blocks.
    #[cfg(test)]
    pub(crate) fn sized(mut self, block_bytes: usize, partition_blocks: usize) -> Self {
        (self.block_bytes, self.partition_blocks) = (block_bytes, partition_blocks);
        self
    }

    /// Adds a version; keys ascending, seqs of one key descending.
    pub(crate) fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) {
        debug_assert_eq!(SpaceId::of(key), Some(self.space), "one space a file");
        let new_key = self.first_key.is_none() || *key != *self.last_key;
        debug_assert!(!new_key || *key > *self.last_key || self.first_key.is_none(), "in order");
        // A key's versions stay in one block if they can: a block may only end
        // before a new key, unless it has grown far too large.
        if !self.block.is_empty()
            && (new_key && self.block.len() >= self.block_bytes
                || self.block.len() >= VERSIONS_FACTOR * self.block_bytes)
        {
            self.end_block();
        }
        if self.first_key.is_none() {
            self.first_key = Some(Bytes::copy_from_slice(key));
        }
        if new_key {
            if self.index_blocks >= self.partition_blocks && self.block.is_empty() {
                self.end_partition();
            }
            self.hashes.push(filter::hash(key));
            if self.filter_prefix_len > 0 && key.len() >= self.filter_prefix_len {
                let hash = filter::hash(&key[..self.filter_prefix_len]);
                if self.last_prefix_hash.replace(hash) != Some(hash) {
                    self.hashes.push(hash);
                }
            }
            self.last_key.clear();
            self.last_key.extend_from_slice(key);
        }
        self.block.add(key, seq, kind, value);
        let stats = &mut self.stats;
        stats.entries += 1;
        stats.deletes += u64::from(kind == ValueKind::Delete);
        stats.raw_key_bytes += key.len() as u64;
        stats.raw_value_bytes += value.len() as u64;
        stats.seq_min = stats.seq_min.min(seq.0);
        stats.seq_max = stats.seq_max.max(seq.0);
    }

    /// Sets the file's range deletions; they lie in its space.
    pub(crate) fn set_range_deletes(&mut self, deletes: RangeDeletes) {
        for fragment in deletes.fragments() {
            for seq in &fragment.seqs {
                self.stats.range_deletes += 1;
                self.stats.seq_min = self.stats.seq_min.min(seq.0);
                self.stats.seq_max = self.stats.seq_max.max(seq.0);
            }
        }
        self.range_deletes = deletes;
    }

    /// Bytes of data blocks so far, stored, with an estimate of the open one.
    pub(crate) fn size(&self) -> u64 {
        self.taken + (self.out.len() + self.block.len() / 2) as u64
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.stats.entries == 0 && self.range_deletes.is_empty()
    }

    /// Finished bytes that wait to be taken.
    pub(crate) fn ready(&self) -> usize {
        self.out.len()
    }

    /// Takes the finished bytes.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.taken += self.out.len() as u64;
        // The next piece will be about as long: growing to that would copy it.
        let room = Vec::with_capacity(self.out.len() + self.out.len() / 8);
        std::mem::replace(&mut self.out, room)
    }

    fn end_block(&mut self) {
        let raw = self.block.finish();
        let handle = self.storer.store(raw, &mut self.out, self.taken);
        self.stats.data_blocks += 1;
        self.stats.data_bytes += u64::from(handle.len);
        let mut value = Vec::with_capacity(16);
        handle.put(&mut value);
        self.index.add(self.block.last_key(), Seq::ZERO, ValueKind::Put, &value);
        self.index_blocks += 1;
        self.block.clear();
    }

    fn end_partition(&mut self) {
        let mut raw = Vec::new();
        filter::build(&self.hashes, &mut raw);
        let filter_len = raw.len() as u32;
        raw.extend_from_slice(self.index.finish());
        raw.extend_from_slice(&filter_len.to_le_bytes());
        self.partitions.push((self.index.last_key().to_vec(), Partition { raw }));
        self.index.clear();
        self.index_blocks = 0;
        self.hashes.clear();
        self.last_prefix_hash = None;
    }

    /// Ends the file.
    ///
    /// # Panics
    /// If nothing was added.
    pub(crate) fn finish(mut self, id: ObjectId) -> Finished {
        assert!(!self.is_empty(), "an empty file has no range");
        if !self.block.is_empty() {
            self.end_block();
        }
        if self.index_blocks > 0 {
            self.end_partition();
        }
        let base = self.taken;
        let mut top = BlockBuilder::default();
        for (last_key, partition) in std::mem::take(&mut self.partitions) {
            let handle = self.storer.store_plain(&partition.raw, &mut self.out, base);
            let mut value = Vec::with_capacity(16);
            handle.put(&mut value);
            top.add(&last_key, Seq::ZERO, ValueKind::Put, &value);
        }
        let tail_start = self.out.len();
        let range_deletes = if self.range_deletes.is_empty() {
            Handle::default()
        } else {
            let mut raw = Vec::new();
            put_range_deletes(&self.range_deletes, &mut raw);
            self.storer.store_plain(&raw, &mut self.out, base)
        };
        self.stats.written_by = env!("CARGO_PKG_VERSION").to_owned();
        let properties = self.storer.store_plain(&self.stats.encode_to_vec(), &mut self.out, base);
        let top_index = self.storer.store_plain(top.finish(), &mut self.out, base);
        Footer { range_deletes, properties, top_index }.put(&mut self.out);
        let tail_bytes = u32::try_from(self.out.len() - tail_start).expect("a tail is short");
        let meta = self.meta(id, base + self.out.len() as u64, tail_bytes);
        Finished { meta, rest: self.out }
    }

    fn meta(&self, id: ObjectId, bytes: u64, tail_bytes: u32) -> SstMeta {
        let keys = self
            .first_key
            .as_ref()
            .map(|first| KeyRange { start: first.clone(), end: Some(successor(&self.last_key)) });
        let fragments = self.range_deletes.fragments();
        let deleted = fragments.first().zip(fragments.last()).map(|(first, last)| KeyRange {
            start: first.start.clone(),
            end: Some(last.end.clone()),
        });
        let range = match (keys, deleted) {
            (Some(a), Some(b)) => a.union(&b),
            (a, b) => a.or(b).expect("not empty"),
        };
        SstMeta {
            id,
            space: self.space,
            range,
            seq_min: Seq(self.stats.seq_min),
            seq_max: Seq(self.stats.seq_max),
            cut: false,
            bytes,
            tail_bytes,
            raw_bytes: self.stats.raw_key_bytes + self.stats.raw_value_bytes,
            entries: self.stats.entries,
            deletes: self.stats.deletes,
            range_deletes: self.stats.range_deletes,
            widest: widest(&self.range_deletes),
            column: None,
        }
    }
}

/// The range deletions most likely to hide whole files: those that span the
/// most fragments.
fn widest(deletes: &RangeDeletes) -> Vec<RangeDelete> {
    let mut whole = deletes.joined();
    whole.sort_by(|(a, _), (b, _)| b.cmp(a));
    whole.into_iter().take(WIDEST_MAX).map(|(_, delete)| delete).collect()
}

/// A file in memory, for tests and small files.
#[cfg(test)]
pub(crate) fn build_whole(
    mut builder: SstBuilder,
    id: ObjectId,
) -> (std::sync::Arc<SstMeta>, Bytes) {
    let mut bytes = builder.take();
    let finished = builder.finish(id);
    bytes.extend_from_slice(&finished.rest);
    assert_eq!(bytes.len() as u64, finished.meta.bytes);
    (std::sync::Arc::new(finished.meta), bytes.into())
}
