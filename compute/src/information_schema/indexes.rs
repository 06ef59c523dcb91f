//! STATISTICS.
//!
//! How many different keys an index has is not counted: NULL.

use firn_mysql_semantics::Value;

use super::Facts;
use super::cell::{maybe, maybe_number, number, text, yes};
use crate::catalog::show::index_infos;

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, known) in &facts.catalog.schemas {
        for table in known.tables() {
            let table = &table.descriptor;
            for info in index_infos(table) {
                rows.push(vec![
                    text("def"),
                    text(&**schema),
                    text(&table.name),
                    number(u64::from(info.non_unique)),
                    text(&**schema),
                    text(&info.name),
                    number(info.part as u64),
                    maybe(info.column.as_deref()),
                    text(if info.descending { "D" } else { "A" }),
                    Value::Null,
                    maybe_number(info.prefix_len.map(u64::from)),
                    Value::Null,
                    text(if info.nullable { "YES" } else { "" }),
                    text("BTREE"),
                    text(""),
                    text(&info.comment),
                    yes(info.visible),
                    maybe(info.expression.as_deref()),
                ]);
            }
        }
    }
    rows
}
