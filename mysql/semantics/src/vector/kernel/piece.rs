//! LEFT, RIGHT and SUBSTRING with positions that are constant: views of the same bytes.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, make_view};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray};
use arrow_schema::DataType;

use super::{ByRows, Outcome, Vector};
use crate::functions::Piece;
use crate::types::CollationId;
use crate::value::Value;
use crate::vector::array::bytes_at;

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vector) enum Pieces {
    Left,
    Right,
    From,
}

impl Pieces {
    /// By the function's name.
    pub(super) fn of(name: &str) -> Option<Pieces> {
        Some(match name {
            "left" => Pieces::Left,
            "right" => Pieces::Right,
            "substring" => Pieces::From,
            _ => return None,
        })
    }

    /// By its numbers; `None` where one is NULL.
    fn piece(self, numbers: &[Vector]) -> Outcome<Option<Piece>> {
        let mut all = Vec::with_capacity(2);
        for number in numbers {
            all.push(match number {
                Vector::One(Value::Int(number)) => i128::from(*number),
                Vector::One(Value::UInt(number)) => i128::from(*number),
                Vector::One(Value::Null) => return Ok(None),
                _ => return Err(ByRows),
            });
        }
        Ok(Some(match (self, &*all) {
            (Pieces::Left, [count]) => Piece::Left(*count),
            (Pieces::Right, [count]) => Piece::Right(*count),
            (Pieces::From, [start]) => Piece::From { start: *start, count: i128::MAX },
            (Pieces::From, [start, count]) => Piece::From { start: *start, count: *count },
            _ => return Err(ByRows),
        }))
    }
}

/// The pieces of texts in the character set of a collation.
pub(super) fn pieces(
    which: Pieces,
    collation: CollationId,
    value: &Vector,
    numbers: &[Vector],
) -> Outcome<Vector> {
    let Some(piece) = which.piece(numbers)? else { return Ok(Vector::One(Value::Null)) };
    let array = match value {
        Vector::Many(array) => array,
        Vector::One(Value::Null) => return Ok(Vector::One(Value::Null)),
        Vector::One(_) => return Err(ByRows),
    };
    let cut = |text: &[u8]| {
        let range = piece.of(collation, text);
        (range.start, text.len().min(range.end))
    };
    if *array.data_type() != DataType::BinaryView {
        let mut builder = BinaryViewBuilder::with_capacity(array.len());
        for at in 0..array.len() {
            if array.is_null(at) {
                builder.append_null();
            } else {
                let text = bytes_at(array, at);
                let (start, end) = cut(text);
                builder.append_value(text.get(start..end).ok_or(ByRows)?);
            }
        }
        return Ok(Vector::Many(Arc::new(builder.finish())));
    }
    let texts = array.as_binary_view();
    let mut views = Vec::with_capacity(array.len());
    for (at, view) in texts.views().iter().enumerate() {
        if texts.is_null(at) {
            views.push(0);
            continue;
        }
        let text = texts.value(at);
        let (start, end) = cut(text);
        let text = text.get(start..end).ok_or(ByRows)?;
        // Of a view that holds its text all pieces are as short.
        let (buffer, offset) = ((view >> 64) as u32, (view >> 96) as u32);
        let offset = u32::try_from(start).ok().and_then(|start| offset.checked_add(start));
        views.push(match offset {
            Some(offset) => make_view(text, buffer, offset),
            None if text.len() <= 12 => make_view(text, 0, 0),
            None => return Err(ByRows),
        });
    }
    let buffers = texts.data_buffers().to_vec();
    let pieces = BinaryViewArray::try_new(views.into(), buffers, texts.nulls().cloned());
    pieces.map(|pieces| Vector::Many(Arc::new(pieces))).map_err(|_| ByRows)
}
