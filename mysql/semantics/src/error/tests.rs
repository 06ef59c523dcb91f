use super::*;

#[test]
fn the_table_is_sorted_and_its_states_are_states() {
    assert!(server_errors().windows(2).all(|pair| pair[0].number < pair[1].number));
    for error in server_errors() {
        assert!(
            error.sqlstate.len() == 5 && error.sqlstate.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{error:?}"
        );
    }
    assert!(server_errors().len() > 1900, "{}", server_errors().len());
}

#[test]
fn texts_are_those_of_the_server() {
    let cases = [
        (
            SqlError::parse_error("selekt 1", 1),
            "ERROR 1064 (42000): You have an error in your SQL syntax; check the manual that \
             corresponds to your MySQL server version for the right syntax to use near \
             'selekt 1' at line 1",
        ),
        (
            SqlError::out_of_range("BIGINT", "(9223372036854775807 + 1)"),
            "ERROR 1690 (22003): BIGINT value is out of range in '(9223372036854775807 + 1)'",
        ),
        (
            SqlError::incorrect_temporal_for_column("date", "x", "d", 3),
            "ERROR 1292 (22007): Incorrect date value: 'x' for column 'd' at row 3",
        ),
        (
            SqlError::duplicate_entry("1-a", "t.PRIMARY"),
            "ERROR 1062 (23000): Duplicate entry '1-a' for key 't.PRIMARY'",
        ),
        (
            SqlError::out_of_range_column("c", 7),
            "ERROR 1264 (22003): Out of range value for column 'c' at row 7",
        ),
        (
            SqlError::new(code::ER_UNKNOWN_STMT_HANDLER, &["s".into(), "EXECUTE".into()]),
            "ERROR 1243 (HY000): Unknown prepared statement handler (s) given to EXECUTE",
        ),
        (
            SqlError::new(code::ER_INVALID_JSON_PATH, &[4_u32.into(), "".into()]),
            "ERROR 3143 (42000): Invalid JSON path expression. The error is around character \
             position 4.",
        ),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn precision_cuts_an_argument_within_characters() {
    // The value of 1292 has 128 bytes of room. Of a character that crosses the end, a
    // server sends a question mark, or nothing from there on if too little follows.
    let many = "x".repeat(127);
    for (end, shown) in [("é", "?'"), ("日", ""), ("ab", "a'")] {
        let error = SqlError::truncated_wrong_value("DOUBLE", &format!("{many}{end}"));
        assert_eq!(error.message(), format!("Truncated incorrect DOUBLE value: '{many}{shown}"));
    }
}

#[test]
fn a_text_is_bounded() {
    let error = SqlError::signal(30001, *b"45000", "ä".repeat(1000));
    assert_eq!(error.message().len(), 510);
    assert_eq!(error.sqlstate(), "45000");
}

#[test]
fn unknown_numbers_and_missing_arguments_do_not_fail() {
    assert_eq!(SqlError::new(9998, &[]).to_string(), "ERROR 9998 (HY000): Unknown error 9998");
    assert_eq!(SqlError::new(code::ER_BAD_DB_ERROR, &[]).message(), "Unknown database ''");
}

#[test]
fn every_format_takes_its_arguments() {
    let args = [Arg::Str("x"), Arg::Int(-1), Arg::UInt(7), Arg::Float(0.5)];
    for error in server_errors() {
        for first in args {
            let text = SqlError::new(error.number, &[first; 12]);
            assert!(text.message().len() <= MESSAGE_LIMIT_BYTES);
        }
    }
}

#[test]
fn warnings_are_counted_beyond_the_limit() {
    let mut warnings = Warnings::new(2);
    for row in 1..=70_000 {
        warnings.push_with(Level::Warning, || SqlError::data_truncated("c", row));
    }
    warnings.push(Level::Error, SqlError::division_by_zero());
    assert_eq!(warnings.kept().len(), 2);
    assert_eq!(warnings.total(), 70_001);
    assert_eq!(warnings.errors(), 1);
    assert_eq!(warnings.packet_count(), u16::MAX);
    assert_eq!(warnings.kept()[1].error.message(), "Data truncated for column 'c' at row 2");
    warnings.clear();
    assert!(warnings.is_empty() && warnings.kept().is_empty());
}
