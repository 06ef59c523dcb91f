//! SELECT … INTO OUTFILE and DUMPFILE.

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Settings};

use super::Session;
use super::compiled::QueryPlan;
use super::statement::{Done, Ended, Outcome};
use crate::bind::Destination;
use crate::execute::{SelectRun, View};
use crate::output::FileWriter;
use crate::variables::SqlMode;

impl Session {
    /// Writes the rows of a query to a new file. What was written before an error stays,
    /// as with MySQL.
    pub(super) async fn write_file(
        &mut self,
        plan: &QueryPlan,
        mut run: SelectRun<'_>,
        mut view: View<'_>,
        settings: &Settings,
    ) -> Result<Outcome, Ended> {
        let select = &plan.select.select;
        let (name, lines) = match &select.into {
            Destination::Outfile(outfile) => {
                let mode = self.values.variables.hot().sql_mode;
                let backslash = !mode.has(SqlMode::NO_BACKSLASH_ESCAPES);
                let writer = FileWriter::new(&select.items, outfile, backslash);
                (&*outfile.name, Some(writer))
            }
            Destination::Dumpfile(name) => (&**name, None),
            Destination::Client | Destination::Variables(_) => return Ok(Done::default().into()),
        };
        if lines.as_ref().is_some_and(FileWriter::is_ambiguous) {
            self.warnings.warn(SqlError::new(code::ER_AMBIGUOUS_FIELD_TERM, &[]));
        }
        let path = self.server.files.path(name, self.values.variables.database());
        let mut file = self.server.files.write(&self.server.env, path, name).await?;
        let mut cx = Cx::new(settings, &mut self.values, &mut self.warnings);
        let mut count = 0;
        let written = loop {
            let values = match run.next(&mut view, &mut cx).await {
                Ok(Some(values)) => values,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let put = match &lines {
                Some(lines) => {
                    let nodes = select.items.iter().map(|item| &item.node);
                    lines.put(nodes.zip(values), file.buffer())
                }
                // The second row is written, too: MySQL looks at the third.
                None if count > 1 => break Err(SqlError::new(code::ER_TOO_MANY_ROWS, &[])),
                None => select.items.iter().zip(values).try_for_each(|(item, value)| {
                    match item.node.text(value)? {
                        Some(text) => file.buffer().extend_from_slice(&text),
                        None => file.buffer().push(0),
                    }
                    Ok(())
                }),
            };
            count += 1;
            let put = match put {
                Ok(()) => file.give_way().await,
                error => error,
            };
            if put.is_err() {
                break put;
            }
        };
        file.flush().await?;
        written?;
        let found = if select.calc_found_rows { run.found_rows() } else { count };
        (self.values.found_rows, self.values.row_count) = (found, count.cast_signed());
        Ok(Done { affected: count, ..Done::default() }.into())
    }
}
