//! A row with a column of every type.

use firn_mysql_protocol::result::{Column, Date, DateTime, Rows, Time};
use firn_mysql_protocol::{ColumnFlags, ColumnType, Result};

/// Columns of the statement `rows`.
pub fn row_columns() -> [Column; 2] {
    let mut id = Column::new("id", ColumnType::LongLong, 63, 20);
    id.flags = ColumnFlags::NOT_NULL | ColumnFlags::UNSIGNED | ColumnFlags::PRIMARY_KEY;
    id.schema = b"test".to_vec();
    (id.table, id.org_table, id.org_name) = (b"t".to_vec(), b"t1".to_vec(), b"id1".to_vec());
    [id, Column::new("name", ColumnType::VarString, 255, 400)]
}

/// Columns of the statement `types`.
pub fn columns() -> Vec<Column> {
    use ColumnType as T;
    let integers = [
        ("tiny", T::Tiny, 4),
        ("short", T::Short, 6),
        ("medium", T::Int24, 9),
        ("int", T::Long, 11),
        ("big", T::LongLong, 20),
    ];
    let mut columns = Vec::new();
    for (name, kind, length) in integers {
        columns.push(Column::new(name, kind, 63, length));
        let mut unsigned = Column::new(&format!("u{name}"), kind, 63, length);
        unsigned.flags = ColumnFlags::UNSIGNED;
        columns.push(unsigned);
    }
    let with_decimals = |name, kind, length, decimals| {
        let mut column = Column::new(name, kind, 63, length);
        column.decimals = decimals;
        column
    };
    columns.extend([
        Column::new("float", T::Float, 63, 12),
        Column::new("double", T::Double, 63, 22),
        with_decimals("decimal", T::NewDecimal, 67, 30),
        Column::new("bit", T::Bit, 63, 16),
        Column::new("year", T::Year, 63, 4),
        Column::new("date", T::Date, 63, 10),
        with_decimals("time", T::Time, 17, 6),
        with_decimals("datetime", T::DateTime, 26, 6),
        with_decimals("timestamp", T::Timestamp, 19, 0),
        Column::new("char", T::String, 255, 40),
        Column::new("varchar", T::VarString, 255, 400),
        Column::new("binary", T::String, 63, 4),
        Column::new("blob", T::Blob, 63, 65_535),
        Column::new("text", T::Blob, 255, 65_535),
        Column::new("json", T::Json, 255, u32::MAX),
        Column::new("enum", T::String, 255, 8),
        Column::new("set", T::String, 255, 20),
    ]);
    for column in &mut columns {
        column.flags = column.flags
            | match column.name.as_slice() {
                b"bit" => ColumnFlags::UNSIGNED,
                b"year" => ColumnFlags::UNSIGNED | ColumnFlags::ZEROFILL,
                b"binary" => ColumnFlags::BINARY,
                b"blob" => ColumnFlags::BLOB | ColumnFlags::BINARY,
                b"text" | b"json" => ColumnFlags::BLOB,
                b"enum" => ColumnFlags::ENUM,
                b"set" => ColumnFlags::SET,
                b"date" | b"time" | b"datetime" | b"timestamp" => ColumnFlags::BINARY,
                _ => ColumnFlags::EMPTY,
            };
    }
    columns
}

/// One row of [`columns`]: extremes, or NULLs.
pub fn put_row(rows: &mut Rows<'_, '_, '_>, nulls: bool) -> Result<()> {
    if nulls {
        return columns().iter().try_for_each(|_| rows.null());
    }
    for bits in [8, 16, 24, 32, 64] {
        rows.i64(i64::MIN >> (64 - bits))?;
        rows.u64(u64::MAX >> (64 - bits))?;
    }
    let date = Date { year: 2024, month: 2, day: 29 };
    rows.f32(-1.5)?;
    rows.f64(1.7976931348623157e308)?;
    rows.bytes(b"-12345678901234567890123456789012345.012345678901234567890123456789")?;
    rows.bytes(&[0x01, 0xff])?;
    rows.u64(2155)?;
    rows.date(date)?;
    rows.time(Time { negative: true, hours: 838, minutes: 59, seconds: 59, micros: 1 })?;
    rows.date_time(DateTime { date, hour: 23, minute: 59, second: 58, micros: 999_999 })?;
    rows.date_time(DateTime { date, hour: 1, minute: 2, second: 3, micros: 0 })?;
    rows.bytes("fixed ✓".as_bytes())?;
    rows.bytes("snowman ☃ 🎿".as_bytes())?;
    rows.bytes(&[0, 1, 2, 255])?;
    rows.bytes(&(0..=255).collect::<Vec<u8>>())?;
    rows.bytes("text".repeat(100).as_bytes())?;
    rows.bytes(br#"{"a": [1, null, "x"]}"#)?;
    rows.bytes(b"medium")?;
    rows.bytes(b"a,c")
}
