//! The name of a span as it travels: W3C's `traceparent`.

use std::fmt;

/// Names a span that is exported: `00-<trace>-<span>-01`, numbers in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// Number of the trace; never 0.
    pub trace: u128,
    /// Number of the span; never 0.
    pub span: u64,
}

/// Bytes of version 0.
const LEN: usize = 55;

impl TraceParent {
    /// What a caller sent. `None` while no traces are exported here, for what cannot be read,
    /// and if the caller's span is not exported either.
    #[must_use]
    pub fn received(text: &[u8]) -> Option<Self> {
        if super::is_on() { Self::parse(text) } else { None }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut fields = text.split('-');
        let mut field = |len: usize| {
            let digits = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
            fields.next().filter(|field| field.len() == len && field.bytes().all(digits))
        };
        let (version, trace, span, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        // Later versions may have more at the end.
        if version == "ff" || (version == "00" && text.len() != LEN) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        sampled.then_some(Self { trace, span })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the recommendation (Trace Context, 3.2.4).
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_name_of_a_span_is_read_and_written() {
        let parent = TraceParent::parse(EXAMPLE.as_bytes()).expect("it is an example");
        assert_eq!(parent.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(parent.span, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(parent.to_string(), EXAMPLE);
        let later = EXAMPLE.replacen("00", "01", 1) + "-more";
        assert_eq!(TraceParent::parse(later.as_bytes()), Some(parent));
        // The other flags may be anything.
        assert_eq!(TraceParent::parse(EXAMPLE.replace("-01", "-03").as_bytes()), Some(parent));
    }

    #[test]
    fn what_is_not_exported_or_malformed_is_none() {
        let not = [
            EXAMPLE.replace("-01", "-00"),
            EXAMPLE.replacen("00", "ff", 1),
            EXAMPLE.replace('4', "A"),
            EXAMPLE.replace("00f067aa0ba902b7", "0000000000000000"),
            EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            format!("{EXAMPLE}-"),
            format!("{EXAMPLE} "),
            EXAMPLE[..54].to_owned(),
            EXAMPLE.replace('-', "+"),
            "00-é".to_owned(),
            String::new(),
        ];
        for text in not {
            assert_eq!(TraceParent::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(TraceParent::parse(b"\xff\xfe"), None);
    }
}
