//! A call of a JSON function: as SQL for a server, and as we answer it.

use std::fmt::Write as _;

use crate::json::{self, Argument, Builder, JsonBuf, JsonError, PackedTime, Path, SetMode};

/// Function and arguments.
///
/// A document is a JSON text, or `@` and a value of SQL: `@dec:1.50`, `@date:2020-01-02`,
/// `@time:-10:00:00.5`, `@datetime:2020-01-02 03:04:05`, `@bin:00ff`, `@[a|b]` for an
/// array of such without their `@` or of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) function: String,
    pub(super) args: Vec<String>,
}

/// `NULL`, `= value` or `! number message`.
pub(super) type Answer = String;

pub(super) fn literal(text: &str) -> String {
    let mut sql = String::from("'");
    for char in text.chars() {
        match char {
            '\'' => sql.push_str("''"),
            '\\' => sql.push_str("\\\\"),
            '\n' => sql.push_str("\\n"),
            '\r' => sql.push_str("\\r"),
            '\0' => sql.push_str("\\0"),
            '\u{1a}' => sql.push_str("\\Z"),
            _ => sql.push(char),
        }
    }
    sql.push('\'');
    sql
}

/// A document as it is.
fn document(arg: &str) -> String {
    match arg.strip_prefix('@') {
        Some(value) => special(value),
        None => literal(arg),
    }
}

/// A document of type JSON.
fn value(arg: &str) -> String {
    format!("cast({} as json)", document(arg))
}

fn special(value: &str) -> String {
    if let Some(items) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        let items: Vec<_> = items.split('|').map(special).collect();
        return format!("json_array({})", items.join(", "));
    }
    let (kind, text) = value.split_once(':').unwrap_or(("json", value));
    match kind {
        "dec" => {
            let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            format!("cast(cast('{text}' as decimal(65,{scale})) as json)")
        }
        "date" => format!("cast(date'{text}' as json)"),
        "time" => format!("cast(time'{text}' as json)"),
        "datetime" => format!("cast(timestamp'{text}' as json)"),
        "bin" => format!("cast(x'{text}' as json)"),
        _ => format!("cast({} as json)", literal(value)),
    }
}

impl Call {
    pub(super) fn new(function: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Self { function: function.to_owned(), args }
    }

    /// An expression whose value as text is the answer.
    pub(super) fn sql(&self) -> String {
        let args = &self.args;
        let arg = |i: usize| args.get(i).map_or("", String::as_str);
        // A document and then texts.
        let call = |name: &str| {
            let mut sql = format!("{name}({}", document(arg(0)));
            for text in args.iter().skip(1) {
                let _ = write!(sql, ", {}", literal(text));
            }
            sql + ")"
        };
        match &self.function[..] {
            "cast" => value(arg(0)),
            "unquote_value" => format!("json_unquote({})", value(arg(0))),
            "quote" | "unquote" => format!("json_{}({})", self.function, literal(arg(0))),
            "contains" => {
                let path = args.get(2).map(|path| format!(", {}", literal(path)));
                let path = path.unwrap_or_default();
                format!("json_contains({}, {}{path})", document(arg(0)), document(arg(1)))
            }
            "overlaps" => format!("json_overlaps({}, {})", document(arg(0)), document(arg(1))),
            "member_of" => format!("{} member of ({})", value(arg(0)), document(arg(1))),
            "compare" => {
                let (a, b) = (value(arg(0)), value(arg(1)));
                format!("if({a} < {b}, -1, if({a} > {b}, 1, if({a} = {b}, 0, 'none')))")
            }
            "set" | "insert" | "replace" | "array_append" | "array_insert" => {
                let mut sql = format!("json_{}({}", self.function, document(arg(0)));
                for pair in args[1..].chunks(2) {
                    let _ = write!(sql, ", {}, {}", literal(&pair[0]), value(&pair[1]));
                }
                sql + ")"
            }
            "merge_patch" | "merge_preserve" | "schema_valid" | "schema_validation_report" => {
                let all: Vec<_> = args.iter().map(|arg| document(arg)).collect();
                format!("json_{}({})", self.function, all.join(", "))
            }
            "schema_value_report" => {
                format!("json_schema_validation_report({}, {})", document(arg(0)), value(arg(1)))
            }
            "search" => {
                let mut sql = format!("json_search({}", document(arg(0)));
                for (i, text) in args.iter().enumerate().skip(1) {
                    let null = i == 3 && text == "-";
                    let _ = write!(sql, ", {}", if null { "null".into() } else { literal(text) });
                }
                sql + ")"
            }
            "value" => {
                format!(
                    "json_value({}, {} returning char(60000))",
                    document(arg(0)),
                    literal(arg(1))
                )
            }
            "table" => format!(
                "(select json_arrayagg(json_array(o, a, e, m, n)) from json_table({}, {} columns \
                 (o for ordinality, a json path {}, e int exists path {}, nested path {} columns \
                 (m for ordinality, n json path '$'))) as t)",
                document(arg(0)),
                literal(arg(1)),
                literal(arg(2)),
                literal(arg(3)),
                literal(arg(4))
            ),
            other => call(&format!("json_{other}")),
        }
    }

    /// Our answer.
    pub(super) fn answer(&self) -> Answer {
        match self.value() {
            Ok(Some(text)) => format!("= {text}"),
            Ok(None) => "NULL".into(),
            Err((error, argument, function)) => {
                let argument = Argument { function: &function, number: argument };
                format!("! {} {}", error.number(), error.message(argument))
            }
        }
    }

    fn value(&self) -> Result<Option<String>, (JsonError, usize, String)> {
        let function = match &self.function[..] {
            "cast" => "cast_as_json".to_owned(),
            "unquote_value" => "json_unquote".into(),
            "schema_validation_report" | "schema_value_report" => {
                "json_schema_validation_report".into()
            }
            other => format!("json_{other}"),
        };
        let fail = |number: usize| {
            let function = function.clone();
            move |e: JsonError| (e, number, function)
        };
        let doc = |i: usize| self.document(i).map_err(fail(i + 1));
        let args = &self.args;
        let arg = |i: usize| args.get(i).map_or("", String::as_str);
        let paths = |from: usize| -> Result<Vec<Path>, _> {
            let paths = args.iter().skip(from).map(|path| Path::parse(path));
            paths.collect::<Result<_, _>>().map_err(fail(from))
        };
        let text = |buf: Option<JsonBuf>| match buf {
            Some(buf) => buf.root().and_then(|root| root.print()).map(Some),
            None => Ok(None),
        };
        let bool = |value: bool| Some(i32::from(value).to_string());
        let result = match &self.function[..] {
            "cast" => text(Some(doc(0)?)),
            "valid" => match json::check_text(arg(0)) {
                Ok(()) => Ok(bool(true)),
                Err(JsonError::Text { .. }) => Ok(bool(false)),
                Err(e) => Err(e),
            },
            "pretty" => doc(0)?.root().and_then(|root| root.print_pretty()).map(Some),
            "quote" => Ok(Some(json::quote(arg(0)))),
            "unquote" => json::unquote(arg(0)).map(Some),
            "unquote_value" => doc(0)?.root().and_then(|root| root.unquoted()).map(Some),
            "type" => doc(0)?.root().and_then(json::type_name).map(|t| Some(t.to_owned())),
            "depth" => doc(0)?.root().and_then(json::depth).map(|n| Some(n.to_string())),
            "storage_size" => {
                doc(0)?.root().and_then(json::storage_size).map(|n| Some(n.to_string()))
            }
            "length" => {
                let (buf, paths) = (doc(0)?, paths(1)?);
                let part = if paths.is_empty() {
                    Ok(Some(buf))
                } else {
                    buf.root().and_then(|root| json::extract(root, &paths))
                };
                part.and_then(|part| {
                    part.map(|part| Ok(json::length(part.root()?)?.to_string())).transpose()
                })
            }
            "keys" => {
                let (buf, paths) = (doc(0)?, paths(1)?);
                buf.root().and_then(|root| text(json::keys(root, paths.first())?))
            }
            "extract" => {
                let (buf, paths) = (doc(0)?, paths(1)?);
                buf.root().and_then(|root| text(json::extract(root, &paths)?))
            }
            "value" => {
                let (buf, paths) = (doc(0)?, paths(1)?);
                buf.root().and_then(|root| match json::seek(root, &paths[0], false)?[..] {
                    [one] if !one.is_null() => one.unquoted().map(Some),
                    _ => Ok(None),
                })
            }
            "contains" => {
                let (target, candidate, paths) = (doc(0)?, doc(1)?, paths(2)?);
                target.root().and_then(|root| {
                    let part = match paths.into_iter().next() {
                        Some(path) => json::find(root, &path.single()?)?,
                        None => Some(root),
                    };
                    let Some(part) = part else { return Ok(None) };
                    json::contains(part, candidate.root()?).map(bool)
                })
            }
            "contains_path" => {
                let buf = doc(0)?;
                let all = json::one_or_all(arg(1)).map_err(fail(2))?;
                // A path is read when it is needed.
                let mut found = all;
                for path in &args[2..] {
                    let path = Path::parse(path).map_err(fail(3))?;
                    found = buf
                        .root()
                        .and_then(|root| json::contains_path(root, all, &[path]))
                        .map_err(fail(1))?;
                    if found != all {
                        break;
                    }
                }
                Ok(bool(found))
            }
            "overlaps" => {
                let (a, b) = (doc(0)?, doc(1)?);
                a.root().and_then(|root| json::overlaps(root, b.root()?).map(bool))
            }
            "member_of" => {
                let (a, b) = (doc(0)?, doc(1)?);
                a.root().and_then(|root| json::member_of(root, b.root()?).map(bool))
            }
            "compare" => {
                let (a, b) = (doc(0)?, doc(1)?);
                a.root().and_then(|root| {
                    let order = root.compare(&b.root()?)?;
                    check_keys(root, b.root()?, order)?;
                    Ok(Some((order as i8).to_string()))
                })
            }
            "search" => {
                let buf = doc(0)?;
                let all = json::one_or_all(arg(1)).map_err(fail(2))?;
                let escape = args.get(3).map(String::as_str).filter(|&escape| escape != "-");
                let escape = json::Pattern::escape(escape.unwrap_or("\\")).map_err(fail(4))?;
                let paths = paths(4)?;
                let pattern = json::Pattern::new(arg(2), escape);
                buf.root().and_then(|root| {
                    text(json::search(root, all, &|text| pattern.matches(text), &paths)?)
                })
            }
            "set" | "insert" | "replace" | "array_append" | "array_insert" => {
                let mut buf = doc(0)?;
                for (i, pair) in args[1..].chunks(2).enumerate() {
                    let path = Path::parse(&pair[0]).map_err(fail(2 * i + 2))?;
                    let new = doc(2 * i + 2)?;
                    let changed = buf.root().and_then(|root| {
                        let new = new.root()?;
                        match &self.function[..] {
                            "set" => json::set(root, &path, new, SetMode::Set),
                            "insert" => json::set(root, &path, new, SetMode::Insert),
                            "replace" => json::set(root, &path, new, SetMode::Replace),
                            "array_append" => json::array_append(root, &path, new),
                            _ => json::array_insert(root, &path, new),
                        }
                    });
                    if let Some(changed) = changed.map_err(fail(1))? {
                        buf = changed;
                    }
                }
                text(Some(buf))
            }
            "remove" => {
                let (mut buf, paths) = (doc(0)?, paths(1)?);
                for path in &paths {
                    let changed = buf.root().and_then(|root| json::remove(root, path));
                    if let Some(changed) = changed.map_err(fail(1))? {
                        buf = changed;
                    }
                }
                text(Some(buf))
            }
            "merge_patch" | "merge_preserve" => {
                let mut buf = doc(0)?;
                for i in 1..args.len() {
                    let next = doc(i)?;
                    let merged = buf.root().and_then(|root| match &self.function[..] {
                        "merge_patch" => json::merge_patch(root, next.root()?),
                        _ => json::merge_preserve(root, next.root()?),
                    });
                    buf = merged.map_err(fail(1))?;
                }
                text(Some(buf))
            }
            "schema_valid" | "schema_validation_report" | "schema_value_report" => {
                let (schema, document) = (doc(0)?, doc(1)?);
                schema.root().and_then(|schema| {
                    let failure = if self.function == "schema_value_report" {
                        json::validate_schema(schema, document.root()?)?
                    } else {
                        json::validate_schema_of_text(schema, arg(1))?
                    };
                    match &self.function[..] {
                        "schema_valid" => Ok(bool(failure.is_none())),
                        _ => text(Some(json::schema_report(failure.as_ref())?)),
                    }
                })
            }
            "table" => super::cases::table_rows(&doc(0)?, &args[1..]),
            other => panic!("no function {other}"),
        };
        result.map_err(fail(1))
    }

    fn document(&self, index: usize) -> Result<JsonBuf, JsonError> {
        let arg = &self.args[index];
        let Some(special) = arg.strip_prefix('@') else { return json::parse(arg) };
        let mut builder = Builder::new();
        match special.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
            Some(items) => {
                builder.begin_array()?;
                items.split('|').try_for_each(|item| add_special(item, &mut builder))?;
                builder.end()?;
            }
            None => add_special(special, &mut builder)?,
        }
        builder.finish()
    }
}

/// Keys and hashes follow the comparison.
fn check_keys(
    a: json::JsonRef<'_>,
    b: json::JsonRef<'_>,
    order: std::cmp::Ordering,
) -> Result<(), JsonError> {
    let (mut key_a, mut key_b) = (Vec::new(), Vec::new());
    a.sort_key(&mut key_a)?;
    b.sort_key(&mut key_b)?;
    assert_eq!(key_a.cmp(&key_b), order, "keys of {a:?} and {b:?}");
    assert_eq!(b.compare(&a)?, order.reverse());
    Ok(())
}

fn add_special(item: &str, builder: &mut Builder) -> Result<(), JsonError> {
    let (kind, text) = item.split_once(':').unwrap_or(("json", item));
    let numbers = |text: &str| -> Vec<u32> {
        text.split(['-', ':', ' ']).map(|n| n.parse().expect("a number")).collect()
    };
    let fraction = |text: &str| -> (String, u32) {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        (whole.to_owned(), format!("{fraction:0<6}").parse().expect("a fraction"))
    };
    match kind {
        "dec" => builder.decimal(text)?,
        "date" => {
            let n = numbers(text);
            builder.date(PackedTime::date_time([n[0], n[1], n[2]], [0, 0, 0], 0));
        }
        "datetime" => {
            let (whole, micro) = fraction(text);
            let n = numbers(&whole);
            let (date, time) = ([n[0], n[1], n[2]], [n[3], n[4], n[5]]);
            builder.date_time(PackedTime::date_time(date, time, micro));
        }
        "time" => {
            let (whole, micro) = fraction(text.trim_start_matches('-'));
            let n = numbers(&whole);
            builder.time_of_day(PackedTime::time(text.starts_with('-'), [n[0], n[1], n[2]], micro));
        }
        "bin" => {
            let bytes: Vec<u8> = (0..text.len() / 2)
                .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex digits"))
                .collect();
            builder.opaque(json::field_type::VARCHAR, &bytes);
        }
        _ => builder.value(json::parse(item)?.root()?)?,
    }
    Ok(())
}
