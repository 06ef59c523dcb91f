//! GROUP_CONCAT.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::Cx;

use crate::bind::Aggregate;

/// The texts of a group.
#[derive(Debug, Clone)]
pub(crate) struct Concat {
    /// Texts that are to be put in order, with their keys.
    waiting: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    text: Vec<u8>,
    rows: u64,
    /// The row at which the text became too long.
    cut: Option<u64>,
}

/// `group_concat_max_len`, in bytes.
fn bytes_max(cx: &Cx<'_>) -> usize {
    let longest = match cx.session.system_variable("group_concat_max_len") {
        Some((Value::UInt(number), _)) => number,
        Some((Value::Int(number), _)) => number.unsigned_abs(),
        _ => 1024,
    };
    let longest = longest.min(cx.settings.max_allowed_packet_bytes);
    usize::try_from(longest).unwrap_or(usize::MAX)
}

impl Concat {
    pub(crate) fn new(ordered: bool) -> Self {
        Self { waiting: ordered.then(Vec::new), text: Vec::new(), rows: 0, cut: None }
    }

    /// Takes in a text; the bytes that are held for it.
    pub(crate) fn add(
        &mut self,
        text: Vec<u8>,
        order: Vec<u8>,
        separator: &[u8],
        cx: &Cx<'_>,
    ) -> usize {
        if let Some(waiting) = &mut self.waiting {
            let held = text.len() + order.len() + 64;
            waiting.push((order, text));
            return held;
        }
        self.append(&text, separator, bytes_max(cx))
    }

    fn append(&mut self, text: &[u8], separator: &[u8], longest: usize) -> usize {
        self.rows += 1;
        if self.cut.is_some() {
            return 0;
        }
        let before = self.text.len();
        if self.rows > 1 {
            self.text.extend_from_slice(separator);
        }
        self.text.extend_from_slice(text);
        if self.text.len() > longest {
            self.cut = Some(self.rows);
        }
        self.text.len() - before
    }

    /// The text; 1260 if it is cut.
    pub(crate) fn finish(mut self, aggregate: &Aggregate, cx: &mut Cx<'_>) -> Value {
        let longest = bytes_max(cx);
        if let Some(mut waiting) = self.waiting.take() {
            waiting.sort_by(|a, b| a.0.cmp(&b.0));
            for (_, text) in waiting {
                self.append(&text, &aggregate.separator, longest);
            }
        }
        if self.rows == 0 {
            return Value::Null;
        }
        if let Some(row) = self.cut {
            cut(&mut self.text, longest, aggregate);
            let error = SqlError::new(code::ER_CUT_VALUE_GROUP_CONCAT, &[row.into()]);
            cx.warnings.push(Level::Warning, error);
        }
        Value::Bytes(self.text.into())
    }
}

/// Cuts a text to so many bytes, at the end of a character.
fn cut(text: &mut Vec<u8>, longest: usize, aggregate: &Aggregate) {
    let mut end = longest.min(text.len());
    let set = Collation::by_id(aggregate.ty.collation.0).map(|one| one.charset().name());
    if matches!(set, Some("utf8mb4" | "utf8mb3")) {
        while end > 0 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
    }
    text.truncate(end);
}
