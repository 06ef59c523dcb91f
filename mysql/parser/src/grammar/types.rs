//! Data types.

use super::Grammar;
use crate::ast::{Bytes, CharsetSpec, DataType, GeometryKind, IntSize, LobSize, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;
use crate::mode::SqlMode;

impl Grammar<'_> {
    pub(super) fn data_type(&mut self) -> Result<DataType> {
        let kind = self.kind();
        let size = match kind {
            T::TINYINT | T::INT1 => Some(IntSize::Tiny),
            T::SMALLINT | T::INT2 => Some(IntSize::Small),
            T::MEDIUMINT | T::INT3 | T::MIDDLEINT => Some(IntSize::Medium),
            T::INT | T::INTEGER | T::INT4 => Some(IntSize::Int),
            T::BIGINT | T::INT8 => Some(IntSize::Big),
            _ => None,
        };
        if let Some(size) = size {
            self.bump();
            let width = self.maybe_length()?;
            let (unsigned, zerofill) = self.field_options();
            return Ok(DataType::Int { size, width, unsigned, zerofill });
        }
        let geometry = match kind {
            T::GEOMETRY => Some(GeometryKind::Geometry),
            T::GEOMCOLLECTION | T::GEOMETRYCOLLECTION => Some(GeometryKind::Collection),
            T::POINT => Some(GeometryKind::Point),
            T::MULTIPOINT => Some(GeometryKind::MultiPoint),
            T::LINESTRING => Some(GeometryKind::LineString),
            T::MULTILINESTRING => Some(GeometryKind::MultiLineString),
            T::POLYGON => Some(GeometryKind::Polygon),
            T::MULTIPOLYGON => Some(GeometryKind::MultiPolygon),
            _ => None,
        };
        if let Some(geometry) = geometry {
            self.bump();
            return Ok(DataType::Geometry(geometry));
        }
        let start = self.bump().start as usize;
        Ok(match kind {
            T::BOOL | T::BOOLEAN => DataType::Int {
                size: IntSize::Tiny,
                width: Some(1),
                unsigned: false,
                zerofill: false,
            },
            T::DECIMAL | T::DEC | T::NUMERIC | T::FIXED => {
                let (precision, scale) = self.precision()?;
                let (unsigned, zerofill) = self.field_options();
                DataType::Decimal { precision, scale, unsigned, zerofill }
            }
            T::FLOAT | T::FLOAT4 => self.float()?,
            T::REAL if self.mode.has(SqlMode::REAL_AS_FLOAT) => self.float()?,
            T::REAL | T::DOUBLE | T::FLOAT8 => {
                if kind == T::DOUBLE {
                    self.eat(T::PRECISION);
                }
                let (precision, scale) = self.precision()?;
                if precision.is_some() && scale.is_none() {
                    return Err(self.unexpected());
                }
                let (unsigned, zerofill) = self.field_options();
                DataType::Double { precision, scale, unsigned, zerofill }
            }
            T::BIT => DataType::Bit(self.maybe_length()?),
            T::CHAR | T::CHARACTER => {
                if self.eat_any(&[T::VARYING]).is_some() {
                    self.varchar()?
                } else {
                    self.char()?
                }
            }
            T::VARCHAR | T::VARCHARACTER => self.varchar()?,
            T::NCHAR | T::NATIONAL | T::NVARCHAR => self.national(kind)?,
            T::BINARY => DataType::Binary(self.maybe_length()?),
            T::VARBINARY => DataType::Varbinary(self.parens(Self::number)?),
            T::TINYBLOB => DataType::Blob { size: LobSize::Tiny, length: None },
            T::BLOB => DataType::Blob { size: LobSize::Normal, length: self.maybe_length()? },
            T::MEDIUMBLOB => DataType::Blob { size: LobSize::Medium, length: None },
            T::LONGBLOB => DataType::Blob { size: LobSize::Long, length: None },
            T::TINYTEXT => self.text_type(LobSize::Tiny, None)?,
            T::TEXT => {
                let length = self.maybe_length()?;
                self.text_type(LobSize::Normal, length)?
            }
            T::MEDIUMTEXT => self.text_type(LobSize::Medium, None)?,
            T::LONGTEXT => self.text_type(LobSize::Long, None)?,
            T::LONG => self.long()?,
            T::ENUM => {
                let values = self.paren_list(Self::text_or_bytes)?;
                DataType::Enum { values, charset: self.charset_spec()? }
            }
            T::SET => {
                let values: Vec<Bytes> = self.paren_list(Self::text_or_bytes)?;
                DataType::Set { values, charset: self.charset_spec()? }
            }
            T::DATE => DataType::Date,
            T::TIME => DataType::Time(self.fraction_digits()?),
            T::DATETIME => DataType::DateTime(self.fraction_digits()?),
            T::TIMESTAMP => DataType::Timestamp(self.fraction_digits()?),
            T::YEAR => {
                let width = self.maybe_length()?;
                self.field_options();
                DataType::Year(width)
            }
            T::JSON => DataType::Json,
            T::SERIAL => DataType::Serial,
            _ => return Err(Error::at(ErrorKind::Syntax, self.sql, start)),
        })
    }

    /// SIGNED, UNSIGNED, ZEROFILL in any order. ZEROFILL makes it unsigned.
    fn field_options(&mut self) -> (bool, bool) {
        let (mut unsigned, mut zerofill) = (false, false);
        while let Some(kind) = self.eat_any(&[T::SIGNED, T::UNSIGNED, T::ZEROFILL]) {
            unsigned |= kind == T::UNSIGNED;
            zerofill |= kind == T::ZEROFILL;
        }
        (unsigned || zerofill, zerofill)
    }

    /// `(p)`, `(p, s)` or nothing.
    fn precision(&mut self) -> Result<(Option<u64>, Option<u64>)> {
        if !self.at(T::LParen) || self.kind_at(2) != T::Comma {
            return Ok((self.maybe_length()?, None));
        }
        self.expect(T::LParen)?;
        let precision = self.number_up_to(i32::MAX as u64)?;
        self.expect(T::Comma)?;
        let scale = self.number_up_to(i32::MAX as u64)?;
        self.expect(T::RParen)?;
        Ok((Some(precision), Some(scale)))
    }

    /// The digits behind the second, in parentheses.
    fn fraction_digits(&mut self) -> Result<Option<u64>> {
        if !self.at(T::LParen) {
            return Ok(None);
        }
        self.parens(|g| g.number_up_to(i32::MAX as u64)).map(Some)
    }

    fn float(&mut self) -> Result<DataType> {
        let (precision, scale) = self.precision()?;
        let (unsigned, zerofill) = self.field_options();
        Ok(DataType::Float { precision, scale, unsigned, zerofill })
    }

    fn char(&mut self) -> Result<DataType> {
        let length = self.maybe_length()?;
        if self.eat(T::BYTE) {
            return Ok(DataType::Binary(length));
        }
        Ok(DataType::Char { length, charset: self.charset_spec()? })
    }

    fn varchar(&mut self) -> Result<DataType> {
        let length = self.parens(Self::number)?;
        if self.eat(T::BYTE) {
            return Ok(DataType::Varbinary(length));
        }
        Ok(DataType::Varchar { length, charset: self.charset_spec()? })
    }

    fn text_type(&mut self, size: LobSize, length: Option<u64>) -> Result<DataType> {
        if self.eat(T::BYTE) {
            return Ok(DataType::Blob { size, length });
        }
        Ok(DataType::Text { size, length, charset: self.charset_spec()? })
    }

    /// NCHAR, NATIONAL CHAR, NVARCHAR, NATIONAL VARCHAR, NCHAR VARYING …
    fn national(&mut self, kind: T) -> Result<DataType> {
        let mut varying = kind == T::NVARCHAR;
        if kind == T::NATIONAL {
            let kind = self.one_of(&[T::CHAR, T::CHARACTER, T::VARCHAR, T::VARCHARACTER])?;
            varying = matches!(kind, T::VARCHAR | T::VARCHARACTER);
        }
        if !varying {
            varying = self.eat(T::VARYING)
                || (kind == T::NCHAR && self.eat_any(&[T::VARCHAR, T::VARCHARACTER]).is_some());
        }
        let length = self.maybe_length()?;
        let charset =
            CharsetSpec { charset: Some(Text::new_static("utf8mb3")), binary: self.eat(T::BINARY) };
        match length {
            Some(length) if varying => Ok(DataType::Varchar { length, charset }),
            None if varying => Err(self.unexpected()),
            length => Ok(DataType::Char { length, charset }),
        }
    }

    /// LONG, LONG VARCHAR, LONG VARBINARY and their variants.
    fn long(&mut self) -> Result<DataType> {
        if self.eat(T::VARBINARY) {
            return Ok(DataType::Blob { size: LobSize::Medium, length: None });
        }
        if self.eat_any(&[T::CHAR, T::CHARACTER]).is_some() {
            self.expect(T::VARYING)?;
        } else {
            self.eat_any(&[T::VARCHAR, T::VARCHARACTER]);
        }
        self.text_type(LobSize::Medium, None)
    }

    /// What may follow a string type: its character set, BINARY, ASCII, UNICODE.
    pub(super) fn charset_spec(&mut self) -> Result<CharsetSpec> {
        let mut spec = CharsetSpec::default();
        loop {
            if self.at(T::BINARY) && !spec.binary {
                self.bump();
                spec.binary = true;
            } else if self.at(T::ASCII) && spec.charset.is_none() {
                self.bump();
                spec.charset = Some(Text::new_static("latin1"));
            } else if self.at(T::BYTE) && spec.charset.is_none() {
                self.bump();
                spec.charset = Some(Text::new_static("binary"));
            } else if self.at(T::UNICODE) && spec.charset.is_none() {
                self.bump();
                spec.charset = Some(Text::new_static("ucs2"));
            } else if spec.charset.is_none() && self.eat_charset() {
                spec.charset = Some(self.charset_name()?.text);
            } else {
                return Ok(spec);
            }
        }
    }
}
