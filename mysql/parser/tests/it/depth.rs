//! Deep and long texts: an error or a flat tree, never an overflow. Test threads
//! have 2 MiB of stack, as threads of servers do.

use firn_mysql_parser::{ErrorKind, Options, Parser, SqlMode, print};

const MILLION: usize = 1_000_000;

fn kind(sql: &str) -> Option<ErrorKind> {
    Parser::new(Options::default()).parse(sql.as_bytes()).err().map(|e| e.kind())
}

#[test]
fn a_million_levels_are_an_error() {
    for open in [
        "(",
        "((select ",
        "f(",
        "- ",
        "not ",
        "case when ",
        "(select ",
        "exists (select ",
        "1 in (",
        "@a := ",
        "interval 1 day + ",
        "interval(",
        "a = any (select ",
        "if(",
        "cast(",
        "a between 1 and ",
        "count(distinct ",
        "{d ",
        "a collate b + (",
        "row(1,",
    ] {
        let sql = format!("select {}", open.repeat(MILLION));
        assert_eq!(kind(&sql), Some(ErrorKind::TooDeep), "{open}");
    }
    for open in
        ["(", "((select 1 from ", "(select 1 from ", "{oj ", "a join ", "lateral (select 1 from "]
    {
        let sql = format!("select 1 from {}", open.repeat(MILLION));
        assert_eq!(kind(&sql), Some(ErrorKind::TooDeep), "{open}");
    }
}

#[test]
fn a_million_blocks_are_an_error() {
    for open in [
        "begin ",
        "if 1 then ",
        "loop ",
        "while 1 do ",
        "repeat ",
        "case 1 when 1 then ",
        "begin declare exit handler for 1 ",
        "create procedure p() ",
        "create trigger t before insert on u for each row ",
        "l: begin declare c cursor for with x as (",
    ] {
        let sql = format!("create procedure p() {}", open.repeat(MILLION));
        // The last one is no program, which is as good.
        let kind = kind(&sql);
        assert!(matches!(kind, Some(ErrorKind::TooDeep | ErrorKind::Syntax)), "{open}: {kind:?}");
        assert!(open.contains("cursor") || kind == Some(ErrorKind::TooDeep), "{open}");
    }
    let columns = "columns (nested path '$' ".repeat(MILLION);
    let sql = format!("select 1 from json_table(a, '$' {columns}");
    assert_eq!(kind(&sql), Some(ErrorKind::TooDeep));
}

#[test]
fn a_tree_may_not_be_high_either() {
    for (operand, sign) in [("1", "+"), ("a", "is null "), ("(a+a)", "*"), ("a", "collate b ")] {
        let sql = format!("select {}", format!("{operand} {sign}").repeat(MILLION / 10));
        let sql = sql.replace("is null a", "is null").replace("collate b a", "collate b");
        assert_eq!(kind(&sql), Some(ErrorKind::TooDeep), "{sign}");
    }
    // Each level adds its own row of signs to the height.
    let nested = (0..100).fold("1".to_owned(), |e, _| format!("({e}){}", "+1".repeat(100)));
    assert_eq!(kind(&format!("select {nested}")), Some(ErrorKind::TooDeep));
    let joins = format!("select 1 from t {}", "join t on 1 ".repeat(5000));
    assert_eq!(kind(&joins), Some(ErrorKind::TooDeep));
}

#[test]
fn long_is_not_deep() {
    for (first, more) in [
        ("select 1", " or 1"),
        ("select 1", " and 1"),
        ("select 1", ", 1"),
        ("select 1", " union select 1"),
        ("select a in (1", ", 1"),
        ("values row(1)", ", row(1)"),
    ] {
        let close = if first.ends_with("(1") { ")" } else { "" };
        let sql = format!("{first}{}{close}", more.repeat(100_000));
        assert_eq!(kind(&sql), None, "{more}");
    }
}

#[test]
fn what_is_accepted_can_be_used() {
    // As deep and as high as it gets: printing, comparing, cloning and dropping
    // must not overflow either.
    let options = Options::default();
    let mut parser = Parser::new(options.clone());
    let mut deepest = 0;
    for (open, close) in
        [("(1 + ", ")"), ("(select ", ")"), ("f(1,", ")"), ("not ", ""), ("- ", "")]
    {
        let mut accepted = 0;
        for depth in (1..options.max_depth as usize + 2).rev() {
            let sql = format!("select {}1{}", open.repeat(depth), close.repeat(depth));
            if let Ok(statement) = parser.parse(sql.as_bytes()) {
                let text = print(&statement, SqlMode::DEFAULT);
                assert_eq!(statement.clone(), statement);
                assert!(!format!("{statement:?}").is_empty() && !text.is_empty());
                accepted = depth;
                break;
            }
        }
        assert!(accepted >= 60, "{open}: {accepted}");
        deepest = deepest.max(accepted);
    }
    assert!(deepest > 200, "{deepest}");
    let high = format!("select 1{}", "+1".repeat(options.max_height as usize - 1));
    let statement = parser.parse(high.as_bytes()).unwrap();
    assert_eq!(statement.clone(), statement);
    assert!(!format!("{statement:?}").is_empty());
    assert!(parser.parse(&print(&statement, SqlMode::DEFAULT)).is_ok());
}
