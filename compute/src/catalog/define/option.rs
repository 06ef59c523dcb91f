//! Options of tables.

use firn_mysql_parser::ast::{RowFormat, TableOption};
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_table::descriptor::TableDescriptor;

use super::charset::Defaults;
use crate::catalog::Facts;

/// Longest comment of a table, in characters.
const COMMENT_MAX: u64 = 2048;
/// Engines that MySQL has and whose tables are kept as all others are.
const ENGINES: [&str; 7] = ["MyISAM", "MEMORY", "HEAP", "CSV", "ARCHIVE", "MRG_MYISAM", "MERGE"];
/// Options in the order in which SHOW CREATE TABLE prints them.
const ORDER: [&str; 14] = [
    "MIN_ROWS",
    "MAX_ROWS",
    "AVG_ROW_LENGTH",
    "PACK_KEYS",
    "STATS_PERSISTENT",
    "STATS_AUTO_RECALC",
    "STATS_SAMPLE_PAGES",
    "CHECKSUM",
    "DELAY_KEY_WRITE",
    "ROW_FORMAT",
    "KEY_BLOCK_SIZE",
    "COMPRESSION",
    "INSERT_METHOD",
    "CONNECTION",
];

/// Character set and collation that options ask for.
///
/// Errors: 1115, 1253, 1273, 1302.
pub(crate) fn collation(
    options: &[TableOption],
    warnings: &mut Warnings,
) -> Result<Option<firn_mysql_semantics::CollationId>, SqlError> {
    let mut defaults = Defaults::default();
    for option in options {
        match option {
            TableOption::Charset(name) => defaults.charset(name, warnings)?,
            TableOption::Collate(name) => defaults.collate(name, warnings)?,
            _ => {}
        }
    }
    Ok(defaults.resolve())
}

/// The other options, into the descriptor. Those that would change where rows are
/// kept are refused.
///
/// Errors: 1235, 1286, 1628.
pub(crate) fn apply(
    table: &mut TableDescriptor,
    options: &[TableOption],
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<(), SqlError> {
    for option in options {
        match option {
            TableOption::Engine(name) => engine(table, name.as_str(), facts, warnings)?,
            TableOption::Comment(text) => {
                if text.chars().count() as u64 > COMMENT_MAX {
                    let args = [(&table.name).into(), COMMENT_MAX.into()];
                    return Err(SqlError::new(code::ER_TOO_LONG_TABLE_COMMENT, &args));
                }
                table.comment = text.to_string();
            }
            TableOption::AutoIncrement(value) => table.auto_increment_min = *value,
            // A number of 0 is what there is without the option.
            TableOption::AvgRowLength(n) => number(table, "AVG_ROW_LENGTH", *n),
            TableOption::MaxRows(n) => number(table, "MAX_ROWS", *n),
            TableOption::MinRows(n) => number(table, "MIN_ROWS", *n),
            TableOption::KeyBlockSize(n) => number(table, "KEY_BLOCK_SIZE", *n),
            TableOption::Checksum(n) => number(table, "CHECKSUM", u64::from(*n > 0)),
            TableOption::DelayKeyWrite(n) => number(table, "DELAY_KEY_WRITE", u64::from(*n > 0)),
            TableOption::PackKeys(n) => switch(table, "PACK_KEYS", *n),
            TableOption::StatsAutoRecalc(n) => switch(table, "STATS_AUTO_RECALC", *n),
            TableOption::StatsPersistent(n) => switch(table, "STATS_PERSISTENT", *n),
            TableOption::StatsSamplePages(n) => switch(table, "STATS_SAMPLE_PAGES", *n),
            TableOption::RowFormat(format) => {
                let name = match format {
                    RowFormat::Default => None,
                    RowFormat::Dynamic => Some("DYNAMIC"),
                    RowFormat::Fixed => Some("FIXED"),
                    RowFormat::Compressed => Some("COMPRESSED"),
                    RowFormat::Redundant => Some("REDUNDANT"),
                    RowFormat::Compact => Some("COMPACT"),
                };
                set(table, "ROW_FORMAT", name.map(str::to_owned));
            }
            TableOption::Compression(text) => {
                let quoted = (!text.is_empty()).then(|| format!("'{text}'"));
                set(table, "COMPRESSION", quoted);
            }
            TableOption::Encryption(text) => match text.as_str() {
                "n" | "N" | "" => {}
                _ => return Err(SqlError::not_supported_yet("ENCRYPTION of tables")),
            },
            TableOption::SecondaryEngine(Some(_)) => {
                return Err(SqlError::not_supported_yet("SECONDARY_ENGINE"));
            }
            TableOption::DataDirectory(_) | TableOption::IndexDirectory(_) => {
                warnings.warn(SqlError::with_message(
                    code::WARN_OPTION_IGNORED,
                    format!(
                        "<{} DIRECTORY> option ignored",
                        if matches!(option, TableOption::DataDirectory(_)) {
                            "DATA"
                        } else {
                            "INDEX"
                        }
                    ),
                ));
            }
            TableOption::Union(_) => return Err(SqlError::not_supported_yet("UNION of tables")),
            TableOption::Tablespace(_) | TableOption::Storage(_) => {
                return Err(SqlError::not_supported_yet("TABLESPACE"));
            }
            TableOption::Connection(text) => {
                set(table, "CONNECTION", (!text.is_empty()).then(|| quoted_text(text)));
            }
            TableOption::StartTransaction
            | TableOption::Charset(_)
            | TableOption::Collate(_)
            | TableOption::SecondaryEngine(None)
            | TableOption::InsertMethod(_)
            | TableOption::Password(_)
            | TableOption::EngineAttribute(_)
            | TableOption::SecondaryEngineAttribute(_)
            | TableOption::AutoextendSize(_) => {}
        }
    }
    Ok(())
}

/// Errors: 1286.
fn engine(
    table: &TableDescriptor,
    name: &str,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<(), SqlError> {
    let other = |table: &TableDescriptor| {
        let args = ["InnoDB".into(), (&table.name).into()];
        SqlError::new(code::ER_WARN_USING_OTHER_HANDLER, &args)
    };
    if name.eq_ignore_ascii_case("InnoDB") {
        return Ok(());
    }
    if ENGINES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        warnings.warn(other(table));
        return Ok(());
    }
    let error = SqlError::new(code::ER_UNKNOWN_STORAGE_ENGINE, &[name.into()]);
    if facts.no_engine_substitution {
        return Err(error);
    }
    warnings.warn(error);
    warnings.warn(other(table));
    Ok(())
}

/// A text as SHOW CREATE TABLE prints it.
fn quoted_text(text: &str) -> String {
    let mut out = String::from("'");
    for one in text.chars() {
        match one {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            one => out.push(one),
        }
    }
    out.push('\'');
    out
}

fn number(table: &mut TableDescriptor, key: &str, value: u64) {
    set(table, key, (value > 0).then(|| value.to_string()));
}

fn switch(table: &mut TableDescriptor, key: &str, value: Option<u64>) {
    set(table, key, value.map(|value| value.to_string()));
}

fn set(table: &mut TableDescriptor, key: &str, value: Option<String>) {
    table.options.retain(|(known, _)| known != key);
    if let Some(value) = value {
        table.options.push((key.to_owned(), value));
        let place = |key: &str| ORDER.iter().position(|known| *known == key);
        table.options.sort_by_key(|(key, _)| place(key));
    }
}
