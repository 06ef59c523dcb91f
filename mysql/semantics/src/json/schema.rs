//! JSON_SCHEMA_VALID and JSON_SCHEMA_VALIDATION_REPORT: draft 4 of JSON Schema.
//!
//! Keywords are looked at in the server's order, so that of several failures the same
//! one is reported: what a value's kind asks for, then its parts, then what counts
//! its parts, and at last `patternProperties`, `enum`, `allOf`, `anyOf`, `oneOf` and `not`.

use std::cmp::Ordering;
use std::collections::HashSet;

use regex::bytes::RegexBuilder;

use super::build::{Builder, JsonBuf};
use super::error::JsonError;
use super::number::compare_numbers;
use super::print::print_scalar;
use super::view::{JsonRef, Kind, ObjectRef};

type Result<T> = std::result::Result<T, JsonError>;

/// How many schemas may be looked at within each other.
const MAX_NESTED: usize = 400;
/// How many pairs of value and schema one validation may look at.
const MAX_STEPS: usize = 10_000_000;
/// Bytes that a compiled pattern may take.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Why a document does not follow a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFailure {
    /// Where in the schema, as a URI fragment.
    pub schema_location: String,
    /// Where in the document, as a URI fragment.
    pub document_location: String,
    /// The keyword that is not fulfilled.
    pub keyword: &'static str,
}

impl SchemaFailure {
    /// MySQL's sentence.
    pub fn reason(&self) -> String {
        format!(
            "The JSON document location '{}' failed requirement '{}' at JSON Schema location '{}'",
            self.document_location, self.keyword, self.schema_location
        )
    }
}

/// What JSON_SCHEMA_VALIDATION_REPORT gives.
///
/// # Errors
/// None that can be met.
pub fn schema_report(failure: Option<&SchemaFailure>) -> Result<JsonBuf> {
    let mut builder = Builder::new();
    builder.begin_object()?;
    builder.name("valid");
    builder.bool(failure.is_none());
    if let Some(failure) = failure {
        builder.name("reason");
        builder.string(&failure.reason());
        builder.name("schema-location");
        builder.string(&failure.schema_location);
        builder.name("document-location");
        builder.string(&failure.document_location);
        builder.name("schema-failed-keyword");
        builder.string(failure.keyword);
    }
    builder.end()?;
    builder.finish()
}

/// Checks a document against a schema; nothing if it follows it.
///
/// # Errors
/// If the schema is no object, refers to other documents, or refers to itself without
/// end.
pub fn validate_schema(
    schema: JsonRef<'_>,
    document: JsonRef<'_>,
) -> Result<Option<SchemaFailure>> {
    if !schema.is_object() {
        return Err(JsonError::Type { needed: "an object" });
    }
    refuse_remote(schema)?;
    let mut validator = Validator { root: schema, document: Vec::new(), steps: 0, nested: 0 };
    validator.check(&Place { schema, pointer: Pointer(Vec::new()) }, document)
}

/// [`validate_schema`] of a text: of several failures, the first in the text is
/// reported, which the order of a document's members no longer tells.
///
/// # Errors
/// As [`validate_schema`], and if the text is no document.
pub fn validate_schema_of_text(schema: JsonRef<'_>, text: &str) -> Result<Option<SchemaFailure>> {
    let mut builder = Builder::in_order_of_names_given();
    super::parse::parse_into(text, &mut builder)?;
    validate_schema(schema, builder.finish()?.root()?)
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

/// References to other documents are an error wherever they are.
fn refuse_remote(value: JsonRef<'_>) -> Result<()> {
    match value.kind()? {
        Kind::Array(array) => array.iter().try_for_each(|value| refuse_remote(value?)),
        Kind::Object(object) => object.iter().try_for_each(|member| {
            let (name, value) = member?;
            if name == "$ref"
                && value.as_str()?.is_some_and(|to| !to.is_empty() && !to.starts_with('#'))
            {
                return Err(JsonError::RemoteSchema);
            }
            refuse_remote(value)
        }),
        _ => Ok(()),
    }
}

/// A JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pointer(Vec<String>);

impl Pointer {
    fn then(&self, tokens: &[&str]) -> Self {
        let mut all = self.0.clone();
        all.extend(tokens.iter().map(|&token| token.to_owned()));
        Self(all)
    }
}

/// As a URI fragment.
fn fragment(tokens: &[String]) -> String {
    let mut text = String::from("#");
    for token in tokens {
        text.push('/');
        for byte in token.bytes() {
            match byte {
                b'~' => text.push_str("~0"),
                b'/' => text.push_str("~1"),
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => {
                    text.push(byte as char);
                }
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    text
}

/// A schema and where it is.
#[derive(Clone)]
struct Place<'s> {
    schema: JsonRef<'s>,
    pointer: Pointer,
}

struct Validator<'s> {
    root: JsonRef<'s>,
    /// The way to the value that is looked at.
    document: Vec<String>,
    steps: usize,
    nested: usize,
}

/// A failure of one keyword, or none.
type Verdict = Option<SchemaFailure>;

impl<'s> Validator<'s> {
    fn fail(&self, place: &Place<'_>, keyword: &'static str) -> Result<Verdict> {
        Ok(Some(SchemaFailure {
            schema_location: fragment(&place.pointer.0),
            document_location: fragment(&self.document),
            keyword,
        }))
    }

    /// Follows references; nothing if one leads nowhere.
    fn resolve(&self, place: &Place<'s>) -> Result<Option<Place<'s>>> {
        let mut place = place.clone();
        for _ in 0..MAX_NESTED {
            let Some(object) = place.schema.as_object()? else { return Ok(Some(place)) };
            let to = match object.get("$ref")? {
                Some(to) => to.as_str()?,
                None => None,
            };
            let Some(to) = to.and_then(|to| to.strip_prefix('#')) else { return Ok(Some(place)) };
            let Some(tokens) = pointer_tokens(to) else { return Ok(Some(place)) };
            let mut schema = self.root;
            for token in &tokens {
                let next = match schema.kind()? {
                    Kind::Object(object) => object.get(token)?,
                    Kind::Array(array) => match token.parse() {
                        Ok(index) => array.get(index)?,
                        Err(_) => None,
                    },
                    _ => None,
                };
                let Some(next) = next else { return Ok(None) };
                schema = next;
            }
            place = Place { schema, pointer: Pointer(tokens) };
        }
        Err(JsonError::TooDeep)
    }

    fn check(&mut self, place: &Place<'s>, value: JsonRef<'_>) -> Result<Verdict> {
        self.steps += 1;
        if self.nested >= MAX_NESTED || self.steps > MAX_STEPS {
            return Err(JsonError::TooDeep);
        }
        let Some(place) = self.resolve(place)? else { return Ok(None) };
        let Some(schema) = place.schema.as_object()? else { return Ok(None) };
        self.nested += 1;
        let verdict = self.check_all(&place, schema, value);
        self.nested -= 1;
        verdict
    }

    fn check_all(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        value: JsonRef<'_>,
    ) -> Result<Verdict> {
        let kind = value.kind()?;
        if let Some(types) = schema.get("type")?
            && !type_allowed(types, &kind)?
        {
            return self.fail(place, "type");
        }
        let verdict = match kind {
            Kind::Object(object) => self.object(place, schema, object)?,
            Kind::Array(array) => {
                let elements = array.iter().collect::<Result<Vec<_>>>()?;
                self.array(place, schema, &elements)?
            }
            Kind::Null | Kind::Bool(_) => None,
            Kind::Int(_) | Kind::UInt(_) | Kind::Double(_) | Kind::Decimal(_) => {
                self.number(place, schema, &kind)?
            }
            _ => self.string(place, schema, &kind)?,
        };
        if verdict.is_some() {
            return Ok(verdict);
        }
        self.combined(place, schema, value)
    }

    fn number(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        value: &Kind<'_>,
    ) -> Result<Verdict> {
        for (keyword, exclusive, beyond) in [
            ("minimum", "exclusiveMinimum", Ordering::Less),
            ("maximum", "exclusiveMaximum", Ordering::Greater),
        ] {
            let Some(bound) = schema.get(keyword)? else { continue };
            let Some(order) = compare_numbers(value, &bound.kind()?) else { continue };
            let exclusive = match schema.get(exclusive)? {
                Some(flag) => matches!(flag.kind()?, Kind::Bool(true)),
                None => false,
            };
            if order == beyond || (exclusive && order == Ordering::Equal) {
                return self.fail(place, keyword);
            }
        }
        if let Some(of) = schema.get("multipleOf")?
            && !is_multiple(value, &of.kind()?)
        {
            return self.fail(place, "multipleOf");
        }
        Ok(None)
    }

    fn string(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        value: &Kind<'_>,
    ) -> Result<Verdict> {
        let mut text = String::new();
        print_scalar(value, false, &mut text);
        let count = text.chars().count() as u64;
        if count < size(schema, "minLength")?.unwrap_or(0) {
            return self.fail(place, "minLength");
        }
        if count > size(schema, "maxLength")?.unwrap_or(u64::MAX) {
            return self.fail(place, "maxLength");
        }
        if let Some(pattern) = schema.get("pattern")?
            && let Some(pattern) = pattern.as_str()?
            && pattern_matches(pattern, &text) == Some(false)
        {
            return self.fail(place, "pattern");
        }
        Ok(None)
    }

    fn array(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        elements: &[JsonRef<'_>],
    ) -> Result<Verdict> {
        let (items, more) = (schema.get("items")?, schema.get("additionalItems")?);
        let unique = match schema.get("uniqueItems")? {
            Some(flag) => matches!(flag.kind()?, Kind::Bool(true)),
            None => false,
        };
        let mut seen = HashSet::new();
        for (i, &element) in elements.iter().enumerate() {
            self.document.push(i.to_string());
            let number = i.to_string();
            let part = match items.map(|items| items.kind()).transpose()? {
                Some(Kind::Object(_)) => items.map(|schema| (schema, vec!["items"])),
                Some(Kind::Array(tuple)) => match (tuple.get(i)?, more) {
                    (Some(schema), _) => Some((schema, vec!["items", &number])),
                    (None, Some(more)) => match more.kind()? {
                        Kind::Bool(false) => return self.fail(place, "additionalItems"),
                        Kind::Object(_) => Some((more, vec!["additionalItems"])),
                        _ => None,
                    },
                    (None, None) => None,
                },
                _ => None,
            };
            if let Some((schema, tokens)) = part {
                let part = Place { schema, pointer: place.pointer.then(&tokens) };
                if let Some(failure) = self.check(&part, element)? {
                    return Ok(Some(failure));
                }
            }
            if unique {
                let mut key = Vec::new();
                sorted(element)?.root()?.sort_key(&mut key)?;
                if !seen.insert(key) {
                    return self.fail(place, "uniqueItems");
                }
            }
            self.document.pop();
        }
        let count = elements.len() as u64;
        if count < size(schema, "minItems")?.unwrap_or(0) {
            return self.fail(place, "minItems");
        }
        if count > size(schema, "maxItems")?.unwrap_or(u64::MAX) {
            return self.fail(place, "maxItems");
        }
        Ok(None)
    }

    fn object(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        object: ObjectRef<'_>,
    ) -> Result<Verdict> {
        let part = |name| schema.get(name).and_then(|v| v.map_or(Ok(None), |v| v.as_object()));
        let (properties, patterns) = (part("properties")?, part("patternProperties")?);
        let (dependencies, more) = (part("dependencies")?, schema.get("additionalProperties")?);
        let named = Named::of(properties, schema.get("required")?, dependencies)?;
        for member in object.iter() {
            let (name, value) = member?;
            self.document.push(name.to_owned());
            let mut by_pattern = Vec::new();
            if let Some(patterns) = patterns {
                for pattern in patterns.iter() {
                    let (pattern, schema) = pattern?;
                    if pattern_matches(pattern, name) == Some(true) {
                        let pointer = place.pointer.then(&["patternProperties", pattern]);
                        by_pattern.push(Place { schema, pointer });
                    }
                }
            }
            let own = match properties {
                Some(properties) => properties.get(name)?,
                None => None,
            };
            let is_named = named.0.iter().any(|known| known == name);
            let (mut other, mut additional) = (None, false);
            if let Some(schema) = own {
                other = Some(Place { schema, pointer: place.pointer.then(&["properties", name]) });
            } else if !is_named {
                match more.map(|more| more.kind()).transpose()? {
                    Some(Kind::Object(_)) => {
                        let pointer = place.pointer.then(&["additionalProperties"]);
                        other = more.map(|schema| Place { schema, pointer });
                        additional = true;
                    }
                    Some(Kind::Bool(false)) if by_pattern.is_empty() => {
                        return self.fail(place, "additionalProperties");
                    }
                    _ => {}
                }
            }
            if by_pattern.is_empty() {
                if let Some(other) = other
                    && let Some(failure) = self.check(&other, value)?
                {
                    return Ok(Some(failure));
                }
            } else {
                let mut patterns_hold = true;
                for pattern in &by_pattern {
                    patterns_hold &= self.holds(pattern, value)?;
                }
                let other_holds = match &other {
                    Some(other) => Some(self.holds(other, value)?),
                    None => None,
                };
                let holds = match other_holds {
                    None => patterns_hold,
                    Some(other) if additional => patterns_hold || other,
                    Some(other) => patterns_hold && other,
                };
                if !holds {
                    // The server blames the schema that allows anything.
                    let nowhere = Place { schema: place.schema, pointer: Pointer(Vec::new()) };
                    return self.fail(&nowhere, "patternProperties");
                }
            }
            self.document.pop();
        }
        self.counts(place, schema, object, dependencies)
    }

    /// What is known at the end of an object.
    fn counts(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        object: ObjectRef<'_>,
        dependencies: Option<ObjectRef<'s>>,
    ) -> Result<Verdict> {
        // Not by search: the members may stand as they stood in a text.
        let names = object.iter().map(|member| Ok(member?.0)).collect::<Result<HashSet<_>>>()?;
        let required = match schema.get("required")? {
            Some(required) => required.as_array()?,
            None => None,
        };
        if let Some(required) = required {
            for name in required.iter() {
                let Some(name) = name?.as_str()? else { continue };
                if !names.contains(name) && !self.has_default(schema, name)? {
                    return self.fail(place, "required");
                }
            }
        }
        let count = object.len() as u64;
        if count < size(schema, "minProperties")?.unwrap_or(0) {
            return self.fail(place, "minProperties");
        }
        if count > size(schema, "maxProperties")?.unwrap_or(u64::MAX) {
            return self.fail(place, "maxProperties");
        }
        let Some(dependencies) = dependencies else { return Ok(None) };
        for dependency in dependencies.iter() {
            let (name, needed) = dependency?;
            if !names.contains(name) {
                continue;
            }
            match needed.kind()? {
                Kind::Array(all) => {
                    for needed in all.iter() {
                        if let Some(needed) = needed?.as_str()?
                            && !names.contains(needed)
                        {
                            return self.fail(place, "dependencies");
                        }
                    }
                }
                Kind::Object(_) => {
                    let pointer = place.pointer.then(&["dependencies", name]);
                    let place_of_it = Place { schema: needed, pointer };
                    let whole = object.whole();
                    if !self.holds(&place_of_it, whole)? {
                        return self.fail(place, "dependencies");
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// A missing property with a default that is a string is not missed.
    fn has_default(&self, schema: ObjectRef<'s>, name: &str) -> Result<bool> {
        let Some(properties) = schema.get("properties")? else { return Ok(false) };
        let Some(properties) = properties.as_object()? else { return Ok(false) };
        let Some(own) = properties.get(name)? else { return Ok(false) };
        let Some(own) = own.as_object()? else { return Ok(false) };
        let Some(default) = own.get("default")? else { return Ok(false) };
        Ok(default.as_str()?.is_some_and(|text| !text.is_empty()))
    }

    /// Whether a value follows a schema; failures are of no interest.
    fn holds(&mut self, place: &Place<'s>, value: JsonRef<'_>) -> Result<bool> {
        let length = self.document.len();
        let verdict = self.check(place, value)?;
        self.document.truncate(length);
        Ok(verdict.is_none())
    }

    /// `enum` and the keywords that combine schemas.
    fn combined(
        &mut self,
        place: &Place<'s>,
        schema: ObjectRef<'s>,
        value: JsonRef<'_>,
    ) -> Result<Verdict> {
        if let Some(allowed) = schema.get("enum")?
            && let Some(allowed) = allowed.as_array()?
            && !allowed.is_empty()
        {
            let (mut any, value) = (false, sorted(value)?);
            for allowed in allowed.iter() {
                any |= allowed?.compare(&value.root()?)? == Ordering::Equal;
            }
            if !any {
                return self.fail(place, "enum");
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(parts) = schema.get(keyword)? else { continue };
            let Some(parts) = parts.as_array()?.filter(|parts| !parts.is_empty()) else {
                continue;
            };
            let mut holding = 0;
            for (i, schema) in parts.iter().enumerate() {
                let pointer = place.pointer.then(&[keyword, &i.to_string()]);
                holding += usize::from(self.holds(&Place { schema: schema?, pointer }, value)?);
            }
            let fine = match keyword {
                "allOf" => holding == parts.len(),
                "anyOf" => holding > 0,
                _ => holding == 1,
            };
            if !fine {
                return self.fail(place, keyword);
            }
        }
        if let Some(not) = schema.get("not")? {
            let pointer = place.pointer.then(&["not"]);
            if self.holds(&Place { schema: not, pointer }, value)? {
                return self.fail(place, "not");
            }
        }
        Ok(None)
    }
}

/// The names that a schema mentions: they are not additional.
struct Named(Vec<String>);

impl Named {
    fn of(
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
fn pointer_tokens(text: &str) -> Option<Vec<String>> {
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

fn type_allowed(types: JsonRef<'_>, kind: &Kind<'_>) -> Result<bool> {
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
fn size(schema: ObjectRef<'_>, keyword: &str) -> Result<Option<u64>> {
    Ok(match schema.get(keyword)?.map(|value| value.kind()).transpose()? {
        Some(Kind::Int(value)) => u64::try_from(value).ok(),
        Some(Kind::UInt(value)) => Some(value),
        _ => None,
    })
}

fn is_multiple(value: &Kind<'_>, of: &Kind<'_>) -> bool {
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
fn pattern_matches(pattern: &str, text: &str) -> Option<bool> {
    let pattern =
        RegexBuilder::new(pattern).unicode(false).size_limit(MAX_PATTERN_BYTES).build().ok()?;
    Some(pattern.is_match(text.as_bytes()))
}
