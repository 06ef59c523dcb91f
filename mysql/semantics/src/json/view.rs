//! Reading a document in the binary form.

use std::cmp::Ordering;

use super::error::JsonError;
use super::layout::{FOOTER_LEN, Tag, VERSION, array, bytes, number, varint};
use super::scalar::{DecimalRef, PackedTime};

/// A document, or a part of one, in the binary form.
#[derive(Clone, Copy)]
pub struct JsonRef<'a> {
    all: &'a [u8],
    tag: Tag,
    /// The inline value, or the position.
    at: u32,
}

/// What a [`JsonRef`] is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// The JSON null, which is not SQL's NULL.
    Null,
    /// true or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A floating-point number, always finite.
    Double(f64),
    /// A DECIMAL.
    Decimal(DecimalRef<'a>),
    /// A string.
    String(&'a str),
    /// A DATE.
    Date(PackedTime),
    /// A TIME.
    Time(PackedTime),
    /// A DATETIME.
    DateTime(PackedTime),
    /// A TIMESTAMP.
    Timestamp(PackedTime),
    /// A value of another SQL type.
    Opaque {
        /// One of [`field_type`](super::field_type).
        field_type: u8,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// An array.
    Array(ArrayRef<'a>),
    /// An object.
    Object(ObjectRef<'a>),
}

/// An array.
#[derive(Debug, Clone, Copy)]
pub struct ArrayRef<'a>(Table<'a>);

/// An object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectRef<'a>(Table<'a>);

/// The table of a container.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    all: &'a [u8],
    tag: Tag,
    at: usize,
    count: usize,
    extent: usize,
    depth: u8,
}

impl<'a> JsonRef<'a> {
    /// The document that these bytes are.
    ///
    /// # Errors
    /// If they cannot be one. Only the outside is looked at: each access checks what
    /// it reads, and [`JsonRef::validate`] checks all.
    pub fn open(all: &'a [u8]) -> Result<Self, JsonError> {
        if all.first() != Some(&VERSION) {
            return Err(JsonError::Corrupt("unknown version"));
        }
        let footer = all.len().checked_sub(FOOTER_LEN).filter(|&at| at >= 1);
        let Some(footer) = footer.filter(|_| u32::try_from(all.len()).is_ok()) else {
            return Err(JsonError::Corrupt("a length that no document has"));
        };
        let tag = Tag::of(all[footer])?;
        let value = number(all, footer + 1, 4)?;
        Self::of_entry(all, tag, value, footer, 1)
    }

    /// The value that an entry tells of. Its container's table is at `table`, and what
    /// is contained begins at `start`.
    fn of_entry(
        all: &'a [u8],
        tag: Tag,
        value: u32,
        table: usize,
        start: usize,
    ) -> Result<Self, JsonError> {
        if tag.is_inline() {
            return Ok(Self { all, tag, at: value });
        }
        let at = table.checked_sub(value as usize).filter(|&at| at >= start && value > 0);
        let at = at.ok_or(JsonError::Corrupt("a distance that leads outside"))?;
        Ok(Self { all, tag, at: at as u32 })
    }

    /// The value itself.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn kind(&self) -> Result<Kind<'a>, JsonError> {
        let at = self.at as usize;
        let time = || array(self.all, at).map(|b| PackedTime(i64::from_le_bytes(b)));
        Ok(match self.tag {
            Tag::Null => Kind::Null,
            Tag::False => Kind::Bool(false),
            Tag::True => Kind::Bool(true),
            Tag::Int16 => Kind::Int(i64::from(self.at as u16 as i16)),
            Tag::Int32 => Kind::Int(i32::from_le_bytes(array(self.all, at)?).into()),
            Tag::Int64 => Kind::Int(i64::from_le_bytes(array(self.all, at)?)),
            Tag::UInt16 => Kind::UInt(u64::from(self.at as u16)),
            Tag::UInt32 => Kind::UInt(u32::from_le_bytes(array(self.all, at)?).into()),
            Tag::UInt64 => Kind::UInt(u64::from_le_bytes(array(self.all, at)?)),
            Tag::Double => {
                let value = f64::from_le_bytes(array(self.all, at)?);
                if !value.is_finite() {
                    return Err(JsonError::Corrupt("a number that is not finite"));
                }
                Kind::Double(value)
            }
            Tag::String => {
                let (len, skip) = varint(self.all, at)?;
                Kind::String(text(bytes(self.all, at + skip, len)?)?)
            }
            Tag::Decimal => {
                let rest = self.all.get(at..).unwrap_or_default();
                Kind::Decimal(DecimalRef::read(rest)?.0)
            }
            Tag::Date => Kind::Date(time()?),
            Tag::Time => Kind::Time(time()?),
            Tag::DateTime => Kind::DateTime(time()?),
            Tag::Timestamp => Kind::Timestamp(time()?),
            Tag::Opaque => {
                let [field_type] = array(self.all, at)?;
                let (len, skip) = varint(self.all, at + 1)?;
                Kind::Opaque { field_type, bytes: bytes(self.all, at + 1 + skip, len)? }
            }
            Tag::ArraySmall | Tag::ArrayLarge => Kind::Array(ArrayRef(self.table()?)),
            Tag::ObjectSmall | Tag::ObjectLarge => Kind::Object(ObjectRef(self.table()?)),
        })
    }

    fn table(&self) -> Result<Table<'a>, JsonError> {
        Table::read(self.all, self.tag, self.at as usize)
    }

    /// Whether it is an array or an object.
    pub fn is_container(&self) -> bool {
        self.tag.is_container()
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.tag.is_container() && !self.tag.is_object()
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.tag.is_object()
    }

    /// Whether it is the JSON null.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// The array, if it is one.
    pub fn as_array(&self) -> Result<Option<ArrayRef<'a>>, JsonError> {
        if self.is_array() { Ok(Some(ArrayRef(self.table()?))) } else { Ok(None) }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Result<Option<ObjectRef<'a>>, JsonError> {
        if self.is_object() { Ok(Some(ObjectRef(self.table()?))) } else { Ok(None) }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Result<Option<&'a str>, JsonError> {
        match self.kind()? {
            Kind::String(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    pub(super) fn tag(&self) -> Tag {
        self.tag
    }

    /// The inline value, or the position within the whole document: what tells two
    /// parts of one document apart.
    pub(super) fn place(&self) -> u32 {
        self.at
    }

    pub(super) fn depth_code(&self) -> Result<u8, JsonError> {
        if self.is_container() { Ok(self.table()?.depth) } else { Ok(1) }
    }

    /// The bytes of a value that is not inline: where they begin and end, and where
    /// among them the position is.
    pub(super) fn span(&self) -> Result<(&'a [u8], usize), JsonError> {
        let (start, end) = self.range()?;
        Ok((bytes(self.all, start, end - start)?, self.at as usize - start))
    }

    fn range(&self) -> Result<(usize, usize), JsonError> {
        let at = self.at as usize;
        let len = match self.tag {
            Tag::Null | Tag::False | Tag::True | Tag::Int16 | Tag::UInt16 => return Ok((0, 0)),
            Tag::Int32 | Tag::UInt32 => 4,
            Tag::Int64 | Tag::UInt64 | Tag::Double => 8,
            Tag::Date | Tag::Time | Tag::DateTime | Tag::Timestamp => 8,
            Tag::String => {
                let (len, skip) = varint(self.all, at)?;
                len + skip
            }
            Tag::Decimal => DecimalRef::read(self.all.get(at..).unwrap_or_default())?.1,
            Tag::Opaque => {
                let (len, skip) = varint(self.all, at.saturating_add(1))?;
                1 + len + skip
            }
            Tag::ArraySmall | Tag::ArrayLarge | Tag::ObjectSmall | Tag::ObjectLarge => {
                let table = self.table()?;
                return Ok((table.at - table.extent, table.end()));
            }
        };
        bytes(self.all, at, len)?;
        Ok((at, at + len))
    }

    /// Checks every byte that belongs to the value.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn validate(&self) -> Result<(), JsonError> {
        match self.kind()? {
            Kind::Array(array) => array.iter().try_for_each(|value| value?.validate()),
            Kind::Object(object) => {
                let mut last: Option<&str> = None;
                for member in object.iter() {
                    let (name, value) = member?;
                    if last.is_some_and(|last| compare_names(last, name) != Ordering::Less) {
                        return Err(JsonError::Corrupt("members out of order"));
                    }
                    last = Some(name);
                    value.validate()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for JsonRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.print() {
            Ok(text) => f.write_str(&text),
            Err(e) => write!(f, "<{e}>"),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(bytes).map_err(|_| JsonError::Corrupt("a string that is not UTF-8"))
}

/// The order of members: by the lengths of their names, then by their bytes.
pub(super) fn compare_names(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

impl<'a> Table<'a> {
    fn read(all: &'a [u8], tag: Tag, at: usize) -> Result<Self, JsonError> {
        let width = tag.width();
        let [depth] = array(all, at)?;
        let count = number(all, at + 1, width)? as usize;
        let extent = number(all, at + 1 + width, width)? as usize;
        let table = Self { all, tag, at, count, extent, depth };
        // The first byte of a document is its version.
        if extent >= at || table.end() > all.len() || depth < 2 {
            return Err(JsonError::Corrupt("a container beyond the document"));
        }
        Ok(table)
    }

    fn entries(&self) -> usize {
        let width = self.tag.width();
        let names = if self.tag.is_object() { self.count * 2 * width } else { 0 };
        self.at + 1 + 2 * width + names
    }

    fn end(&self) -> usize {
        self.entries() + self.count * (1 + self.tag.width())
    }

    fn start(&self) -> usize {
        self.at - self.extent
    }

    fn value(&self, index: usize) -> Result<JsonRef<'a>, JsonError> {
        let width = self.tag.width();
        let at = self.entries() + index * (1 + width);
        let [tag] = array(self.all, at)?;
        let value = number(self.all, at + 1, width)?;
        let value = JsonRef::of_entry(self.all, Tag::of(tag)?, value, self.at, self.start())?;
        if value.is_container() && value.depth_code()?.checked_add(2).is_none_or(|d| d > self.depth)
        {
            return Err(JsonError::Corrupt("a lying depth"));
        }
        Ok(value)
    }

    /// Where a member's name is: position and length.
    fn name_place(&self, index: usize) -> Result<(usize, usize), JsonError> {
        let width = self.tag.width();
        let at = self.at + 1 + 2 * width + index * 2 * width;
        let distance = number(self.all, at, width)? as usize;
        if distance > self.extent {
            return Err(JsonError::Corrupt("a distance that leads outside"));
        }
        Ok((self.at - distance, number(self.all, at + width, width)? as usize))
    }

    /// Checks that a value stands behind what stood before, and gives its end.
    fn behind(&self, value: JsonRef<'a>, before: usize) -> Result<usize, JsonError> {
        if value.tag.is_inline() {
            return Ok(before);
        }
        let (start, end) = value.range()?;
        if start < before || end > self.at {
            return Err(JsonError::Corrupt("values that share bytes"));
        }
        Ok(end)
    }
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {} at {}", self.tag, self.count, self.at)
    }
}

impl<'a> ArrayRef<'a> {
    /// How many elements.
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// An element, counted from 0.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn get(&self, index: usize) -> Result<Option<JsonRef<'a>>, JsonError> {
        if index < self.0.count { self.0.value(index).map(Some) } else { Ok(None) }
    }

    /// All elements in order; nothing follows an error.
    pub fn iter(&self) -> impl Iterator<Item = Result<JsonRef<'a>, JsonError>> + use<'a> {
        let table = self.0;
        let mut before = table.start();
        let mut failed = false;
        (0..table.count).map_while(move |i| {
            if failed {
                return None;
            }
            let value = table.value(i).and_then(|value| {
                before = table.behind(value, before)?;
                Ok(value)
            });
            failed = value.is_err();
            Some(value)
        })
    }
}

impl<'a> ObjectRef<'a> {
    /// The object as a value.
    pub fn whole(&self) -> JsonRef<'a> {
        JsonRef { all: self.0.all, tag: self.0.tag, at: self.0.at as u32 }
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// The value of a member: O(log n).
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn get(&self, name: &str) -> Result<Option<JsonRef<'a>>, JsonError> {
        self.position(name)?.map(|index| self.0.value(index)).transpose()
    }

    /// A member's value, counted from 0.
    pub(super) fn value(&self, index: usize) -> Result<Option<JsonRef<'a>>, JsonError> {
        if index < self.0.count { self.0.value(index).map(Some) } else { Ok(None) }
    }

    /// Which member has a name.
    pub(super) fn position(&self, name: &str) -> Result<Option<usize>, JsonError> {
        let (mut low, mut high) = (0, self.0.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let (at, len) = self.0.name_place(middle)?;
            let order = match len.cmp(&name.len()) {
                Ordering::Equal => bytes(self.0.all, at, len)?.cmp(name.as_bytes()),
                other => other,
            };
            match order {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// All members in order; nothing follows an error.
    pub fn iter(
        &self,
    ) -> impl Iterator<Item = Result<(&'a str, JsonRef<'a>), JsonError>> + use<'a> {
        let table = self.0;
        let mut before = table.start();
        let mut failed = false;
        (0..table.count).map_while(move |i| {
            if failed {
                return None;
            }
            let member = (|| {
                let (at, len) = table.name_place(i)?;
                let end = at.checked_add(len).filter(|&end| at >= before && end <= table.at);
                let end = end.ok_or(JsonError::Corrupt("values that share bytes"))?;
                let name = text(bytes(table.all, at, len)?)?;
                let value = table.value(i)?;
                before = table.behind(value, end)?;
                Ok((name, value))
            })();
            failed = member.is_err();
            Some(member)
        })
    }
}
