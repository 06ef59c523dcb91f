//! Texts that are looked for among constants.

use std::collections::HashSet;
use std::convert::Infallible;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;

use super::compare::is_bytewise;
use super::{ByRows, Outcome};
use crate::collation::Collation;
use crate::expr::leaf;
use crate::types::CollationId;
use crate::vector::array::bytes_at;
use crate::vector::views::ByView;

/// So many are compared one by one.
const FEW: usize = 4;

/// Texts, by a collation.
enum Members<'a> {
    Few(Vec<&'a [u8]>),
    /// The bytes are the texts.
    Bytes(HashSet<&'a [u8]>),
    /// By their keys.
    Keys(HashSet<Vec<u8>>),
}

impl<'a> Members<'a> {
    fn new(collation: &Collation, texts: Vec<&'a [u8]>) -> Outcome<Members<'a>> {
        if texts.len() <= FEW {
            return Ok(Members::Few(texts));
        }
        if is_bytewise(collation) {
            return Ok(Members::Bytes(texts.into_iter().collect()));
        }
        let mut keys = HashSet::with_capacity(texts.len());
        for text in texts {
            let mut key = Vec::new();
            collation.sort_key(text, &mut key).map_err(|_| ByRows)?;
            keys.insert(key);
        }
        Ok(Members::Keys(keys))
    }

    /// `key` is room for one.
    fn has(&self, collation: &Collation, text: &[u8], key: &mut Vec<u8>) -> bool {
        match self {
            Members::Few(texts) => {
                texts.iter().any(|one| collation.equal(text, one).unwrap_or(false))
            }
            Members::Bytes(texts) => texts.contains(text),
            Members::Keys(keys) => {
                key.clear();
                collation.sort_key(text, key).is_ok() && keys.contains(key)
            }
        }
    }
}

/// Which texts of an array are among some.
pub(super) fn found(
    id: CollationId,
    array: &ArrayRef,
    texts: Vec<&[u8]>,
) -> Outcome<BooleanBuffer> {
    let collation = leaf::collation(id);
    if collation.supported().is_err() {
        return Err(ByRows);
    }
    let (members, mut key) = (Members::new(collation, texts)?, Vec::new());
    let mut has = |text: &[u8]| members.has(collation, text, &mut key);
    if *array.data_type() != DataType::BinaryView {
        return Ok(BooleanBuffer::collect_bool(array.len(), |at| {
            array.is_valid(at) && has(bytes_at(array, at))
        }));
    }
    let (views, mut known) = (array.as_binary_view(), ByView::default());
    Ok(BooleanBuffer::collect_bool(array.len(), |at| {
        let mut computed = || Ok::<_, Infallible>(has(views.value(at)));
        views.is_valid(at) && known.get_or(views.views()[at], &mut computed) == Ok(true)
    }))
}
