//! GROUP_CONCAT.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Level, SqlError, code};
use firn_mysql_semantics::expr::Cx;

use crate::bind::Aggregate;
use crate::spill::{put_bytes, put_length, take_array, take_bytes, take_length};

/// The texts of a group.
#[derive(Debug, Clone)]
pub(crate) struct Concat {
    /// Texts that are to be put in order, with their keys.
    waiting: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    text: Vec<u8>,
    rows: u64,
    /// The row at which the text became too long.
    cut: Option<u64>,
    /// What waits takes so much memory, in bytes; and so much was said that it does.
    held: usize,
    told: usize,
    /// When to look for what cannot be part of the text any more, in bytes.
    cut_at: usize,
}

/// Texts that wait may be so much before any of them goes, in bytes.
const CUT_BYTES: usize = 64 << 10;

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
        let (text, rows, cut, held, told) = Default::default();
        let waiting = ordered.then(Vec::new);
        Self { waiting, text, rows, cut, held, told, cut_at: CUT_BYTES }
    }

    /// Memory that it holds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.held + self.text.len()
    }

    /// Appends it to a temporary file.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.rows.to_be_bytes());
        out.extend_from_slice(&self.cut.unwrap_or(0).to_be_bytes());
        put_bytes(&self.text, out);
        out.push(u8::from(self.waiting.is_some()));
        put_length(self.waiting.as_ref().map_or(0, Vec::len), out);
        for (order, text) in self.waiting.iter().flatten() {
            put_bytes(order, out);
            put_bytes(text, out);
        }
    }

    /// Takes what [`Self::put`] appended.
    ///
    /// # Errors
    /// 1105
    pub(super) fn take(from: &mut &[u8]) -> Result<Self, SqlError> {
        let rows = u64::from_be_bytes(take_array(from)?);
        // Rows count from 1.
        let cut = Some(u64::from_be_bytes(take_array(from)?)).filter(|row| *row > 0);
        let text = take_bytes(from)?.to_vec();
        let [ordered] = take_array(from)?;
        let (mut waiting, mut held) = (Vec::new(), 0);
        for _ in 0..take_length(from)? {
            let (order, text) = (take_bytes(from)?.to_vec(), take_bytes(from)?.to_vec());
            held += order.len() + text.len() + 64;
            waiting.push((order, text));
        }
        let waiting = (ordered == 1).then_some(waiting);
        Ok(Self { waiting, text, rows, cut, held, told: held, cut_at: CUT_BYTES })
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
            self.held += text.len() + order.len() + 64;
            waiting.push((order, text));
            if self.held > self.cut_at {
                self.cut_waiting(separator.len(), bytes_max(cx));
            }
            let more = self.held.saturating_sub(self.told);
            self.told += more;
            return more;
        }
        self.append(&text, separator, bytes_max(cx))
    }

    /// Leaves the first of those that wait, as far as they can be part of the text.
    fn cut_waiting(&mut self, separator: usize, longest: usize) {
        let Some(waiting) = &mut self.waiting else { return };
        waiting.sort_by(|a, b| a.0.cmp(&b.0));
        let (mut text, mut held, mut first) = (0, 0, 0);
        for (order, one) in waiting.iter() {
            first += 1;
            held += one.len() + order.len() + 64;
            text += one.len() + if first > 1 { separator } else { 0 };
            if text > longest {
                break;
            }
        }
        waiting.truncate(first);
        self.held = held;
        self.cut_at = held.saturating_mul(2).max(CUT_BYTES);
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
