//! The order of keys against a server's ORDER BY.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

/// Values of each type.
const VALUES: usize = 80;

/// What the server prints.
fn ask(script: &str) -> String {
    let command = std::env::var("MYSQL_CLI").expect("MYSQL_CLI is the mysql client's command");
    let mut client = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} --batch --skip-column-names --raw"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut input = client.stdin.take().expect("input is a pipe");
    let script = script.to_owned();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = client.wait_with_output().expect("the client ends");
    writer.join().expect("the writer ends").expect("the client reads everything");
    assert!(output.status.success(), "the client failed");
    String::from_utf8(output.stdout).expect("numbers")
}

/// The type in a column definition; `None` if its values cannot all be stored.
fn definition(ty: &SqlType) -> Option<String> {
    use TypeKind as K;
    let unsigned = if ty.unsigned { " unsigned" } else { "" };
    let name = match ty.kind {
        K::TinyInt => "tinyint".into(),
        K::SmallInt => "smallint".into(),
        K::MediumInt => "mediumint".into(),
        K::Int => "int".into(),
        K::BigInt => "bigint".into(),
        K::Decimal => format!("decimal({},{})", ty.precision(), ty.decimals),
        K::Float => "float".into(),
        K::Double => "double".into(),
        K::Bit => format!("bit({})", ty.length),
        K::Year => "year".into(),
        K::Date => "date".into(),
        K::Time => format!("time({})", ty.decimals),
        K::DateTime => format!("datetime({})", ty.decimals),
        K::Enum => "enum('a','b','c','d','e')".into(),
        K::Char | K::Varchar | K::Text => {
            let kind = match ty.kind {
                K::Char => format!("char({})", ty.length),
                K::Varchar => format!("varchar({})", ty.length),
                _ => "text".into(),
            };
            let collation = Collation::by_id(ty.collation.0)?;
            if collation.name() == "binary" {
                match ty.kind {
                    K::Char => format!("binary({})", ty.length),
                    K::Varchar => format!("varbinary({})", ty.length),
                    _ => "blob".into(),
                }
            } else {
                let charset = collation.charset().name();
                format!("{kind} character set {charset} collate {}", collation.name())
            }
        }
        // A TIMESTAMP has a smaller range; a SET more members than it takes here.
        _ => return None,
    };
    Some(format!("{name}{unsigned}"))
}

fn literal(ty: &SqlType, value: &Value) -> String {
    let text = |out: Vec<u8>| format!("'{}'", String::from_utf8(out).unwrap());
    let mut out = Vec::new();
    match value {
        Value::Null => "null".into(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => format!("{:e}", f64::from(*number)),
        Value::Double(number) => format!("{number:e}"),
        Value::Decimal(number) => number.to_string(),
        Value::Date(date) => {
            date.write_text(&mut out);
            text(out)
        }
        Value::Time(time) => {
            time.write_text(ty.decimals, &mut out);
            text(out)
        }
        Value::DateTime(at) => {
            at.write_text(ty.decimals, &mut out);
            text(out)
        }
        Value::Bytes(bytes) => {
            let charset = Collation::by_id(ty.collation.0).unwrap().charset().name();
            format!("_{charset} x'{}'", hex(bytes))
        }
    }
}

/// Run with `MYSQL_CLI='mysql -h … -u … a_database' cargo test -p firn-table --lib
/// oracle -- --ignored --nocapture`; `SEED` sets the seed. Makes and drops tables
/// named `firn_order` in that database.
#[test]
#[ignore = "needs a live MySQL in MYSQL_CLI"]
#[expect(clippy::print_stdout, reason = "tests print their seeds")]
fn keys_have_the_order_of_the_server() {
    let seed: u8 = std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut checked = 0;
    for ty in key_types() {
        let Some(definition) = definition(&ty) else { continue };
        let values = values(ty.with_nullable(true));
        let values: Vec<_> =
            (0..VALUES).map(|_| values.new_tree(&mut runner).unwrap().current()).collect();
        // The empty error value is refused in strict mode.
        let strict = if ty.kind == TypeKind::Enum { "" } else { ",STRICT_ALL_TABLES" };
        let mut script = format!(
            "set names utf8mb4; set sql_mode='ALLOW_INVALID_DATES{strict}';
            drop table if exists firn_order;
            create table firn_order(n int, v {definition});"
        );
        for (n, value) in values.iter().enumerate() {
            let literal = literal(&ty, value);
            let _ = write!(script, "\ninsert into firn_order values ({n}, {literal});");
        }
        script.push_str(
            "\nselect n, dense_rank() over (order by v) from firn_order order by n;
            drop table firn_order;\n",
        );
        let ranks: Vec<usize> = ask(&script)
            .lines()
            .map(|line| line.split_once('\t').unwrap().1.parse().unwrap())
            .collect();
        assert_eq!(ranks.len(), VALUES, "{definition}");
        for parts in [[part(1)], [descending(1)]] {
            let codec = indexed(&[ty], &parts, IndexKind::Plain, false);
            let index = codec.index(IndexId(2)).unwrap();
            let mut row_key = Vec::new();
            row_number_key(1, &mut row_key);
            let key = |value: &Value| {
                let mut key = Vec::new();
                index.entry_key(std::slice::from_ref(value), &row_key, &mut key).unwrap();
                key
            };
            let keys: Vec<_> = values.iter().map(key).collect();
            for a in 0..VALUES {
                for b in 0..VALUES {
                    let server = ranks[a].cmp(&ranks[b]);
                    let server = if parts[0].descending { server.reverse() } else { server };
                    let ours = keys[a].cmp(&keys[b]);
                    let (left, right) = (&values[a], &values[b]);
                    assert_eq!(ours, server, "{definition}: {left:?} and {right:?}");
                }
            }
        }
        checked += 1;
    }
    println!("{checked} types");
}
