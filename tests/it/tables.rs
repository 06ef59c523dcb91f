//! A table's space through flushes and merges: its column copies show every version
//! of its rows that they hold, and nothing of its indexes, also across an instant
//! ALTER TABLE.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt64Type};
use firn_engine::manifest::SpaceOptions;
use firn_engine::{Env, SpaceId, WriteBatch};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use firn_table::columns::{ROW_COLUMN, ROW_KEY_COLUMN};
use firn_table::descriptor::{ColumnId, TableDescriptor};
use firn_table::{ColumnFile, DELETED_COLUMN, RowDescription, SEQ_COLUMN, TableCodec};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Running, World};

const LIMIT: Duration = Duration::from_secs(60);
const SPACE: SpaceId = SpaceId(1024);

/// `(id INT PRIMARY KEY, name VARCHAR(40), INDEX (name))`
const TABLE: &str = r#"{
    "id": 1024, "schema": "shop", "name": "t", "version": 1,
    "columns": [
        {"id": 1, "name": "id", "ty": {"kind": "int", "not_null": true, "length": 11}},
        {"id": 2, "name": "name", "ty": {"kind": "varchar", "length": 40,
            "decimals": 31, "collation": "utf8mb4_0900_ai_ci"}}],
    "indexes": [
        {"id": 1, "name": "PRIMARY", "kind": "primary", "parts": [{"column": 1}]},
        {"id": 2, "name": "name", "kind": "plain", "parts": [{"column": 2}]}],
    "collation": "utf8mb4_0900_ai_ci", "layouts": [],
    "next_column_id": 3, "next_index_id": 3, "created_micros": 0}"#;

/// Of each version of a row, by key and seq: its values, or its deletion.
type History = BTreeMap<(Vec<u8>, u64), Option<Vec<Value>>>;

async fn declare(running: &Running, table: &TableDescriptor) -> TableCodec {
    let row_schema = RowDescription::table(table).unwrap().encode();
    let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
    running.db.declare_space(SPACE, options).await.unwrap();
    TableCodec::new(Arc::new(table.clone())).unwrap()
}

/// What the table holds: values by id.
type Rows = BTreeMap<i64, Vec<Value>>;

/// A transaction of a few inserts, updates and deletes, indexes kept.
async fn write_some(
    running: &Running,
    codec: &TableCodec,
    rng: &mut SmallRng,
    rows: &mut Rows,
    history: &mut History,
) {
    let mut batch = WriteBatch::new();
    let mut changed = BTreeMap::new();
    for _ in 0..10 {
        let id = rng.random_range(0..1500_i64);
        let mut new = vec![Value::Int(id)];
        let len = rng.random_range(0..40);
        let name: String = (0..len).map(|_| rng.random_range('a'..='f')).collect();
        new.push(Value::from(name.as_str()));
        if codec.table().columns.len() == 3 {
            new.push(Value::Int(rng.random_range(0..100)));
        }
        let mut row_key = Vec::new();
        codec.row_index().row_key(&new, &mut row_key).unwrap();
        let index = &codec.indexes()[0];
        if let Some(old) = rows.remove(&id) {
            let mut key = Vec::new();
            index.entry_key(&old, &row_key, &mut key).unwrap();
            batch.delete(SPACE, &key).unwrap();
        }
        if rng.random_bool(0.15) {
            batch.delete(SPACE, &row_key).unwrap();
            changed.insert(row_key, None);
            continue;
        }
        let (mut row, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        codec.rows().write(&new, &mut row).unwrap();
        let exclusive = index.entry_key(&new, &row_key, &mut key).unwrap();
        index.entry_value(&new, &row_key, exclusive, &mut value).unwrap();
        batch.put(SPACE, &key, &value).unwrap();
        batch.put(SPACE, &row_key, &row).unwrap();
        rows.insert(id, new.clone());
        changed.insert(row_key, Some(new));
    }
    let seq = running.db.write(&batch).await.unwrap();
    history.extend(changed.into_iter().map(|(key, row)| ((key, seq.0), row)));
}

/// Checks the column copies of all files; how many rows they have, deletions apart.
async fn check_copies(world: &World, running: &Running, history: &History) -> [usize; 2] {
    let blocks = world.blocks();
    let mut seen = [0; 2];
    for (_, file) in running.db.version().files() {
        let Some(copy) = &file.column else { continue };
        firn_table::verify(file, Arc::clone(&blocks) as _).await.unwrap();
        // Behind the rows there are the entries of index 2.
        let end = [&SPACE.prefix()[..], &[0, 2]].concat();
        if file.range.end.as_ref().is_some_and(|last| **last <= *end) {
            assert_eq!(copy.rows, file.entries);
        }
        let columns =
            ColumnFile::open(Arc::clone(&blocks) as _, file.id, copy.bytes).await.unwrap();
        for group in 0..columns.row_groups() {
            for batch in columns.row_group(group).await.unwrap() {
                let batch = batch.unwrap();
                let keys = batch[ROW_KEY_COLUMN].as_binary::<i32>();
                let seqs = batch[SEQ_COLUMN].as_primitive::<UInt64Type>();
                let deleted = batch[DELETED_COLUMN].as_boolean();
                let (ids, names) =
                    (batch["id"].as_primitive::<Int32Type>(), batch["name"].as_string::<i32>());
                let added = batch.column_by_name("added");
                assert_eq!(batch[ROW_COLUMN].null_count(), batch.num_rows());
                for i in 0..batch.num_rows() {
                    let at = (keys.value(i).to_vec(), seqs.value(i));
                    let row = history.get(&at).unwrap_or_else(|| panic!("no version {at:?}"));
                    seen[usize::from(row.is_none())] += 1;
                    assert_eq!(deleted.value(i), row.is_none());
                    let Some(row) = row else {
                        assert!(ids.is_null(i) && names.is_null(i));
                        continue;
                    };
                    assert_eq!(Value::Int(ids.value(i).into()), row[0]);
                    assert_eq!(Value::from(names.value(i)), row[1]);
                    // A column that was added has its default in older rows.
                    if let Some(added) = added {
                        let added = added.as_primitive::<Int32Type>().value(i);
                        let held = row.get(2).cloned().unwrap_or(Value::Int(7));
                        assert_eq!(Value::Int(added.into()), held);
                    }
                }
            }
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn copies_of_a_table_show_its_rows_and_no_index_entries() {
    let seed = rand::random::<u32>().into();
    eprintln!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let world = World::small(Env::simulated(seed));
    let running = world.open().await.unwrap();
    let mut table = TableDescriptor::decode(TABLE.as_bytes()).unwrap();
    table.layouts.push(table.wanted_layout());
    let mut codec = declare(&running, &table).await;
    let (mut rows, mut history) = (Rows::new(), History::new());
    let mut seen = [0; 2];
    for round in 0..20 {
        if round == 10 {
            let mut added = table.columns[0].clone();
            (added.id, added.name) = (ColumnId(3), "added".into());
            added.ty = SqlType::plain(TypeKind::Int, 11, 0);
            added.instant_default = firn_table::row::encode_cell(&added.ty, &Value::Int(7));
            table.columns.push(added);
            table.layouts.push(table.wanted_layout());
            codec = declare(&running, &table).await;
            rows.values_mut().for_each(|row| row.push(Value::Int(7)));
        }
        for _ in 0..20 {
            write_some(&running, &codec, &mut rng, &mut rows, &mut history).await;
        }
        let _held = rng.random_bool(0.5).then(|| running.db.snapshot());
        running.db.flush(LIMIT).await.unwrap();
        world.env.sleep(Duration::from_millis(rng.random_range(0..20_000))).await;
        let more = check_copies(&world, &running, &history).await;
        seen = [seen[0] + more[0], seen[1] + more[1]];
    }
    assert!(seen[0] > 1000 && seen[1] > 0, "only {seen:?} rows and deletions were seen");
    world.settle(&running).await;
    check_copies(&world, &running, &history).await;

    // And the index leads to the rows.
    let index = &codec.indexes()[0];
    let mut scan = running.db.scan(SPACE, &index.all()).await.unwrap();
    let mut found = 0;
    while let Some((key, value)) = scan.next().await.unwrap() {
        let entry = index.read(key, value).unwrap();
        let mut row_key = Vec::new();
        entry.row_key(&mut row_key);
        let row = running.db.get(SPACE, &row_key).await.unwrap().unwrap();
        let mut values = Vec::new();
        codec.rows().read(&row).unwrap().values(&mut values).unwrap();
        assert_eq!([entry.value(0).unwrap(), entry.value(1).unwrap()], values[..2]);
        let Value::Int(id) = values[0] else { panic!("{values:?}") };
        assert_eq!(rows.get(&id), Some(&values));
        found += 1;
    }
    assert_eq!(found, rows.len());
    running.close().await;
}
