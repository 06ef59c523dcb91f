//! Types of columns: lengths, limits, and what the old forms mean.

use firn_mysql_parser::ast::{CharsetSpec, DataType, Ident, IntSize, LobSize};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Arg, Level, SqlError, Warnings, code};
use firn_mysql_semantics::types::NOT_FIXED_DECIMALS;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};

use super::charset::{ColumnCollation, collation_named, column_collation};
use super::members;

/// Longest VARCHAR and row, in bytes.
pub(crate) const ROW_BYTES_MAX: u64 = 65_535;
/// Widest number as it is shown.
const WIDTH_MAX: u64 = 255;
/// Most digits of a DECIMAL, in all and after the point.
const PRECISION_MAX: u64 = 65;
const SCALE_MAX: u64 = 30;
/// Most digits of a second's fraction.
const FRACTION_MAX: u64 = 6;

/// What a written type comes to.
pub(crate) struct Typed {
    pub(crate) ty: SqlType,
    pub(crate) zerofill: bool,
    pub(crate) display_width: Option<u8>,
    pub(crate) members: Vec<String>,
    pub(crate) collation_written: bool,
}

/// Where a type stands.
pub(crate) struct TypeSite<'a> {
    pub(crate) column: &'a str,
    /// Collation of what names none.
    pub(crate) table: CollationId,
    pub(crate) collate: Option<&'a Ident>,
    pub(crate) strict: bool,
    pub(crate) warnings: &'a mut Warnings,
    /// What is said when all columns have been read.
    pub(crate) late: &'a mut Vec<(Level, SqlError)>,
}

fn number(kind: TypeKind, length: u64, decimals: u8, unsigned: bool) -> SqlType {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    SqlType::plain(kind, length, decimals).with_unsigned(unsigned)
}

fn plain(ty: SqlType) -> Typed {
    Typed::plain(ty)
}

impl Typed {
    /// A type of which there is no more to say.
    pub(crate) fn plain(ty: SqlType) -> Self {
        Self {
            ty,
            zerofill: false,
            display_width: None,
            members: Vec::new(),
            collation_written: false,
        }
    }
}

fn deprecated(text: &str) -> SqlError {
    SqlError::with_message(code::ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT, text)
}

impl TypeSite<'_> {
    /// The type as columns have it.
    ///
    /// Errors: 1063, 1074, 1097, 1115, 1235, 1253, 1273, 1291, 1367, 1425, 1426,
    /// 1427, 1439, 1818, 3013.
    pub(crate) fn typed(mut self, written: &DataType) -> Result<Typed, SqlError> {
        let bytes = matches!(
            written,
            DataType::Json | DataType::Binary(_) | DataType::Varbinary(_) | DataType::Blob { .. }
        );
        if let Some(name) = self.collate.filter(|_| bytes) {
            let collation = collation_named(name.as_str(), self.warnings)?;
            if !collation.charset().is_binary() {
                return Err(SqlError::collation_charset_mismatch(collation.name(), "binary"));
            }
        }
        Ok(match written {
            DataType::Int { size, width, unsigned, zerofill } => {
                return self.int(*size, *width, *unsigned, *zerofill);
            }
            DataType::Serial => {
                return self.int(IntSize::Big, None, true, false);
            }
            DataType::Decimal { precision, scale, unsigned, zerofill } => {
                self.unsigned_number(*unsigned, *zerofill);
                let (precision, scale) = self.decimal_size(*precision, *scale)?;
                let ty = SqlType::decimal(precision, scale, *unsigned);
                Typed { zerofill: *zerofill, ..plain(ty) }
            }
            DataType::Float { precision, scale: None, unsigned, zerofill } => {
                self.unsigned_number(*unsigned, *zerofill);
                let kind = match precision {
                    Some(54..) => return Err(self.wrong(code::ER_WRONG_FIELD_SPEC)),
                    Some(25..) => TypeKind::Double,
                    _ => TypeKind::Float,
                };
                let length = if kind == TypeKind::Double { 22 } else { 12 };
                let ty = number(kind, length, NOT_FIXED_DECIMALS, *unsigned);
                Typed { zerofill: *zerofill, ..plain(ty) }
            }
            DataType::Float { precision, scale, unsigned, zerofill } => {
                return self.sized_float(TypeKind::Float, *precision, *scale, *unsigned, *zerofill);
            }
            DataType::Double { precision, scale, unsigned, zerofill } => {
                return self.sized_float(
                    TypeKind::Double,
                    *precision,
                    *scale,
                    *unsigned,
                    *zerofill,
                );
            }
            DataType::Bit(length) => {
                let bits = match length {
                    Some(0) => return Err(self.wrong(code::ER_INVALID_FIELD_SIZE)),
                    Some(65..) => return Err(self.too_wide(64)),
                    Some(bits) => *bits,
                    None => 1,
                };
                plain(number(TypeKind::Bit, bits, 0, true))
            }
            DataType::Year(width) => {
                match width {
                    None => {}
                    Some(4) => self.warnings.warn(SqlError::new(
                        code::ER_WARN_DEPRECATED_SYNTAX,
                        &["YEAR(4)".into(), "YEAR".into()],
                    )),
                    Some(_) => {
                        return Err(SqlError::new(code::ER_INVALID_YEAR_COLUMN_LENGTH, &[]));
                    }
                }
                plain(number(TypeKind::Year, 4, 0, true))
            }
            DataType::Date => plain(SqlType::plain(TypeKind::Date, 10, 0)),
            DataType::Time(digits) => self.temporal(TypeKind::Time, 10, *digits)?,
            DataType::DateTime(digits) => self.temporal(TypeKind::DateTime, 19, *digits)?,
            DataType::Timestamp(digits) => self.temporal(TypeKind::Timestamp, 19, *digits)?,
            DataType::Json => {
                let mut ty = SqlType::plain(TypeKind::Json, u32::MAX / 4, NOT_FIXED_DECIMALS);
                ty.collation = CollationId::UTF8MB4_BIN;
                ty.derivation = Derivation::Implicit;
                plain(ty)
            }
            DataType::Char { length, charset } => {
                let length = length.unwrap_or(1);
                self.string(TypeKind::Char, length, charset)?
            }
            DataType::Varchar { length, charset } => {
                self.string(TypeKind::Varchar, *length, charset)?
            }
            DataType::Binary(length) => self.binary(TypeKind::Char, length.unwrap_or(1))?,
            DataType::Varbinary(length) => self.binary(TypeKind::Varchar, *length)?,
            DataType::Text { size, length, charset } => {
                let collation = self.collation(charset)?;
                self.lob(*size, *length, collation)?
            }
            DataType::Blob { size, length } => self.lob(*size, *length, BINARY)?,
            DataType::Enum { values, charset } => {
                let collation = self.collation(charset)?;
                members::typed(self, TypeKind::Enum, values, collation)?
            }
            DataType::Set { values, charset } => {
                let collation = self.collation(charset)?;
                members::typed(self, TypeKind::Set, values, collation)?
            }
            DataType::Geometry(_) => {
                return Err(SqlError::not_supported_yet("columns of type GEOMETRY"));
            }
        })
    }

    fn int(
        &mut self,
        size: IntSize,
        width: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    ) -> Result<Typed, SqlError> {
        let (kind, signed_width, unsigned_width) = match size {
            IntSize::Tiny => (TypeKind::TinyInt, 4, 3),
            IntSize::Small => (TypeKind::SmallInt, 6, 5),
            IntSize::Medium => (TypeKind::MediumInt, 9, 8),
            IntSize::Int => (TypeKind::Int, 11, 10),
            IntSize::Big => (TypeKind::BigInt, 20, 20),
        };
        if zerofill {
            self.warn_zerofill();
        }
        // BOOL and what looks like it is as good as ever.
        let truth = size == IntSize::Tiny && width == Some(1) && !unsigned;
        if width.is_some() && !truth {
            self.warnings.warn(deprecated(
                "Integer display width is deprecated and will be removed in a future release.",
            ));
        }
        let width = match width {
            Some(width) if width > WIDTH_MAX => return Err(self.too_wide(WIDTH_MAX)),
            Some(0) | None => None,
            Some(width) => Some(width),
        };
        let length = width.unwrap_or(if unsigned { unsigned_width } else { signed_width });
        let shown = if zerofill || truth { u8::try_from(length).ok() } else { None };
        Ok(Typed { zerofill, display_width: shown, ..plain(number(kind, length, 0, unsigned)) })
    }

    fn decimal_size(
        &self,
        precision: Option<u64>,
        scale: Option<u64>,
    ) -> Result<(u8, u8), SqlError> {
        let scale = scale.unwrap_or(0);
        if scale > SCALE_MAX {
            return Err(self.too_big_scale(scale));
        }
        let precision = precision.unwrap_or(0);
        if precision > PRECISION_MAX {
            return Err(self.too_precise(precision, PRECISION_MAX));
        }
        let precision = match precision {
            0 if scale == 0 => 10,
            // As the server has it: no digits before the point is what was asked for.
            precision => precision,
        };
        if scale > precision {
            return Err(self.wrong(code::ER_M_BIGGER_THAN_D));
        }
        Ok((precision as u8, scale as u8))
    }

    fn sized_float(
        &mut self,
        kind: TypeKind,
        precision: Option<u64>,
        scale: Option<u64>,
        unsigned: bool,
        zerofill: bool,
    ) -> Result<Typed, SqlError> {
        let (Some(precision), Some(scale)) = (precision, scale) else {
            self.unsigned_number(unsigned, zerofill);
            let ty = number(kind, 22, NOT_FIXED_DECIMALS, unsigned);
            return Ok(Typed { zerofill, ..plain(ty) });
        };
        if zerofill {
            self.warn_zerofill();
        }
        self.warnings.warn(deprecated(
            "Specifying number of digits for floating point data types is deprecated and will \
             be removed in a future release.",
        ));
        self.unsigned_number(unsigned && !zerofill, false);
        if scale > SCALE_MAX {
            return Err(self.too_big_scale(scale));
        }
        if scale > precision {
            return Err(self.wrong(code::ER_M_BIGGER_THAN_D));
        }
        if precision > WIDTH_MAX {
            return Err(self.too_wide(WIDTH_MAX));
        }
        let ty = number(kind, precision, scale as u8, unsigned);
        Ok(Typed { zerofill, ..plain(ty) })
    }

    fn unsigned_number(&mut self, unsigned: bool, zerofill: bool) {
        if zerofill {
            self.warn_zerofill();
        } else if unsigned {
            self.warnings.warn(deprecated(
                "UNSIGNED for decimal and floating point data types is deprecated and support \
                 for it will be removed in a future release.",
            ));
        }
    }

    fn warn_zerofill(&mut self) {
        self.warnings.warn(deprecated(
            "The ZEROFILL attribute is deprecated and will be removed in a future release. Use \
             the LPAD function to zero-pad numbers, or store the formatted numbers in a CHAR \
             column.",
        ));
    }

    fn temporal(
        &self,
        kind: TypeKind,
        length: u32,
        digits: Option<u64>,
    ) -> Result<Typed, SqlError> {
        let digits = digits.unwrap_or(0);
        if digits > FRACTION_MAX {
            return Err(self.too_precise(digits, FRACTION_MAX));
        }
        let length = if digits == 0 { length } else { length + 1 + digits as u32 };
        Ok(plain(SqlType::plain(kind, length, digits as u8)))
    }

    fn collation(&mut self, spec: &CharsetSpec) -> Result<ColumnCollation, SqlError> {
        column_collation(spec, self.collate, self.table, self.warnings)
    }

    fn string(
        &mut self,
        kind: TypeKind,
        length: u64,
        charset: &CharsetSpec,
    ) -> Result<Typed, SqlError> {
        let collation = self.collation(charset)?;
        self.sized_string(kind, length, collation)
    }

    fn binary(&mut self, kind: TypeKind, length: u64) -> Result<Typed, SqlError> {
        self.sized_string(kind, length, BINARY)
    }

    fn sized_string(
        &mut self,
        kind: TypeKind,
        length: u64,
        collation: ColumnCollation,
    ) -> Result<Typed, SqlError> {
        let char_bytes = charset_of(collation.id).max_bytes() as u64;
        let most = if kind == TypeKind::Char { 255 } else { ROW_BYTES_MAX / char_bytes };
        if length > most {
            let bytes = length.saturating_mul(char_bytes);
            if kind == TypeKind::Char || self.strict || bytes > u64::from(u32::MAX) {
                return Err(self.too_long(most));
            }
            let size = match bytes {
                0..=65_535 => LobSize::Normal,
                65_536..=16_777_215 => LobSize::Medium,
                _ => LobSize::Long,
            };
            let (from, to) =
                if collation.id.is_binary() { ("VARBINARY", "BLOB") } else { ("VARCHAR", "TEXT") };
            let args = [Arg::Str(self.column), Arg::Str(from), Arg::Str(to)];
            self.late.push((Level::Note, SqlError::new(code::ER_AUTO_CONVERT, &args)));
            return Ok(self.sized_lob(lob_kind(size), collation));
        }
        let mut ty = SqlType::varchar(length as u32, collation.id, Derivation::Implicit);
        ty.kind = kind;
        Ok(Typed { collation_written: collation.written, ..plain(ty) })
    }

    fn lob(
        &mut self,
        size: LobSize,
        length: Option<u64>,
        collation: ColumnCollation,
    ) -> Result<Typed, SqlError> {
        let Some(length) = length else {
            return Ok(self.sized_lob(lob_kind(size), collation));
        };
        // The smallest one that holds as many characters.
        let bytes = length.saturating_mul(charset_of(collation.id).max_bytes() as u64);
        if length > u64::from(u32::MAX) {
            return Err(self.too_wide(u64::from(u32::MAX)));
        }
        let kind = match bytes {
            0..=255 => TypeKind::TinyText,
            256..=65_535 => TypeKind::Text,
            65_536..=16_777_215 => TypeKind::MediumText,
            _ => TypeKind::LongText,
        };
        Ok(self.sized_lob(kind, collation))
    }

    fn sized_lob(&self, kind: TypeKind, collation: ColumnCollation) -> Typed {
        let mut ty = SqlType::varchar(lob_bytes(kind), collation.id, Derivation::Implicit);
        ty.kind = kind;
        Typed { collation_written: collation.written, ..plain(ty) }
    }

    pub(super) fn wrong(&self, number: u16) -> SqlError {
        SqlError::new(number, &[self.column.into()])
    }

    fn too_long(&self, most: u64) -> SqlError {
        SqlError::new(code::ER_TOO_BIG_FIELDLENGTH, &[self.column.into(), most.into()])
    }

    fn too_wide(&self, most: u64) -> SqlError {
        SqlError::new(code::ER_TOO_BIG_DISPLAYWIDTH, &[self.column.into(), most.into()])
    }

    fn too_precise(&self, digits: u64, most: u64) -> SqlError {
        SqlError::new(code::ER_TOO_BIG_PRECISION, &[digits.into(), self.column.into(), most.into()])
    }

    fn too_big_scale(&self, scale: u64) -> SqlError {
        SqlError::new(code::ER_TOO_BIG_SCALE, &[scale.into(), self.column.into(), SCALE_MAX.into()])
    }
}

const BINARY: ColumnCollation = ColumnCollation { id: CollationId::BINARY, written: false };

/// The character set of a collation.
pub(crate) fn charset_of(collation: CollationId) -> &'static Charset {
    Collation::by_id(collation.0).map_or_else(Charset::binary, Collation::charset)
}

fn lob_kind(size: LobSize) -> TypeKind {
    match size {
        LobSize::Tiny => TypeKind::TinyText,
        LobSize::Normal => TypeKind::Text,
        LobSize::Medium => TypeKind::MediumText,
        LobSize::Long => TypeKind::LongText,
    }
}

/// Most bytes of a TEXT or BLOB.
pub(crate) fn lob_bytes(kind: TypeKind) -> u32 {
    match kind {
        TypeKind::TinyText => 255,
        TypeKind::Text => 65_535,
        TypeKind::MediumText => 16_777_215,
        _ => u32::MAX,
    }
}
