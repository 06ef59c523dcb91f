//! Reads a whole file and checks everything that can be checked.

use std::sync::Arc;

use super::block::{Block, BlockCursor};
use super::filter;
use super::footer::{Footer, read_properties, take_range_deletes};
use super::stored::{self, Handle};
use crate::cache::{BlockIo, Partition};
use crate::column::VersionsDigest;
use crate::error::{Context, Error, Result};
use crate::key::{self, KeyBuf, ValueKind};
use crate::manifest::SstMeta;
use crate::object::BlockSource;
use crate::types::Seq;

/// What a whole file was found to hold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Versions of keys.
    pub entries: u64,
    /// Data blocks.
    pub blocks: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Of all versions. The column copy has the same if both hold the same.
    pub digest: u64,
}

/// Reads a file block by block: every checksum, the order of keys, that index
/// and filters lead to every key, that all is within the range and seqs that
/// the manifest says, and the counts.
///
/// # Errors
/// `Corrupt`, saying what and where; `Unavailable` if it cannot be read.
pub async fn verify(meta: &Arc<SstMeta>, source: Arc<dyn BlockSource>) -> Result<Verified> {
    let io = BlockIo::new(1 << 20, None, source);
    let check = Check { meta, io: &io };
    check.run().await.context(|| format!("{:?}", meta.id))
}

struct Check<'a> {
    meta: &'a SstMeta,
    io: &'a BlockIo,
}

/// Where a walk over the entries is.
#[derive(Default)]
struct Walk {
    verified: Verified,
    deletes: u64,
    digest: VersionsDigest,
    last: Option<(KeyBuf, Seq)>,
}

impl Check<'_> {
    async fn load(&self, handle: Handle) -> Result<bytes::Bytes> {
        let bytes =
            self.io.read_uncached(self.meta.id, handle.offset, u64::from(handle.len)).await?;
        stored::load(&bytes, handle)
    }

    async fn run(&self) -> Result<Verified> {
        let tail = u64::from(self.meta.tail_bytes);
        let start =
            self.meta.bytes.checked_sub(tail).ok_or_else(|| bad("a tail longer than the file"))?;
        let footer = Footer::read(&self.io.read_uncached(self.meta.id, start, tail).await?)?;
        let properties = read_properties(&self.load(footer.properties).await?)?;
        if footer.range_deletes != Handle::default() {
            take_range_deletes(&self.load(footer.range_deletes).await?)
                .ok_or_else(|| bad("garbled range deletions"))?;
        }
        let mut top = BlockCursor::new(Arc::new(Block::new(self.load(footer.top_index).await?)?));
        let mut walk = Walk::default();
        top.seek_first();
        while top.valid() {
            let handle = Handle::take(&mut top.value()).ok_or_else(|| bad("a garbled index"))?;
            let partition = Partition::new(self.load(handle).await?)?;
            self.partition(&partition, top.key(), &mut walk).await?;
            walk.verified.bytes += u64::from(handle.len);
            top.next();
        }
        let found = (walk.verified.entries, walk.deletes, walk.verified.blocks);
        let said = (properties.entries, properties.deletes, properties.data_blocks);
        if found != said || (self.meta.entries, self.meta.deletes) != (said.0, said.1) {
            return Err(bad(&format!("entries, deletions, blocks are {found:?}, not {said:?}")));
        }
        walk.verified.bytes += tail;
        walk.verified.digest = walk.digest.finish();
        Ok(walk.verified)
    }

    async fn partition(&self, part: &Partition, last: &[u8], walk: &mut Walk) -> Result<()> {
        let mut index = BlockCursor::new(Arc::clone(&part.index));
        index.seek_first();
        while index.valid() {
            let handle = Handle::take(&mut index.value()).ok_or_else(|| bad("a garbled index"))?;
            let at = |e: Error| e.context(format!("block at {}", handle.offset));
            let block = Arc::new(Block::new(self.load(handle).await?).map_err(at)?);
            self.block(part, &block, index.key(), walk).map_err(at)?;
            walk.verified.blocks += 1;
            walk.verified.bytes += u64::from(handle.len);
            index.next();
        }
        match &walk.last {
            Some((key, _)) if **key == *last => Ok(()),
            _ => Err(bad("a partition does not end where the index says")),
        }
    }

    fn block(
        &self,
        part: &Partition,
        block: &Arc<Block>,
        last: &[u8],
        walk: &mut Walk,
    ) -> Result<()> {
        let mut at = BlockCursor::new(Arc::clone(block));
        at.seek_first();
        while at.valid() {
            let (key, seq) = (at.key(), self.meta.seq_of(at.seq()));
            if let Some((last_key, last_seq)) = &walk.last
                && key::compare((last_key, *last_seq), (key, seq)).is_ge()
            {
                return Err(bad("keys out of order"));
            }
            let too_new = seq > self.meta.seq_max && !self.meta.cut;
            if !self.meta.range.contains(key) || seq < self.meta.seq_min || too_new {
                return Err(bad("an entry outside of what the manifest says"));
            }
            if !part.filter.may_contain(filter::hash(key)) {
                return Err(bad("a key that the filter denies"));
            }
            walk.digest.add(key, seq, at.kind(), at.value());
            walk.last = Some((KeyBuf::from_slice(key), seq));
            walk.verified.entries += 1;
            walk.deletes += u64::from(at.kind() == ValueKind::Delete);
            at.next();
        }
        match &walk.last {
            Some((key, _)) if **key == *last => Ok(()),
            _ => Err(bad("a block does not end where the index says")),
        }
    }
}

fn bad(why: &str) -> Error {
    Error::corrupt(why)
}
