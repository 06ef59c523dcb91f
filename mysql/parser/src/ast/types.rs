//! Types of columns, parameters and casts.

use super::{Bytes, Text};

/// A data type. Synonyms are one: `BOOL` is `TINYINT(1)`, `LONG` is
/// `MEDIUMTEXT`, `REAL` follows the SQL mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataType {
    Int {
        size: IntSize,
        width: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    },
    Decimal {
        precision: Option<u64>,
        scale: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    },
    /// FLOAT with a precision above 24 is what DOUBLE is; the binder knows.
    Float {
        precision: Option<u64>,
        scale: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    },
    Double {
        precision: Option<u64>,
        scale: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    },
    Bit(Option<u64>),
    Char {
        length: Option<u64>,
        charset: CharsetSpec,
    },
    Varchar {
        length: u64,
        charset: CharsetSpec,
    },
    Text {
        size: LobSize,
        length: Option<u64>,
        charset: CharsetSpec,
    },
    Binary(Option<u64>),
    Varbinary(u64),
    Blob {
        size: LobSize,
        length: Option<u64>,
    },
    Enum {
        values: Vec<Bytes>,
        charset: CharsetSpec,
    },
    Set {
        values: Vec<Bytes>,
        charset: CharsetSpec,
    },
    Date,
    Time(Option<u64>),
    DateTime(Option<u64>),
    Timestamp(Option<u64>),
    Year(Option<u64>),
    Json,
    Geometry(GeometryKind),
    /// BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE
    Serial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntSize {
    Tiny,
    Small,
    Medium,
    Int,
    Big,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LobSize {
    Tiny,
    Normal,
    Medium,
    Long,
}

/// CHARACTER SET of a type, and BINARY, which asks for the set's binary collation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CharsetSpec {
    pub charset: Option<Text>,
    pub binary: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeometryKind {
    Geometry,
    Collection,
    Point,
    MultiPoint,
    LineString,
    MultiLineString,
    Polygon,
    MultiPolygon,
}
