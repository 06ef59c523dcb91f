use super::*;
use firn_mysql_semantics::{Derivation, SqlType, TypeKind};

fn column(id: u32, name: &str, ty: SqlType) -> ColumnDescriptor {
    ColumnDescriptor {
        id: ColumnId(id),
        name: name.into(),
        ty,
        members: Vec::new(),
        zerofill: false,
        display_width: None,
        collation_written: false,
        default: ColumnDefault::None,
        on_update_now: false,
        auto_increment: false,
        generated: None,
        comment: String::new(),
        invisible: false,
        hidden: false,
        instant_default: None,
    }
}

fn table() -> TableDescriptor {
    let name = SqlType::varchar(40, CollationId::UTF8MB4_0900_AI_CI, Derivation::Implicit);
    let mut table = TableDescriptor {
        id: 1024,
        schema: "shop".into(),
        name: "Kunden".into(),
        version: 3,
        columns: vec![
            column(2, "id", SqlType::plain(TypeKind::Int, 11, 0).not_null()),
            column(1, "Größe", name),
        ],
        indexes: vec![IndexDescriptor {
            id: IndexId::ROWS,
            name: "PRIMARY".into(),
            kind: IndexKind::Primary,
            parts: vec![IndexPart { column: ColumnId(2), prefix_len: None, descending: false }],
            comment: String::new(),
            invisible: false,
            using: None,
            state: IndexState::Public,
        }],
        foreign_keys: Vec::new(),
        checks: vec![Check { name: "c".into(), expr: "`id` > 0".into(), enforced: true }],
        collation: CollationId::UTF8MB4_0900_AI_CI,
        comment: "who buys".into(),
        options: vec![("ROW_FORMAT".into(), "COMPACT".into())],
        auto_increment_min: 7,
        layouts: Vec::new(),
        next_column_id: 3,
        next_index_id: 2,
        created_micros: 1_700_000_000_000_000,
    };
    table.layouts.push(table.wanted_layout());
    table
}

#[test]
fn what_is_stored_reads_back() {
    let table = table();
    assert_eq!(TableDescriptor::decode(&table.encode()).unwrap(), table);
}

#[test]
fn a_newer_field_is_an_error_that_names_it() {
    let text = String::from_utf8(table().encode()).unwrap();
    let newer = text.replacen('{', "{\"colour\":1,", 1);
    let error = TableDescriptor::decode(newer.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("table descriptor: unknown field `colour`"), "{error}");
}

#[test]
fn layouts_are_in_the_order_of_ids() {
    let ids: Vec<_> = table().wanted_layout().cells.iter().map(|cell| cell.column.0).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn names_have_no_case() {
    let table = table();
    assert_eq!(table.column_named("GRÖßE"), Some(1));
    assert_eq!(table.column_named("ID"), Some(0));
    assert_eq!(table.column_named("idx"), None);
}
