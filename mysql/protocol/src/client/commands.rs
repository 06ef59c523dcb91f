//! A client's commands and their answers.

use bytes::Bytes;

use super::{Client, Reading, Row, broken};
use crate::command::{Parameter, encode_parameters};
use crate::error::{Error, Result};
use crate::flags::{Capabilities, CommandByte, StatusFlags};
use crate::packet::{Decoder, put_lenenc, put_zero_terminated};
use crate::result::{Column, Summary};

/// How a result begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has no rows; [`Client::summary`] says how it ended.
    Done,
    /// Rows follow: read them with [`Client::next_row`].
    Rows,
    /// A cursor is open: read rows with [`Client::fetch`].
    Cursor,
    /// The server asks for a file: send it with [`Client::send_infile`].
    Infile,
}

/// A prepared statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreparedStatement {
    /// Its number.
    pub id: u32,
    /// One for each placeholder.
    pub parameters: Vec<Column>,
    /// Columns of its result.
    pub columns: Vec<Column>,
    /// Warnings of preparing it.
    pub warnings: u16,
}

/// One result, whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResultSet {
    /// Columns; none if it has no rows.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// How it ended.
    pub summary: Summary,
}

/// What an answer held that was not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Skipped {
    /// Rows of all results.
    pub rows: u64,
    /// Rows that the last result changed.
    pub affected_rows: u64,
}

impl Client {
    /// COM_QUERY: reads the whole answer and keeps no row of it. For those who
    /// only measure: columns and rows are not taken apart.
    pub async fn query_and_skip(&mut self, sql: &[u8]) -> Result<Skipped> {
        self.send_query(sql, &[]).await?;
        self.skip_answer().await
    }

    /// COM_STMT_EXECUTE: as [`query_and_skip`](Self::query_and_skip).
    pub async fn execute_and_skip(
        &mut self,
        statement: &PreparedStatement,
        parameters: &[Parameter<'_>],
    ) -> Result<Skipped> {
        self.send_execute(statement, parameters, false, |_| false).await?;
        self.skip_answer().await
    }

    async fn skip_answer(&mut self) -> Result<Skipped> {
        let mut skipped = Skipped::default();
        self.columns.clear();
        loop {
            let first = self.read_checked().await?;
            match first.first() {
                Some(0x00) => {
                    self.summary = Summary::decode_ok(&first[1..], self.capabilities)?;
                }
                Some(0xfb) => {
                    self.reading = Reading::Infile;
                    return Err(Error::Misuse("the server asks for a file"));
                }
                _ => skipped.rows += self.skip_rows(&first).await?,
            }
            skipped.affected_rows = self.summary.affected_rows;
            if !self.summary.status.contains(StatusFlags::MORE_RESULTS) {
                self.reading = Reading::Nothing;
                return Ok(skipped);
            }
        }
    }

    /// Reads columns and rows of a result that begins with the packet `first`.
    async fn skip_rows(&mut self, first: &[u8]) -> Result<u64> {
        let mut from = Decoder::new(first);
        let mut left = from.lenenc()?;
        let optional = self.capabilities.contains(Capabilities::OPTIONAL_RESULTSET_METADATA);
        if optional && from.u8()? == 0 {
            left = 0;
        }
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            left += 1;
        }
        for _ in 0..left {
            self.read_checked().await?;
        }
        let mut rows = 0;
        loop {
            let payload = self.read_checked().await?;
            if self.is_end(&payload) {
                self.summary = self.decode_end(&payload)?;
                return Ok(rows);
            }
            rows += 1;
        }
    }

    /// COM_QUERY: begins to read the first result.
    pub async fn query(&mut self, sql: &[u8]) -> Result<Outcome> {
        self.query_with_attributes(sql, &[]).await
    }

    /// COM_QUERY with attributes, which are dropped if the server knows none.
    pub async fn query_with_attributes(
        &mut self,
        sql: &[u8],
        attributes: &[Parameter<'_>],
    ) -> Result<Outcome> {
        self.send_query(sql, attributes).await?;
        self.binary = false;
        self.read_outcome(false).await
    }

    async fn send_query(&mut self, sql: &[u8], attributes: &[Parameter<'_>]) -> Result<()> {
        let named = self.capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        self.send(CommandByte::Query, |out| {
            if named {
                put_lenenc(out, attributes.len() as u64);
                out.push(1);
                encode_parameters(out, attributes, true, |_| false);
            }
            out.extend_from_slice(sql);
        })
        .await
    }

    /// COM_QUERY: reads all its results into memory.
    pub async fn query_all(&mut self, sql: &[u8]) -> Result<Vec<ResultSet>> {
        let outcome = self.query(sql).await?;
        self.read_all(outcome).await
    }

    /// Reads all results into memory, the one that began with `outcome` first.
    pub async fn read_all(&mut self, outcome: Outcome) -> Result<Vec<ResultSet>> {
        let mut results = Vec::new();
        let mut outcome = Some(outcome);
        while let Some(began) = outcome {
            let mut result = ResultSet::default();
            match began {
                Outcome::Done | Outcome::Cursor => {}
                Outcome::Infile => self.send_infile(&[]).await?,
                Outcome::Rows => {
                    while let Some(row) = self.next_row().await? {
                        result.rows.push(row);
                    }
                }
            }
            result.columns = std::mem::take(&mut self.columns);
            result.summary = self.summary.clone();
            results.push(result);
            outcome = self.next_result().await?;
        }
        Ok(results)
    }

    /// Reads how a result begins, with its columns.
    async fn read_outcome(&mut self, cursor: bool) -> Result<Outcome> {
        self.columns.clear();
        let first = self.read_checked().await?;
        match first.first() {
            Some(0x00) => {
                self.summary = Summary::decode_ok(&first[1..], self.capabilities)?;
                self.reading = Reading::Nothing;
                return Ok(Outcome::Done);
            }
            Some(0xfb) => {
                self.reading = Reading::Infile;
                return Ok(Outcome::Infile);
            }
            _ => {}
        }
        let mut from = Decoder::new(&first);
        let count = from.lenenc()?;
        let optional = self.capabilities.contains(Capabilities::OPTIONAL_RESULTSET_METADATA);
        if !(optional && from.u8()? == 0) {
            self.columns = self.read_columns(count).await?;
        }
        if cursor || !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            return self.read_end_of_columns(cursor).await;
        }
        self.reading = Reading::Rows;
        Ok(Outcome::Rows)
    }

    async fn read_columns(&mut self, count: u64) -> Result<Vec<Column>> {
        let mut columns = Vec::new();
        for _ in 0..count {
            let payload = self.read_checked().await?;
            columns.push(Column::decode(&mut Decoder::new(&payload))?);
        }
        Ok(columns)
    }

    /// The EOF behind the columns; a cursor's says that it is open.
    async fn read_end_of_columns(&mut self, cursor: bool) -> Result<Outcome> {
        let end = self.read_checked().await?;
        if !self.is_end(&end) {
            return Err(Error::malformed());
        }
        self.summary = self.decode_end(&end)?;
        if cursor && self.summary.status.contains(StatusFlags::CURSOR_EXISTS) {
            self.reading = Reading::Nothing;
            return Ok(Outcome::Cursor);
        }
        self.reading = Reading::Rows;
        Ok(Outcome::Rows)
    }

    /// The next row; `None` at the end of the result.
    pub async fn next_row(&mut self) -> Result<Option<Row>> {
        match self.reading {
            Reading::Rows => self.reading = Reading::Rest,
            Reading::Rest => return Err(broken()),
            Reading::Nothing | Reading::Infile => return Ok(None),
        }
        let payload = self.read_checked().await?;
        if self.is_end(&payload) {
            self.summary = self.decode_end(&payload)?;
            self.reading = Reading::Nothing;
            return Ok(None);
        }
        self.reading = Reading::Rows;
        Ok(Some(Row { payload, binary: self.binary }))
    }

    /// Begins to read the next result; `None` if there is none.
    pub async fn next_result(&mut self) -> Result<Option<Outcome>> {
        while self.next_row().await?.is_some() {}
        if !self.summary.status.contains(StatusFlags::MORE_RESULTS) {
            return Ok(None);
        }
        if self.reading == Reading::Nothing {
            self.reading = Reading::Rest;
        }
        self.read_outcome(false).await.map(Some)
    }

    /// Sends the file that the server asked for, and reads how the statement ended.
    pub async fn send_infile(&mut self, content: &[u8]) -> Result<()> {
        const PART_BYTES: usize = 1 << 20;
        if self.reading != Reading::Infile {
            return Err(Error::Misuse("the server asked for no file"));
        }
        self.reading = Reading::Rest;
        for part in content.chunks(PART_BYTES) {
            self.channel.output.packet(part);
            self.channel.flush_if_large().await?;
        }
        self.channel.output.packet(&[]);
        self.channel.flush().await?;
        self.read_ok().await
    }

    /// COM_STMT_PREPARE.
    pub async fn prepare(&mut self, sql: &[u8]) -> Result<PreparedStatement> {
        self.send(CommandByte::StmtPrepare, |out| out.extend_from_slice(sql)).await?;
        let payload = self.read_checked().await?;
        let mut from = Decoder::new(&payload);
        if from.u8()? != 0 {
            return Err(Error::malformed());
        }
        let id = from.u32()?;
        let (columns, parameters) = (from.u16()?, from.u16()?);
        from.u8()?;
        let warnings = from.u16()?;
        let metadata = from.is_empty() || from.u8()? != 0;
        let parameters = self.read_definitions(parameters, metadata).await?;
        let columns = self.read_definitions(columns, metadata).await?;
        self.reading = Reading::Nothing;
        Ok(PreparedStatement { id, parameters, columns, warnings })
    }

    async fn read_definitions(&mut self, count: u16, metadata: bool) -> Result<Vec<Column>> {
        if count == 0 || !metadata {
            return Ok(Vec::new());
        }
        let columns = self.read_columns(u64::from(count)).await?;
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            self.read_checked().await?;
        }
        Ok(columns)
    }

    /// COM_STMT_EXECUTE: begins to read the first result. `parameters` are the
    /// placeholders' and then the attributes; those for which `sent_ahead` is
    /// true were sent by [`send_long_data`](Self::send_long_data).
    pub async fn execute(
        &mut self,
        statement: &PreparedStatement,
        parameters: &[Parameter<'_>],
        cursor: bool,
        sent_ahead: impl Fn(usize) -> bool,
    ) -> Result<Outcome> {
        self.send_execute(statement, parameters, cursor, sent_ahead).await?;
        self.binary = true;
        self.read_outcome(cursor).await
    }

    async fn send_execute(
        &mut self,
        statement: &PreparedStatement,
        parameters: &[Parameter<'_>],
        cursor: bool,
        sent_ahead: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let named = self.capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        self.send(CommandByte::StmtExecute, |out| {
            out.extend_from_slice(&statement.id.to_le_bytes());
            out.push(u8::from(cursor) | if named { 0x08 } else { 0 });
            out.extend_from_slice(&1u32.to_le_bytes());
            if named {
                put_lenenc(out, parameters.len() as u64);
            }
            encode_parameters(out, parameters, named, sent_ahead);
        })
        .await
    }

    /// COM_STMT_SEND_LONG_DATA: appends to the parameter of this index.
    pub async fn send_long_data(&mut self, id: u32, parameter: u16, data: &[u8]) -> Result<()> {
        self.send(CommandByte::StmtSendLongData, |out| {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&parameter.to_le_bytes());
            out.extend_from_slice(data);
        })
        .await?;
        self.reading = Reading::Nothing;
        Ok(())
    }

    /// COM_STMT_FETCH: up to `rows` rows of a cursor.
    pub async fn fetch(&mut self, id: u32, rows: u32) -> Result<Vec<Row>> {
        self.send(CommandByte::StmtFetch, |out| {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&rows.to_le_bytes());
        })
        .await?;
        self.binary = true;
        self.reading = Reading::Rows;
        let mut fetched = Vec::new();
        while let Some(row) = self.next_row().await? {
            fetched.push(row);
        }
        Ok(fetched)
    }

    /// COM_STMT_RESET.
    pub async fn reset_statement(&mut self, id: u32) -> Result<()> {
        self.send(CommandByte::StmtReset, |out| out.extend_from_slice(&id.to_le_bytes())).await?;
        self.read_ok().await
    }

    /// COM_STMT_CLOSE.
    pub async fn close_statement(&mut self, id: u32) -> Result<()> {
        self.send(CommandByte::StmtClose, |out| out.extend_from_slice(&id.to_le_bytes())).await?;
        self.reading = Reading::Nothing;
        Ok(())
    }

    /// COM_PING.
    pub async fn ping(&mut self) -> Result<()> {
        self.send(CommandByte::Ping, |_| {}).await?;
        self.read_ok().await
    }

    /// COM_INIT_DB.
    pub async fn init_db(&mut self, schema: &str) -> Result<()> {
        self.send(CommandByte::InitDb, |out| out.extend_from_slice(schema.as_bytes())).await?;
        self.read_ok().await
    }

    /// COM_RESET_CONNECTION.
    pub async fn reset_connection(&mut self) -> Result<()> {
        self.send(CommandByte::ResetConnection, |_| {}).await?;
        self.read_ok().await
    }

    /// COM_SET_OPTION: several statements per query.
    pub async fn set_multi_statements(&mut self, on: bool) -> Result<()> {
        self.send(CommandByte::SetOption, |out| {
            out.extend_from_slice(&u16::from(!on).to_le_bytes());
        })
        .await?;
        self.read_ok().await
    }

    /// COM_STATISTICS.
    pub async fn statistics(&mut self) -> Result<Bytes> {
        self.send(CommandByte::Statistics, |_| {}).await?;
        let line = self.read_checked().await?;
        self.reading = Reading::Nothing;
        Ok(line)
    }

    /// COM_PROCESS_KILL.
    pub async fn kill(&mut self, connection_id: u32) -> Result<()> {
        self.send(CommandByte::ProcessKill, |out| {
            out.extend_from_slice(&connection_id.to_le_bytes());
        })
        .await?;
        self.read_ok().await
    }

    /// COM_DEBUG.
    pub async fn debug(&mut self) -> Result<()> {
        self.send(CommandByte::Debug, |_| {}).await?;
        self.read_ok().await
    }

    /// COM_FIELD_LIST: columns of a table and their defaults.
    pub async fn field_list(
        &mut self,
        table: &str,
        pattern: &str,
    ) -> Result<Vec<(Column, Option<Vec<u8>>)>> {
        self.send(CommandByte::FieldList, |out| {
            put_zero_terminated(out, table.as_bytes());
            out.extend_from_slice(pattern.as_bytes());
        })
        .await?;
        let mut fields = Vec::new();
        loop {
            let payload = self.read_checked().await?;
            if self.is_end(&payload) {
                self.summary = self.decode_end(&payload)?;
                self.reading = Reading::Nothing;
                return Ok(fields);
            }
            let mut from = Decoder::new(&payload);
            let column = Column::decode(&mut from)?;
            let default = match from.lenenc_or_null()? {
                Some(len) => {
                    let len = usize::try_from(len).map_err(|_| Error::malformed())?;
                    Some(from.bytes(len)?.to_vec())
                }
                None => None,
            };
            fields.push((column, default));
        }
    }

    /// Sends a packet as it is and begins to read the answer; for commands
    /// that have no call of their own.
    pub async fn command(&mut self, payload: &[u8]) -> Result<Outcome> {
        self.begin_exchange()?;
        self.channel.output.packet(payload);
        self.channel.flush().await?;
        self.binary = false;
        self.read_outcome(false).await
    }

    /// COM_QUIT.
    pub async fn quit(mut self) -> Result<()> {
        self.send(CommandByte::Quit, |_| {}).await
    }
}
