//! Making a document in the binary form.

use super::MAX_DEPTH;
use super::error::JsonError;
use super::layout::{Tag, VERSION, put_varint};
use super::scalar::{DecimalRef, PackedTime};
use super::view::JsonRef;

/// A document that owns its bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonBuf(Vec<u8>);

impl JsonBuf {
    /// A document from bytes that [`JsonBuf::as_bytes`] gave.
    ///
    /// # Errors
    /// If they are corrupt; all of them are checked.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, JsonError> {
        JsonRef::open(&bytes)?.validate()?;
        Ok(Self(bytes))
    }

    /// The document.
    ///
    /// # Errors
    /// None that can be met; reading is checked all the same.
    pub fn root(&self) -> Result<JsonRef<'_>, JsonError> {
        JsonRef::open(&self.0)
    }

    /// The binary form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The binary form.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A document of one string.
    ///
    /// # Errors
    /// If it has more than 4 GiB.
    pub fn string(text: &str) -> Result<Self, JsonError> {
        let mut builder = Builder::new();
        builder.string(text);
        builder.finish()
    }
}

impl std::fmt::Debug for JsonBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.root() {
            Ok(root) => root.fmt(f),
            Err(e) => write!(f, "<{e}>"),
        }
    }
}

/// Builds a document from its beginning to its end.
///
/// ```
/// # use firn_mysql_semantics::json::Builder;
/// let mut builder = Builder::new();
/// builder.begin_object()?;
/// builder.name("a");
/// builder.int(1);
/// builder.end()?;
/// assert_eq!(builder.finish()?.root()?.print()?, r#"{"a": 1}"#);
/// # Ok::<(), firn_mysql_semantics::json::JsonError>(())
/// ```
///
/// Of members of one name the last stays. A value within an object needs a name
/// before it; calls out of order are an error of [`Builder::finish`].
#[derive(Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    items: Vec<Item>,
    /// The name that the next value gets.
    name: Option<(usize, usize)>,
    misused: bool,
    /// Members stay as they come: no document that may leave this module.
    unsorted: bool,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Frame {
    is_object: bool,
    first_item: usize,
    start: usize,
    /// The container's own name.
    name: Option<(usize, usize)>,
    /// Whether the members came in order.
    sorted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Item {
    /// Position and length.
    name: (usize, usize),
    tag: Tag,
    inline: u16,
    at: usize,
    end: usize,
    depth: u8,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::with_capacity(64)
    }

    /// An empty builder with room for `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(bytes);
        buffer.push(VERSION);
        Self {
            bytes: buffer,
            frames: Vec::new(),
            items: Vec::new(),
            name: None,
            misused: false,
            unsorted: false,
            scratch: Vec::new(),
        }
    }

    /// A builder that leaves members in the order in which they come, those of one name
    /// too: look-ups by name do not work on what it makes.
    pub(super) fn in_order_of_names_given() -> Self {
        Self { unsorted: true, ..Self::new() }
    }

    /// Bytes so far: for limits.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether no value has been added.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.frames.is_empty()
    }

    fn put(&mut self, tag: Tag, inline: u16, at: usize, depth: u8) {
        let end = self.bytes.len();
        let name = self.take_name();
        let name = name.unwrap_or((0, 0));
        if let Some(frame) = self.frames.last_mut() {
            if frame.is_object && frame.sorted && self.items.len() > frame.first_item {
                let last = self.items[self.items.len() - 1].name;
                frame.sorted = follows(&self.bytes, last, name);
            }
        } else {
            self.misused |= !self.items.is_empty();
        }
        self.items.push(Item { name, tag, inline, at, end, depth });
    }

    fn take_name(&mut self) -> Option<(usize, usize)> {
        let name = self.name.take();
        let needed = self.frames.last().is_some_and(|frame| frame.is_object);
        self.misused |= name.is_some() != needed;
        name
    }

    /// The name of the next member.
    pub fn name(&mut self, name: &str) {
        self.misused |= self.name.is_some();
        self.name = Some((self.bytes.len(), name.len()));
        self.bytes.extend_from_slice(name.as_bytes());
    }

    /// Adds the JSON null.
    pub fn null(&mut self) {
        self.put(Tag::Null, 0, 0, 1);
    }

    /// Adds true or false.
    pub fn bool(&mut self, value: bool) {
        self.put(if value { Tag::True } else { Tag::False }, 0, 0, 1);
    }

    /// Adds an integer.
    pub fn int(&mut self, value: i64) {
        let at = self.bytes.len();
        if let Ok(value) = i16::try_from(value) {
            self.put(Tag::Int16, value as u16, 0, 1);
        } else if let Ok(value) = i32::try_from(value) {
            self.bytes.extend_from_slice(&value.to_le_bytes());
            self.put(Tag::Int32, 0, at, 1);
        } else {
            self.bytes.extend_from_slice(&value.to_le_bytes());
            self.put(Tag::Int64, 0, at, 1);
        }
    }

    /// Adds an unsigned integer.
    pub fn uint(&mut self, value: u64) {
        let at = self.bytes.len();
        if let Ok(value) = u16::try_from(value) {
            self.put(Tag::UInt16, value, 0, 1);
        } else if let Ok(value) = u32::try_from(value) {
            self.bytes.extend_from_slice(&value.to_le_bytes());
            self.put(Tag::UInt32, 0, at, 1);
        } else {
            self.bytes.extend_from_slice(&value.to_le_bytes());
            self.put(Tag::UInt64, 0, at, 1);
        }
    }

    /// Adds a floating-point number.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn double(&mut self, value: f64) -> Result<(), JsonError> {
        if !value.is_finite() {
            return Err(JsonError::Value("a number that is not finite"));
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self.put(Tag::Double, 0, at, 1);
        Ok(())
    }

    /// Adds a DECIMAL, given as MySQL prints it.
    ///
    /// # Errors
    /// If it is none of at most 65 digits, 30 of them behind the point.
    pub fn decimal(&mut self, text: &str) -> Result<(), JsonError> {
        let at = self.bytes.len();
        DecimalRef::write(text, &mut self.bytes)?;
        self.put(Tag::Decimal, 0, at, 1);
        Ok(())
    }

    /// Adds a string.
    pub fn string(&mut self, text: &str) {
        let at = self.bytes.len();
        put_varint(&mut self.bytes, text.len());
        self.bytes.extend_from_slice(text.as_bytes());
        self.put(Tag::String, 0, at, 1);
    }

    fn time(&mut self, tag: Tag, value: PackedTime) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&value.0.to_le_bytes());
        self.put(tag, 0, at, 1);
    }

    /// Adds a DATE.
    pub fn date(&mut self, value: PackedTime) {
        self.time(Tag::Date, value);
    }

    /// Adds a TIME.
    pub fn time_of_day(&mut self, value: PackedTime) {
        self.time(Tag::Time, value);
    }

    /// Adds a DATETIME.
    pub fn date_time(&mut self, value: PackedTime) {
        self.time(Tag::DateTime, value);
    }

    /// Adds a TIMESTAMP.
    pub fn timestamp(&mut self, value: PackedTime) {
        self.time(Tag::Timestamp, value);
    }

    /// Adds a value of another type; see [`field_type`](super::field_type).
    pub fn opaque(&mut self, field_type: u8, bytes: &[u8]) {
        let at = self.bytes.len();
        self.bytes.push(field_type);
        put_varint(&mut self.bytes, bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.put(Tag::Opaque, 0, at, 1);
    }

    /// Adds a document or a part of one.
    ///
    /// # Errors
    /// If its bytes are corrupt, or the whole becomes too deep.
    pub fn value(&mut self, value: JsonRef<'_>) -> Result<(), JsonError> {
        if value.tag().is_inline() {
            self.put(value.tag(), value.place() as u16, 0, 1);
            return Ok(());
        }
        let depth = value.depth_code()?;
        if usize::from(depth / 2) + self.frames.len() > usize::from(MAX_DEPTH) {
            return Err(JsonError::TooDeep);
        }
        let (bytes, position) = value.span()?;
        let at = self.bytes.len() + position;
        self.bytes.extend_from_slice(bytes);
        self.put(value.tag(), 0, at, depth);
        Ok(())
    }

    fn begin(&mut self, is_object: bool) -> Result<(), JsonError> {
        if self.frames.len() >= usize::from(MAX_DEPTH) {
            return Err(JsonError::TooDeep);
        }
        let name = self.take_name();
        let (first_item, start) = (self.items.len(), self.bytes.len());
        self.frames.push(Frame { is_object, first_item, start, name, sorted: true });
        Ok(())
    }

    /// Begins an array.
    ///
    /// # Errors
    /// If it is nested too deep.
    pub fn begin_array(&mut self) -> Result<(), JsonError> {
        self.begin(false)
    }

    /// Begins an object.
    ///
    /// # Errors
    /// If it is nested too deep.
    pub fn begin_object(&mut self) -> Result<(), JsonError> {
        self.begin(true)
    }

    /// Ends the innermost array or object.
    ///
    /// # Errors
    /// If it has more than 4 GiB.
    pub fn end(&mut self) -> Result<(), JsonError> {
        let Some(frame) = self.frames.pop() else {
            self.misused = true;
            return Ok(());
        };
        self.misused |= self.name.take().is_some();
        if !frame.sorted && !self.unsorted {
            self.sort(&frame);
        }
        let (table, items) = (self.bytes.len(), &self.items[frame.first_item..]);
        let (count, extent) = (items.len(), table - frame.start);
        if u32::try_from(table).is_err() || u32::try_from(count).is_err() {
            return Err(JsonError::TooBig);
        }
        let small = count <= usize::from(u16::MAX) && extent <= usize::from(u16::MAX);
        let width = if small { 2 } else { 4 };
        let bytes = &mut self.bytes;
        bytes.reserve(1 + 2 * width + count * (1 + 3 * width));
        // All fit: they are at most `extent` or `count`.
        let put = |bytes: &mut Vec<u8>, value: usize| {
            bytes.extend_from_slice(&(value as u32).to_le_bytes()[..width]);
        };
        let depth = items.iter().map(|item| item.depth).max().unwrap_or(0) + 2;
        bytes.push(depth);
        put(bytes, count);
        put(bytes, extent);
        if frame.is_object {
            for item in items {
                put(bytes, table - item.name.0);
                put(bytes, item.name.1);
            }
        }
        for item in items {
            bytes.push(item.tag as u8);
            put(bytes, if item.tag.is_inline() { item.inline.into() } else { table - item.at });
        }
        self.items.truncate(frame.first_item);
        let tag = match (frame.is_object, small) {
            (false, true) => Tag::ArraySmall,
            (false, false) => Tag::ArrayLarge,
            (true, true) => Tag::ObjectSmall,
            (true, false) => Tag::ObjectLarge,
        };
        self.name = frame.name;
        self.put(tag, 0, table, depth);
        Ok(())
    }

    /// Brings an object's members into order; of one name, the last stays.
    fn sort(&mut self, frame: &Frame) {
        let bytes = &self.bytes;
        let items = &mut self.items[frame.first_item..];
        let name = |item: &Item| &bytes[item.name.0..item.name.0 + item.name.1];
        items.sort_by(|a, b| a.name.1.cmp(&b.name.1).then_with(|| name(a).cmp(name(b))));
        let mut kept = 0;
        for i in 0..items.len() {
            if items.get(i + 1).is_some_and(|next| name(next) == name(&items[i])) {
                continue;
            }
            items[kept] = items[i];
            kept += 1;
        }
        self.scratch.clear();
        for item in &mut items[..kept] {
            let (from, to) = (item.name.0, frame.start + self.scratch.len());
            self.scratch.extend_from_slice(&self.bytes[from..item.end]);
            item.name.0 = to;
            item.at = (item.at + to).saturating_sub(from);
            item.end = item.end - from + to;
        }
        self.items.truncate(frame.first_item + kept);
        self.bytes.truncate(frame.start);
        self.bytes.extend_from_slice(&self.scratch);
    }

    /// The document.
    ///
    /// # Errors
    /// If it has more than 4 GiB, or what was called does not make one value.
    pub fn finish(mut self) -> Result<JsonBuf, JsonError> {
        let (true, [root]) = (self.frames.is_empty() && !self.misused, &self.items[..]) else {
            return Err(JsonError::Value("not one value"));
        };
        let footer = self.bytes.len();
        let value = if root.tag.is_inline() { root.inline.into() } else { footer - root.at };
        let value = u32::try_from(value).map_err(|_| JsonError::TooBig)?;
        let tag = root.tag as u8;
        self.bytes.push(tag);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        if u32::try_from(self.bytes.len()).is_err() {
            return Err(JsonError::TooBig);
        }
        Ok(JsonBuf(self.bytes))
    }
}

/// Whether the second name stands behind the first in the order of members.
fn follows(bytes: &[u8], first: (usize, usize), second: (usize, usize)) -> bool {
    let name = |(at, len): (usize, usize)| &bytes[at..at + len];
    first.1 < second.1 || (first.1 == second.1 && name(first) < name(second))
}
