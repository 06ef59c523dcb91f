//! Whose collation wins: MySQL's aggregation of collations and the conversions
//! of character sets that follow from it.

use super::bind::Binder;
use super::node::{Node, Op};
use super::{Result, leaf};
use crate::error::SqlError;
use crate::types::{CollationId, Derivation, SqlType, TypeKind};
use crate::value::Value;

/// What a meeting of strings is for, which decides what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Their order or equality: a collation must come out.
    Compare,
    /// A string made of them: if all are numbers, that of the connection.
    Result,
}

/// A collation on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coll {
    pub(crate) id: CollationId,
    pub(crate) derivation: Derivation,
    pub(crate) ascii: bool,
    /// Two explicit collations met.
    pub(crate) broken: bool,
}

impl Coll {
    pub(crate) fn of(node: &Node) -> Coll {
        // Numbers and times are texts of latin1 until something else is said.
        let plain = !has_text(node)
            && node.ty.derivation == Derivation::Numeric
            && node.ty.collation.is_binary();
        Coll {
            id: if plain { CollationId::LATIN1_SWEDISH_CI } else { node.ty.collation },
            derivation: node.ty.derivation,
            ascii: node.ascii,
            broken: false,
        }
    }

    fn name(self) -> (&'static str, &'static str) {
        (leaf::collation_name(self.id), derivation_name(self.derivation))
    }
}

fn derivation_name(derivation: Derivation) -> &'static str {
    match derivation {
        Derivation::Explicit => "EXPLICIT",
        Derivation::None => "NONE",
        Derivation::Implicit => "IMPLICIT",
        Derivation::SystemConstant => "SYSCONST",
        Derivation::Coercible => "COERCIBLE",
        Derivation::Numeric => "NUMERIC",
        Derivation::Ignorable => "NULL",
    }
}

/// Whether `left` has all characters, and `right` may become text of it.
fn is_wider(left: Coll, right: Coll) -> bool {
    let (l, r) = (leaf::charset_facts(left.id), leaf::charset_facts(right.id));
    let wider = !r.unicode
        || (l.supplementary
            && !r.supplementary
            && l.max_bytes > r.max_bytes
            && l.min_bytes == r.min_bytes);
    l.unicode
        && (left.derivation < right.derivation || left.derivation == right.derivation && wider)
}

/// Whether `right` is ASCII, which is text of any set.
fn takes_ascii(left: Coll, right: Coll) -> bool {
    let equal = left.derivation == right.derivation;
    right.ascii && (left.derivation < right.derivation || (equal && !left.ascii))
}

/// The collation of two; `Err` holds what MySQL goes on with where they clash.
fn meet(a: Coll, b: Coll) -> std::result::Result<Coll, Coll> {
    let ascii = a.ascii && b.ascii;
    let with = |winner: Coll| Ok(Coll { ascii, broken: false, ..winner });
    if !leaf::same_charset(a.id, b.id) {
        if a.id.is_binary() {
            return with(if a.derivation <= b.derivation { a } else { b });
        }
        if b.id.is_binary() {
            // Bytes settle what characters could not agree on.
            let settles = a.derivation == Derivation::None && b.derivation == Derivation::Implicit;
            return with(if b.derivation <= a.derivation || settles { b } else { a });
        }
        if is_wider(a, b) {
            return with(a);
        }
        if is_wider(b, a) {
            return with(b);
        }
        if takes_ascii(a, b) {
            return with(a);
        }
        if takes_ascii(b, a) {
            return with(b);
        }
        if a.derivation < b.derivation && b.derivation >= Derivation::SystemConstant {
            return with(a);
        }
        if b.derivation < a.derivation && a.derivation >= Derivation::SystemConstant {
            return with(b);
        }
        let id = CollationId::BINARY;
        return Err(Coll { id, derivation: Derivation::None, ascii, broken: false });
    }
    if a.derivation < b.derivation {
        return with(a);
    }
    if b.derivation < a.derivation {
        return with(b);
    }
    if a.id == b.id {
        return with(a);
    }
    if a.derivation == Derivation::Explicit {
        return Err(Coll { derivation: Derivation::None, ascii, broken: true, ..a });
    }
    if leaf::is_bin(a.id) {
        return with(a);
    }
    if leaf::is_bin(b.id) {
        return with(b);
    }
    with(Coll { id: leaf::bin_of(a.id), derivation: Derivation::None, ascii, broken: false })
}

/// The collation of all `sides`, for an operation of this name.
pub(crate) fn aggregate(
    sides: &[Coll],
    purpose: Purpose,
    operation: &str,
    connection: CollationId,
) -> Result<Coll> {
    let clash = || Err(illegal_mix(sides, operation));
    let Some((first, rest)) = sides.split_first() else {
        let derivation = Derivation::Coercible;
        return Ok(Coll { id: connection, derivation, ascii: true, broken: false });
    };
    let mut all = *first;
    let mut unknown = false;
    for side in rest {
        match meet(all, *side) {
            Ok(coll) => all = coll,
            Err(coll) if !coll.broken => {
                unknown = true;
                all = coll;
            }
            Err(_) => return clash(),
        }
    }
    if unknown && all.derivation != Derivation::Explicit {
        return clash();
    }
    if purpose == Purpose::Compare && all.derivation == Derivation::None {
        return clash();
    }
    if purpose == Purpose::Result && all.derivation == Derivation::Numeric {
        all =
            Coll { id: connection, derivation: Derivation::Coercible, ascii: true, broken: false };
    }
    Ok(all)
}

/// 1267, 1270 or 1271.
fn illegal_mix(sides: &[Coll], operation: &str) -> SqlError {
    match sides {
        [a, b] => SqlError::illegal_mix_of_2_collations(a.name(), b.name(), operation),
        [a, b, c] => {
            SqlError::illegal_mix_of_3_collations([a.name(), b.name(), c.name()], operation)
        }
        _ => SqlError::illegal_mix_of_collations(operation),
    }
}

/// Brings the strings among `args` at `which` into one character set, by
/// conversions where they differ, and says which collation holds for them.
pub(crate) fn unify(
    args: &mut [Node],
    which: &[usize],
    purpose: Purpose,
    operation: &str,
    binder: &Binder<'_>,
) -> Result<Coll> {
    let sides: Vec<Coll> = which.iter().filter_map(|at| args.get(*at)).map(Coll::of).collect();
    let coll = aggregate(&sides, purpose, operation, binder.connection())?;
    for at in which {
        let Some(arg) = args.get_mut(*at) else { continue };
        settle(arg, coll.id, binder)?;
        if purpose == Purpose::Compare && coll.id.is_binary() {
            as_bytes(arg);
        }
        if arg.ty.is_binary_string() && !coll.id.is_binary() {
            convert_strictly(arg, coll.id);
            continue;
        }
        if !needs_conversion(arg, coll.id) {
            continue;
        }
        if !convert(arg, coll.id) {
            let from = arg.ty.collation;
            if let Op::Literal(Value::Bytes(bytes)) = &arg.op {
                leaf::to_charset_strictly(bytes, from, coll.id)?;
            }
            return Err(illegal_mix(&sides, operation));
        }
    }
    Ok(coll)
}

/// A constant of another character set is computed at once: NULL has no length then,
/// and a literal loses its introducer.
///
/// # Errors
///
/// 3854 for what has no place there.
pub(crate) fn settle(node: &mut Node, to: CollationId, binder: &Binder<'_>) -> Result<()> {
    let from = node.ty.collation;
    let text = node.ty.kind.is_string();
    if !text || to.is_binary() || from.is_binary() || leaf::same_charset(from, to) {
        return Ok(());
    }
    match &node.op {
        Op::Literal(Value::Bytes(text)) if text.is_ascii() && node.written.is_some() => {
            node.written = None;
            node.ty.collation = to;
        }
        Op::Literal(_) | Op::Hex(_) => {}
        _ => {
            if let Some(text) = binder.settle_constant(node) {
                leaf::to_charset_strictly(&text, from, to)?;
                node.ty.nullable = false;
            }
        }
    }
    Ok(())
}

/// Literals that are compared with bytes are bytes.
pub(crate) fn as_bytes(node: &mut Node) {
    if let Op::Literal(Value::Bytes(_)) = &node.op
        && node.ty.kind.is_string()
        && !node.ty.collation.is_binary()
    {
        let per = leaf::charset_facts(node.ty.collation).max_bytes;
        node.ty.length = node.ty.length.saturating_mul(per.into());
        node.ty.collation = CollationId::BINARY;
    }
}

/// Strings, and documents, whose text has characters of all kinds.
fn has_text(node: &Node) -> bool {
    node.ty.kind.is_string() || node.ty.kind == crate::types::TypeKind::Json
}

fn needs_conversion(node: &Node, to: CollationId) -> bool {
    let from = if has_text(node) { node.ty.collation } else { CollationId::LATIN1_SWEDISH_CI };
    !(node.is_null_literal()
        || leaf::same_charset(from, to)
        || to.is_binary()
        || from.is_binary() && leaf::charset_facts(to).min_bytes == 1
        || node.ascii
            && leaf::charset_facts(to).min_bytes == 1
            && leaf::charset_facts(from).min_bytes == 1)
}

/// Converts `node`; false if a literal cannot be converted without a loss.
fn convert(node: &mut Node, to: CollationId) -> bool {
    let from = if has_text(node) { node.ty.collation } else { CollationId::LATIN1_SWEDISH_CI };
    if let Op::Literal(Value::Bytes(bytes)) = &node.op {
        return match leaf::convert_exactly(bytes, from, to) {
            Some(bytes) => {
                node.op = Op::Literal(Value::from(bytes));
                node.ty.collation = to;
                node.written = None;
                true
            }
            None => false,
        };
    }
    let placeholder = Node::leaf(Op::Literal(Value::Null), node.ty);
    let inner = std::mem::replace(node, placeholder);
    let mut ty = inner.ty;
    let ascii = inner.ascii;
    if !ty.kind.is_string() {
        ty.kind = crate::types::TypeKind::Varchar;
        ty.decimals = crate::types::NOT_FIXED_DECIMALS;
    }
    ty.collation = to;
    let op = Op::ToCharset { from, strict: false, written: false };
    *node = Node::new(op, ty, vec![inner]).with_ascii(ascii);
    true
}

/// Brings a string into the character set of `to`; 3854 where something is lost.
pub(crate) fn convert_strictly(node: &mut Node, to: CollationId) {
    let bits = node.ty.kind == TypeKind::Bit;
    if to.is_binary() || !(bits || node.ty.kind.is_string()) {
        return;
    }
    let from = if bits { CollationId::BINARY } else { node.ty.collation };
    if leaf::same_charset(from, to) {
        return;
    }
    // Numbers in hexadecimal stay numbers where their text is the same.
    if let Op::Hex(bytes) = &node.op
        && bytes.is_ascii()
        && leaf::charset_facts(to).min_bytes == 1
    {
        node.ty.collation = to;
        return;
    }
    // A literal that cannot be converted is an error only where it is evaluated.
    if let Op::Literal(Value::Bytes(bytes)) | Op::Hex(bytes) = &node.op
        && let Ok(text) = leaf::to_charset_strictly(bytes, from, to)
    {
        node.op = Op::Literal(Value::from(text));
        node.ty.collation = to;
        return;
    }
    let placeholder = Node::leaf(Op::Literal(Value::Null), node.ty);
    let inner = std::mem::replace(node, placeholder);
    let mut ty = inner.ty;
    let ascii = inner.ascii;
    if bits {
        ty = SqlType::varchar(ty.length, to, ty.derivation).with_nullable(ty.nullable);
    }
    ty.collation = to;
    let op = Op::ToCharset { from, strict: true, written: false };
    *node = Node::new(op, ty, vec![inner]).with_ascii(ascii);
}
