use super::*;

fn kinds_in(sql: &str, options: &Options) -> Vec<(T, String)> {
    let mut lexer = Lexer::new(sql.as_bytes(), 0, options);
    let mut all = Vec::new();
    loop {
        let token = lexer.next();
        if token.kind == T::End {
            return all;
        }
        all.push((token.kind, sql[token.start as usize..token.end as usize].to_owned()));
        if token.kind == T::Bad {
            return all;
        }
    }
}

fn kinds(sql: &str) -> Vec<T> {
    kinds_in(sql, &Options::default()).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn numbers_and_names_that_start_with_digits() {
    use T::{Bad, Bits, Decimal, Float, Hex, Ident, Int};
    assert_eq!(
        kinds("1 1. 1.5 .5 1e5 1.e+5 1e 1a 0x1F 0xZ 0b10 0b12 0X1"),
        [
            Int, Decimal, Decimal, Decimal, Float, Float, Ident, Ident, Hex, Ident, Bits, Ident,
            Ident
        ]
    );
    assert_eq!(kinds("1e5a"), [Float, Ident]);
    assert_eq!(kinds("1.5e"), [Bad]);
    assert_eq!(kinds("x'0aFf' X'0' "), [Hex, Bad]);
    assert_eq!(kinds("b'101' b'2'"), [Bits, Bad]);
}

#[test]
fn strings_between_dollars_are_refused_and_names_with_dollars_are_not() {
    use T::{Bad, Dot, Ident};
    for bad in ["$$", "$$a", "$a$", "$a$x$a$", "$$x$$"] {
        assert_eq!(kinds(bad), [Bad], "{bad}");
    }
    assert_eq!(kinds("$a a$$ $1"), [Ident, Ident, Ident]);
    assert_eq!(kinds("t.$$"), [Ident, Dot, Ident]);
}

#[test]
fn words_after_dots_are_names() {
    use T::{Decimal, Dot, Ident, Quoted, SELECT};
    assert_eq!(kinds("t.select.from"), [Ident, Dot, Ident, Dot, Ident]);
    assert_eq!(kinds("t.1a"), [Ident, Dot, Ident]);
    assert_eq!(kinds("t .select"), [Ident, Dot, Ident]);
    assert_eq!(kinds("t. select"), [Ident, Dot, SELECT]);
    assert_eq!(kinds("`t`.1"), [Quoted, Decimal]);
}

#[test]
fn variables_and_hosts() {
    use T::{At, AtAt, Dot, GLOBAL, Host, Ident, Int, Quoted, Text};
    assert_eq!(kinds("@a.b @`x` @'y'"), [At, Host, At, Quoted, At, Text]);
    assert_eq!(kinds("@@global.max_x @@a"), [AtAt, GLOBAL, Dot, Ident, AtAt, Ident]);
    assert_eq!(kinds("u@10.1 5"), [Ident, At, Host, Int]);
}

#[test]
fn functions_are_keywords_before_a_parenthesis() {
    assert_eq!(kinds("count(")[0], T::COUNT);
    assert_eq!(kinds("count (")[0], T::Ident);
    let ignore_space = Options::in_mode(SqlMode::IGNORE_SPACE);
    assert_eq!(kinds_in("count (", &ignore_space)[0].0, T::COUNT);
    assert_eq!(kinds_in("count", &ignore_space)[0].0, T::Ident);
}

#[test]
fn comments() {
    use T::{Bad, Int, Minus, Plus, Star};
    assert_eq!(kinds("1 -- x\n+ # y\n 2 /* * / */ 3"), [Int, Plus, Int, Int]);
    assert_eq!(kinds("5--1"), [Int, Minus, Minus, Int]);
    assert_eq!(kinds("1 --"), [Int]);
    assert_eq!(
        kinds("1 /*!80000 + 2 */ /*!99999 * /* */ 3 */ /*! + 4*/"),
        [Int, Plus, Int, Plus, Int]
    );
    assert_eq!(kinds("1 /*!080400 +*/ 2 /*!080999 +*/"), [Int, Plus, Int]);
    assert_eq!(kinds("1 * /*+ x */ 2"), [Int, Star, Int]);
    assert_eq!(kinds("1 /* x"), [Int, Bad]);
    assert_eq!(kinds("1 /*! 2"), [Int, Int, Bad]);
    assert_eq!(kinds("1 /*!99999 2"), [Int, Bad]);
}

#[test]
fn hints_only_where_they_count() {
    assert_eq!(kinds("select /*+ X() */ 1"), [T::SELECT, T::Hint, T::Int]);
    assert_eq!(kinds("select 1 /*+ X() */"), [T::SELECT, T::Int]);
}

#[test]
fn strings() {
    use T::{Bad, Introducer, NText, Quoted, Text};
    assert_eq!(kinds(r"'a''b' 'c\'d' N'e' _utf8mb4'x'"), [Text, Text, NText, Introducer, Text]);
    assert_eq!(kinds(r#""a" `b``c`"#), [Text, Quoted]);
    assert_eq!(kinds("'abc"), [Bad]);
    assert_eq!(kinds("`abc"), [Bad]);
    assert_eq!(kinds(r"'abc\'"), [Bad]);
    let ansi = Options::in_mode(SqlMode::ANSI_QUOTES | SqlMode::NO_BACKSLASH_ESCAPES);
    assert_eq!(kinds_in(r#""a" 'b\'"#, &ansi)[0].0, Quoted);
    assert_eq!(kinds_in(r"'b\' 1", &ansi)[1].0, T::Int);
}

#[test]
fn values_of_escapes_and_digits() {
    assert_eq!(&value::unescape(br"a''b\n\%\\\0\q", b'\'', true)[..], b"a'b\n\\%\\\0q");
    assert_eq!(&value::unescape(br"a''b\n", b'\'', false)[..], br"a'b\n");
    assert_eq!(&value::digits(T::Hex, b"0xABC")[..], [0x0a, 0xbc]);
    assert_eq!(&value::digits(T::Hex, b"x'41'")[..], b"A");
    assert_eq!(&value::digits(T::Bits, b"b'101000001'")[..], [1, 0x41]);
    assert_eq!(&value::digits(T::Hex, b"x''")[..], b"");
}
