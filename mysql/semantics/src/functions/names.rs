//! Names that mean another function, and names that mean one that is not built.

/// Synonyms, as (synonym, name).
pub(crate) static SYNONYMS: &[(&str, &str)] = &[
    ("ceil", "ceiling"),
    ("character_length", "char_length"),
    ("day", "dayofmonth"),
    ("lcase", "lower"),
    ("mid", "substring"),
    ("octet_length", "length"),
    ("power", "pow"),
    ("session_user", "user"),
    ("sha", "sha1"),
    ("substr", "substring"),
    ("system_user", "user"),
    ("ucase", "upper"),
];

/// Functions of MySQL that are not built yet: they give 1235, not 1305.
pub(crate) static NOT_BUILT_YET: &[&str] = &[
    "extractvalue",
    "icu_version",
    "master_pos_wait",
    "ps_current_thread_id",
    "ps_thread_id",
    "roles_graphml",
    "source_pos_wait",
    "statement_digest",
    "statement_digest_text",
    "updatexml",
    "validate_password_strength",
    "wait_for_executed_gtid_set",
];
