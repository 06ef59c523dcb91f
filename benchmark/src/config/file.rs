//! Files of workloads.

use std::path::Path;

use firn_engine::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;

/// The text of a file.
///
/// # Errors
/// `BadRequest` naming the file.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::with_source(ErrorKind::BadRequest, path.display().to_string(), e))
}

/// Reads YAML; `source` stands for the file's name in errors.
///
/// # Errors
/// `BadRequest`, with file, line and what is wrong there.
pub(crate) fn from_yaml<T: DeserializeOwned>(text: &str, source: &str) -> Result<T> {
    serde_yaml::from_str(text).map_err(|e| {
        let message = match e.location() {
            Some(at) => {
                let place = format!(" at line {} column {}", at.line(), at.column());
                format!("{source}:{}: {}", at.line(), e.to_string().replace(&place, ""))
            }
            None => format!("{source}: {e}"),
        };
        Error::new(ErrorKind::BadRequest, message)
    })
}
