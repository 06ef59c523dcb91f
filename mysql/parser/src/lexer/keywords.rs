//! The words and marks of the language, and the table that finds a word.

/// Makes [`T`] with a variant for every word, and the table of their spellings.
macro_rules! keywords {
    (free: { $($free:ident)* } function: { $($function:ident)* } reserved: { $($reserved:ident)* }) => {
        /// What a token is: a mark, a kind of literal, or a keyword.
        ///
        /// Keywords are spelled as in SQL. They stand in three runs: those that may
        /// also be names, those that are keywords only before a parenthesis, and the
        /// reserved ones.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, clippy::enum_variant_names)]
        #[repr(u16)]
        pub(crate) enum T {
            /// The end of the text.
            End,
            /// What is no token: a stray byte, an open quote or comment.
            Bad,
            /// A name that is no keyword, or a word right after a dot.
            Ident,
            /// A name in backquotes (or double quotes, with ANSI_QUOTES).
            Quoted,
            /// What follows a single `@`: a variable's or a host's name.
            Host,
            /// `'…'` or `"…"`.
            Text,
            /// `N'…'`.
            NText,
            /// `_utf8mb4` and its kind.
            Introducer,
            /// Digits.
            Int,
            /// Digits with a point.
            Decimal,
            /// Digits with an exponent.
            Float,
            /// `0x…` or `x'…'`.
            Hex,
            /// `0b…` or `b'…'`.
            Bits,
            /// `/*+ … */` in a place where hints count.
            Hint,
            LParen, RParen, LBrace, RBrace, Comma, Semicolon, Dot, At, AtAt, Colon, Assign,
            /// `?`.
            Param,
            Eq, NullSafeEq, Ne, Lt, Le, Gt, Ge, ShiftLeft, ShiftRight,
            Plus, Minus, Star, Slash, Percent, Caret, Tilde, Bang, Amp, AndAnd, Pipe, PipePipe,
            /// `->`.
            Arrow,
            /// `->>`.
            LongArrow,
            $($free,)* $($function,)* $($reserved,)*
        }

        /// Every keyword with its spelling, free ones first.
        const WORDS: &[(T, &str)] = &[
            $((T::$free, stringify!($free)),)*
            $((T::$function, stringify!($function)),)*
            $((T::$reserved, stringify!($reserved)),)*
        ];
        const FREE: usize = [$(T::$free),*].len();
        const FUNCTIONS: usize = [$(T::$function),*].len();
    };
}

keywords! {
    free: {
        ACCOUNT ACTION ACTIVE ADMIN AFTER AGAINST AGGREGATE ALGORITHM ALWAYS ANY ARRAY ASCII
        ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS AT ATTRIBUTE AUTHENTICATION AUTO AUTOEXTEND_SIZE
        AUTO_INCREMENT AVG AVG_ROW_LENGTH BACKUP BEGIN BERNOULLI BINLOG BIT BLOCK BOOL BOOLEAN
        BTREE BUCKETS BULK BYTE CACHE CASCADED CATALOG_NAME CHAIN CHALLENGE_RESPONSE CHANGED
        CHANNEL CHARSET CHECKSUM CIPHER CLASS_ORIGIN CLIENT CLONE CLOSE COALESCE CODE COLLATION
        COLUMNS COLUMN_FORMAT COLUMN_NAME COMMENT COMMIT COMMITTED COMPACT COMPLETION COMPONENT
        COMPRESSED COMPRESSION CONCURRENT CONNECTION CONSISTENT CONSTRAINT_CATALOG
        CONSTRAINT_NAME CONSTRAINT_SCHEMA CONTAINS CONTEXT CPU CURRENT CURSOR_NAME DATA DATAFILE
        DATE DATETIME DAY DEALLOCATE DEFAULT_AUTH DEFINER DEFINITION DELAY_KEY_WRITE DESCRIPTION
        DIAGNOSTICS DIRECTORY DISABLE DISCARD DISK DO DUMPFILE DUPLICATE DYNAMIC ENABLE
        ENCRYPTION END ENDS ENFORCED ENGINE ENGINES ENGINE_ATTRIBUTE ENUM ERROR ERRORS ESCAPE
        EVENT EVENTS EVERY EXCHANGE EXCLUDE EXECUTE EXPANSION EXPIRE EXPORT EXTENDED EXTENT_SIZE
        FACTOR FAILED_LOGIN_ATTEMPTS FAST FAULTS FIELDS FILE FILE_BLOCK_SIZE FILTER FINISH FIRST
        FIXED FLUSH FOLLOWING FOLLOWS FORMAT FOUND FULL GENERAL GENERATE GEOMCOLLECTION GEOMETRY
        GEOMETRYCOLLECTION GET_FORMAT GET_SOURCE_PUBLIC_KEY GLOBAL GRANTS GROUP_REPLICATION
        GTIDS GTID_ONLY HANDLER HASH HELP HISTOGRAM HISTORY HOST HOSTS HOUR IDENTIFIED
        IGNORE_SERVER_IDS IMPORT INACTIVE INDEXES INITIAL INITIAL_SIZE INITIATE INSERT_METHOD
        INSTALL INSTANCE INVISIBLE INVOKER IO IO_THREAD IPC ISOLATION ISSUER JSON JSON_VALUE
        KEYRING KEY_BLOCK_SIZE LANGUAGE LAST LEAVES LESS LEVEL LINESTRING LIST LOCAL LOCKED
        LOCKS LOG LOGFILE LOGS MASTER MAX_CONNECTIONS_PER_HOUR MAX_QUERIES_PER_HOUR MAX_ROWS
        MAX_SIZE MAX_UPDATES_PER_HOUR MAX_USER_CONNECTIONS MEDIUM MEMBER MEMORY MERGE
        MESSAGE_TEXT MICROSECOND MIGRATE MINUTE MIN_ROWS MODE MODIFY MONTH MULTILINESTRING
        MULTIPOINT MULTIPOLYGON MUTEX MYSQL_ERRNO NAME NAMES NATIONAL NCHAR NDB NDBCLUSTER
        NESTED NETWORK_NAMESPACE NEVER NEW NEXT NO NODEGROUP NONE NOWAIT NO_WAIT NULLS NUMBER
        NVARCHAR OFF OFFSET OJ OLD ONE ONLY OPEN OPTIONAL OPTIONS ORDINALITY ORGANIZATION OTHERS
        OWNER PACK_KEYS PAGE PARSER PARSE_TREE PARTIAL PARTITIONING PARTITIONS PASSWORD
        PASSWORD_LOCK_TIME PATH PERSIST PERSIST_ONLY PHASE PLUGIN PLUGINS PLUGIN_DIR POINT
        POLYGON PORT PRECEDES PRECEDING PREPARE PRESERVE PREV PRIVILEGES PRIVILEGE_CHECKS_USER
        PROCESS PROCESSLIST PROFILE PROFILES PROXY QUARTER QUERY QUICK RANDOM READ_ONLY REBUILD
        RECOVER REDO_BUFFER_SIZE REDUNDANT REFERENCE REGISTRATION RELAY RELAYLOG RELAY_LOG_FILE
        RELAY_LOG_POS RELAY_THREAD RELOAD REMOVE REORGANIZE REPAIR REPEATABLE REPLICA REPLICAS
        REPLICATE_DO_DB REPLICATE_DO_TABLE REPLICATE_IGNORE_DB REPLICATE_IGNORE_TABLE
        REPLICATE_REWRITE_DB REPLICATE_WILD_DO_TABLE REPLICATE_WILD_IGNORE_TABLE REPLICATION
        REQUIRE_ROW_FORMAT REQUIRE_TABLE_PRIMARY_KEY_CHECK RESET RESOURCE RESPECT RESTART
        RESTORE RESUME RETAIN RETURNED_SQLSTATE RETURNING RETURNS REUSE REVERSE ROLE ROLLBACK
        ROLLUP ROTATE ROUTINE ROW_COUNT ROW_FORMAT RTREE S3 SAVEPOINT SCHEDULE SCHEMA_NAME
        SECOND SECONDARY SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE SECONDARY_LOAD
        SECONDARY_UNLOAD SECURITY SERIAL SERIALIZABLE SERVER SESSION SHARE SHUTDOWN SIGNED
        SIMPLE SKIP SLAVE SLOW SNAPSHOT SOCKET SOME SONAME SOUNDS SOURCE SOURCE_AUTO_POSITION
        SOURCE_BIND SOURCE_COMPRESSION_ALGORITHMS SOURCE_CONNECTION_AUTO_FAILOVER
        SOURCE_CONNECT_RETRY SOURCE_DELAY SOURCE_HEARTBEAT_PERIOD SOURCE_HOST SOURCE_LOG_FILE
        SOURCE_LOG_POS SOURCE_PASSWORD SOURCE_PORT SOURCE_PUBLIC_KEY_PATH SOURCE_RETRY_COUNT
        SOURCE_SSL SOURCE_SSL_CA SOURCE_SSL_CAPATH SOURCE_SSL_CERT SOURCE_SSL_CIPHER
        SOURCE_SSL_CRL SOURCE_SSL_CRLPATH SOURCE_SSL_KEY SOURCE_SSL_VERIFY_SERVER_CERT
        SOURCE_TLS_CIPHERSUITES SOURCE_TLS_VERSION SOURCE_USER SOURCE_ZSTD_COMPRESSION_LEVEL
        SQL_AFTER_GTIDS SQL_AFTER_MTS_GAPS SQL_BEFORE_GTIDS SQL_BUFFER_RESULT SQL_NO_CACHE
        SQL_THREAD SQL_TSI_DAY SQL_TSI_HOUR SQL_TSI_MINUTE SQL_TSI_MONTH SQL_TSI_QUARTER
        SQL_TSI_SECOND SQL_TSI_WEEK SQL_TSI_YEAR SRID STACKED START STARTS STATS_AUTO_RECALC
        STATS_PERSISTENT STATS_SAMPLE_PAGES STATUS STOP STORAGE STREAM STRING SUBCLASS_ORIGIN
        SUBJECT SUBPARTITION SUBPARTITIONS SUPER SUSPEND SWAPS SWITCHES TABLES TABLESPACE
        TABLE_CHECKSUM TABLE_NAME TEMPORARY TEMPTABLE TEXT THAN THREAD_PRIORITY TIES TIME
        TIMESTAMP TIMESTAMPADD TIMESTAMPDIFF TLS TRANSACTION TRIGGERS TRUNCATE TYPE TYPES
        UNBOUNDED UNCOMMITTED UNDEFINED UNDOFILE UNDO_BUFFER_SIZE UNICODE UNINSTALL UNKNOWN
        UNREGISTER UNTIL UPGRADE URL USER USER_RESOURCES USE_FRM VALIDATION VALUE VARIABLES VCPU
        VIEW VISIBLE WAIT WARNINGS WEEK WEIGHT_STRING WITHOUT WORK WRAPPER X509 XA XID XML YEAR
        ZONE
    }
    function: {
        ADDDATE BIT_AND BIT_OR BIT_XOR CAST COUNT CURDATE CURTIME DATE_ADD DATE_SUB EXTRACT
        GROUP_CONCAT JSON_ARRAYAGG JSON_OBJECTAGG MAX MID MIN NOW POSITION SESSION_USER STD
        STDDEV STDDEV_POP STDDEV_SAMP ST_COLLECT SUBDATE SUBSTR SUBSTRING SUM SYSDATE
        SYSTEM_USER TRIM VARIANCE VAR_POP VAR_SAMP
    }
    reserved: {
        ACCESSIBLE ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB
        BOTH BY CALL CASCADE CASE CHANGE CHAR CHARACTER CHECK COLLATE COLUMN CONDITION
        CONSTRAINT CONTINUE CONVERT CREATE CROSS CUBE CUME_DIST CURRENT_DATE CURRENT_TIME
        CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DATABASES DAY_HOUR DAY_MICROSECOND
        DAY_MINUTE DAY_SECOND DEC DECIMAL DECLARE DEFAULT DELAYED DELETE DENSE_RANK DESC
        DESCRIBE DETERMINISTIC DISTINCT DISTINCTROW DIV DOUBLE DROP DUAL EACH ELSE ELSEIF EMPTY
        ENCLOSED ESCAPED EXCEPT EXISTS EXIT EXPLAIN FALSE FETCH FIRST_VALUE FLOAT FLOAT4 FLOAT8
        FOR FORCE FOREIGN FROM FULLTEXT FUNCTION GENERATED GET GRANT GROUP GROUPING GROUPS
        HAVING HIGH_PRIORITY HOUR_MICROSECOND HOUR_MINUTE HOUR_SECOND IF IGNORE IN INDEX INFILE
        INNER INOUT INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8 INTEGER INTERSECT INTERVAL
        INTO IO_AFTER_GTIDS IO_BEFORE_GTIDS IS ITERATE JOIN JSON_TABLE KEY KEYS KILL LAG
        LAST_VALUE LATERAL LEAD LEADING LEAVE LEFT LIKE LIMIT LINEAR LINES LOAD LOCALTIME
        LOCALTIMESTAMP LOCK LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MANUAL MATCH MAXVALUE
        MEDIUMBLOB MEDIUMINT MEDIUMTEXT MIDDLEINT MINUTE_MICROSECOND MINUTE_SECOND MOD MODIFIES
        NATURAL NOT NO_WRITE_TO_BINLOG NTH_VALUE NTILE NULL NUMERIC OF ON OPTIMIZE
        OPTIMIZER_COSTS OPTION OPTIONALLY OR ORDER OUT OUTER OUTFILE OVER PARALLEL PARTITION
        PERCENT_RANK PRECISION PRIMARY PROCEDURE PURGE QUALIFY RANGE RANK READ READS READ_WRITE
        REAL RECURSIVE REFERENCES REGEXP RELEASE RENAME REPEAT REPLACE REQUIRE RESIGNAL RESTRICT
        RETURN REVOKE RIGHT RLIKE ROW ROWS ROW_NUMBER SCHEMA SCHEMAS SECOND_MICROSECOND SELECT
        SENSITIVE SEPARATOR SET SHOW SIGNAL SMALLINT SPATIAL SPECIFIC SQL SQLEXCEPTION SQLSTATE
        SQLWARNING SQL_BIG_RESULT SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING STORED
        STRAIGHT_JOIN SYSTEM TABLE TABLESAMPLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO
        TRAILING TRIGGER TRUE UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE
        UTC_TIME UTC_TIMESTAMP VALUES VARBINARY VARCHAR VARCHARACTER VARYING VIRTUAL WHEN WHERE
        WHILE WINDOW WITH WRITE XOR YEAR_MONTH ZEROFILL
    }
}

const FIRST_WORD: u16 = T::LongArrow as u16 + 1;
const FIRST_FUNCTION: u16 = FIRST_WORD + FREE as u16;
const FIRST_RESERVED: u16 = FIRST_FUNCTION + FUNCTIONS as u16;
/// Longest keyword, in bytes; longer words are not looked up.
const LONGEST: usize = 48;
/// Slots of the table: a power of two, more than twice the words.
const SLOTS: usize = 2048;
/// Open addressing; a slot holds the place of the word in `WORDS` plus one.
const TABLE: [u16; SLOTS] = table();

const fn fold(byte: u8) -> u32 {
    // Upper case for letters; what it does to others is undone by the comparison.
    (byte & 0xdf) as u32
}

/// From the length, the first four and the last four bytes.
#[inline]
const fn slot(word: &[u8]) -> usize {
    let n = word.len();
    let (head, tail) = if n >= 4 {
        (
            fold(word[0]) | fold(word[1]) << 8 | fold(word[2]) << 16 | fold(word[3]) << 24,
            fold(word[n - 4])
                | fold(word[n - 3]) << 8
                | fold(word[n - 2]) << 16
                | fold(word[n - 1]) << 24,
        )
    } else {
        (fold(word[0]) | fold(word[n / 2]) << 8, fold(word[n - 1]))
    };
    // The multipliers were searched for: no word is more than three slots off.
    let mixed = (head.wrapping_mul(0x2adc_39cb) ^ tail.wrapping_mul(0x4aff_4ce9))
        .wrapping_add((n as u32).wrapping_mul(0x9e37_79b1));
    ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 21) as usize
}

const fn table() -> [u16; SLOTS] {
    let mut table = [0u16; SLOTS];
    let mut i = 0;
    while i < WORDS.len() {
        assert!(WORDS[i].0 as u16 == FIRST_WORD + i as u16, "words stand in the order of T");
        assert!(WORDS[i].1.len() <= LONGEST);
        let mut at = slot(WORDS[i].1.as_bytes());
        while table[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        table[at] = i as u16 + 1;
        i += 1;
    }
    table
}

/// The keyword a word is, in whatever case it is written. Function names are
/// found as well: the lexer drops them where no parenthesis follows.
#[inline]
pub(crate) fn keyword(word: &[u8]) -> Option<T> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut at = slot(word);
    loop {
        let entry = TABLE[at];
        if entry == 0 {
            return None;
        }
        let (token, spelling) = WORDS[entry as usize - 1];
        if spelling.len() == word.len() && spelling.as_bytes().eq_ignore_ascii_case(word) {
            return Some(token);
        }
        at = (at + 1) % SLOTS;
    }
}

impl T {
    /// A keyword that is also a name wherever a name is expected.
    #[inline]
    pub(crate) fn is_free(self) -> bool {
        (FIRST_WORD..FIRST_FUNCTION).contains(&(self as u16))
    }

    /// A keyword only because a parenthesis follows.
    #[inline]
    pub(crate) fn is_function(self) -> bool {
        (FIRST_FUNCTION..FIRST_RESERVED).contains(&(self as u16))
    }

    /// A keyword that is a name only in quotes or after a dot.
    #[cfg(test)]
    pub(crate) fn is_reserved(self) -> bool {
        self as u16 >= FIRST_RESERVED
    }

    /// The keyword in upper case; nothing for what is not a keyword.
    #[cfg(test)]
    pub(crate) fn spelling(self) -> Option<&'static str> {
        let word = (self as u16).checked_sub(FIRST_WORD)?;
        Some(WORDS[word as usize].1)
    }
}

/// Whether a name has to be quoted in SQL text for being a keyword. Keywords
/// that are names without quotes count as well: quoting them is never wrong.
pub fn is_keyword(word: &str) -> bool {
    keyword(word.as_bytes()).is_some()
}

/// The keywords in upper case, with whether each is reserved; not those that are keywords
/// only where a parenthesis follows.
pub fn keywords() -> impl Iterator<Item = (&'static str, bool)> {
    let words = WORDS.iter().filter(|(token, _)| !token.is_function());
    words.map(|(token, spelling)| (*spelling, *token as u16 >= FIRST_RESERVED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_listed_with_whether_they_are_reserved() {
        let list: Vec<_> = keywords().collect();
        assert!(list.contains(&("SELECT", true)) && list.contains(&("ACCOUNT", false)));
        assert!(!list.iter().any(|(word, _)| *word == "COUNT"));
    }

    #[test]
    fn every_word_is_found_in_any_case() {
        for &(token, spelling) in WORDS {
            assert_eq!(keyword(spelling.as_bytes()), Some(token), "{spelling}");
            assert_eq!(keyword(spelling.to_lowercase().as_bytes()), Some(token), "{spelling}");
            assert_eq!(token.spelling(), Some(spelling));
        }
        assert!(T::ACCOUNT.is_free() && T::COUNT.is_function() && T::SELECT.is_reserved());
        assert_eq!(T::Comma.spelling(), None);
    }

    #[test]
    fn other_words_are_not_found() {
        for word in ["", "x", "selec", "selects", "sélect", "S\u{45}LECT1", "0", "_utf8"] {
            assert_eq!(keyword(word.as_bytes()), None, "{word}");
        }
        // Folding maps '@' and '`' onto each other; the comparison tells them apart.
        assert_eq!(keyword(b"x5\x109"), None);
    }

    #[test]
    fn a_search_stays_short() {
        let longest = WORDS
            .iter()
            .map(|(_, word)| {
                let mut at = slot(word.as_bytes());
                let mut steps = 1;
                while WORDS[TABLE[at] as usize - 1].1 != *word {
                    at = (at + 1) % SLOTS;
                    steps += 1;
                }
                steps
            })
            .max();
        assert!(longest <= Some(4), "{longest:?} steps");
    }
}
