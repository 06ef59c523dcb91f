//! Data types.

use super::Printer;
use crate::ast::{CharsetSpec, DataType, GeometryKind, IntSize, LobSize};

impl Printer {
    pub(super) fn data_type(&mut self, data_type: &DataType) {
        match data_type {
            DataType::Int { size, width, unsigned, zerofill } => {
                self.word(match size {
                    IntSize::Tiny => "TINYINT",
                    IntSize::Small => "SMALLINT",
                    IntSize::Medium => "MEDIUMINT",
                    IntSize::Int => "INT",
                    IntSize::Big => "BIGINT",
                });
                self.length(*width);
                self.sign(*unsigned, *zerofill);
            }
            DataType::Decimal { precision, scale, unsigned, zerofill } => {
                self.real("DECIMAL", *precision, *scale, *unsigned, *zerofill);
            }
            DataType::Float { precision, scale, unsigned, zerofill } => {
                self.real("FLOAT", *precision, *scale, *unsigned, *zerofill);
            }
            DataType::Double { precision, scale, unsigned, zerofill } => {
                self.real("DOUBLE", *precision, *scale, *unsigned, *zerofill);
            }
            DataType::Bit(length) => self.sized("BIT", *length),
            DataType::Char { length, charset } => {
                self.sized("CHAR", *length);
                self.charset_spec(charset);
            }
            DataType::Varchar { length, charset } => {
                self.sized("VARCHAR", Some(*length));
                self.charset_spec(charset);
            }
            DataType::Text { size, length, charset } => {
                self.sized(&format!("{}TEXT", lob(*size)), *length);
                self.charset_spec(charset);
            }
            DataType::Binary(length) => self.sized("BINARY", *length),
            DataType::Varbinary(length) => self.sized("VARBINARY", Some(*length)),
            DataType::Blob { size, length } => {
                self.sized(&format!("{}BLOB", lob(*size)), *length);
            }
            DataType::Enum { values, charset } => {
                self.word("ENUM");
                self.paren_list(values, |p, value| p.text(value));
                self.charset_spec(charset);
            }
            DataType::Set { values, charset } => {
                self.word("SET");
                self.paren_list(values, |p, value| p.text(value));
                self.charset_spec(charset);
            }
            DataType::Date => self.word("DATE"),
            DataType::Time(fraction) => self.sized("TIME", *fraction),
            DataType::DateTime(fraction) => self.sized("DATETIME", *fraction),
            DataType::Timestamp(fraction) => self.sized("TIMESTAMP", *fraction),
            DataType::Year(width) => self.sized("YEAR", *width),
            DataType::Json => self.word("JSON"),
            DataType::Geometry(kind) => self.word(match kind {
                GeometryKind::Geometry => "GEOMETRY",
                GeometryKind::Collection => "GEOMETRYCOLLECTION",
                GeometryKind::Point => "POINT",
                GeometryKind::MultiPoint => "MULTIPOINT",
                GeometryKind::LineString => "LINESTRING",
                GeometryKind::MultiLineString => "MULTILINESTRING",
                GeometryKind::Polygon => "POLYGON",
                GeometryKind::MultiPolygon => "MULTIPOLYGON",
            }),
            DataType::Serial => self.word("SERIAL"),
        }
    }

    fn sized(&mut self, word: &str, length: Option<u64>) {
        self.word(word);
        self.length(length);
    }

    pub(super) fn length(&mut self, length: Option<u64>) {
        if let Some(length) = length {
            self.put(&format!("({length})"));
        }
    }

    fn sign(&mut self, unsigned: bool, zerofill: bool) {
        self.word_if(unsigned, "UNSIGNED");
        self.word_if(zerofill, "ZEROFILL");
    }

    fn real(
        &mut self,
        word: &str,
        precision: Option<u64>,
        scale: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    ) {
        self.word(word);
        match (precision, scale) {
            (Some(precision), Some(scale)) => self.put(&format!("({precision},{scale})")),
            (precision, _) => self.length(precision),
        }
        self.sign(unsigned, zerofill);
    }

    pub(super) fn charset_spec(&mut self, spec: &CharsetSpec) {
        if let Some(charset) = &spec.charset {
            self.word("CHARACTER SET");
            self.blank();
            self.name(charset);
        }
        self.word_if(spec.binary, "BINARY");
    }
}

fn lob(size: LobSize) -> &'static str {
    match size {
        LobSize::Tiny => "TINY",
        LobSize::Normal => "",
        LobSize::Medium => "MEDIUM",
        LobSize::Long => "LONG",
    }
}
