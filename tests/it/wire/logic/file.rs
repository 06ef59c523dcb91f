//! Files of sqllogictest: statements and queries, each with what it has to give.
//!
//! A record is some lines, and an empty line ends it. Conditions before it say for which
//! servers it is; a query's answer is given as one value a line, or as their number and hash.

/// The name of this kind of server in conditions.
const SERVER: &str = "mysql";

/// How values of a column are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    Integer,
    Real,
}

/// How the values of an answer are put in order before they are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sort {
    None,
    Rows,
    Values,
}

/// What a query has to give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    /// These values.
    Values(Vec<String>),
    /// So many values, whose hash is this.
    Hash(String),
}

/// A query and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Query {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) sort: Sort,
    /// All queries of a label give the same.
    pub(crate) label: Option<String>,
    pub(crate) expected: Expected,
}

/// What a record asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// The statement succeeds.
    Succeeds,
    /// The statement fails.
    Fails,
    Answers(Query),
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// Of its first line, from 1.
    pub(crate) line: usize,
    pub(crate) sql: String,
    pub(crate) asked: Asked,
}

/// The records of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct File {
    pub(crate) records: Vec<Record>,
    /// Records that are for other servers.
    pub(crate) skipped: usize,
}

impl File {
    /// Takes a file's text apart; what it cannot be, with its line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut this = Self::default();
        let mut lines = text.lines().map(str::trim_end).enumerate().peekable();
        let mut is_ours = true;
        while let Some((at, line)) = lines.next() {
            let line_number = at + 1;
            let wrong = |what: &str| format!("line {line_number}: {what}: {line}");
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut take = |end: &str| {
                let mut taken = Vec::new();
                while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
                    if line == end {
                        break;
                    }
                    taken.push(line);
                }
                taken
            };
            let (sql, asked) = match words[..] {
                [] => continue,
                [word, ..] if word.starts_with('#') => continue,
                // The limit over which answers are hashes shows in the answers themselves.
                ["hash-threshold", _] => continue,
                ["skipif", server, ..] => {
                    is_ours &= server != SERVER;
                    continue;
                }
                ["onlyif", server, ..] => {
                    is_ours &= server == SERVER;
                    continue;
                }
                ["halt"] if is_ours => return Ok(this),
                ["halt"] => {
                    is_ours = true;
                    continue;
                }
                ["statement", how] => {
                    let asked = match how {
                        "ok" => Asked::Succeeds,
                        "error" => Asked::Fails,
                        _ => return Err(wrong("no such end of a statement")),
                    };
                    (take("").join("\n"), asked)
                }
                ["query", kinds, ref more @ ..] => {
                    let kinds = kinds.chars().map(|kind| match kind {
                        'T' => Ok(Kind::Text),
                        'I' => Ok(Kind::Integer),
                        'R' => Ok(Kind::Real),
                        _ => Err(wrong("no such type")),
                    });
                    let sort = match more.first() {
                        None | Some(&"nosort") => Sort::None,
                        Some(&"rowsort") => Sort::Rows,
                        Some(&"valuesort") => Sort::Values,
                        Some(_) => return Err(wrong("no such order")),
                    };
                    let query = Query {
                        kinds: kinds.collect::<Result<_, _>>()?,
                        sort,
                        label: more.get(1).map(ToString::to_string),
                        expected: Expected::Values(Vec::new()),
                    };
                    let sql = take("----").join("\n");
                    let expected = match take("")[..] {
                        [line] if line.contains(" values hashing to ") => {
                            Expected::Hash(line.to_owned())
                        }
                        ref lines => {
                            Expected::Values(lines.iter().map(ToString::to_string).collect())
                        }
                    };
                    (sql, Asked::Answers(Query { expected, ..query }))
                }
                _ => return Err(wrong("no such record")),
            };
            if is_ours {
                this.records.push(Record { line: line_number, sql, asked });
            } else {
                this.skipped += 1;
            }
            is_ours = true;
        }
        Ok(this)
    }
}

#[test]
fn records_are_taken_from_a_file() {
    let text = "# Of no one\nhash-threshold 8\n\nstatement ok\nCREATE TABLE t(a INTEGER,\n\
                  b INTEGER)\n\nonlyif sqlite # empty list\nquery I nosort\nSELECT 1 IN ()\n----\n\
                0\n\nskipif mssql\nskipif oracle\nquery IT rowsort label-1\nSELECT a\n  FROM t\n----\n\
                1\n(empty)\n\nquery R\nSELECT 1\n----\n9 values hashing to abc\n\n\
                statement error\nDROP\n\nonlyif oracle\nhalt\n\nquery I valuesort\nSELECT 2 WHERE 0\n\
                ----\n\nonlyif mysql\nhalt\n\nneither read\n";
    let file = File::parse(text).unwrap();
    assert_eq!(file.skipped, 1);
    let values =
        |values: &[&str]| Expected::Values(values.iter().map(ToString::to_string).collect());
    let query = |kinds: &[Kind], sort, label: Option<&str>, expected| {
        let label = label.map(str::to_owned);
        Asked::Answers(Query { kinds: kinds.to_vec(), sort, label, expected })
    };
    let (two, one) = ([Kind::Integer, Kind::Text], [Kind::Integer]);
    let record = |line, sql: &str, asked| Record { line, sql: sql.into(), asked };
    let expected = [
        record(4, "CREATE TABLE t(a INTEGER,\nb INTEGER)", Asked::Succeeds),
        record(
            16,
            "SELECT a\n  FROM t",
            query(&two, Sort::Rows, Some("label-1"), values(&["1", "(empty)"])),
        ),
        record(
            23,
            "SELECT 1",
            query(
                &[Kind::Real],
                Sort::None,
                None,
                Expected::Hash("9 values hashing to abc".into()),
            ),
        ),
        record(28, "DROP", Asked::Fails),
        record(34, "SELECT 2 WHERE 0", query(&one, Sort::Values, None, values(&[]))),
    ];
    assert_eq!(file.records, expected);
    for text in ["query X\nSELECT 1", "query I byrow\nSELECT 1", "statement maybe\nX", "neither"] {
        assert!(File::parse(text).unwrap_err().starts_with("line 1: no such "), "{text}");
    }
}
