//! Columns and their attributes.

use firn_mysql_parser::ast::{ColumnAttribute, ColumnDef, DataType, Expr, ExprKind};
use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::error::{SqlError, code};
use firn_table::descriptor::{ColumnDefault, ColumnDescriptor, ColumnId, Generated, IndexKind};

use super::Builder;
use super::data_type::{TypeSite, Typed};
use super::default;
use super::expr::Draft;
use super::key::KeyDraft;
use crate::catalog::name::check_column_name;

/// Longest comment of a column, in characters.
const COMMENT_MAX: u64 = 1024;

impl<'a> Builder<'a> {
    /// Adds a column at the end, with the keys and checks that are written with it; or
    /// redefines the one at `place`, which keeps its id. Gives its place.
    pub(crate) fn column(
        &mut self,
        written: &'a ColumnDef,
        place: Option<usize>,
    ) -> Result<usize, SqlError> {
        let typed = match self.typed.remove(&address(written)) {
            Some(typed) => typed,
            None => self.column_type(written)?,
        };
        self.column_of(written, typed, place)
    }

    /// Reads the type of a column that is added later: MySQL reads them all, with what
    /// it has to say of them, before it looks at anything else.
    pub(crate) fn read_type(&mut self, written: &'a ColumnDef) -> Result<(), SqlError> {
        let typed = self.column_type(written)?;
        self.typed.insert(address(written), typed);
        Ok(())
    }

    fn column_type(&mut self, written: &ColumnDef) -> Result<Typed, SqlError> {
        let name = written.name.as_str();
        let attributes = &written.attributes;
        let collate = attributes.iter().find_map(|attribute| match attribute {
            ColumnAttribute::Collate(name) => Some(name),
            _ => None,
        });
        TypeSite {
            column: name,
            table: self.table.collation,
            collate: collate.or(written.collation.as_ref()),
            strict: self.facts.settings.strict,
            warnings: self.warnings,
            late: &mut self.late,
        }
        .typed(&written.data_type)
    }

    fn column_of(
        &mut self,
        written: &'a ColumnDef,
        typed: Typed,
        place: Option<usize>,
    ) -> Result<usize, SqlError> {
        let name = written.name.as_str();
        check_column_name(name)?;
        let attributes = &written.attributes;
        let id = match place {
            Some(place) => self.table.columns[place].id,
            None => {
                let id = ColumnId(self.table.next_column_id);
                self.table.next_column_id += 1;
                id
            }
        };
        self.said_null.retain(|other| *other != id);
        self.said_default.retain(|other| *other != id);
        self.expressions.retain(|draft| draft.column != id);
        self.constants.retain(|(other, _)| *other != id);
        let mut column = ColumnDescriptor {
            id,
            name: name.to_owned(),
            ty: typed.ty,
            members: typed.members,
            zerofill: typed.zerofill,
            display_width: typed.display_width,
            collation_written: typed.collation_written,
            default: ColumnDefault::Null,
            on_update_now: false,
            auto_increment: false,
            generated: None,
            comment: String::new(),
            invisible: false,
            hidden: false,
            instant_default: None,
        };
        if matches!(written.data_type, DataType::Serial) {
            column.ty.nullable = false;
            column.auto_increment = true;
            self.keys.push(KeyDraft::of_column(IndexKind::Unique, &written.name));
        }
        if let Some(generated) = &written.generated {
            refuse_beside_generated(attributes)?;
            // The text follows when all columns are known.
            column.generated = Some(Generated { expr: String::new(), stored: generated.stored });
            self.expressions.push(Draft::generated(id, &generated.expr));
        }
        for attribute in attributes {
            self.attribute(&mut column, written, attribute)?;
        }
        if column.auto_increment && self.said_default.contains(&id) {
            return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[name.into()]));
        }
        if column.auto_increment && !takes_auto_increment(column.ty.kind) {
            return Err(SqlError::new(code::ER_WRONG_FIELD_SPEC, &[name.into()]));
        }
        let said_null_default = self.said_default.contains(&id)
            && column.default == ColumnDefault::Null
            && !column.ty.nullable;
        if said_null_default {
            return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[name.into()]));
        }
        Ok(match place {
            Some(place) => {
                column.instant_default = self.table.columns[place].instant_default.clone();
                self.table.columns[place] = column;
                place
            }
            None => {
                // Hidden ones stay behind.
                let columns = &mut self.table.columns;
                let place = columns.iter().position(|one| one.hidden).unwrap_or(columns.len());
                columns.insert(place, column);
                place
            }
        })
    }

    /// Takes a default that was written. A constant is made to fit at the very end.
    fn say_default(
        &mut self,
        column: &mut ColumnDescriptor,
        default: Option<ColumnDefault>,
        expr: &'a Expr,
    ) {
        self.constants.retain(|(id, _)| *id != column.id);
        column.default = default.unwrap_or_else(|| {
            self.constants.push((column.id, expr));
            ColumnDefault::Constant(Vec::new())
        });
        self.said_default.push(column.id);
    }

    fn attribute(
        &mut self,
        column: &mut ColumnDescriptor,
        written: &'a ColumnDef,
        attribute: &'a ColumnAttribute,
    ) -> Result<(), SqlError> {
        match attribute {
            ColumnAttribute::Null => {
                column.ty.nullable = true;
                self.said_null.push(column.id);
            }
            ColumnAttribute::NotNull => {
                column.ty.nullable = false;
                self.said_null.retain(|id| *id != column.id);
            }
            ColumnAttribute::Default { expr, parens: false } => {
                self.expressions.retain(|draft| draft.column != column.id);
                let default = default::written(column, expr, self.facts, self.warnings)?;
                self.say_default(column, default, expr);
            }
            ColumnAttribute::Default { expr, parens: true } => {
                self.expressions.retain(|draft| draft.column != column.id);
                // The text follows when all columns are known.
                column.default = ColumnDefault::Expr(String::new());
                self.expressions.push(Draft::default(column.id, expr));
                self.said_default.push(column.id);
            }
            ColumnAttribute::OnUpdate(now) => {
                let digits = default::now_digits(now);
                if !digits.is_some_and(|digits| default::takes_now(&column.ty, digits)) {
                    return Err(SqlError::new(
                        code::ER_INVALID_ON_UPDATE,
                        &[(&column.name).into()],
                    ));
                }
                column.on_update_now = true;
            }
            ColumnAttribute::AutoIncrement => {
                column.auto_increment = true;
                column.ty.nullable = false;
            }
            ColumnAttribute::SerialDefaultValue => {
                column.auto_increment = true;
                column.ty.nullable = false;
                self.keys.push(KeyDraft::of_column(IndexKind::Unique, &written.name));
            }
            ColumnAttribute::PrimaryKey => {
                self.keys.push(KeyDraft::of_column(IndexKind::Primary, &written.name));
            }
            ColumnAttribute::Unique => {
                let again = attributes_before(written, attribute)
                    .any(|other| matches!(other, ColumnAttribute::Unique));
                if again {
                    return Ok(());
                }
                self.keys.push(KeyDraft::of_column(IndexKind::Unique, &written.name));
            }
            ColumnAttribute::Comment(text) => {
                if text.chars().count() as u64 > COMMENT_MAX {
                    let args = [(&column.name).into(), COMMENT_MAX.into()];
                    return Err(SqlError::new(code::ER_TOO_LONG_FIELD_COMMENT, &args));
                }
                column.comment = text.to_string();
            }
            ColumnAttribute::Visible(visible) => column.invisible = !visible,
            ColumnAttribute::Check(check) => {
                self.check(check, Some(&written.name));
            }
            ColumnAttribute::Srid(_) => {
                return Err(SqlError::new(code::ER_WRONG_USAGE, &["SRID".into(), "non-geometry column".into()]));
            }
            // Kept by the type already, or without meaning here.
            ColumnAttribute::Collate(_)
            | ColumnAttribute::ColumnFormat(_)
            | ColumnAttribute::Storage(_)
            | ColumnAttribute::NotSecondary
            | ColumnAttribute::EngineAttribute(_)
            | ColumnAttribute::SecondaryEngineAttribute(_)
            // As MySQL has it: the clause is read and passed over.
            | ColumnAttribute::References(_) => {}
        }
        Ok(())
    }
}

fn address(written: &ColumnDef) -> usize {
    std::ptr::from_ref(written).addr()
}

/// Attributes that stand before one.
fn attributes_before<'a>(
    written: &'a ColumnDef,
    attribute: &'a ColumnAttribute,
) -> impl Iterator<Item = &'a ColumnAttribute> {
    written.attributes.iter().take_while(move |other| !std::ptr::eq(*other, attribute))
}

/// ALTER COLUMN … SET DEFAULT.
///
/// Errors: 1067, 1101.
pub(crate) fn alter_default<'a>(
    builder: &mut Builder<'a>,
    at: usize,
    expr: &'a Expr,
    parens: bool,
) -> Result<(), SqlError> {
    let mut column = builder.table.columns[at].clone();
    if column.generated.is_some() {
        let args = ["DEFAULT".into(), "generated column".into()];
        return Err(SqlError::new(code::ER_WRONG_USAGE, &args));
    }
    if column.auto_increment {
        return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()]));
    }
    builder.expressions.retain(|draft| draft.column != column.id);
    let literal = matches!(expr.kind, ExprKind::Literal(_));
    let long = column.ty.kind.is_text() || column.ty.kind == TypeKind::Json;
    if long && !parens {
        let args = [(&column.name).into()];
        return Err(SqlError::new(code::ER_BLOB_CANT_HAVE_DEFAULT, &args));
    }
    // A literal is one in parentheses too.
    if parens && (long || !literal) {
        column.default = ColumnDefault::Expr(String::new());
        builder.expressions.push(Draft::default(column.id, expr));
    } else {
        let default = default::written(&column, expr, builder.facts, builder.warnings)?;
        builder.say_default(&mut column, default, expr);
    }
    if column.default == ColumnDefault::Null && !column.ty.nullable {
        return Err(SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()]));
    }
    builder.said_default.push(column.id);
    builder.table.columns[at] = column;
    Ok(())
}

/// Errors: 1221.
fn refuse_beside_generated(attributes: &[ColumnAttribute]) -> Result<(), SqlError> {
    let clause = attributes.iter().find_map(|attribute| match attribute {
        ColumnAttribute::Default { .. } => Some("DEFAULT"),
        ColumnAttribute::AutoIncrement => Some("AUTO_INCREMENT"),
        ColumnAttribute::SerialDefaultValue => Some("SERIAL DEFAULT VALUE"),
        ColumnAttribute::OnUpdate(_) => Some("ON UPDATE"),
        ColumnAttribute::ColumnFormat(_) => Some("COLUMN_FORMAT"),
        ColumnAttribute::Storage(_) => Some("STORAGE"),
        _ => None,
    });
    match clause {
        Some(clause) => {
            Err(SqlError::new(code::ER_WRONG_USAGE, &[clause.into(), "generated column".into()]))
        }
        None => Ok(()),
    }
}

fn takes_auto_increment(kind: TypeKind) -> bool {
    kind.is_integer()
}
