//! Whole files against a sorted map.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;

use super::builder::{SstBuilder, build_whole};
use super::cursor::{FileCursor, ScanMode};
use super::file::{File, PinBudget};
use super::filter;
use super::stored::Compression;
use crate::cache::BlockIo;
use crate::env::{Env, TaskClass};
use crate::error::{Error, Result};
use crate::key::{KeyRange, ValueKind, user_key};
use crate::manifest::{RangeDelete, SstMeta};
use crate::object::{BlockSource, ByteRange, ObjectKind};
use crate::range_delete::RangeDeletes;
use crate::types::{Epoch, ObjectId, Seq, SpaceId};

const SPACE: SpaceId = SpaceId(3);

/// Versions newest first within a key.
type Model = BTreeMap<(Vec<u8>, Reverse<Seq>), (ValueKind, Vec<u8>)>;

/// One object in memory; counts reads, and flips a bit if told.
#[derive(Debug, Default)]
struct OneObject {
    bytes: Bytes,
    reads: Mutex<usize>,
    flip: Mutex<Option<usize>>,
}

#[async_trait]
impl BlockSource for OneObject {
    async fn read(&self, _: ObjectId, _: ObjectKind, ranges: &[ByteRange]) -> Result<Vec<Bytes>> {
        *self.reads.lock() += 1;
        let mut bytes = self.bytes.to_vec();
        if let Some(bit) = *self.flip.lock() {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let bytes = Bytes::from(bytes);
        let read = |r: &ByteRange| {
            let end = usize::try_from(r.offset + r.len).unwrap();
            if end > bytes.len() {
                return Err(Error::corrupt("cut short"));
            }
            Ok(bytes.slice(r.offset as usize..end))
        };
        ranges.iter().map(read).collect()
    }
}

struct Fixture {
    source: Arc<OneObject>,
    meta: Arc<SstMeta>,
    file: Arc<File>,
    io: Arc<BlockIo>,
}

fn build(model: &Model, compression: Compression, pins: u64, cache: u64) -> Fixture {
    let mut builder = SstBuilder::new(SPACE, 2, compression).sized(200, 3);
    for ((key, Reverse(seq)), (kind, value)) in model {
        builder.add(&user_key(SPACE, key), *seq, *kind, value);
    }
    let id = ObjectId { branch: 1, counter: 2, epoch: Epoch(3) };
    let (meta, bytes) = build_whole(builder, id);
    let source = Arc::new(OneObject { bytes, ..OneObject::default() });
    let io = Arc::new(BlockIo::new(cache, None, Arc::clone(&source) as _));
    let file = Arc::new(File::new(Arc::clone(&meta), PinBudget::new(pins)));
    Fixture { source, meta, file, io }
}

fn any_model() -> impl Strategy<Value = Model> {
    let key = prop::collection::vec(0u8..4, 0..5);
    let value = prop::collection::vec(any::<u8>(), 0..40);
    let seq = (1u64..9).prop_map(|s| Reverse(Seq(s)));
    prop::collection::btree_map((key, seq), (any::<bool>(), value), 1..300).prop_map(|m| {
        let kind = |put| if put { ValueKind::Put } else { ValueKind::Delete };
        m.into_iter().map(|(k, (put, v))| (k, (kind(put), v))).collect()
    })
}

type Row = (Vec<u8>, Seq, ValueKind, Vec<u8>);
type Entry<'a> = (&'a (Vec<u8>, Reverse<Seq>), &'a (ValueKind, Vec<u8>));

fn show(c: &FileCursor) -> Option<Row> {
    c.valid().then(|| (c.key()[4..].to_vec(), c.seq(), c.kind(), c.value().to_vec()))
}

fn expected(e: Option<Entry<'_>>) -> Option<Row> {
    e.map(|((k, Reverse(s)), (kind, v))| (k.clone(), *s, *kind, v.clone()))
}

fn runtime() -> (tokio::runtime::Runtime, Env) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let env = Env::tokio_seeded(runtime.handle().clone(), runtime.handle().clone(), 1);
    (runtime, env)
}

fn modes() -> [ScanMode; 3] {
    let tiny = ScanMode {
        cached: true,
        run_bytes_first: 150,
        run_bytes_max: 700,
        class: TaskClass::Foreground,
    };
    [ScanMode::FOREGROUND, tiny, ScanMode { cached: false, ..tiny }]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn reads_agree_with_a_sorted_map(
        model in any_model(),
        probes in prop::collection::vec((prop::collection::vec(0u8..5, 0..6), 0u64..10), 1..12),
        pins in prop_oneof![Just(0u64), Just(2000), Just(1 << 20)],
        cache in prop_oneof![Just(1u64 << 20), Just(4096)],
        compression in prop_oneof![Just(Compression::None), Just(Compression::Lz4), Just(Compression::Zstd)],
        cut in prop_oneof![Just(None), (1u64..9).prop_map(|seq| Some(Seq(seq)))],
    ) {
        let mut f = build(&model, compression, pins, cache);
        let entries = model.len();
        let mut model = model;
        if let Some(seq_max) = cut {
            // As a branch sees it that was made at this seq.
            f.meta = Arc::new(SstMeta { seq_max, cut: true, ..(*f.meta).clone() });
            f.file = Arc::new(File::new(Arc::clone(&f.meta), PinBudget::new(pins)));
            model.retain(|(_, Reverse(seq)), _| *seq <= seq_max);
        }
        let (runtime, env) = runtime();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            prop_assert_eq!(f.meta.entries as usize, entries);
            for (key, seq) in &probes {
                let full = user_key(SPACE, key);
                let at = model.range((key.clone(), Reverse(Seq(*seq)))..).next();
                let want = at.filter(|((k, _), _)| k == key);
                let got = f.file.get(&f.io, &full, filter::hash(&full), Seq(*seq)).await.unwrap();
                let got = got.map(|(s, kind, v)| (key.clone(), s, kind, v.to_vec()));
                prop_assert_eq!(got, expected(want));
            }
            for mode in modes() {
                let mut c = FileCursor::new(Arc::clone(&f.file), Arc::clone(&f.io), env.clone(), mode);
                c.seek_first().await.unwrap();
                let mut count = 0;
                for want in &model {
                    prop_assert_eq!(show(&c), expected(Some(want)));
                    count += 1;
                    if !c.try_next() {
                        c.enter_next_block().await.unwrap();
                    }
                }
                prop_assert_eq!(count, model.len());
                prop_assert!(!c.valid());
                c.seek_last().await.unwrap();
                for want in model.iter().rev() {
                    prop_assert_eq!(show(&c), expected(Some(want)));
                    c.prev().await.unwrap();
                }
                prop_assert!(!c.valid());
                for (key, seq) in &probes {
                    let full = user_key(SPACE, key);
                    let probe = (key.clone(), Reverse(Seq(*seq)));
                    c.seek(&full, Seq(*seq)).await.unwrap();
                    prop_assert_eq!(show(&c), expected(model.range(probe.clone()..).next()));
                    c.seek_before(&full, Seq(*seq)).await.unwrap();
                    prop_assert_eq!(show(&c), expected(model.range(..probe).next_back()));
                }
            }
            let verified = super::verify(&f.meta, Arc::clone(&f.source) as _).await.unwrap();
            prop_assert_eq!(verified.entries as usize, entries);
            for first in 0u8..5 {
                for second in 0u8..5 {
                    let prefix = user_key(SPACE, &[first, second]);
                    let there = model.keys().any(|(k, _)| k.starts_with(&[first, second]));
                    let hash = filter::hash(&prefix);
                    let may = f.file.may_contain_prefix(&f.io, &prefix, hash).await.unwrap();
                    prop_assert!(may || !there, "{first} {second}");
                }
            }
            Ok(())
        });
        outcome?;
    }

    /// Whatever bit flips, a read gives the right answer or an error that says corrupt.
    #[test]
    fn a_flipped_bit_never_gives_a_wrong_row(model in any_model(), at in any::<prop::sample::Index>()) {
        let f = build(&model, Compression::Lz4, 1 << 20, 1 << 20);
        let (runtime, env) = runtime();
        *f.source.flip.lock() = Some(at.index(f.source.bytes.len() * 8));
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            // Properties are checksummed but for what nobody reads.
            let verified = super::verify(&f.meta, Arc::clone(&f.source) as _).await;
            prop_assert!(verified.is_err(), "the flipped bit went unnoticed");
            let mode = ScanMode::FOREGROUND;
            let mut c = FileCursor::new(Arc::clone(&f.file), Arc::clone(&f.io), env, mode);
            let mut step = c.seek_first().await;
            for want in &model {
                if let Err(e) = step {
                    prop_assert_eq!(e.kind(), crate::ErrorKind::Corrupt, "{}", e);
                    return Ok(());
                }
                prop_assert_eq!(show(&c), expected(Some(want)));
                step = if c.try_next() { Ok(()) } else { c.enter_next_block().await };
            }
            Ok(())
        });
        outcome?;
    }
}

#[test]
fn a_long_scan_makes_few_requests_and_a_point_read_one() {
    let model: Model = (0u32..5000)
        .map(|i| ((i.to_be_bytes().to_vec(), Reverse(Seq(1))), (ValueKind::Put, vec![7; 30])))
        .collect();
    let f = build(&model, Compression::None, 1 << 20, 1 << 20);
    let (runtime, env) = runtime();
    runtime.block_on(async {
        let key = user_key(SPACE, &2500u32.to_be_bytes());
        f.file.get(&f.io, &key, filter::hash(&key), Seq(9)).await.unwrap().unwrap();
        assert_eq!(*f.source.reads.lock(), 3, "tail, partition, block");
        let mode = ScanMode { run_bytes_first: 1000, run_bytes_max: 20_000, ..ScanMode::MERGE };
        let mut c = FileCursor::new(Arc::clone(&f.file), Arc::clone(&f.io), env, mode);
        c.seek_first().await.unwrap();
        while c.valid() {
            if !c.try_next() {
                c.enter_next_block().await.unwrap();
            }
        }
        // About 1,000 blocks of 200 bytes in some 330 partitions of 3 blocks;
        // a run ends with its partition.
        let reads = *f.source.reads.lock();
        assert!(reads < 800, "{reads} requests for 1000 blocks and their partitions");
    });
}

#[test]
fn range_deletions_are_found_again_and_widen_the_range() {
    let mut builder = SstBuilder::new(SPACE, 0, Compression::None);
    builder.add(&user_key(SPACE, b"m"), Seq(5), ValueKind::Put, b"v");
    let delete = RangeDelete {
        range: KeyRange::new(
            Bytes::copy_from_slice(&user_key(SPACE, b"a")),
            Bytes::copy_from_slice(&user_key(SPACE, b"z")),
        ),
        seq: Seq(9),
    };
    builder.set_range_deletes(RangeDeletes::new([&delete]));
    let id = ObjectId { branch: 1, counter: 2, epoch: Epoch(3) };
    let (meta, bytes) = build_whole(builder, id);
    assert_eq!(meta.range, delete.range);
    assert_eq!((meta.seq_min, meta.seq_max), (Seq(5), Seq(9)));
    assert_eq!(meta.widest, std::slice::from_ref(&delete));
    let source = Arc::new(OneObject { bytes, ..OneObject::default() });
    let io = BlockIo::new(1 << 20, None, source);
    let file = File::new(meta, PinBudget::new(1 << 20));
    let (runtime, _) = runtime();
    runtime.block_on(async {
        let deletes = file.range_deletes(&io).await.unwrap().unwrap();
        assert_eq!(deletes.deletes().collect::<Vec<_>>(), [delete]);
        // A branch that was made before it does not see it.
        let cut = SstMeta { seq_max: Seq(8), cut: true, ..(*file.meta).clone() };
        let file = File::new(Arc::new(cut), PinBudget::new(1 << 20));
        assert!(file.range_deletes(&io).await.unwrap().unwrap().is_empty());
    });
}

#[test]
fn keys_of_a_range_are_counted_by_the_index_once_it_is_at_hand() {
    let mut model = Model::new();
    for n in 0..2000u32 {
        let key = n.to_be_bytes().to_vec();
        model.insert((key, Reverse(Seq(1))), (ValueKind::Put, vec![7; 20]));
    }
    let f = build(&model, Compression::None, 1 << 20, 1 << 20);
    let key = |n: u32| Bytes::copy_from_slice(&user_key(SPACE, &n.to_be_bytes()));
    let range = |from: u32, to: u32| KeyRange { start: key(from), end: Some(key(to)) };
    assert_eq!(
        f.file.count_between(&f.io, &range(0, 3000)),
        Some(2000),
        "of the whole nothing is read"
    );
    assert_eq!(f.file.count_between(&f.io, &range(2500, 3000)), Some(0));
    assert_eq!(f.file.count_between(&f.io, &range(500, 900)), None, "nothing of it is at hand");
    let (runtime, _) = runtime();
    runtime.block_on(async {
        for (from, to) in [(500, 900), (0, 100), (1700, 3000), (10, 1990), (700, 730), (5, 15)] {
            let read = f.file.read_count(&f.io, &range(from, to)).await.unwrap();
            assert_eq!(f.file.count_between(&f.io, &range(from, to)), Some(read));
            let counted = read as i64;
            let right = i64::from(to.min(2000) - from);
            assert!((counted - right).abs() <= 20, "{counted} of {right}");
        }
        let mut keys = Vec::new();
        f.file.keys_between(&f.io, &range(100, 1500), 10, &mut keys).await.unwrap();
        keys.sort_unstable();
        assert!((4..=40).contains(&keys.len()), "{}", keys.len());
        assert!(keys.iter().all(|one| range(100, 1500).contains(one)));
        assert!(*keys[keys.len() - 1] > *key(1200), "up to the end");
    });
}

/// Beyond the budget for them partitions stay no longer than the cache keeps them.
#[test]
fn keys_of_a_range_are_counted_though_nothing_that_is_read_for_it_stays() {
    let mut model = Model::new();
    for n in 0..2000u32 {
        let key = n.to_be_bytes().to_vec();
        model.insert((key, Reverse(Seq(1))), (ValueKind::Put, vec![7; 20]));
    }
    let f = build(&model, Compression::None, 0, 0);
    let key = |n: u32| Bytes::copy_from_slice(&user_key(SPACE, &n.to_be_bytes()));
    let range = KeyRange { start: key(700), end: Some(key(730)) };
    let (runtime, _) = runtime();
    runtime.block_on(async {
        let counted = f.file.read_count(&f.io, &range).await.unwrap() as i64;
        assert!((counted - 30).abs() <= 3, "{counted} of 30");
    });
    assert_eq!(f.file.count_between(&f.io, &range), None);
}
