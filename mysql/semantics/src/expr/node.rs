//! The typed tree: what the binder makes and what runs.

use std::sync::Arc;

use super::arith::{ArithOp, BitOp, Domain};
use super::cast::CastTarget;
use super::compare::{CompareOp, Comparison};
use super::interval::Unit;
use crate::functions::Function;
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::{Bytes, Value};

/// A typed expression. It is its own program: [`Node::eval`] runs it over a row.
#[derive(Debug, Clone)]
pub struct Node {
    /// What MySQL's metadata says of it.
    pub ty: SqlType,
    /// Only ASCII can come out, so that its character set can be any.
    pub ascii: bool,
    /// What it does with its operands.
    pub op: Op,
    /// Its operands.
    pub args: Box<[Node]>,
    /// As error texts print it, where its value does not tell.
    pub(crate) written: Option<Box<str>>,
    /// As the statement has it, where it is an argument of a function.
    pub(crate) name: Option<Box<str>>,
    /// COALESCE that was written as IFNULL.
    pub(crate) is_ifnull: bool,
    /// A constant that a server computes once for a condition, as its errors show.
    pub(crate) is_cached: bool,
    /// How many levels are below, at least: above some, values are kept while an
    /// expression is evaluated.
    pub(crate) height: u16,
}

/// A column of the row that is evaluated.
#[derive(Debug, Clone)]
pub struct ColumnOp {
    /// Position in the row.
    pub index: usize,
    /// As error texts print it: `` `test`.`t`.`a` ``.
    pub name: Box<str>,
    /// Of ENUM and SET: the members' texts, in the column's character set.
    pub members: Option<Arc<[Bytes]>>,
}

/// What a node does.
#[allow(missing_docs, reason = "the fields are named after the words of the operators")]
#[derive(Debug, Clone)]
pub enum Op {
    /// A value that is known.
    Literal(Value),
    /// `0x…` and `0b…`: bytes that are a number where a number is wanted.
    Hex(Bytes),
    /// A column of the row.
    Column(Box<ColumnOp>),
    /// `?`, by position.
    Param(usize),
    /// `@name`
    UserVariable(Box<str>),
    /// `@name := …`
    Assign(Box<str>),
    /// `@@name`, which the session looks up at every evaluation.
    SystemVariable(Box<str>),
    /// `+ - * / DIV %` in one domain.
    Arith(ArithOp, Domain),
    /// `-x`
    Negate(Domain),
    /// `& | ^ << >>`; over byte strings if `true`.
    Bit(BitOp, bool),
    /// `~x`; of a byte string if `true`.
    BitNot(bool),
    /// `= < …` of two scalars.
    Compare(CompareOp, Comparison),
    /// `= < …` of two rows of as many columns.
    CompareRows(CompareOp, Box<[Comparison]>),
    /// `x BETWEEN low AND high`: how `x` is compared with each.
    Between { negated: bool, low: Comparison, high: Comparison },
    /// `x IN (…)`
    In { negated: bool, how: Membership },
    /// `(a, b) IN ((…), …)`
    InRows { negated: bool, how: RowMembership },
    /// `x LIKE pattern ESCAPE escape`; the third operand is the escape.
    Like { negated: bool, collation: CollationId },
    /// `x IS [NOT] NULL`
    IsNull { negated: bool },
    /// `x IS [NOT] TRUE` or FALSE.
    IsTruth { truth: bool, negated: bool },
    /// AND of two or more.
    And,
    /// OR of two or more.
    Or,
    /// XOR of two or more.
    Xor,
    /// NOT
    Not,
    /// `CASE WHEN c THEN v … [ELSE e] END`: conditions and values in turn.
    Case { otherwise: bool },
    /// `CASE x WHEN w THEN v …`: x, then pairs; how x is compared with each.
    CaseOf { otherwise: bool, with: Box<[Comparison]> },
    /// IF(c, a, b)
    If,
    /// IFNULL and COALESCE.
    Coalesce,
    /// NULLIF(a, b)
    NullIf(Comparison),
    /// GREATEST and LEAST.
    Extreme { greatest: bool, by: Comparison, dates: Option<ExtremeDates> },
    /// CAST
    Cast(CastTarget),
    /// To another character set; the node's collation says to which. If `strict`,
    /// what has no place there is an error; `written` is CONVERT … USING.
    ToCharset { from: CollationId, strict: bool, written: bool },
    /// COLLATE: only the type differs.
    Collate,
    /// `(a, b)`
    Row,
    /// `date ± INTERVAL amount unit`
    DateArith { subtract: bool, unit: Unit },
    /// `EXTRACT(unit FROM date)`
    Extract(Unit),
    /// TIMESTAMPDIFF
    TimestampDiff(Unit),
    /// A column of the result of a subquery, by the statement's number for it; the
    /// operands are what it takes from the row around it.
    Subquery { slot: usize, column: usize, known: SubqueryColumn },
    /// A function of the registry.
    Call(Box<CallOp>),
}

impl Op {
    /// An operator that gives TRUE, FALSE or NULL.
    pub(crate) fn is_truth(&self) -> bool {
        matches!(
            self,
            Self::Compare(..)
                | Self::CompareRows(..)
                | Self::Between { .. }
                | Self::In { .. }
                | Self::InRows { .. }
                | Self::Like { .. }
                | Self::IsNull { .. }
                | Self::IsTruth { .. }
                | Self::And
                | Self::Or
                | Self::Xor
                | Self::Not
        )
    }
}

/// How IN looks for its value.
#[derive(Debug, Clone)]
pub enum Membership {
    /// It is compared with each in turn, up to the first that is equal.
    Each(Box<[Comparison]>),
    /// The same, all as dates with time. Warnings name the operand at this place,
    /// which made them dates.
    DatesAs(usize),
    /// In a list of constants, all of which are read first.
    Constants(ListReading),
}

/// How IN looks for a row.
#[derive(Debug, Clone)]
pub struct RowMembership {
    /// How each column is compared.
    pub columns: Box<[RowColumn]>,
    /// The list is of constants, all of which are read first.
    pub constants: bool,
}

/// How IN compares a column of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowColumn {
    /// As what.
    pub with: Comparison,
    /// Of dates: the row whose value here warnings name; 0 is the one looked for.
    pub dates: usize,
}

/// As what IN reads a list of constants and the value it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListReading {
    /// Whole numbers.
    Integers,
    /// Floating point numbers.
    Doubles,
    /// Dates.
    Dates,
    /// Times.
    Times,
    /// Dates with time.
    DateTimes,
}

/// How GREATEST and LEAST print strings that they compare as dates.
#[derive(Debug, Clone)]
pub struct ExtremeDates {
    /// Without a time of day.
    pub date_only: bool,
    /// Digits of a second's fraction.
    pub decimals: u8,
    /// The operand whose type made them dates, as warnings name it.
    pub name: Box<str>,
    /// The result is a binary string, so that warnings show texts as bytes.
    pub binary: bool,
    /// Operands that were written in hexadecimal or binary: always shown as bytes.
    pub bytes: Box<[Bytes]>,
}

/// What is known of a column of a subquery beside its type.
#[derive(Debug, Clone, Default)]
pub struct SubqueryColumn {
    /// A row of no table: a server takes its expression for the subquery.
    pub(crate) one_row: bool,
    /// Its numbers are truths, which JSON tells from numbers.
    pub(crate) truth: bool,
    /// What messages call the place that its documents come from.
    pub(crate) source: Option<Box<str>>,
}

/// A call of a function.
#[derive(Debug, Clone)]
pub struct CallOp {
    /// Which.
    pub function: &'static Function,
    /// What strings are compared with, where the function compares.
    pub collation: CollationId,
    /// A number the binder hands to the kernel: a seed's slot, a side of TRIM.
    pub extra: u64,
    /// The compiled pattern of a regular expression that is constant.
    pub(crate) pattern: Pattern,
}

/// A place for a compiled regular expression; a copy of the node compiles anew.
#[derive(Default)]
pub(crate) struct Pattern(std::sync::OnceLock<crate::regexp::Regexp>);

impl Pattern {
    pub(crate) fn get(&self) -> Option<&crate::regexp::Regexp> {
        self.0.get()
    }

    pub(crate) fn set(&self, regexp: crate::regexp::Regexp) {
        // Who comes second has compiled the same.
        let _ = self.0.set(regexp);
    }
}

impl Clone for Pattern {
    fn clone(&self) -> Pattern {
        Pattern::default()
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pattern")
    }
}

impl Node {
    /// A column, as a scope gives it.
    pub fn column(column: super::Column) -> Node {
        let (index, name, members) = (column.index, column.name, column.members);
        let op = Op::Column(Box::new(ColumnOp { index, name, members }));
        let ty = column.ty;
        // All that the character set has: ascii_general_ci and ascii_bin.
        let of_ascii = |id: CollationId| matches!(id, CollationId(11 | 65));
        let ascii =
            if ty.kind.is_string() { of_ascii(ty.collation) } else { ty.kind != TypeKind::Json };
        Node::leaf(op, ty).with_ascii(ascii)
    }

    /// Notes of the constants in a condition, and in what it reads, that a server computes
    /// them once. What is written as it is is no such.
    pub fn cache_constants(&mut self) {
        if matches!(self.op, Op::Literal(_) | Op::Hex(_) | Op::Param(_) | Op::Row) {
            return;
        }
        if self.is_constant() {
            self.is_cached = true;
            return;
        }
        self.args.iter_mut().for_each(Node::cache_constants);
    }

    /// A value that is known.
    pub fn value(value: Value, ty: SqlType) -> Node {
        Node::leaf(Op::Literal(value), ty)
    }

    /// Conditions that AND joins, as one; `None` if there are none.
    pub fn all_of(mut conditions: Vec<Node>) -> Option<Node> {
        if conditions.len() < 2 {
            return conditions.pop();
        }
        Some(Node::new(Op::And, SqlType::truth(), conditions))
    }

    /// That one of conditions holds; `None` of none.
    pub fn any_of(mut conditions: Vec<Node>) -> Option<Node> {
        if conditions.len() < 2 {
            return conditions.pop();
        }
        Some(Node::new(Op::Or, SqlType::truth(), conditions))
    }

    /// A node without operands.
    pub(crate) fn leaf(op: Op, ty: SqlType) -> Node {
        let args = Box::default();
        let (written, name) = (None, None);
        Node {
            ty,
            ascii: false,
            op,
            args,
            written,
            name,
            is_ifnull: false,
            is_cached: false,
            height: 0,
        }
    }

    /// A node over `args`.
    pub(crate) fn new(op: Op, ty: SqlType, args: Vec<Node>) -> Node {
        let ascii = !ty.kind.is_string() && ty.kind != TypeKind::Json;
        let below = args.iter().map(|arg| arg.height).max().unwrap_or(0);
        let (args, height) = (args.into_boxed_slice(), below.saturating_add(1));
        Node {
            ty,
            ascii,
            op,
            args,
            written: None,
            name: None,
            is_ifnull: false,
            is_cached: false,
            height,
        }
    }

    /// Puts what `by` gives for a column's place, and its type as it is read here, in place of
    /// the column.
    pub fn replace_columns(&mut self, by: &dyn Fn(usize, &SqlType) -> Option<Node>) {
        if let Op::Column(column) = &self.op {
            if let Some(other) = by(column.index, &self.ty) {
                *self = other;
            }
            return;
        }
        self.args.iter_mut().for_each(|arg| arg.replace_columns(by));
        let below = self.args.iter().map(|arg| arg.height.saturating_add(1));
        self.height = self.height.max(below.max().unwrap_or(0));
    }

    pub(crate) fn with_written(mut self, written: String) -> Node {
        self.written = Some(written.into_boxed_str());
        self
    }

    pub(crate) fn with_ascii(mut self, ascii: bool) -> Node {
        self.ascii = ascii;
        self
    }

    /// Nothing in it depends on the row; it may still depend on the session.
    pub fn is_constant(&self) -> bool {
        let own = match &self.op {
            Op::Column(_) | Op::UserVariable(_) | Op::Assign(_) | Op::Subquery { .. } => false,
            Op::Call(call) => call.function.deterministic,
            _ => true,
        };
        own && self.args.iter().all(Node::is_constant)
    }

    /// A literal, not computed.
    pub fn is_literal(&self) -> bool {
        matches!(self.op, Op::Literal(_) | Op::Hex(_))
    }

    /// NULL as it is written.
    pub fn is_null_literal(&self) -> bool {
        matches!(self.op, Op::Literal(Value::Null))
    }
}
