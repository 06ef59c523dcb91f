//! Types that changed without the rows being written again.

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::{SqlType, TypeKind};

/// Whether cells that were written as `old` can be read as `new`, so that ALTER
/// TABLE may leave the rows as they are: wider integers, more digits on both sides
/// of a DECIMAL's point or of a second, longer strings of the same or a larger
/// character set, more members, and NULL or not. That no row holds NULL where the
/// new type has none is for the caller to see to.
///
/// Indexes are another matter: their keys stay right if beyond this
/// [`same_key_form`](crate::key::same_key_form) holds.
#[must_use]
pub fn reads_as(old: &SqlType, new: &SqlType) -> bool {
    if old.kind.is_integer() && new.kind.is_integer() {
        return old.unsigned == new.unsigned && old.kind <= new.kind;
    }
    let strings = |ty: &SqlType| ty.kind.is_text() || ty.kind == TypeKind::Varchar;
    match (old.kind, new.kind) {
        (TypeKind::Decimal, TypeKind::Decimal) => {
            let before_point = |ty: &SqlType| ty.precision().saturating_sub(ty.decimals.into());
            before_point(old) <= before_point(new) && old.decimals <= new.decimals
        }
        (TypeKind::Time, TypeKind::Time)
        | (TypeKind::DateTime, TypeKind::DateTime)
        | (TypeKind::Timestamp, TypeKind::Timestamp) => old.decimals <= new.decimals,
        (TypeKind::Bit, TypeKind::Bit) => old.length <= new.length,
        // BINARY is filled up with zeros to its length.
        (TypeKind::Char, TypeKind::Char) if old.is_binary_string() => {
            old.length == new.length && new.is_binary_string()
        }
        // What comes from a CHAR has no blanks at its end.
        (TypeKind::Char, TypeKind::Char) => old.length <= new.length && same_bytes(old, new),
        (TypeKind::Char, _) if strings(new) => old.length <= new.length && same_bytes(old, new),
        _ if strings(old) && strings(new) => old.length <= new.length && same_bytes(old, new),
        (old_kind, new_kind) => {
            old_kind == new_kind && (!old.kind.is_string() || same_bytes(old, new))
        }
    }
}

/// Whether a text has the same bytes in both types.
fn same_bytes(old: &SqlType, new: &SqlType) -> bool {
    if old.collation == new.collation {
        return true;
    }
    let charset = |ty: &SqlType| Collation::by_id(ty.collation.0).map(Collation::charset);
    let (Some(old), Some(new)) = (charset(old), charset(new)) else { return false };
    old == new
        || (old.name() == "utf8mb3" && new.name() == "utf8mb4")
        || (old.name() == "ascii" && new.is_ascii_superset())
}
