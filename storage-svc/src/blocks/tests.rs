use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use firn_engine::Epoch;
use tokio::sync::Semaphore;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::*;

const LEN: u64 = 1000;

fn id(counter: u64) -> ObjectId {
    ObjectId { branch: 7, counter, epoch: Epoch(1) }
}

/// A stored block: payload, its compression, its checksum.
fn block(offset: u64) -> Bytes {
    let mut block = vec![offset as u8; LEN as usize - 8];
    let sum = xxh3_64_with_seed(&block, offset);
    block.extend_from_slice(&sum.to_le_bytes());
    block.into()
}

fn range(offset: u64) -> ByteRange {
    ByteRange { offset, len: LEN }
}

/// Objects full of blocks, read when `gate` lets them.
#[derive(Debug)]
struct Objects {
    gate: Semaphore,
    reads: AtomicU64,
    fails: AtomicBool,
}

impl Objects {
    fn open() -> Arc<Self> {
        Self::with(Semaphore::MAX_PERMITS)
    }

    fn with(permits: usize) -> Arc<Self> {
        let gate = Semaphore::new(permits);
        Arc::new(Self { gate, reads: AtomicU64::new(0), fails: AtomicBool::new(false) })
    }
}

#[async_trait]
impl BlockSource for Objects {
    async fn read(&self, _: ObjectId, _: ObjectKind, ranges: &[ByteRange]) -> Result<Vec<Bytes>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.gate.acquire().await.expect("never closed").forget();
        if self.fails.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is away"));
        }
        Ok(ranges.iter().map(|r| block(r.offset).slice(..r.len.min(LEN) as usize)).collect())
    }
}

/// A disk whose blocks can be seen and changed.
#[derive(Default)]
struct Disk(Mutex<BTreeMap<(ObjectId, u64), Bytes>>);

#[async_trait]
impl DiskTier for Disk {
    async fn get(&self, id: ObjectId, offset: u64) -> Option<Bytes> {
        self.0.lock().get(&(id, offset)).cloned()
    }
    fn insert(&self, id: ObjectId, offset: u64, bytes: Bytes) {
        self.0.lock().insert((id, offset), bytes);
    }
    fn remove(&self, id: ObjectId, offset: u64) {
        self.0.lock().remove(&(id, offset));
    }
    fn may_contain(&self, id: ObjectId, offset: u64) -> bool {
        self.0.lock().contains_key(&(id, offset))
    }
}

async fn read(
    blocks: &Arc<CachedBlocks>,
    id: ObjectId,
    ranges: &[ByteRange],
) -> Result<Vec<Bytes>> {
    blocks.read(id, ObjectKind::Sst, ranges).await
}

#[tokio::test]
async fn a_block_is_read_once_and_parts_come_in_the_order_asked() {
    let objects = Objects::open();
    let blocks = Arc::new(CachedBlocks::new(1 << 20, Arc::clone(&objects) as _));
    let ranges: Vec<_> = (0..40).rev().map(range).collect();
    let expected: Vec<_> = (0..40).rev().map(block).collect();
    for _ in 0..3 {
        assert_eq!(read(&blocks, id(1), &ranges).await.unwrap(), expected);
    }
    let stats = blocks.stats();
    assert_eq!((stats.store_reads, stats.store_bytes, stats.memory_hits), (40, 40 * LEN, 80));
    read(&blocks, id(2), &[range(3)]).await.unwrap();
    assert_eq!(blocks.stats().store_reads, 41, "another object's block is another");
}

#[tokio::test]
async fn readers_of_the_same_bytes_share_one_read_also_of_what_is_not_kept() {
    for len in [LEN, LEN - 1] {
        let objects = Objects::with(0);
        let blocks = Arc::new(CachedBlocks::new(1 << 20, Arc::clone(&objects) as _));
        let wanted = ByteRange { offset: 5, len };
        let mut reads: Vec<_> =
            (0..50).map(|_| Box::pin(async { read(&blocks, id(1), &[wanted]).await })).collect();
        for reading in &mut reads {
            assert!(futures::poll!(reading.as_mut()).is_pending());
        }
        // Who began it goes away: the others get what they wait for.
        drop(reads.remove(0));
        objects.gate.add_permits(1);
        for reading in reads {
            assert_eq!(reading.await.unwrap(), [block(5).slice(..len as usize)]);
        }
        assert_eq!(objects.reads.load(Ordering::Relaxed), 1);
        assert_eq!(blocks.stats().shared_reads, 49);
        assert!(blocks.flights.lock().reads.is_empty());
        let kept = blocks.stats().memory_bytes > 0;
        assert_eq!(kept, len == LEN, "only whole blocks are kept");
    }
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_is_given_up_and_an_error_is_not_kept() {
    let objects = Objects::with(0);
    let blocks = Arc::new(CachedBlocks::new(1 << 20, Arc::clone(&objects) as _));
    let mut reading = Box::pin(async { read(&blocks, id(1), &[range(5)]).await });
    assert!(futures::poll!(reading.as_mut()).is_pending());
    drop(reading);
    assert!(blocks.flights.lock().reads.is_empty());
    objects.gate.add_permits(2);
    objects.fails.store(true, Ordering::Relaxed);
    let error = read(&blocks, id(1), &[range(5)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    objects.fails.store(false, Ordering::Relaxed);
    assert_eq!(read(&blocks, id(1), &[range(5)]).await.unwrap(), [block(5)]);
}

#[tokio::test]
async fn blocks_come_from_the_disk_after_a_restart_and_bad_ones_are_read_again() {
    let (objects, disk) = (Objects::open(), Arc::new(Disk::default()));
    let start = || {
        let blocks = CachedBlocks::new(1 << 20, Arc::clone(&objects) as _);
        Arc::new(blocks.on_disk(Arc::clone(&disk) as _, 1 << 30))
    };
    read(&start(), id(1), &[range(1), range(2), range(3), range(4)]).await.unwrap();
    let mut rotten = block(2).to_vec();
    rotten[100] ^= 1;
    disk.insert(id(1), 2, rotten.into());
    // One that was written for another place, and one that is shorter.
    disk.insert(id(1), 3, block(4));
    disk.insert(id(1), 4, Bytes::from_static(b"short"));
    let blocks = start();
    let ranges = [range(1), range(2), range(3), range(4)];
    assert_eq!(read(&blocks, id(1), &ranges).await.unwrap(), ranges.map(|r| block(r.offset)));
    let stats = blocks.stats();
    assert_eq!((stats.disk_hits, stats.bad_on_disk, stats.store_reads), (1, 3, 3));
    assert_eq!(disk.get(id(1), 2).await, Some(block(2)), "it was replaced");
    // Columns of the same id are something else.
    blocks.read(id(1), ObjectKind::Column, &[range(1)]).await.unwrap();
    assert_eq!(blocks.stats().store_reads, 4);
}

#[tokio::test]
async fn memory_is_bounded() {
    let blocks = Arc::new(CachedBlocks::new(100_000, Objects::open()));
    for offset in 0..1000 {
        read(&blocks, id(1), &[range(offset)]).await.unwrap();
    }
    let stats = blocks.stats();
    assert!((50_000..=100_000).contains(&stats.memory_bytes), "{stats:?}");
}
