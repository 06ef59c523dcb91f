//! The catalog in an engine.

use std::sync::Arc;

use firn_engine::{Seq, SpaceId};
use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::Settings;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_table::descriptor::IndexId;

use crate::catalog::{Catalog, CatalogChange, ChangeError, Facts, plan_ddl};
use crate::testing::simulated;

fn plan(catalog: &Catalog, sql: &str) -> Result<CatalogChange, SqlError> {
    let settings = Settings::default();
    let zone = TimeZone::parse("+00:00").expect("an offset");
    let facts = Facts {
        database: Some("shop"),
        account: ("root", "localhost"),
        settings: &settings,
        zone: &zone,
        now_micros: 0,
        server_collation: CollationId::UTF8MB4_0900_AI_CI,
        foreign_key_checks: true,
        require_primary_key: false,
        no_engine_substitution: true,
    };
    let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(sql);
    let mut warnings = Warnings::default();
    let change = plan_ddl(&catalog.snapshot(), catalog, &statement.kind, &facts, &mut warnings)?;
    Ok(change.expect("a statement of data definition"))
}

async fn run(catalog: &Catalog, sql: &str) {
    let change = plan(catalog, sql).expect(sql);
    catalog.apply(&change).await.expect(sql);
}

fn names(catalog: &Catalog) -> Vec<String> {
    let snapshot = catalog.snapshot();
    let schemas = snapshot.schemas.iter();
    schemas
        .flat_map(|(schema, inside)| {
            inside.relations.keys().map(move |table| format!("{schema}.{table}"))
        })
        .collect()
}

#[test]
fn what_was_defined_is_there_after_opening_again() {
    simulated(1, |world| async move {
        let db = world.open().await;
        let catalog = Catalog::open(Arc::clone(&db)).await.unwrap();
        for sql in [
            "create database shop",
            "create database `empty`",
            "create table a (id int primary key, b int)",
            "create table b like a",
            "create table gone (id int)",
            "rename table b to c",
            "drop table gone",
        ] {
            run(&catalog, sql).await;
        }
        let before = catalog.snapshot();
        drop((catalog, db));
        let db = world.open().await;
        let catalog = Catalog::open(db).await.unwrap();
        assert_eq!(names(&catalog), ["shop.a", "shop.c"]);
        let after = catalog.snapshot();
        assert!(after.schema("empty").is_some());
        for table in before.tables() {
            let again = after.table_by_id(table.descriptor.id).unwrap();
            assert_eq!(again.descriptor, table.descriptor);
        }
        // No id comes twice, not even that of a table that is gone.
        run(&catalog, "create table d (id int)").await;
        let id = catalog.snapshot().table("shop", "d").unwrap().descriptor.id;
        assert_eq!(id, 1027);
    });
}

#[test]
fn rows_of_dropped_and_truncated_tables_are_gone() {
    simulated(2, |world| async move {
        let db = world.open().await;
        let catalog = Catalog::open(Arc::clone(&db)).await.unwrap();
        run(&catalog, "create database shop").await;
        run(&catalog, "create table a (id int)").await;
        run(&catalog, "create table b (id int)").await;
        let id = |name: &str| catalog.snapshot().table("shop", name).unwrap().descriptor.id;
        let (a, b) = (id("a"), id("b"));
        for space in [a, b] {
            db.put(SpaceId(space), b"k", b"v").await.unwrap();
        }
        let before = db.last_seq();
        run(&catalog, "truncate table a").await;
        run(&catalog, "drop table b").await;
        assert_ne!(id("a"), a, "an emptied table has a new space");
        // Snapshots from before it know from the first moment on that it is not for them.
        let since = catalog.snapshot().rows_since(id("a"));
        assert!(before < since && since <= db.last_seq(), "{before} {since}");
        assert_eq!(catalog.snapshot().rows_since(a), Seq(0));
        for space in [a, b] {
            assert_eq!(db.get(SpaceId(space), b"k").await.unwrap(), None);
        }
    });
}

#[test]
fn a_plan_on_an_old_catalog_changes_nothing() {
    simulated(3, |world| async move {
        let catalog = Catalog::open(world.open().await).await.unwrap();
        run(&catalog, "create database shop").await;
        let one = plan(&catalog, "create table t (a int)").unwrap();
        let other = plan(&catalog, "create table t (b int)").unwrap();
        catalog.apply(&one).await.unwrap();
        let error = catalog.apply(&other).await.unwrap_err();
        assert!(matches!(error, ChangeError::Sql(error) if error.number() == 1412));
        let snapshot = catalog.snapshot();
        assert_eq!(snapshot.table("shop", "t").unwrap().descriptor.columns[0].name, "a");
        let drop = plan(&catalog, "drop table t").unwrap();
        run(&catalog, "truncate table t").await;
        assert!(catalog.apply(&drop).await.is_err());
    });
}

#[test]
fn plans_of_different_tables_do_not_disturb_each_other() {
    simulated(4, |world| async move {
        let catalog = Catalog::open(world.open().await).await.unwrap();
        run(&catalog, "create database shop").await;
        let one = plan(&catalog, "create table t (a int)").unwrap();
        let other = plan(&catalog, "create table u (b int)").unwrap();
        catalog.apply(&other).await.unwrap();
        catalog.apply(&one).await.unwrap();
        assert_eq!(names(&catalog), ["shop.t", "shop.u"]);
    });
}

#[test]
fn entries_of_an_index_that_never_came_about_go_with_the_next_start() {
    simulated(1, |world| async move {
        let db = world.open().await;
        let catalog = Catalog::open(Arc::clone(&db)).await.unwrap();
        run(&catalog, "create database shop").await;
        run(&catalog, "create table a (id int primary key, b int, key b (b))").await;
        let table = Arc::clone(&catalog.snapshot().table("shop", "a").unwrap().descriptor);
        let there = table.indexes.iter().find(|index| index.name == "b").unwrap().id;
        let never = IndexId(there.0 + 1);
        let after = IndexId(there.0 + 2);
        for index in [IndexId::ROWS, there, never, after] {
            let key = [&index.0.to_be_bytes()[..], b"entry"].concat();
            db.put(table.space(), &key, b"x").await.unwrap();
        }
        // The statement that made `there` has ended; its note is left, as after a crash
        // between the catalog's write and nothing.
        catalog.keep_scratch_indexes(table.id, &[there, never]).await.unwrap();
        drop((catalog, db));
        for _ in 0..2 {
            let db = world.open().await;
            let _catalog = Catalog::open(Arc::clone(&db)).await.unwrap();
            let rows = db.scan_prefix(table.space(), &[]).await.unwrap().collect(10).await.unwrap();
            let left: Vec<u16> =
                rows.iter().map(|(key, _)| u16::from_be_bytes([key[0], key[1]])).collect();
            assert_eq!(left, [IndexId::ROWS.0, there.0, after.0]);
        }
    });
}
