//! What MySQL knows about an expression or a column before it has a value.

/// The number of a collation, as the protocol and `information_schema` have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollationId(pub u16);

impl CollationId {
    /// `binary`: bytes, no characters.
    pub const BINARY: CollationId = CollationId(63);
    /// `utf8mb4_0900_ai_ci`, the default.
    pub const UTF8MB4_0900_AI_CI: CollationId = CollationId(255);
    /// `utf8mb4_bin`
    pub const UTF8MB4_BIN: CollationId = CollationId(46);
    /// `utf8mb3_general_ci`, that of names and of what the server says of itself.
    pub const UTF8MB3_GENERAL_CI: CollationId = CollationId(33);
    /// `latin1_swedish_ci`, that of numbers as strings where nothing else is said.
    pub const LATIN1_SWEDISH_CI: CollationId = CollationId(8);

    /// Whether it is `binary`.
    #[inline]
    pub const fn is_binary(self) -> bool {
        self.0 == 63
    }
}

/// Whose collation wins where two meet: MySQL's COERCIBILITY(). Less is stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Derivation {
    /// A COLLATE clause.
    Explicit = 0,
    /// Two collations that could not be reconciled.
    None = 1,
    /// A column, CAST, a stored program's variable.
    Implicit = 2,
    /// USER(), VERSION() and such.
    SystemConstant = 3,
    /// A literal.
    Coercible = 4,
    /// A number or a temporal value as a string.
    Numeric = 5,
    /// NULL.
    Ignorable = 6,
}

/// MySQL's types, as a column definition names them. CHAR and BINARY, TEXT and
/// BLOB are one kind each: the collation tells them apart.
#[allow(missing_docs, reason = "the names are MySQL's")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeKind {
    /// The type of a bare NULL.
    Null,
    TinyInt,
    SmallInt,
    MediumInt,
    Int,
    BigInt,
    Decimal,
    Float,
    Double,
    Bit,
    Year,
    Date,
    Time,
    DateTime,
    Timestamp,
    /// CHAR and BINARY.
    Char,
    /// VARCHAR and VARBINARY.
    Varchar,
    /// TINYTEXT and TINYBLOB.
    TinyText,
    /// TEXT and BLOB.
    Text,
    /// MEDIUMTEXT and MEDIUMBLOB.
    MediumText,
    /// LONGTEXT and LONGBLOB.
    LongText,
    Enum,
    Set,
    Json,
    Geometry,
}

impl TypeKind {
    /// The number of the type in a column definition of the protocol, for an
    /// expression. Columns of tables announce all lengths of TEXT and BLOB as 252.
    pub const fn protocol_number(self) -> u8 {
        match self {
            TypeKind::TinyInt => 1,
            TypeKind::SmallInt => 2,
            TypeKind::Int => 3,
            TypeKind::Float => 4,
            TypeKind::Double => 5,
            TypeKind::Null => 6,
            TypeKind::Timestamp => 7,
            TypeKind::BigInt => 8,
            TypeKind::MediumInt => 9,
            TypeKind::Date => 10,
            TypeKind::Time => 11,
            TypeKind::DateTime => 12,
            TypeKind::Year => 13,
            TypeKind::Bit => 16,
            TypeKind::Json => 245,
            TypeKind::Decimal => 246,
            TypeKind::TinyText => 249,
            TypeKind::MediumText => 250,
            TypeKind::LongText => 251,
            TypeKind::Text => 252,
            TypeKind::Varchar => 253,
            // ENUM and SET are announced as CHAR with a flag.
            TypeKind::Char | TypeKind::Enum | TypeKind::Set => 254,
            TypeKind::Geometry => 255,
        }
    }

    /// One of the integers; BIT and YEAR are not among them.
    pub const fn is_integer(self) -> bool {
        matches!(
            self,
            TypeKind::TinyInt
                | TypeKind::SmallInt
                | TypeKind::MediumInt
                | TypeKind::Int
                | TypeKind::BigInt
        )
    }

    /// Has a date: DATE, DATETIME, TIMESTAMP.
    pub const fn has_date(self) -> bool {
        matches!(self, TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp)
    }

    /// DATE, TIME, DATETIME or TIMESTAMP; YEAR is a number.
    pub const fn is_temporal(self) -> bool {
        self.has_date() || matches!(self, TypeKind::Time)
    }

    /// CHAR, VARCHAR, TEXT and their binary forms, ENUM and SET.
    pub const fn is_string(self) -> bool {
        matches!(self, TypeKind::Char | TypeKind::Varchar | TypeKind::Enum | TypeKind::Set)
            || self.is_text()
    }

    /// One of the TEXT and BLOB family.
    pub const fn is_text(self) -> bool {
        matches!(
            self,
            TypeKind::TinyText | TypeKind::Text | TypeKind::MediumText | TypeKind::LongText
        )
    }
}

/// Decimals of a floating point number that has no fixed number of them, and of
/// strings: MySQL's 31.
pub const NOT_FIXED_DECIMALS: u8 = 31;

/// The type of an expression or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlType {
    /// Which of MySQL's types.
    pub kind: TypeKind,
    /// Of numbers: no value is negative.
    pub unsigned: bool,
    /// Whether NULL may come out.
    pub nullable: bool,
    /// Most characters a value can have in its text form; bytes where the
    /// collation is binary. For numbers the display width, with sign and point.
    pub length: u32,
    /// Digits after the point; 0 to 6 for temporal types, to 30 for DECIMAL;
    /// [`NOT_FIXED_DECIMALS`] where there is no fixed number.
    pub decimals: u8,
    /// Of strings. Of what has no characters it is `binary`; where numbers and
    /// temporal values become strings, that of the other strings or of the
    /// connection holds.
    pub collation: CollationId,
    /// How strong the collation is.
    pub derivation: Derivation,
}

/// Decimals of a column of DECIMAL at most.
const DECIMALS_MAX: u8 = 30;

impl SqlType {
    /// The type of NULL.
    pub const NULL: SqlType = SqlType {
        kind: TypeKind::Null,
        unsigned: false,
        nullable: true,
        length: 0,
        decimals: 0,
        collation: CollationId::BINARY,
        derivation: Derivation::Ignorable,
    };

    /// The type of a column of rows that are kept, all of which are NULL.
    pub const NULL_COLUMN: SqlType = SqlType { decimals: NOT_FIXED_DECIMALS, ..SqlType::NULL };

    /// NULL as what is gathered of rows: a string of no bytes.
    pub const NULL_STRING: SqlType =
        SqlType::varchar(0, CollationId::BINARY, Derivation::Ignorable);

    /// Whether it is [`SqlType::NULL_COLUMN`].
    pub fn is_null_column(&self) -> bool {
        self.kind == TypeKind::Null && self.decimals > 0
    }

    /// A number, date or other type without characters.
    pub const fn plain(kind: TypeKind, length: u32, decimals: u8) -> SqlType {
        SqlType {
            kind,
            unsigned: false,
            nullable: true,
            length,
            decimals,
            collation: CollationId::BINARY,
            derivation: Derivation::Numeric,
        }
    }

    /// BIGINT of 21 digits or fewer.
    pub const fn bigint(length: u32) -> SqlType {
        SqlType::plain(TypeKind::BigInt, length, 0)
    }

    /// What comparisons and other truths have: `INT(1)` in metadata, BIGINT inside.
    pub const fn truth() -> SqlType {
        SqlType::bigint(1)
    }

    /// DOUBLE without a fixed number of decimals.
    pub const fn double() -> SqlType {
        SqlType::plain(TypeKind::Double, 23, NOT_FIXED_DECIMALS)
    }

    /// DECIMAL of `precision` digits, `scale` of them after the point.
    pub const fn decimal(precision: u8, scale: u8, unsigned: bool) -> SqlType {
        let mut length = precision as u32;
        if scale > 0 {
            length += 1;
        }
        if !unsigned {
            length += 1;
        }
        let mut ty = SqlType::plain(TypeKind::Decimal, length, scale);
        ty.unsigned = unsigned;
        ty
    }

    /// The type as that of a table's column: a DECIMAL has no more decimals than can be.
    pub const fn as_stored(self) -> SqlType {
        if !matches!(self.kind, TypeKind::Decimal) || self.decimals < NOT_FIXED_DECIMALS {
            return self;
        }
        let digits = self.precision().saturating_sub(NOT_FIXED_DECIMALS as u32) as u8;
        let ty = SqlType::decimal(digits + DECIMALS_MAX, DECIMALS_MAX, self.unsigned);
        SqlType { nullable: self.nullable, ..ty }
    }

    /// A VARCHAR of `length` characters, or a VARBINARY.
    pub const fn varchar(length: u32, collation: CollationId, derivation: Derivation) -> SqlType {
        SqlType {
            kind: TypeKind::Varchar,
            unsigned: false,
            nullable: true,
            length,
            decimals: NOT_FIXED_DECIMALS,
            collation,
            derivation,
        }
    }

    /// DECIMAL: how many digits in all. Integers: the digits of the display width.
    pub const fn precision(&self) -> u32 {
        match self.kind {
            TypeKind::Decimal => {
                let point = if self.decimals > 0 { 1 } else { 0 };
                let sign = if self.unsigned || self.length == 0 { 0 } else { 1 };
                self.length.saturating_sub(point + sign)
            }
            _ => self.length,
        }
    }

    /// The same, never NULL.
    pub const fn not_null(mut self) -> SqlType {
        self.nullable = false;
        self
    }

    /// The same, with this nullability.
    pub const fn with_nullable(mut self, nullable: bool) -> SqlType {
        self.nullable = nullable;
        self
    }

    /// The same, unsigned or not.
    pub const fn with_unsigned(mut self, unsigned: bool) -> SqlType {
        self.unsigned = unsigned;
        self
    }

    /// A string of bytes, not of characters.
    pub const fn is_binary_string(&self) -> bool {
        self.kind.is_string() && self.collation.is_binary()
    }
}
