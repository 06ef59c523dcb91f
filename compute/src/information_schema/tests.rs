use firn_mysql_protocol::ColumnType;
use firn_mysql_semantics::{TypeKind, Value};

use super::*;

#[test]
fn every_line_of_the_facts_is_understood() {
    // Lines that are not are refused by assertions of the reader.
    assert!(definition::tables().len() > 40);
    for table in definition::tables() {
        assert!(!table.columns.is_empty(), "{}", table.name);
        assert_eq!(table.columns.len(), table.scope.len());
    }
    assert_eq!(definition::show("tables").columns.len(), 1);
    assert_eq!(definition::show("explain").columns.len(), 12);
}

#[test]
fn tables_with_rows_and_those_that_are_missing_are_known() {
    let known = |name: &str| definition::tables().iter().any(|table| table.name == name);
    for (name, _) in PROVIDERS {
        assert!(known(name), "{name}");
        assert!(!MISSING.contains(name), "{name}");
    }
    MISSING.iter().for_each(|name| assert!(known(name), "{name}"));
}

#[test]
fn tables_are_found_in_any_case_of_their_names() {
    let table = definition::table("INFORMATION_SCHEMA", "tables").unwrap();
    assert_eq!((table.schema, table.name), ("information_schema", "TABLES"));
    assert!(definition::table("information_schema", "nothing").is_none());
}

#[test]
fn columns_have_the_types_of_the_server() {
    let table = definition::table("information_schema", "COLUMNS").unwrap();
    let column = |name: &str| table.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!(column("TABLE_NAME").ty.kind, TypeKind::Varchar);
    assert_eq!(column("TABLE_NAME").ty.length, 64);
    assert!(!column("TABLE_NAME").ty.nullable);
    assert_eq!(column("COLUMN_TYPE").type_text, "mediumtext");
    let key = column("COLUMN_KEY");
    assert_eq!(key.ty.kind, TypeKind::Enum);
    assert_eq!(key.fit(Value::bytes(b"UNI")), Value::UInt(3));
    assert_eq!(key.fit(Value::bytes(b"")), Value::UInt(1));
    let show = definition::show("full columns");
    assert_eq!(show.columns[0].kind, ColumnType::VarString);
}
