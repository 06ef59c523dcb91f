//! JSON_SCHEMA_VALID and JSON_SCHEMA_VALIDATION_REPORT: draft 4 of JSON Schema.
//!
//! Keywords are looked at in the server's order, so that of several failures the same
//! one is reported: what a value's kind asks for, then its parts, then what counts
//! its parts, and at last `patternProperties`, `enum`, `allOf`, `anyOf`, `oneOf` and `not`.

mod keyword;
mod validate;

use self::validate::Validator;
use super::build::{Builder, JsonBuf};
use super::error::JsonError;
use super::view::{JsonRef, Kind};

type Result<T> = std::result::Result<T, JsonError>;

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
    Validator::new(schema).check_root(document)
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
