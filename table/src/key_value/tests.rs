use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use bytes::Bytes;
use firn_engine::column::{ColumnWriter, RowSchemas, VersionsDigest};
use firn_engine::key::{KeyRange, ValueKind, successor, user_key};
use firn_engine::manifest::{ColumnCopy, SstMeta};
use firn_engine::{Epoch, ErrorKind, ObjectId, Result, Seq, SpaceId};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::testing::{block_on, object};
use crate::{ColumnFile, RowDescription, Schemas, Verified, verify};

const SPACE: SpaceId = SpaceId(7);

/// A version: key without its space, seq, value or deletion.
type Version = (Vec<u8>, u64, Option<Vec<u8>>);

fn writer() -> Box<dyn ColumnWriter> {
    let description = RowDescription::KeyValue.encode();
    Schemas.open(&description).unwrap().writer().unwrap()
}

/// Writes sorted versions, taking what is finished now and then.
fn write(versions: &[Version]) -> Vec<u8> {
    let mut writer = writer();
    let mut out = Vec::new();
    for (i, (key, seq, value)) in versions.iter().enumerate() {
        let kind = if value.is_some() { ValueKind::Put } else { ValueKind::Delete };
        let value = value.as_deref().unwrap_or_default();
        writer.add(&user_key(SPACE, key), Seq(*seq), kind, value).unwrap();
        if i % 1000 == 0 {
            out.append(&mut writer.take());
        }
    }
    out.append(&mut writer.finish().unwrap());
    out
}

/// What the manifest would say.
fn meta(versions: &[Version], bytes: usize) -> SstMeta {
    let whole = KeyRange::space(SPACE);
    let range = match (versions.first(), versions.last()) {
        (Some(first), Some(last)) => KeyRange {
            start: Bytes::copy_from_slice(&user_key(SPACE, &first.0)),
            end: Some(successor(&user_key(SPACE, &last.0))),
        },
        _ => whole,
    };
    let rows = versions.len() as u64;
    SstMeta {
        id: ObjectId { branch: 1, counter: 2, epoch: Epoch(3) },
        space: SPACE,
        range,
        seq_min: Seq(versions.iter().map(|v| v.1).min().unwrap_or_default()),
        seq_max: Seq(versions.iter().map(|v| v.1).max().unwrap_or_default()),
        bytes: 0,
        tail_bytes: 0,
        cut: false,
        raw_bytes: 0,
        entries: rows,
        deletes: versions.iter().filter(|v| v.2.is_none()).count() as u64,
        range_deletes: 0,
        widest: Vec::new(),
        column: Some(ColumnCopy { bytes: bytes as u64, rows }),
    }
}

fn check(meta: &SstMeta, bytes: &[u8]) -> Result<Verified> {
    block_on(verify(meta, object(bytes)))
}

fn digest(versions: &[Version]) -> u64 {
    let mut digest = VersionsDigest::default();
    for (key, seq, value) in versions {
        let kind = if value.is_some() { ValueKind::Put } else { ValueKind::Delete };
        let value = value.as_deref().unwrap_or_default();
        digest.add(&user_key(SPACE, key), Seq(*seq), kind, value);
    }
    digest.finish()
}

/// As any other program would read it.
fn read_back(bytes: &[u8]) -> Vec<Version> {
    let bytes = Bytes::copy_from_slice(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    let mut versions = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let (keys, values) = (batch["key"].as_binary::<i32>(), batch["value"].as_binary::<i32>());
        let seqs = batch["_firn_seq"].as_primitive::<UInt64Type>();
        let deleted = batch["_firn_deleted"].as_boolean();
        for i in 0..batch.num_rows() {
            let value = (!deleted.value(i)).then(|| values.value(i).to_vec());
            versions.push((keys.value(i).to_vec(), seqs.value(i), value));
        }
    }
    versions
}

fn any_versions() -> impl Strategy<Value = Vec<Version>> {
    let key = prop::collection::vec(any::<u8>(), 0..12);
    let value = prop_oneof![
        8 => prop::collection::vec(0u8..5, 0..200).prop_map(Some),
        2 => Just(None),
        1 => (1usize..4000, any::<u8>()).prop_map(|(len, byte)| Some(vec![byte; len])),
    ];
    let versions = prop::collection::btree_map(any::<u64>(), value, 1..4);
    prop::collection::btree_map(key, versions, 0..300).prop_map(|keys: BTreeMap<_, _>| {
        let one = |(key, versions): (Vec<u8>, BTreeMap<u64, Option<Vec<u8>>>)| {
            let newest_first = versions.into_iter().rev();
            newest_first.map(|(seq, value)| (key.clone(), seq, value)).collect::<Vec<_>>()
        };
        keys.into_iter().flat_map(one).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(versions in any_versions()) {
        let bytes = write(&versions);
        prop_assert_eq!(&read_back(&bytes), &versions);
        let verified = check(&meta(&versions, bytes.len()), &bytes).unwrap();
        prop_assert_eq!(verified.rows, versions.len() as u64);
        prop_assert_eq!(verified.bytes + 4, bytes.len() as u64, "all but the magic number");
        prop_assert_eq!(verified.digest, Some(digest(&versions)));
    }
}

/// Several row groups and pages, half random and half zeros.
fn many_versions(rows: usize, value_len: usize) -> Vec<Version> {
    let mut rng = SmallRng::seed_from_u64(1);
    let row = |i: usize| {
        let mut value = vec![0; value_len];
        rng.fill(&mut value[..value_len / 2]);
        (
            (i as u64).to_be_bytes().to_vec(),
            1_000_000 - i as u64,
            (!i.is_multiple_of(10)).then_some(value),
        )
    };
    (0..rows).map(row).collect()
}

#[test]
fn several_row_groups_read_back() {
    let versions = many_versions(300_000, 20);
    let bytes = write(&versions);
    let verified = check(&meta(&versions, bytes.len()), &bytes).unwrap();
    assert_eq!((verified.rows, verified.row_groups), (300_000, 3));
    assert_eq!(verified.digest, Some(digest(&versions)));
    assert!(read_back(&bytes) == versions);
}

#[test]
fn a_file_without_rows_is_a_file() {
    let bytes = write(&[]);
    let verified = check(&meta(&[], bytes.len()), &bytes).unwrap();
    assert_eq!((verified.rows, verified.row_groups), (0, 0));
    assert!(read_back(&bytes).is_empty());
}

#[test]
fn a_value_far_larger_than_a_row_group_reads_back() {
    let versions = vec![
        (b"a".to_vec(), 3, Some(vec![1; 40 << 20])),
        (b"b".to_vec(), 2, Some(vec![2; 40 << 20])),
        (b"c".to_vec(), 1, None),
    ];
    let bytes = write(&versions);
    let verified = check(&meta(&versions, bytes.len()), &bytes).unwrap();
    assert_eq!((verified.rows, verified.row_groups, verified.deletes), (3, 3, 1));
    assert!(read_back(&bytes) == versions);
}

#[test]
fn the_metadata_says_what_the_file_is() {
    let versions = many_versions(1000, 20);
    let bytes = write(&versions);
    let file = SerializedFileReader::new(Bytes::from(bytes.clone())).unwrap();
    let known = file.metadata().file_metadata().key_value_metadata().unwrap();
    let value = |key| known.iter().find(|kv| kv.key == key).unwrap().value.clone().unwrap();
    assert_eq!((value("firn.format"), value("firn.space")), ("1".into(), "7".into()));
    let group = file.metadata().row_group(0);
    let sorted: Vec<_> = group.sorting_columns().unwrap().iter().map(|c| c.column_idx).collect();
    assert_eq!(sorted, [0, 2]);
    let keys = group.column(0).statistics().unwrap();
    assert_eq!(keys.min_bytes_opt().unwrap(), versions[0].0);
    assert_eq!(keys.max_bytes_opt().unwrap(), versions[999].0);
    let opened = ColumnFile::open(object(&bytes), meta(&versions, 0).id, bytes.len() as u64);
    let opened = block_on(opened).unwrap();
    assert_eq!((opened.space(), opened.rows(), opened.row_groups()), (Some(SPACE), 1000, 1));
}

#[test]
fn page_checksums_are_there_for_other_readers() {
    let bytes = write(&many_versions(1000, 100));
    let file = SerializedFileReader::new(Bytes::from(bytes.clone())).unwrap();
    for column in file.metadata().row_group(0).columns() {
        // The last byte of a chunk is the last of its last page.
        let (offset, len) = column.byte_range();
        let mut bad = bytes.clone();
        bad[(offset + len - 1) as usize] ^= 1;
        let read = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bad));
        let failed = read.unwrap().build().unwrap().find_map(std::result::Result::err);
        let why = failed.expect("a changed page is noticed").to_string();
        assert!(why.contains("checksum"), "{}: {why}", column.column_path());
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let versions = many_versions(40, 30);
    let bytes = write(&versions);
    let meta = meta(&versions, bytes.len());
    check(&meta, &bytes).unwrap();
    // The magic number in front is nobody's: no reader looks at it.
    for at in 4..bytes.len() {
        for change in [1, 0x80] {
            let mut bad = bytes.clone();
            bad[at] ^= change;
            let e = check(&meta, &bad).expect_err("a change goes unnoticed");
            assert_eq!(e.kind(), ErrorKind::Corrupt, "byte {at}: {e}");
            assert!(e.to_string().contains("columns of"), "{e}");
        }
    }
}

#[test]
fn a_cut_file_is_noticed() {
    let versions = many_versions(40, 30);
    let bytes = write(&versions);
    for len in 0..bytes.len() {
        let e = check(&meta(&versions, len), &bytes[..len]).expect_err("a cut goes unnoticed");
        assert_eq!(e.kind(), ErrorKind::Corrupt, "{len} bytes: {e}");
    }
}

#[test]
fn what_the_manifest_denies_is_noticed() {
    let versions = many_versions(40, 30);
    let bytes = write(&versions);
    let right = meta(&versions, bytes.len());
    let said = |e: firn_engine::Error| e.to_string();
    let mut other = right.clone();
    other.entries += 1;
    assert!(said(check(&other, &bytes).unwrap_err()).contains("40 rows"));
    other = right.clone();
    other.deletes += 1;
    assert!(said(check(&other, &bytes).unwrap_err()).contains("4 deletions, not 5"));
    other = right.clone();
    other.seq_max = Seq(3);
    assert!(said(check(&other, &bytes).unwrap_err()).contains("outside"));
    other = right.clone();
    other.space = SpaceId(8);
    assert!(said(check(&other, &bytes).unwrap_err()).contains("another space"));
    other = right;
    other.column = None;
    assert!(said(check(&other, &bytes).unwrap_err()).contains("no column copy"));
}

#[test]
fn keys_out_of_order_are_noticed() {
    let mut versions = many_versions(40, 30);
    let right = meta(&versions, 0);
    versions.swap(20, 21);
    let bytes = write(&versions);
    let meta =
        SstMeta { column: Some(ColumnCopy { bytes: bytes.len() as u64, rows: 40 }), ..right };
    assert!(check(&meta, &bytes).unwrap_err().to_string().contains("out of order"));
}

#[test]
fn keys_of_two_spaces_are_refused() {
    let mut writer = writer();
    writer.add(&user_key(SPACE, b"a"), Seq(1), ValueKind::Put, b"").unwrap();
    let other = user_key(SpaceId(8), b"a");
    let e = writer.add(&other, Seq(1), ValueKind::Put, b"").unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Internal);
}

#[test]
fn an_unknown_description_is_refused() {
    assert_eq!(Schemas.open(&[9, 9, 9]).unwrap_err().kind(), ErrorKind::BadRequest);
}

/// What waits to be taken, and what is read at once, are about a row group.
#[test]
fn pieces_stay_small_whatever_the_size_of_the_file() {
    let mut writer = writer();
    let mut rng = SmallRng::seed_from_u64(2);
    let mut value = vec![0; 1000];
    let (mut out, mut largest) = (Vec::new(), 0);
    let mut versions = Vec::new();
    for i in 0..100_000u64 {
        rng.fill(&mut value);
        let key = i.to_be_bytes().to_vec();
        writer.add(&user_key(SPACE, &key), Seq(1), ValueKind::Put, &value).unwrap();
        versions.push((key, 1, Some(Vec::new())));
        let mut taken = writer.take();
        largest = taken.len().max(largest);
        out.append(&mut taken);
    }
    let rest = writer.finish().unwrap();
    largest = rest.len().max(largest);
    out.extend_from_slice(&rest);
    assert!(out.len() > 100_000_000, "random values do not compress");
    assert!(largest < 18 << 20, "{largest} bytes at once");
    let source = object(&out);
    let verified = block_on(verify(&meta(&versions, out.len()), Arc::clone(&source) as _)).unwrap();
    assert_eq!(verified.rows, 100_000);
    let largest = *source.largest_read.lock();
    assert!(largest < 18 << 20, "{largest} bytes read at once");
}
