//! What single keywords ask for.

use regex::bytes::RegexBuilder;

use super::super::build::{Builder, JsonBuf};
use super::super::view::{JsonRef, Kind, ObjectRef};
use super::Result;

/// Bytes that a compiled pattern may take.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// The names that a schema mentions: they are not additional.
pub(super) struct Named(pub(super) Vec<String>);

impl Named {
    pub(super) fn of(
        properties: Option<ObjectRef<'_>>,
        required: Option<JsonRef<'_>>,
        dependencies: Option<ObjectRef<'_>>,
    ) -> Result<Self> {
        let mut names = Vec::new();
        for object in [properties, dependencies].into_iter().flatten() {
            for member in object.iter() {
                names.push(member?.0.to_owned());
            }
        }
        let mut add_all = |array: JsonRef<'_>| -> Result<()> {
            let Some(array) = array.as_array()? else { return Ok(()) };
            for name in array.iter() {
                names.extend(name?.as_str()?.map(str::to_owned));
            }
            Ok(())
        };
        if let Some(required) = required {
            add_all(required)?;
        }
        if let Some(dependencies) = dependencies {
            for member in dependencies.iter() {
                add_all(member?.1)?;
            }
        }
        Ok(Self(names))
    }
}

/// The tokens of a pointer in a fragment, without the `#`.
pub(super) fn pointer_tokens(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let tokens = text.strip_prefix('/')?.split('/');
    tokens
        .map(|token| {
            let mut bytes = Vec::new();
            let mut rest = token.bytes();
            while let Some(byte) = rest.next() {
                bytes.push(match byte {
                    b'%' => {
                        let mut digit = || (rest.next()? as char).to_digit(16);
                        (digit()? * 16 + digit()?) as u8
                    }
                    b'~' => match rest.next()? {
                        b'0' => b'~',
                        b'1' => b'/',
                        _ => return None,
                    },
                    other => other,
                });
            }
            String::from_utf8(bytes).ok()
        })
        .collect()
}

pub(super) fn type_allowed(types: JsonRef<'_>, kind: &Kind<'_>) -> Result<bool> {
    let own: &[&str] = match kind {
        Kind::Null => &["null"],
        Kind::Bool(_) => &["boolean"],
        Kind::Int(_) | Kind::UInt(_) => &["integer", "number"],
        Kind::Double(_) | Kind::Decimal(_) => &["number"],
        Kind::Object(_) => &["object"],
        Kind::Array(_) => &["array"],
        _ => &["string"],
    };
    match types.kind()? {
        Kind::String(name) => Ok(own.contains(&name)),
        Kind::Array(names) => {
            for name in names.iter() {
                if name?.as_str()?.is_some_and(|name| own.contains(&name)) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// A keyword's value, if it is a size.
pub(super) fn size(schema: ObjectRef<'_>, keyword: &str) -> Result<Option<u64>> {
    Ok(match schema.get(keyword)?.map(|value| value.kind()).transpose()? {
        Some(Kind::Int(value)) => u64::try_from(value).ok(),
        Some(Kind::UInt(value)) => Some(value),
        _ => None,
    })
}

pub(super) fn is_multiple(value: &Kind<'_>, of: &Kind<'_>) -> bool {
    let whole = |kind: &Kind<'_>| match *kind {
        Kind::Int(value) => Some(value.unsigned_abs()),
        Kind::UInt(value) => Some(value),
        _ => None,
    };
    let double = |kind: &Kind<'_>| match *kind {
        Kind::Int(value) => value as f64,
        Kind::UInt(value) => value as f64,
        Kind::Double(value) => value,
        Kind::Decimal(value) => value.to_f64(),
        _ => 0.0,
    };
    if double(of) <= 0.0 {
        return true;
    }
    if let (Some(value), Some(of)) = (whole(value), whole(of)) {
        return value % of == 0;
    }
    // As near to a multiple as doubles tell.
    let times = double(value).abs() / double(of);
    let rounded = (times + 0.5).floor();
    let difference = (rounded - times).abs();
    difference <= (times + rounded) * f64::EPSILON || difference < f64::MIN_POSITIVE
}

/// Whether a pattern is found in a text; nothing if the pattern is malformed, which
/// makes it no requirement.
pub(super) fn pattern_matches(pattern: &str, text: &str) -> Option<bool> {
    let pattern =
        RegexBuilder::new(pattern).unicode(false).size_limit(MAX_PATTERN_BYTES).build().ok()?;
    Some(pattern.is_match(text.as_bytes()))
}

/// What tells two values apart for `enum` and `uniqueItems`: as documents compare, but
/// 0 and -0.0 differ.
pub(super) fn identity(value: JsonRef<'_>) -> Result<Vec<u8>> {
    let (mut key, value) = (Vec::new(), sorted(value)?);
    value.root()?.sort_key(&mut key)?;
    negative_zeros(value.root()?, &mut key)?;
    Ok(key)
}

/// Appends a byte for each scalar.
fn negative_zeros(value: JsonRef<'_>, to: &mut Vec<u8>) -> Result<()> {
    match value.kind()? {
        Kind::Array(array) => array.iter().try_for_each(|value| negative_zeros(value?, to)),
        Kind::Object(object) => object.iter().try_for_each(|one| negative_zeros(one?.1, to)),
        Kind::Double(value) => {
            to.push((value == 0.0 && value.is_sign_negative()).into());
            Ok(())
        }
        _ => {
            to.push(0);
            Ok(())
        }
    }
}

/// A value with its members in their order, for comparisons.
fn sorted(value: JsonRef<'_>) -> Result<JsonBuf> {
    fn write(value: JsonRef<'_>, to: &mut Builder) -> Result<()> {
        match value.kind()? {
            Kind::Array(array) => {
                to.begin_array()?;
                array.iter().try_for_each(|value| write(value?, to))?;
                to.end()
            }
            Kind::Object(object) => {
                to.begin_object()?;
                for member in object.iter() {
                    let (name, value) = member?;
                    to.name(name);
                    write(value, to)?;
                }
                to.end()
            }
            _ => to.value(value),
        }
    }
    let mut builder = Builder::new();
    write(value, &mut builder)?;
    builder.finish()
}
