//! The bit sets of the protocol: capabilities, server status, column flags.

macro_rules! flags {
    ($(#[$meta:meta])* $name:ident: $repr:ty { $($(#[$doc:meta])* $flag:ident = $value:expr;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            $($(#[$doc])* pub const $flag: Self = Self($value);)*

            /// No flag set.
            pub const EMPTY: Self = Self(0);

            /// Whether every flag of `other` is set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The flags of both.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// These flags, less those of `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Sets or clears the flags of `other`.
            pub const fn set(&mut self, other: Self, on: bool) {
                self.0 = if on { self.0 | other.0 } else { self.0 & !other.0 };
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.with(other)
            }
        }

        impl std::ops::BitAnd for $name {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut rest = self.0;
                let mut list = f.debug_set();
                $(if $value != 0 && rest & $value == $value {
                    list.entry(&format_args!("{}", stringify!($flag)));
                    rest &= !$value;
                })*
                if rest != 0 {
                    list.entry(&format_args!("{rest:#x}"));
                }
                list.finish()
            }
        }
    };
}

flags! {
    /// What a client and a server can do; a connection uses what both can.
    Capabilities: u32 {
        /// Passwords of the old form are longer; always set.
        LONG_PASSWORD = 1;
        /// Affected rows of an UPDATE are the rows found, not the rows changed.
        FOUND_ROWS = 1 << 1;
        /// Column flags have two bytes; always set.
        LONG_FLAG = 1 << 2;
        /// The handshake response names a schema.
        CONNECT_WITH_DB = 1 << 3;
        /// `schema.table.column` is refused.
        NO_SCHEMA = 1 << 4;
        /// The compressed protocol, with zlib.
        COMPRESS = 1 << 5;
        /// The client is ODBC; no meaning any more.
        ODBC = 1 << 6;
        /// LOAD DATA LOCAL.
        LOCAL_FILES = 1 << 7;
        /// Spaces are allowed before `(` of a function.
        IGNORE_SPACE = 1 << 8;
        /// The protocol since 4.1; anything else is refused.
        PROTOCOL_41 = 1 << 9;
        /// `interactive_timeout` counts, not `wait_timeout`.
        INTERACTIVE = 1 << 10;
        /// TLS.
        SSL = 1 << 11;
        /// Of the client library only.
        IGNORE_SIGPIPE = 1 << 12;
        /// Status flags are sent.
        TRANSACTIONS = 1 << 13;
        /// No meaning any more.
        RESERVED = 1 << 14;
        /// Scrambles of 20 bytes (4.1); named RESERVED2 now.
        SECURE_CONNECTION = 1 << 15;
        /// One query may hold several statements.
        MULTI_STATEMENTS = 1 << 16;
        /// One query may give several results.
        MULTI_RESULTS = 1 << 17;
        /// One execution of a prepared statement may give several results.
        PS_MULTI_RESULTS = 1 << 18;
        /// Authentication plugins are named.
        PLUGIN_AUTH = 1 << 19;
        /// Attributes of the connection.
        CONNECT_ATTRS = 1 << 20;
        /// Authentication data in the handshake response may be longer than 255 bytes.
        PLUGIN_AUTH_LENENC = 1 << 21;
        /// The client understands an expired password.
        CAN_HANDLE_EXPIRED_PASSWORDS = 1 << 22;
        /// OK packets tell about changes of the session.
        SESSION_TRACK = 1 << 23;
        /// OK packets stand where EOF packets stood.
        DEPRECATE_EOF = 1 << 24;
        /// Column definitions may be left out.
        OPTIONAL_RESULTSET_METADATA = 1 << 25;
        /// The compressed protocol, with zstd.
        ZSTD = 1 << 26;
        /// Attributes of queries.
        QUERY_ATTRIBUTES = 1 << 27;
        /// Several authentication factors.
        MULTI_FACTOR_AUTHENTICATION = 1 << 28;
        /// Of the client library only.
        CAPABILITY_EXTENSION = 1 << 29;
        /// Of the client library only.
        SSL_VERIFY_SERVER_CERT = 1 << 30;
        /// Of the client library only.
        REMEMBER_OPTIONS = 1 << 31;
    }
}

flags! {
    /// State of a session, in every OK and EOF packet.
    StatusFlags: u16 {
        /// A transaction is open.
        IN_TRANSACTION = 1;
        /// Statements commit by themselves.
        AUTOCOMMIT = 1 << 1;
        /// Another result follows.
        MORE_RESULTS = 1 << 3;
        /// The statement used no good index.
        NO_GOOD_INDEX_USED = 1 << 4;
        /// The statement used no index.
        NO_INDEX_USED = 1 << 5;
        /// A cursor was opened, or has more rows.
        CURSOR_EXISTS = 1 << 6;
        /// The cursor's last row was sent.
        LAST_ROW_SENT = 1 << 7;
        /// A schema was dropped.
        DB_DROPPED = 1 << 8;
        /// `\` is an ordinary character in strings.
        NO_BACKSLASH_ESCAPES = 1 << 9;
        /// Prepared statements that are executed now have other columns.
        METADATA_CHANGED = 1 << 10;
        /// The query was slow.
        QUERY_WAS_SLOW = 1 << 11;
        /// This result set holds the OUT parameters of a procedure.
        PS_OUT_PARAMS = 1 << 12;
        /// The open transaction is read-only.
        IN_TRANSACTION_READONLY = 1 << 13;
        /// Session state follows in this OK packet.
        SESSION_STATE_CHANGED = 1 << 14;
    }
}

flags! {
    /// Properties of a column of a result.
    ColumnFlags: u16 {
        /// No NULL.
        NOT_NULL = 1;
        /// Part of the primary key.
        PRIMARY_KEY = 1 << 1;
        /// Part of a unique key.
        UNIQUE_KEY = 1 << 2;
        /// Part of another key.
        MULTIPLE_KEY = 1 << 3;
        /// A BLOB or TEXT.
        BLOB = 1 << 4;
        /// Unsigned.
        UNSIGNED = 1 << 5;
        /// ZEROFILL.
        ZEROFILL = 1 << 6;
        /// A binary collation.
        BINARY = 1 << 7;
        /// An ENUM.
        ENUM = 1 << 8;
        /// AUTO_INCREMENT.
        AUTO_INCREMENT = 1 << 9;
        /// A TIMESTAMP.
        TIMESTAMP = 1 << 10;
        /// A SET.
        SET = 1 << 11;
        /// No default, and NOT NULL.
        NO_DEFAULT_VALUE = 1 << 12;
        /// Set to now by UPDATE.
        ON_UPDATE_NOW = 1 << 13;
        /// Part of some key; also what clients take for a number.
        PART_KEY = 1 << 14;
        /// A number, for clients.
        NUM = 1 << 15;
    }
}

/// Commands of a client: the first byte of its packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum CommandByte {
    Quit = 0x01,
    InitDb = 0x02,
    Query = 0x03,
    FieldList = 0x04,
    Statistics = 0x09,
    ProcessKill = 0x0c,
    Debug = 0x0d,
    Ping = 0x0e,
    ChangeUser = 0x11,
    StmtPrepare = 0x16,
    StmtExecute = 0x17,
    StmtSendLongData = 0x18,
    StmtClose = 0x19,
    StmtReset = 0x1a,
    SetOption = 0x1b,
    StmtFetch = 0x1c,
    ResetConnection = 0x1f,
}

/// Types of columns and parameters, as the wire knows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum ColumnType {
    Decimal = 0,
    Tiny = 1,
    Short = 2,
    Long = 3,
    Float = 4,
    Double = 5,
    Null = 6,
    Timestamp = 7,
    LongLong = 8,
    Int24 = 9,
    Date = 10,
    Time = 11,
    DateTime = 12,
    Year = 13,
    VarChar = 15,
    Bit = 16,
    Vector = 242,
    Bool = 244,
    Json = 245,
    NewDecimal = 246,
    Enum = 247,
    Set = 248,
    TinyBlob = 249,
    MediumBlob = 250,
    LongBlob = 251,
    Blob = 252,
    VarString = 253,
    String = 254,
    Geometry = 255,
}

impl ColumnType {
    /// The type with this number on the wire, if there is one.
    pub const fn from_wire(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Decimal,
            1 => Self::Tiny,
            2 => Self::Short,
            3 => Self::Long,
            4 => Self::Float,
            5 => Self::Double,
            6 => Self::Null,
            7 => Self::Timestamp,
            8 => Self::LongLong,
            9 => Self::Int24,
            10 => Self::Date,
            11 => Self::Time,
            12 => Self::DateTime,
            13 => Self::Year,
            15 => Self::VarChar,
            16 => Self::Bit,
            242 => Self::Vector,
            244 => Self::Bool,
            245 => Self::Json,
            246 => Self::NewDecimal,
            247 => Self::Enum,
            248 => Self::Set,
            249 => Self::TinyBlob,
            250 => Self::MediumBlob,
            251 => Self::LongBlob,
            252 => Self::Blob,
            253 => Self::VarString,
            254 => Self::String,
            255 => Self::Geometry,
            _ => return None,
        })
    }
}
