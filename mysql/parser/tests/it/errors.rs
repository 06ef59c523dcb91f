//! What MySQL says about texts it refuses.

use firn_mysql_parser::{ErrorKind, Options, Parser};

fn error(sql: &[u8]) -> firn_mysql_parser::Error {
    match Parser::new(Options::default()).parse(sql) {
        Ok(statement) => panic!("accepted: {statement:?}"),
        Err(e) => e,
    }
}

#[test]
fn the_text_is_mysqls() {
    let e = error(b"select 1\nfrom t\nwhere a like 1 like 1");
    assert_eq!((e.code(), e.sqlstate(), e.line()), (1064, "42000", 3));
    assert_eq!(
        e.to_string(),
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL \
         server version for the right syntax to use near 'like 1' at line 3"
    );
    assert_eq!(error(b"select").near(), "");
    assert_eq!(error(b"select 'abc").near(), "'abc");
    assert_eq!(error(format!("select 1 + , {}", "x".repeat(100)).as_bytes()).near().len(), 80);
    assert_eq!(error(b"select 1 from ; \n").near(), "");
    assert_eq!(error("select 1 é ) ä".as_bytes()).near(), ") ä");
}

#[test]
fn nothing_is_an_empty_query() {
    for sql in ["", "  ", "/* x */", "-- x", ";", "/*!99999 select 1 */"] {
        assert_eq!(error(sql.as_bytes()).kind(), ErrorKind::Empty, "{sql}");
    }
}

#[test]
fn names_are_utf8_and_strings_any_bytes() {
    assert_eq!(error(b"select `\xff`").code(), 1300);
    assert_eq!(error(b"select a\xff").code(), 1300);
    let statement = Parser::new(Options::default()).parse(b"select _binary'\xff\x00'");
    assert!(statement.is_ok());
}

#[test]
fn into_belongs_at_the_end() {
    assert_eq!(error(b"select (select 1 into @a)").code(), 3954);
    assert_eq!(error(b"select 1 into @a limit 1 into @b").code(), 3953);
    assert_eq!(error(b"select * from (select 1)").code(), 1248);
}

#[test]
fn statements_one_by_one() {
    let mut parser = Parser::new(Options::default());
    let sql = b"select 1; select ?, ? ;; ";
    let first = parser.parse_next(sql, 0);
    assert_eq!(first.as_ref().map(|p| (p.params, p.end)), Ok((0, 9)));
    assert_eq!(parser.parse_next(sql, 9).map(|p| (p.params, p.end)), Ok((2, 23)));
    assert_eq!(parser.parse_next(sql, 23).map_err(|e| e.kind()), Err(ErrorKind::Empty));
    assert_eq!(parser.parse_all(sql).map(|all| all.len()), Ok(2));
    assert_eq!(parser.parse(sql).map_err(|e| e.near().to_owned()), Err("select ?, ?".into()));
    assert!(parser.parse(b"select 1;; ").is_ok());
}
