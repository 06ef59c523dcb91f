//! Which operator takes what. The right sides are what a MySQL server computes.

use crate::{accepted, expr_in, refused};
use firn_mysql_parser::SqlMode;

/// Each expression with the one that has all its parentheses.
fn same(pairs: &[(&str, &str)], mode: SqlMode) {
    for (sql, explicit) in pairs {
        assert_eq!(expr_in(sql, mode), expr_in(explicit, mode), "{sql}");
    }
}

#[test]
fn precedence() {
    same(
        &[
            ("a or b and c", "a or (b and c)"),
            ("a or b xor c and d", "a or (b xor (c and d))"),
            ("not a = b", "not (a = b)"),
            ("not a or b", "(not a) or b"),
            ("! a = b", "(! a) = b"),
            ("a = b = c", "(a = b) = c"),
            ("a = b is null", "(a = b) is null"),
            ("a is null is null", "(a is null) is null"),
            ("not a is true", "not (a is true)"),
            ("a = b like c", "a = (b like c)"),
            ("a like b = c", "(a like b) = c"),
            ("a + b like c", "(a + b) like c"),
            ("a between b and c and d", "(a between b and c) and d"),
            ("a between 1 and 2 between 3 and 4", "a between 1 and (2 between 3 and 4)"),
            ("a | b & c << d + e * f ^ g", "a | (b & (c << (d + (e * (f ^ g)))))"),
            ("a ^ b * c", "(a ^ b) * c"),
            ("a - b - c", "(a - b) - c"),
            ("a div b % c mod d / e", "(((a div b) % c) mod d) / e"),
            ("- a ^ b", "(- a) ^ b"),
            ("- a collate utf8mb4_bin", "- (a collate utf8mb4_bin)"),
            ("binary a = 'x'", "(binary a) = 'x'"),
            ("a in (1, 2) = b", "(a in (1, 2)) = b"),
            ("a regexp b + c", "a regexp (b + c)"),
            ("a member of (b) and c", "(a member of (b)) and c"),
            ("c -> '$.a' + 1", "(c -> '$.a') + 1"),
            ("a + interval 1 day + b", "(a + interval 1 day) + b"),
            ("a + interval 1 day * b", "(a + interval 1 day) * b"),
            ("a + interval 1 day ^ b * c", "((a + interval 1 day) ^ b) * c"),
            ("interval 1 day + a = b", "interval 1 day + (a = b)"),
            ("interval 1 day + a and b", "(interval 1 day + a) and b"),
            ("interval (1) + 2 day + a", "interval ((1) + 2) day + a"),
            ("a || b && c", "a or (b and c)"),
            ("!!a", "!a"),
        ],
        SqlMode::DEFAULT,
    );
}

#[test]
fn precedence_by_mode() {
    let concat = SqlMode::PIPES_AS_CONCAT;
    same(
        &[
            ("a || b ^ c", "(a || b) ^ c"),
            ("- a || b", "(- a) || b"),
            ("a || b collate utf8mb4_bin", "a || (b collate utf8mb4_bin)"),
            ("a like b || c", "a like (b || c)"),
            ("a || b", "concat(a, b)"),
        ],
        concat,
    );
    let high_not = SqlMode::HIGH_NOT_PRECEDENCE;
    same(&[("not a = b", "(not a) = b"), ("a = not b", "a = (not b)")], high_not);
}

#[test]
fn operands_come_from_the_layer_the_operator_asks_for() {
    refused(&[
        "select a = not b",
        "select a like b like c",
        "select a like b + c",
        "select a in (1) in (1)",
        "select a is true is true",
        "select a is true = b",
        "select a <=> all (select 1)",
        "select a =! b",
        "select -default",
        "select a collate utf8mb4_bin + ",
    ]);
}

#[test]
fn calls() {
    accepted(&[
        "select now(), now(6), current_timestamp, utc_date, curdate(), current_user",
        "select count(*), count(distinct a, b), sum(all a), group_concat(distinct a order by b desc separator 'x')",
        "select cast(a as char(10) character set latin1), convert(a, signed integer), convert(a using utf8mb4)",
        "select cast(a at time zone '+00:00' as datetime(3)), cast(a as unsigned array)",
        "select substring(a from 1 for 2), substr(a, 1), mid(a, 1, 2), position(a in b)",
        "select trim(a), trim(both from a), trim(leading 'x' from a), trim(a from b)",
        "select date_add(a, interval '1:2' minute_second), adddate(a, 5), a - interval 1 year",
        "select extract(day_hour from a), timestampadd(sql_tsi_day, 1, a), get_format(date, 'usa')",
        "select case 1 when 2 then 1. else 1. end, 1. + 2, (1.), 1. as b",
        "select weight_string(a as char(3)), weight_string(a, 1, 2, 3), char(77, 121 using latin1)",
        "select json_value(a, '$.x' returning decimal(4,2) null on empty error on error)",
        "select row_number() over w, lag(a, 1, 0) ignore nulls over (partition by b order by c) from t window w as (order by a)",
        "select nth_value(a, 2) from last respect nulls over (rows between 1 preceding and unbounded following)",
        "select f(a as x, b y), s.f(a), `count`(a), if(a, b, c), left(a, 1), values(a), default(a)",
        "select match (a, b) against ('x' in boolean mode), match a against (b with query expansion)",
        "select interval(a, 1, 2), grouping(a), log(2), log(2, 3), user(), database(), mod(a, b)",
        "select {d '2020-01-01'}, {fn now()}, date '2020-01-01', timestamp'2020-01-01 00:00:00'",
        "select @a, @`a b`, @'c', @a := b + 1, @@x, @@global.x, @@session.k.x, @",
        "select _utf8mb4'a' 'b', N'c', x'0a', 0b101, _latin1 0xff, 1e5, .5, 1., 18446744073709551616",
        "select (a, b) = row(c, d), (select 1), exists (select 1), a = any (select 1), a in ((select 1))",
        "select a in (select 1 union select 2), a in ((select 1), 2), ((select 1) + 1), ((select 1) union (select 2))",
        "select case a when 1 then 2 else 3 end, case when a then b end",
    ]);
    refused(&["select count (*)", "select count(distinct *)", "select now(a)", "select if(a, b)"]);
}

#[test]
fn strings_by_mode() {
    let plain = SqlMode::NO_BACKSLASH_ESCAPES;
    assert_eq!(expr_in(r"'a\'", plain), r"'a\'");
    assert_eq!(expr_in(r"'a\n\%\_\\'", SqlMode::DEFAULT), r"'a\n\%\_\\'");
    assert_eq!(expr_in(r#""a""#, SqlMode::ANSI_QUOTES), "a");
    assert_eq!(expr_in(r#""a""b'""#, SqlMode::DEFAULT), r#"'a"b'''"#);
}
