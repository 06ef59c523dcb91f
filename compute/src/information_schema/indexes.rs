//! STATISTICS and COLUMN_STATISTICS.
//!
//! How many different keys an index has is told once ANALYZE TABLE has gathered it.

use std::sync::Arc;

use firn_mysql_semantics::Value;
use firn_table::descriptor::TableDescriptor;

use super::Facts;
use super::cell::{maybe, maybe_number, number, text, yes};
use crate::catalog::show::{IndexInfo, index_infos};
use crate::server::Server;

/// How many different keys there are up to a part, where ANALYZE TABLE has gathered that.
pub(crate) fn cardinalities(
    server: &Server,
    table: &Arc<TableDescriptor>,
) -> impl Fn(&IndexInfo) -> Option<u64> {
    let open = server.opened.get(table).ok();
    let known = open.and_then(|open| open.statistics()).filter(|known| known.analyzed);
    let indexes: Vec<_> =
        table.indexes.iter().map(|index| (index.name.clone(), index.id.0)).collect();
    move |info| {
        let (_, id) = indexes.iter().find(|(name, _)| *name == info.name)?;
        known.as_ref()?.distinct.get(id)?.get(info.part.checked_sub(1)?).copied()
    }
}

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, known) in &facts.catalog.schemas {
        for table in known.tables() {
            let table = &table.descriptor;
            let cardinality = cardinalities(&facts.server, table);
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
                    maybe_number(cardinality(&info)),
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

/// COLUMN_STATISTICS: histograms.
pub(super) fn histograms(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, known) in &facts.catalog.schemas {
        for table in known.tables() {
            let Ok(open) = facts.server.opened.get(&table.descriptor) else { continue };
            let histograms = open.histograms();
            let mut columns: Vec<_> = table.descriptor.columns.iter().collect();
            columns.sort_by_key(|column| column.name.to_lowercase());
            for column in columns {
                let Some(histogram) = histograms.get(&column.id.0) else { continue };
                rows.push(vec![
                    text(&**schema),
                    text(&table.descriptor.name),
                    text(&column.name),
                    Value::bytes(histogram.shown()),
                ]);
            }
        }
    }
    rows
}
