//! How a process says why it ends: one line and an exit code.

use std::io::Write;
use std::process::ExitCode;

use firn_engine::{Error, ErrorKind};

/// The exit code for an error of this kind.
///
/// | code | the caller should |
/// |---|---|
/// | 1 | report a bug |
/// | 2 | correct the configuration or the command |
/// | 3 | not go on with this data: stored bytes are damaged |
/// | 4 | look at the part that is named: it is out of reach or of room |
/// | 5 | not start it again beside the newer writer |
/// | 6 | find out whether it took effect |
/// | 7 | start it again |
pub fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::BadRequest => 2,
        ErrorKind::Corrupt => 3,
        ErrorKind::Unavailable => 4,
        ErrorKind::Fenced => 5,
        ErrorKind::OutcomeUnknown => 6,
        ErrorKind::Retry => 7,
        // `Internal`, and kinds that this table does not know yet.
        _ => 1,
    }
}

/// The line for standard error: `firn: ` and the chain of causes.
pub fn line(error: &Error) -> String {
    format!("firn: {}", one_line(&error.to_string()))
}

/// Writes the line to standard error and gives the code to end with.
pub fn report(error: &Error) -> ExitCode {
    // If standard error is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", line(error));
    ExitCode::from(code(error.kind()))
}

/// Replaces what would end the line or steer a terminal. A text from outside,
/// such as a server's reply, may hold both.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_it_holds() {
        let source = std::io::Error::other("<Error>\n\u{1b}[31mred</Error>\r\n");
        let e = Error::with_source(ErrorKind::Unavailable, "GET s3://b/x", source);
        assert_eq!(line(&e), "firn: GET s3://b/x: <Error>\\n\\u{1b}[31mred</Error>");
    }

    #[test]
    fn codes_tell_what_to_do_and_none_is_success() {
        let kinds = [
            ErrorKind::Internal,
            ErrorKind::BadRequest,
            ErrorKind::Corrupt,
            ErrorKind::Unavailable,
            ErrorKind::Fenced,
            ErrorKind::OutcomeUnknown,
            ErrorKind::Retry,
        ];
        assert_eq!(kinds.map(code), [1, 2, 3, 4, 5, 6, 7]);
    }
}
