//! What ALTER TABLE has to do with the rows that are there.

use std::sync::atomic::{AtomicU32, Ordering};

use firn_mysql_parser::{Options, Parser};
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::Settings;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_table::descriptor::IndexId;
use firn_table::{Cell, TableCodec};

use crate::catalog::{
    AlterPlan, AskedLock, CatalogSnapshot, Facts, TableIds, TableName, TemporaryTables, Work,
    plan_alter, plan_ddl,
};

struct Ids(AtomicU32);

impl TableIds for Ids {
    fn next_table_id(&self) -> Result<u32, SqlError> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct World {
    catalog: CatalogSnapshot,
    ids: Ids,
    settings: Settings,
    zone: TimeZone,
}

impl World {
    fn new(table: &str) -> Self {
        let mut world = Self {
            catalog: CatalogSnapshot::default(),
            ids: Ids(AtomicU32::new(1024)),
            settings: Settings::default(),
            zone: TimeZone::parse("+02:00").expect("an offset"),
        };
        world.run("create database d");
        world.run(table);
        world
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            database: Some("d"),
            account: ("root", "localhost"),
            settings: &self.settings,
            zone: &self.zone,
            now_micros: 1_700_000_000_123_456,
            server_collation: CollationId::UTF8MB4_0900_AI_CI,
            foreign_key_checks: true,
            require_primary_key: false,
            no_engine_substitution: true,
        }
    }

    fn run(&mut self, sql: &str) {
        let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(sql);
        let mut warnings = Warnings::default();
        let change =
            plan_ddl(&self.catalog, &self.ids, &statement.kind, &self.facts(), &mut warnings)
                .expect(sql)
                .expect(sql);
        let mut next = self.catalog.clone();
        change.apply_to(&mut next).expect(sql);
        self.catalog = next;
    }

    fn alter(&self, sql: &str) -> AlterPlan {
        let sql = format!("alter table t {sql}");
        let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(&sql);
        let mut warnings = Warnings::default();
        plan_alter(&self.catalog, &self.ids, &statement.kind, &self.facts(), &mut warnings)
            .expect(&sql)
            .expect(&sql)
    }

    /// The error of a change that is refused.
    fn refused(&self, sql: &str) -> String {
        let sql = format!("alter table t {sql}");
        let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(&sql);
        let mut warnings = Warnings::default();
        plan_alter(&self.catalog, &self.ids, &statement.kind, &self.facts(), &mut warnings)
            .expect_err(&sql)
            .to_string()
    }
}

const TABLE: &str = "create table t (id int primary key, a int, b varchar(10), c int not null, \
                     d enum('x'), e int as (a + 1) stored, f int as (a + 1), key k (b), \
                     key g (f), key h ((a * 2)))";

#[test]
fn what_old_rows_can_be_read_by_is_instant() {
    let world = World::new(TABLE);
    for sql in [
        "add column z int",
        "add column z varchar(5) not null default 'x' first",
        "add column z int as (a + 2)",
        "add column z datetime default now()",
        "drop column d",
        "rename column b to z",
        "modify b varchar(20)",
        "modify c int",
        "modify d enum('x', 'y')",
        "modify c bigint not null comment 'wide' after id",
        "alter a set default 5",
        "alter a drop default",
        "drop key k",
        "rename key k to z",
        "alter index k invisible",
        "comment 'x', charset latin1",
        "add check (a > 1) not enforced",
        "rename to z",
    ] {
        assert_eq!(world.alter(sql).work, Work::None, "{sql}");
    }
}

#[test]
fn what_changes_stored_values_copies_the_rows() {
    let world = World::new(TABLE);
    for sql in [
        "modify id bigint",
        "modify b varchar(5)",
        "modify b varchar(10) collate utf8mb4_bin",
        "modify a int not null",
        "modify a varchar(10)",
        "modify d enum('y', 'x')",
        "modify a bigint",
        "modify e int as (a + 2) stored",
        "modify f int as (a + 2)",
        "add column z int auto_increment unique",
        "add column z int as (a) stored",
        "add column z varchar(36) default (uuid())",
        "add column z datetime not null",
        "drop primary key",
        "drop primary key, add primary key (c)",
        "convert to character set latin1",
        "force",
    ] {
        let plan = world.alter(sql);
        assert_eq!(plan.work, Work::Copy, "{sql}");
        assert_ne!(plan.now.id, plan.was.id, "{sql}");
        assert_eq!(plan.now.layouts.len(), 1, "{sql}");
        assert!(plan.now.columns.iter().all(|column| column.instant_default.is_none()), "{sql}");
    }
}

#[test]
fn new_indexes_and_rules_scan_the_rows() {
    let world = World::new(TABLE);
    let scan = |fill: &[u16], checks: &[&str], foreign_keys: &[&str]| Work::Scan {
        fill: fill.iter().map(|id| IndexId(*id)).collect(),
        checks: checks.iter().map(|name| (*name).to_owned()).collect(),
        foreign_keys: foreign_keys.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(world.alter("add key (a)").work, scan(&[5], &[], &[]));
    assert_eq!(world.alter("add unique (a), add key ((c + 1))").work, scan(&[5, 6], &[], &[]));
    assert_eq!(world.alter("add check (a > 1)").work, scan(&[], &["t_chk_1"], &[]));
    assert_eq!(
        world.alter("add foreign key (a) references t (id)").work,
        scan(&[5], &[], &["t_ibfk_1"])
    );
}

/// What MySQL says of LOCK=NONE.
#[test]
fn others_may_write_where_they_may_in_mysql() {
    let world = World::new(TABLE);
    for sql in ["add key (a)", "add unique (a)", "force", "modify a int not null", "drop key k"] {
        assert!(world.alter(sql).beside_writers, "{sql}");
        assert_eq!(world.alter(&format!("{sql}, lock=none")).lock, AskedLock::None, "{sql}");
    }
    let because = |reason: &str| format!("LOCK=NONE is not supported. Reason: {reason}.");
    for (sql, error) in [
        ("modify a bigint", because("Cannot change column type INPLACE")),
        ("add check (a > 1)", because("COPY algorithm requires a lock")),
        ("add key (a), algorithm=copy", because("COPY algorithm requires a lock")),
        ("add column g int as (a + 1) stored", "LOCK=NONE is not supported for this".into()),
        (
            "add foreign key (a) references t (id)",
            because("Adding foreign keys needs foreign_key_checks=OFF"),
        ),
        (
            "drop primary key",
            because("Dropping a primary key is not allowed without also adding a new primary key"),
        ),
    ] {
        assert!(!world.alter(sql).beside_writers, "{sql}");
        let refused = world.refused(&format!("{sql}, lock=none"));
        assert!(refused.contains(&error), "{sql}: {refused}");
    }
}

#[test]
fn rows_from_before_have_the_defaults_of_added_columns() {
    let mut world = World::new("create table t (id int primary key)");
    let was = world.catalog.table("d", "t").unwrap().descriptor.clone();
    let mut row = Vec::new();
    let old = TableCodec::new(was).unwrap();
    old.rows().write(&[firn_mysql_semantics::Value::Int(7)], &mut row).unwrap();
    let plan = world.alter(
        "add column n int, add column m int not null, add column s char(3) default 'ab', \
         add column x decimal(5,2) default 1.5 first, add column w timestamp default '2020-01-02 03:04:05', \
         add column y timestamp(3) default now(3)",
    );
    assert!(plan.work.is_none());
    plan.finish().apply_to(&mut world.catalog).unwrap();
    let now = world.catalog.table("d", "t").unwrap().descriptor.clone();
    let codec = TableCodec::new(now.clone()).unwrap();
    let reader = codec.rows().read(&row).unwrap();
    let cell = |name: &str| reader.cell(now.column_named(name).unwrap()).unwrap();
    assert_eq!(cell("id"), Cell::Int(7));
    assert_eq!(cell("n"), Cell::Null);
    assert_eq!(cell("m"), Cell::Int(0));
    assert_eq!(cell("s"), Cell::Bytes(b"ab"[..].into()));
    let text = |cell: Cell<'_>| match cell {
        Cell::Decimal(number) => number.to_string(),
        Cell::DateTime(at) => {
            let mut out = Vec::new();
            at.write_text(3, &mut out);
            String::from_utf8(out).unwrap()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(text(cell("x")), "1.50");
    // In UTC, two hours before what the session wrote.
    assert_eq!(text(cell("w")), "2020-01-02 01:04:05.000");
    assert_eq!(text(cell("y")), "2023-11-14 22:13:20.123");
}

#[test]
fn temporary_tables_hide_others_and_leave_them_alone() {
    let world = World::new("create table t (a int)");
    let mut temporary = TemporaryTables::default();
    let create = |sql: &str, temporary: &TemporaryTables| {
        let statement = Parser::new(Options::default()).parse(sql.as_bytes()).expect(sql);
        let firn_mysql_parser::ast::StatementKind::CreateTable(create) = &statement.kind else {
            panic!("{sql}");
        };
        let mut warnings = Warnings::default();
        temporary.plan_create(&world.catalog, &world.ids, create, &world.facts(), &mut warnings)
    };
    let change = create("create temporary table t (b int, c int)", &temporary).unwrap();
    assert!(temporary.apply(&change).unwrap().is_empty());
    let again = create("create temporary table t (b int)", &temporary).unwrap_err();
    assert_eq!(again.number(), 1050);
    let seen = temporary.over(&world.catalog);
    assert_eq!(seen.table("d", "t").unwrap().descriptor.columns[0].name, "b");
    assert_eq!(world.catalog.table("d", "t").unwrap().descriptor.columns[0].name, "a");

    let statement = Parser::new(Options::default()).parse(b"alter table t drop b, force").unwrap();
    let mut warnings = Warnings::default();
    let facts = world.facts();
    let plan = plan_alter(&seen, &world.ids, &statement.kind, &facts, &mut warnings);
    let batch = temporary.apply(&plan.unwrap().unwrap().finish()).unwrap();
    assert_eq!(batch.len(), 1, "rows under the old id go");
    let name = TableName::new("d", "t");
    assert_eq!(temporary.get(&name).unwrap().descriptor.columns.len(), 1);

    let change = create("create temporary table u like t", &temporary).unwrap();
    temporary.apply(&change).unwrap();
    let error =
        create("create temporary table v (c int, foreign key (c) references t (c))", &temporary);
    assert_eq!(error.unwrap_err().number(), 1215);
    let batch = temporary.apply(&temporary.plan_drop(&name).unwrap()).unwrap();
    assert_eq!(batch.len(), 1);
    assert!(temporary.get(&name).is_none());
    temporary.apply(&temporary.plan_drop_all()).unwrap();
    assert!(temporary.is_empty());
}
