//! One document against one schema.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::error::JsonError;
use super::super::number::compare_numbers;
use super::super::print::print_scalar;
use super::super::view::{JsonRef, Kind, ObjectRef};
use super::keyword::{
    Named, identity, is_multiple, pattern_matches, pointer_tokens, size, type_allowed,
};
use super::{Result, SchemaFailure};

/// How many schemas may be looked at within each other.
const MAX_NESTED: usize = 400;
/// How many pairs of value and schema one validation may look at.
const MAX_STEPS: usize = 10_000_000;
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

pub(super) struct Validator<'s> {
    root: JsonRef<'s>,
    /// The way to the value that is looked at.
    document: Vec<String>,
    steps: usize,
    nested: usize,
}

/// A failure of one keyword, or none.
type Verdict = Option<SchemaFailure>;

impl<'s> Validator<'s> {
    pub(super) fn new(root: JsonRef<'s>) -> Self {
        Self { root, document: Vec::new(), steps: 0, nested: 0 }
    }

    /// Checks a document against the whole schema.
    pub(super) fn check_root(&mut self, document: JsonRef<'_>) -> Result<Verdict> {
        self.check(&Place { schema: self.root, pointer: Pointer(Vec::new()) }, document)
    }

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
            if unique && !seen.insert(identity(element)?) {
                return self.fail(place, "uniqueItems");
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
            let (mut any, value) = (false, identity(value)?);
            for allowed in allowed.iter() {
                any |= identity(allowed?)? == value;
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
