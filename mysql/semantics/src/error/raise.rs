//! Constructors of the errors that semantics and a server raise most, with
//! named parts. Everything else goes through [`SqlError::new`].

use super::{SqlError, code};

impl SqlError {
    /// 1064: the text from where parsing failed, and its line (from 1).
    #[must_use]
    pub fn parse_error(near: &str, line: u32) -> Self {
        Self::new(code::ER_PARSE_ERROR, &["You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use".into(), near.into(), line.into()])
    }

    /// 1065.
    #[must_use]
    pub fn empty_query() -> Self {
        Self::new(code::ER_EMPTY_QUERY, &[])
    }

    /// 1045: an authentication that failed.
    #[must_use]
    pub fn access_denied(user: &str, host: &str, using_password: bool) -> Self {
        Self::new(
            code::ER_ACCESS_DENIED_ERROR,
            &[user.into(), host.into(), if using_password { "YES" } else { "NO" }.into()],
        )
    }

    /// 1044.
    #[must_use]
    pub fn database_access_denied(user: &str, host: &str, database: &str) -> Self {
        Self::new(code::ER_DBACCESS_DENIED_ERROR, &[user.into(), host.into(), database.into()])
    }

    /// 1048: NULL for a NOT NULL column.
    #[must_use]
    pub fn bad_null(column: &str) -> Self {
        Self::new(code::ER_BAD_NULL_ERROR, &[column.into()])
    }

    /// 1049.
    #[must_use]
    pub fn unknown_database(database: &str) -> Self {
        Self::new(code::ER_BAD_DB_ERROR, &[database.into()])
    }

    /// 1050.
    #[must_use]
    pub fn table_exists(table: &str) -> Self {
        Self::new(code::ER_TABLE_EXISTS_ERROR, &[table.into()])
    }

    /// 1051: what DROP did not find.
    #[must_use]
    pub fn bad_table(tables: &str) -> Self {
        Self::new(code::ER_BAD_TABLE_ERROR, &[tables.into()])
    }

    /// 1052.
    #[must_use]
    pub fn ambiguous_column(column: &str, clause: &str) -> Self {
        Self::new(code::ER_NON_UNIQ_ERROR, &[column.into(), clause.into()])
    }

    /// 1054: `clause` is e.g. `field list` or `where clause`.
    #[must_use]
    pub fn unknown_column(column: &str, clause: &str) -> Self {
        Self::new(code::ER_BAD_FIELD_ERROR, &[column.into(), clause.into()])
    }

    /// 1062 with the key's name (`table.key`): a unique key met twice. `values` are joined by `-`.
    #[must_use]
    pub fn duplicate_entry(values: &str, key: &str) -> Self {
        // The number of one entry with the text of another, as MySQL sends it.
        let text = Self::new(code::ER_DUP_ENTRY_WITH_KEY_NAME, &[values.into(), key.into()]);
        Self::with_message(code::ER_DUP_ENTRY, text.message())
    }

    /// 1115.
    #[must_use]
    pub fn unknown_character_set(name: &str) -> Self {
        Self::new(code::ER_UNKNOWN_CHARACTER_SET, &[name.into()])
    }

    /// 1146.
    #[must_use]
    pub fn no_such_table(database: &str, table: &str) -> Self {
        Self::new(code::ER_NO_SUCH_TABLE, &[database.into(), table.into()])
    }

    /// 1210.
    #[must_use]
    pub fn wrong_arguments(to: &str) -> Self {
        Self::new(code::ER_WRONG_ARGUMENTS, &[to.into()])
    }

    /// 1231.
    #[must_use]
    pub fn wrong_value_for_variable(variable: &str, value: &str) -> Self {
        Self::new(code::ER_WRONG_VALUE_FOR_VAR, &[variable.into(), value.into()])
    }

    /// 1235.
    #[must_use]
    pub fn not_supported_yet(what: &str) -> Self {
        Self::new(code::ER_NOT_SUPPORTED_YET, &[what.into()])
    }

    /// 1241: a row of another width than `expected` columns.
    #[must_use]
    pub fn operand_columns(expected: u32) -> Self {
        Self::new(code::ER_OPERAND_COLUMNS, &[i64::from(expected).into()])
    }

    /// 1242.
    #[must_use]
    pub fn subquery_more_than_one_row() -> Self {
        Self::new(code::ER_SUBQUERY_NO_1_ROW, &[])
    }

    /// 1253.
    #[must_use]
    pub fn collation_charset_mismatch(collation: &str, charset: &str) -> Self {
        Self::new(code::ER_COLLATION_CHARSET_MISMATCH, &[collation.into(), charset.into()])
    }

    /// 1264: a number beyond a column's range; rows count from 1.
    #[must_use]
    pub fn out_of_range_column(column: &str, row: u64) -> Self {
        Self::new(code::ER_WARN_DATA_OUT_OF_RANGE, &[column.into(), row.into()])
    }

    /// 1265.
    #[must_use]
    pub fn data_truncated(column: &str, row: u64) -> Self {
        Self::new(code::WARN_DATA_TRUNCATED, &[column.into(), row.into()])
    }

    /// 1267: each side is a collation and its coercibility (`IMPLICIT` …).
    #[must_use]
    pub fn illegal_mix_of_2_collations(
        left: (&str, &str),
        right: (&str, &str),
        operation: &str,
    ) -> Self {
        Self::new(
            code::ER_CANT_AGGREGATE_2COLLATIONS,
            &[left.0.into(), left.1.into(), right.0.into(), right.1.into(), operation.into()],
        )
    }

    /// 1270: each side is a collation and its coercibility.
    #[must_use]
    pub fn illegal_mix_of_3_collations(sides: [(&str, &str); 3], operation: &str) -> Self {
        Self::new(
            code::ER_CANT_AGGREGATE_3COLLATIONS,
            &[
                sides[0].0.into(),
                sides[0].1.into(),
                sides[1].0.into(),
                sides[1].1.into(),
                sides[2].0.into(),
                sides[2].1.into(),
                operation.into(),
            ],
        )
    }

    /// 1271: four sides or more.
    #[must_use]
    pub fn illegal_mix_of_collations(operation: &str) -> Self {
        Self::new(code::ER_CANT_AGGREGATE_NCOLLATIONS, &[operation.into()])
    }

    /// 1273.
    #[must_use]
    pub fn unknown_collation(name: &str) -> Self {
        Self::new(code::ER_UNKNOWN_COLLATION, &[name.into()])
    }

    /// 1292: `Truncated incorrect KIND value: 'VALUE'`, kinds being `INTEGER`, `DOUBLE`, `DECIMAL`, `time` …
    #[must_use]
    pub fn truncated_wrong_value(kind: &str, value: &str) -> Self {
        Self::new(code::ER_TRUNCATED_WRONG_VALUE, &[kind.into(), value.into()])
    }

    /// 1525: `Incorrect KIND value: 'VALUE'`.
    #[must_use]
    pub fn incorrect_value(kind: &str, value: &str) -> Self {
        Self::new(code::ER_WRONG_VALUE, &[kind.into(), value.into()])
    }

    /// 1366 (1292 for temporal kinds, see [`Self::incorrect_temporal_for_column`]).
    #[must_use]
    pub fn incorrect_value_for_column(kind: &str, value: &str, column: &str, row: u64) -> Self {
        Self::new(
            code::ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
            &[kind.into(), value.into(), column.into(), row.into()],
        )
    }

    /// 1292 with a column: `Incorrect KIND value: 'VALUE' for column 'COLUMN' at row
    /// ROW`. MySQL gives temporal values this number and 1366's text.
    #[must_use]
    pub fn incorrect_temporal_for_column(kind: &str, value: &str, column: &str, row: u64) -> Self {
        let text = Self::incorrect_value_for_column(kind, value, column, row);
        Self::with_message(code::ER_TRUNCATED_WRONG_VALUE, text.message())
    }

    /// 1298.
    #[must_use]
    pub fn unknown_time_zone(name: &str) -> Self {
        Self::new(code::ER_UNKNOWN_TIME_ZONE, &[name.into()])
    }

    /// 1300.
    #[must_use]
    pub fn invalid_character_string(charset: &str, bytes_in_hex: &str) -> Self {
        Self::new(code::ER_INVALID_CHARACTER_STRING, &[charset.into(), bytes_in_hex.into()])
    }

    /// 1301: a result over `max_allowed_packet`.
    #[must_use]
    pub fn result_larger_than_packet(function: &str, limit_bytes: u64) -> Self {
        Self::new(code::ER_WARN_ALLOWED_PACKET_OVERFLOWED, &[function.into(), limit_bytes.into()])
    }

    /// 1305: kind is `FUNCTION`, `PROCEDURE` …
    #[must_use]
    pub fn does_not_exist(kind: &str, name: &str) -> Self {
        Self::new(code::ER_SP_DOES_NOT_EXIST, &[kind.into(), name.into()])
    }

    /// 1317.
    #[must_use]
    pub fn query_interrupted() -> Self {
        Self::new(code::ER_QUERY_INTERRUPTED, &[])
    }

    /// 1364.
    #[must_use]
    pub fn no_default(column: &str) -> Self {
        Self::new(code::ER_NO_DEFAULT_FOR_FIELD, &[column.into()])
    }

    /// 1365.
    #[must_use]
    pub fn division_by_zero() -> Self {
        Self::new(code::ER_DIVISION_BY_ZERO, &[])
    }

    /// 1406.
    #[must_use]
    pub fn data_too_long(column: &str, row: u64) -> Self {
        Self::new(code::ER_DATA_TOO_LONG, &[column.into(), row.into()])
    }

    /// 1411.
    #[must_use]
    pub fn wrong_value_for_function(kind: &str, value: &str, function: &str) -> Self {
        Self::new(code::ER_WRONG_VALUE_FOR_TYPE, &[kind.into(), value.into(), function.into()])
    }

    /// 1441.
    #[must_use]
    pub fn datetime_overflow(function: &str) -> Self {
        Self::new(code::ER_DATETIME_FUNCTION_OVERFLOW, &[function.into()])
    }

    /// 1582.
    #[must_use]
    pub fn wrong_parameter_count(function: &str) -> Self {
        Self::new(code::ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, &[function.into()])
    }

    /// 1583.
    #[must_use]
    pub fn wrong_parameters(function: &str) -> Self {
        Self::new(code::ER_WRONG_PARAMETERS_TO_NATIVE_FCT, &[function.into()])
    }

    /// 1690: kinds are `BIGINT`, `BIGINT UNSIGNED`, `DOUBLE`, `DECIMAL`; the expression is as MySQL prints it, e.g. `(1 + 2)`.
    #[must_use]
    pub fn out_of_range(kind: &str, expression: &str) -> Self {
        Self::new(code::ER_DATA_OUT_OF_RANGE, &[kind.into(), expression.into()])
    }

    /// 3020.
    #[must_use]
    pub fn invalid_logarithm() -> Self {
        Self::new(code::ER_INVALID_ARGUMENT_FOR_LOGARITHM, &[])
    }

    /// 1105, a warning: a text beyond the signed integers.
    #[must_use]
    pub fn cast_to_signed_wrapped() -> Self {
        let text =
            "Cast to signed converted positive out-of-range integer to its negative complement";
        Self::with_message(code::ER_UNKNOWN_ERROR, text)
    }

    /// 3854.
    #[must_use]
    pub fn cannot_convert_string(bytes_in_hex: &str, from: &str, to: &str) -> Self {
        Self::new(code::ER_CANNOT_CONVERT_STRING, &[bytes_in_hex.into(), from.into(), to.into()])
    }
}
