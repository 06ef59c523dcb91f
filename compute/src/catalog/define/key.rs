//! Indexes.

use firn_mysql_parser::ast::{
    Expr, ExprKind, Ident, IndexAlgorithm as Written, IndexDef, IndexKey, IndexKind as WrittenKind,
    IndexOption, IndexPart as WrittenPart,
};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{Arg, Level, SqlError, code};
use firn_mysql_semantics::{Derivation, SqlType, TypeKind};
use firn_table::descriptor::{
    ColumnDefault, ColumnDescriptor, ColumnId, Generated, IndexAlgorithm, IndexDescriptor, IndexId,
    IndexKind, IndexPart, IndexState, TableDescriptor, same_name,
};

use super::data_type::charset_of;
use super::{Builder, size};
use crate::catalog::expression::{Use, canonical, parse};
use crate::catalog::name::check_length;

/// Most bytes of a key and of one part of it.
const KEY_BYTES_MAX: u64 = 3072;
/// Most parts of a key, and keys of a table.
const PARTS_MAX: usize = 16;
const KEYS_MAX: usize = 64;
/// Longest comment, in characters.
const COMMENT_MAX: u64 = 1024;

/// An index that waits for all columns.
pub(crate) struct KeyDraft<'a> {
    pub(crate) kind: IndexKind,
    pub(crate) name: Option<String>,
    parts: Vec<PartDraft<'a>>,
    comment: String,
    invisible: bool,
    using: Option<IndexAlgorithm>,
    /// Written with its one column.
    pub(super) inline: bool,
    /// Made for a foreign key, unless another one serves it.
    for_foreign_key: bool,
    /// Whether there are rows already that it has to be filled from.
    pub(crate) state: IndexState,
}

struct PartDraft<'a> {
    key: PartKey<'a>,
    descending: bool,
}

enum PartKey<'a> {
    Column(String, Option<u64>),
    Expr(&'a Expr),
}

impl<'a> KeyDraft<'a> {
    /// PRIMARY KEY or UNIQUE behind a column.
    pub(super) fn of_column(kind: IndexKind, name: &Ident) -> Self {
        Self { inline: true, ..Self::of_columns(kind, None, [name.as_str().to_owned()]) }
    }

    fn of_columns(
        kind: IndexKind,
        name: Option<String>,
        columns: impl IntoIterator<Item = String>,
    ) -> Self {
        let part = |name| PartDraft { key: PartKey::Column(name, None), descending: false };
        Self {
            kind,
            name,
            parts: columns.into_iter().map(part).collect(),
            comment: String::new(),
            invisible: false,
            using: None,
            inline: false,
            for_foreign_key: false,
            state: IndexState::Public,
        }
    }

    /// That of a foreign key.
    pub(super) fn of_foreign_key(name: Option<String>, columns: Vec<String>) -> Self {
        Self { for_foreign_key: true, ..Self::of_columns(IndexKind::Plain, name, columns) }
    }

    pub(super) fn column_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.key {
            PartKey::Column(name, _) => Some(&name[..]),
            PartKey::Expr(_) => None,
        })
    }

    /// Whether its first columns are these, in this order.
    fn starts_with(&self, columns: &[String]) -> bool {
        let own: Vec<_> = self
            .parts
            .iter()
            .map_while(|part| match &part.key {
                PartKey::Column(name, None) => Some(name),
                _ => None,
            })
            .collect();
        own.len() >= columns.len()
            && own.iter().zip(columns).all(|(own, column)| same_name(own, column))
    }
}

impl<'a> Builder<'a> {
    /// Adds an index.
    pub(crate) fn key(&mut self, written: &'a IndexDef) -> Result<(), SqlError> {
        let functional = written.parts.iter().any(|part| matches!(part.key, IndexKey::Expr(_)));
        let kind = match written.kind {
            WrittenKind::Primary if functional => {
                return Err(SqlError::new(code::ER_FUNCTIONAL_INDEX_PRIMARY_KEY, &[]));
            }
            WrittenKind::Primary => IndexKind::Primary,
            WrittenKind::Unique => IndexKind::Unique,
            WrittenKind::Plain => IndexKind::Plain,
            WrittenKind::Fulltext if functional => {
                return Err(SqlError::new(code::ER_FULLTEXT_FUNCTIONAL_INDEX, &[]));
            }
            WrittenKind::Fulltext => {
                return Err(SqlError::new(code::ER_TABLE_CANT_HANDLE_FT, &[]));
            }
            WrittenKind::Spatial => {
                return Err(SqlError::new(code::ER_TABLE_CANT_HANDLE_SPKEYS, &[]));
            }
        };
        let name = written.name.as_ref().or(written.constraint.as_ref());
        let mut draft = KeyDraft {
            kind,
            name: name.map(|name| name.as_str().to_owned()),
            parts: written.parts.iter().map(part).collect(),
            comment: String::new(),
            invisible: false,
            using: None,
            inline: false,
            for_foreign_key: false,
            state: IndexState::Public,
        };
        // The last of several counts.
        let using = written.options.iter().rev().find_map(|option| match option {
            IndexOption::Using(using) => Some(*using),
            _ => None,
        });
        match using {
            Some(Written::Btree) => draft.using = Some(IndexAlgorithm::Btree),
            Some(Written::Hash | Written::Rtree) => {
                if draft.parts.iter().any(|part| part.descending) {
                    let what = "spatial/fulltext/hash index";
                    let args = [what.into(), "explicit index order".into()];
                    return Err(SqlError::new(code::ER_WRONG_USAGE, &args));
                }
                // What is asked for is not had, and not shown.
                let args = ["HASH".into()];
                self.warnings.note(SqlError::new(code::ER_UNSUPPORTED_INDEX_ALGORITHM, &args));
            }
            None => {}
        }
        for option in &written.options {
            match option {
                IndexOption::Comment(text) => {
                    draft.comment = text.to_string();
                }
                IndexOption::Visible(visible) => draft.invisible = !visible,
                IndexOption::Using(_)
                | IndexOption::KeyBlockSize(_)
                | IndexOption::Parser(_)
                | IndexOption::EngineAttribute(_)
                | IndexOption::SecondaryEngineAttribute(_) => {}
            }
        }
        if draft.invisible && kind == IndexKind::Primary {
            return Err(SqlError::new(code::ER_PK_INDEX_CANT_BE_INVISIBLE, &[]));
        }
        self.keys.push(draft);
        Ok(())
    }

    /// Adds the index of a foreign key, if no other serves it.
    pub(super) fn key_for(&mut self, name: Option<String>, columns: Vec<String>) {
        self.keys.push(KeyDraft::of_foreign_key(name, columns));
    }

    pub(super) fn finish_keys(&mut self) -> Result<(), SqlError> {
        self.refresh_keys()?;
        let drafts = std::mem::take(&mut self.keys);
        let drafts = self.without_superfluous(drafts);
        if drafts.len() + self.table.indexes.len() > KEYS_MAX {
            return Err(SqlError::new(code::ER_TOO_MANY_KEYS, &[(KEYS_MAX as u64).into()]));
        }
        let (primary, rest): (Vec<_>, Vec<_>) =
            drafts.into_iter().partition(|draft| draft.kind == IndexKind::Primary);
        for draft in primary.into_iter().chain(rest) {
            let has_primary =
                self.table.indexes.iter().any(|index| index.kind == IndexKind::Primary);
            if draft.kind == IndexKind::Primary && has_primary {
                return Err(SqlError::new(code::ER_MULTIPLE_PRI_KEY, &[]));
            }
            let index = self.index(draft)?;
            self.table.indexes.push(index);
        }
        for (level, condition) in std::mem::take(&mut self.late) {
            self.warnings.push(level, condition);
        }
        Ok(())
    }

    /// Indexes that were there before, over columns that may be others now.
    ///
    /// Errors: 1071 and the like.
    fn refresh_keys(&mut self) -> Result<(), SqlError> {
        for at in 0..self.table.columns.len() {
            let column = &self.table.columns[at];
            let Some(generated) = column.generated.as_ref().filter(|_| column.hidden) else {
                continue;
            };
            let expr = parse(&generated.expr)?;
            let name = column.name.clone();
            let (node, _) = self.bound(&expr, Use::Index(&name))?;
            self.table.columns[at].ty = stored_type(&node.ty)?;
        }
        for index in self.table.indexes.clone() {
            let mut bytes = 0;
            for part in &index.parts {
                let prefix = part.prefix_len.map(u64::from);
                bytes += self.part_size(part.column, prefix, index.kind)?.1;
            }
            if bytes > KEY_BYTES_MAX {
                return Err(too_long());
            }
        }
        Ok(())
    }

    /// Leaves out what was made for foreign keys that other indexes serve.
    fn without_superfluous(&self, drafts: Vec<KeyDraft<'a>>) -> Vec<KeyDraft<'a>> {
        let mut keep = vec![true; drafts.len()];
        for (at, draft) in drafts.iter().enumerate() {
            if !draft.for_foreign_key {
                continue;
            }
            let columns: Vec<String> = draft.column_names().map(str::to_owned).collect();
            let existing =
                self.table.indexes.iter().any(|index| serves(&self.table, index, &columns));
            let other = drafts.iter().enumerate().any(|(place, other)| {
                let longer = other.parts.len() > draft.parts.len();
                place != at
                    && keep[place]
                    && other.starts_with(&columns)
                    && (!other.for_foreign_key || longer || place < at)
            });
            keep[at] = !existing && !other;
        }
        let mut keep = keep.into_iter();
        drafts.into_iter().filter(|_| keep.next().unwrap_or(true)).collect()
    }

    fn index(&mut self, draft: KeyDraft<'_>) -> Result<IndexDescriptor, SqlError> {
        if draft.parts.len() > PARTS_MAX {
            return Err(SqlError::new(code::ER_TOO_MANY_KEY_PARTS, &[(PARTS_MAX as u64).into()]));
        }
        let name = self.index_name(&draft)?;
        if draft.comment.chars().count() as u64 > COMMENT_MAX {
            let args = [Arg::Str(&name), COMMENT_MAX.into()];
            return Err(SqlError::new(code::ER_TOO_LONG_INDEX_COMMENT, &args));
        }
        let id = if draft.kind == IndexKind::Primary {
            IndexId::ROWS
        } else {
            let id = IndexId(self.table.next_index_id);
            self.table.next_index_id =
                self.table.next_index_id.checked_add(1).ok_or_else(|| {
                    SqlError::new(code::ER_TOO_MANY_KEYS, &[(KEYS_MAX as u64).into()])
                })?;
            id
        };
        let mut index = IndexDescriptor {
            id,
            name,
            kind: draft.kind,
            parts: Vec::with_capacity(draft.parts.len()),
            comment: draft.comment,
            invisible: draft.invisible,
            using: draft.using,
            state: draft.state,
        };
        let mut bytes = 0;
        for (at, part) in draft.parts.iter().enumerate() {
            let (column, prefix) = match &part.key {
                PartKey::Column(name, prefix) => (self.key_column(name)?.id, *prefix),
                PartKey::Expr(expr) => (self.hidden_column(&index.name, at, expr)?, None),
            };
            if index.parts.iter().any(|other| other.column == column) {
                let name = match &part.key {
                    PartKey::Column(name, _) => &name[..],
                    PartKey::Expr(_) => "",
                };
                return Err(SqlError::new(code::ER_DUP_FIELDNAME, &[name.into()]));
            }
            let (prefix_len, part_bytes) = self.part_size(column, prefix, draft.kind)?;
            if draft.kind == IndexKind::Primary && self.said_null.contains(&column) {
                return Err(SqlError::new(code::ER_PRIMARY_CANT_HAVE_NULL, &[]));
            }
            bytes += part_bytes;
            index.parts.push(IndexPart { column, prefix_len, descending: part.descending });
        }
        if bytes > KEY_BYTES_MAX {
            return Err(too_long());
        }
        let twin = self
            .table
            .indexes
            .iter()
            .any(|other| other.kind == index.kind && other.parts == index.parts);
        if twin && !draft.for_foreign_key {
            let args =
                [Arg::Str(&index.name), Arg::Str(&self.table.schema), Arg::Str(&self.table.name)];
            self.late.push((Level::Warning, SqlError::new(code::ER_DUP_INDEX, &args)));
        }
        Ok(index)
    }

    /// Its own name, or one made from its first column's.
    fn index_name(&self, draft: &KeyDraft<'_>) -> Result<String, SqlError> {
        let taken =
            |name: &str| self.table.indexes.iter().any(|index| same_name(&index.name, name));
        if draft.kind == IndexKind::Primary {
            return Ok("PRIMARY".to_owned());
        }
        if let Some(name) = &draft.name {
            check_length(name)?;
            if name.is_empty() || name.ends_with(' ') || same_name(name, "PRIMARY") {
                return Err(SqlError::new(code::ER_WRONG_NAME_FOR_INDEX, &[name.into()]));
            }
            if taken(name) {
                return Err(SqlError::new(code::ER_DUP_KEYNAME, &[name.into()]));
            }
            return Ok(name.clone());
        }
        let functional = draft.parts.iter().any(|part| matches!(part.key, PartKey::Expr(_)));
        let base = match draft.parts.first().map(|part| &part.key) {
            Some(PartKey::Column(name, _)) if !functional => self.key_column(name)?.name.clone(),
            _ => "functional_index".to_owned(),
        };
        if !taken(&base) && !same_name(&base, "PRIMARY") {
            return Ok(base);
        }
        let short: String = base.chars().take(60).collect();
        (2..)
            .map(|number| format!("{short}_{number}"))
            .find(|name| !taken(name))
            .ok_or_else(|| SqlError::new(code::ER_DUP_KEYNAME, &[(&base).into()]))
    }

    /// The characters of a part that count, if not all, and its bytes.
    fn part_size(
        &mut self,
        column: ColumnId,
        prefix: Option<u64>,
        kind: IndexKind,
    ) -> Result<(Option<u32>, u64), SqlError> {
        let Some(column) = self.table.column(column) else {
            return Err(SqlError::new(code::ER_KEY_COLUMN_DOES_NOT_EXITS, &["".into()]));
        };
        let ty = column.ty;
        let wrong_prefix = || SqlError::new(code::ER_WRONG_SUB_KEY, &[]);
        if kind == IndexKind::Primary && column.is_virtual() {
            return Err(SqlError::new(
                code::ER_UNSUPPORTED_ACTION_ON_GENERATED_COLUMN,
                &["Defining a virtual generated column as primary key".into()],
            ));
        }
        if prefix == Some(0) {
            return Err(SqlError::new(code::ER_KEY_PART_0, &[(&column.name).into()]));
        }
        if ty.kind == TypeKind::Json {
            return Err(SqlError::new(code::ER_JSON_USED_AS_KEY, &[(&column.name).into()]));
        }
        let char_bytes = charset_of(ty.collation).max_bytes() as u64;
        let is_chars = matches!(ty.kind, TypeKind::Char | TypeKind::Varchar);
        let whole = size::key_bytes(&ty, column.members.len());
        let (chars, bytes) = match prefix {
            Some(bytes) if !is_chars && !ty.kind.is_text() => {
                // A prefix of all its bytes is none; members have no prefix at all.
                if bytes != whole || matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
                    return Err(wrong_prefix());
                }
                (None, whole)
            }
            Some(chars) if is_chars && chars > u64::from(ty.length) => return Err(wrong_prefix()),
            Some(chars) if is_chars && chars == u64::from(ty.length) => (None, whole),
            Some(chars) => (Some(chars), chars.saturating_mul(char_bytes)),
            None if ty.kind.is_text() => {
                let args = [Arg::Str(&column.name)];
                return Err(SqlError::new(code::ER_BLOB_KEY_WITHOUT_LENGTH, &args));
            }
            None if is_chars && ty.length == 0 => {
                return Err(SqlError::new(code::ER_WRONG_KEY_COLUMN, &[(&column.name).into()]));
            }
            None => (None, whole),
        };
        if bytes <= KEY_BYTES_MAX {
            return Ok((chars.and_then(|chars| u32::try_from(chars).ok()), bytes));
        }
        if kind != IndexKind::Plain || self.facts.settings.strict {
            return Err(too_long());
        }
        // As much of it as there is room for.
        self.warnings.warn(too_long());
        let chars = KEY_BYTES_MAX / char_bytes;
        Ok((u32::try_from(chars).ok(), chars * char_bytes))
    }

    /// The hidden generated column of an expression of an index.
    fn hidden_column(
        &mut self,
        index: &str,
        part: usize,
        expr: &Expr,
    ) -> Result<ColumnId, SqlError> {
        if matches!(expr.kind, ExprKind::Column(_)) {
            return Err(SqlError::new(code::ER_FUNCTIONAL_INDEX_ON_FIELD, &[]));
        }
        if let ExprKind::Cast(cast) = &expr.kind
            && cast.array
        {
            return Err(SqlError::not_supported_yet("multi-valued indexes"));
        }
        let (node, columns) = self.bound(expr, Use::Index(index))?;
        if columns.iter().any(|column| self.table.columns[*column].auto_increment) {
            return Err(SqlError::new(
                code::ER_FUNCTIONAL_INDEX_REF_AUTO_INCREMENT,
                &[index.into()],
            ));
        }
        let ty = stored_type(&node.ty)?;
        let id = ColumnId(self.table.next_column_id);
        self.table.next_column_id += 1;
        self.table.columns.push(ColumnDescriptor {
            id,
            name: format!("!hidden!{index}!{part}!0"),
            ty,
            members: Vec::new(),
            zerofill: false,
            display_width: None,
            collation_written: false,
            default: ColumnDefault::None,
            on_update_now: false,
            auto_increment: false,
            generated: Some(Generated {
                expr: canonical(expr, self.facts.settings, &self.table),
                stored: false,
            }),
            comment: String::new(),
            invisible: true,
            hidden: true,
            instant_default: None,
        });
        Ok(id)
    }
}

/// The type of a column that holds an expression's values.
fn stored_type(ty: &SqlType) -> Result<SqlType, SqlError> {
    let mut ty = *ty;
    match ty.kind {
        TypeKind::Json | TypeKind::Geometry => {
            return Err(SqlError::new(code::ER_FUNCTIONAL_INDEX_ON_JSON_OR_GEOMETRY_FUNCTION, &[]));
        }
        kind if kind.is_text() => {
            return Err(SqlError::new(code::ER_FUNCTIONAL_INDEX_ON_LOB, &[]));
        }
        TypeKind::Null => {
            ty.kind = TypeKind::Char;
            ty.derivation = Derivation::Implicit;
        }
        kind if kind.is_string() => ty.derivation = Derivation::Implicit,
        _ => ty.derivation = Derivation::Numeric,
    }
    let collation = Collation::by_id(ty.collation.0).filter(|_| ty.kind.is_string());
    if let Some(rule) = collation.filter(|one| !one.is_supported()) {
        return Err(SqlError::not_supported_yet(&format!("collation {}", rule.name())));
    }
    Ok(ty)
}

fn part(written: &WrittenPart) -> PartDraft<'_> {
    let key = match &written.key {
        IndexKey::Column(name, prefix) => PartKey::Column(name.as_str().to_owned(), *prefix),
        IndexKey::Expr(expr) => PartKey::Expr(expr),
    };
    PartDraft { key, descending: written.descending }
}

fn too_long() -> SqlError {
    SqlError::new(code::ER_TOO_LONG_KEY, &[KEY_BYTES_MAX.into()])
}

/// Whether an index's first columns are these, in this order and whole.
pub(crate) fn serves(table: &TableDescriptor, index: &IndexDescriptor, columns: &[String]) -> bool {
    index.parts.len() >= columns.len()
        && index.parts.iter().zip(columns).all(|(part, name)| {
            part.prefix_len.is_none()
                && table
                    .column(part.column)
                    .is_some_and(|column| !column.hidden && same_name(&column.name, name))
        })
}

/// Without a primary key, the first unique index without NULLs passes for it, and may not
/// be invisible.
///
/// Errors: 3522.
pub(crate) fn check_visible_primary(table: &TableDescriptor) -> Result<(), SqlError> {
    let nullable = |part: &IndexPart| {
        table.column(part.column).is_none_or(|column| column.ty.nullable || column.is_virtual())
    };
    if table.primary().is_some() {
        return Ok(());
    }
    let passes = table
        .indexes
        .iter()
        .find(|index| index.kind == IndexKind::Unique && !index.parts.iter().any(nullable));
    if passes.is_some_and(|index| index.invisible) {
        return Err(SqlError::new(code::ER_PK_INDEX_CANT_BE_INVISIBLE, &[]));
    }
    Ok(())
}

/// The order in which MySQL has indexes: the primary key, unique ones without NULLs,
/// other unique ones, of both those of prefixes last; the rest. Of each those over columns
/// that are computed come last, else they are as they were defined.
pub(crate) fn sort(table: &mut TableDescriptor) {
    let class = |index: &IndexDescriptor| {
        let column = |part: &IndexPart| table.columns.iter().find(|one| one.id == part.column);
        let nullable =
            index.parts.iter().any(|part| column(part).is_none_or(|column| column.ty.nullable));
        let computed =
            index.parts.iter().any(|part| column(part).is_some_and(ColumnDescriptor::is_virtual));
        let partial = index.parts.iter().any(|part| part.prefix_len.is_some());
        match index.kind {
            IndexKind::Primary => (0, false, false, false),
            IndexKind::Unique => (1, nullable, partial, computed),
            IndexKind::Plain => (2, false, false, computed),
        }
    };
    let mut keyed: Vec<_> =
        table.indexes.iter().map(|index| (class(index), index.clone())).collect();
    keyed.sort_by_key(|(class, _)| *class);
    table.indexes = keyed.into_iter().map(|(_, index)| index).collect();
}
