//! The answer to one command: one result or several.

use std::borrow::Cow;

use bytes::Bytes;

use super::column::Columns;
use super::row::Rows;
use super::status::Summary;
use crate::error::{Error, Result, SqlError};
use crate::flags::{Capabilities, StatusFlags};
use crate::packet::{Channel, FLUSH_BYTES, PacketBuffer, put_lenenc, put_lenenc_bytes};

/// The longest text of an error, bytes.
const MESSAGE_MAX_BYTES: usize = 511;

/// Appends an OK packet with this first byte; says where its status flags stand.
fn put_ok_as(
    first: u8,
    to: &mut PacketBuffer,
    capabilities: Capabilities,
    summary: &Summary,
) -> usize {
    to.begin();
    let out = to.bytes();
    out.push(first);
    put_lenenc(out, summary.affected_rows);
    put_lenenc(out, summary.last_insert_id);
    let at = out.len();
    let tracked = capabilities.contains(Capabilities::SESSION_TRACK) && !summary.changes.is_empty();
    let mut status = summary.status;
    status.set(StatusFlags::SESSION_STATE_CHANGED, tracked);
    out.extend_from_slice(&status.0.to_le_bytes());
    out.extend_from_slice(&summary.warnings.to_le_bytes());
    if tracked || !summary.info.is_empty() {
        put_lenenc_bytes(out, summary.info.as_bytes());
    }
    if tracked {
        let (mut block, mut scratch) = (Vec::new(), Vec::new());
        for change in &summary.changes {
            change.encode(&mut block, &mut scratch);
        }
        put_lenenc_bytes(out, &block);
    }
    to.end();
    at
}

/// Appends an OK packet; says where its status flags stand.
pub(crate) fn put_ok(to: &mut PacketBuffer, caps: Capabilities, summary: &Summary) -> usize {
    put_ok_as(0x00, to, caps, summary)
}

/// Appends what ends rows: an EOF packet, or the OK packet that stands for it.
pub(crate) fn put_eof(to: &mut PacketBuffer, caps: Capabilities, summary: &Summary) -> usize {
    if caps.contains(Capabilities::DEPRECATE_EOF) {
        return put_ok_as(0xfe, to, caps, summary);
    }
    to.begin();
    let out = to.bytes();
    out.push(0xfe);
    out.extend_from_slice(&summary.warnings.to_le_bytes());
    let at = out.len();
    out.extend_from_slice(&summary.status.0.to_le_bytes());
    to.end();
    at
}

/// Appends an ERR packet. Before a client has said what it can, `capabilities`
/// is empty, and there is no SQLSTATE.
pub(crate) fn put_error(to: &mut PacketBuffer, capabilities: Capabilities, error: &SqlError) {
    to.begin();
    let out = to.bytes();
    out.push(0xff);
    out.extend_from_slice(&error.number.to_le_bytes());
    if capabilities.contains(Capabilities::PROTOCOL_41) {
        out.push(b'#');
        out.extend_from_slice(&error.sqlstate);
    }
    let mut end = error.message.len().min(MESSAGE_MAX_BYTES);
    while !error.message.is_char_boundary(end) {
        end -= 1;
    }
    out.extend_from_slice(&error.message.as_bytes()[..end]);
    to.end();
}

/// Rows that wait to be fetched.
///
/// They are kept in memory, as they will be sent, up to the limit of
/// [`crate::server::ServerConfig::cursor_max_bytes`].
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    rows: PacketBuffer,
    /// Where the next row to be fetched starts.
    read_at: usize,
}

impl Cursor {
    /// Payload of the next row.
    pub(crate) fn next_row(&mut self) -> Option<&[u8]> {
        let rest = self.rows.bytes().get(self.read_at..)?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let len = u32::from_le_bytes(*len) as usize;
        self.read_at += 4 + len;
        rest.get(..len)
    }

    /// Whether every row was fetched.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.read_at >= self.rows.len()
    }

    fn end_row(&mut self, max_bytes: usize) -> Result<()> {
        let len = u32::try_from(self.rows.payload_len());
        match len {
            Ok(len) if self.rows.len() <= max_bytes => self.rows.end_record(len),
            _ => return Err(Error::Sql(SqlError::out_of_resources())),
        }
        Ok(())
    }
}

/// Where a handler writes the answer to a statement.
///
/// Give each result in turn: [`ok`](Self::ok) for a statement without rows,
/// [`rows`](Self::rows) for one with rows. That another result follows is
/// flagged here, when it does. To fail, return the error from the handler.
pub struct Response<'c> {
    channel: &'c mut Channel,
    pub(super) capabilities: Capabilities,
    pub(super) binary: bool,
    /// A row was begun and not ended.
    pub(super) row_open: bool,
    /// Definitions of columns are sent (`resultset_metadata`).
    metadata: bool,
    /// Where the status flags of the last result stand in the buffer.
    status_at: Option<usize>,
    results: u32,
    cursor: CursorState,
    cursor_max_bytes: usize,
    infile_open: bool,
}

enum CursorState {
    NotAsked,
    Asked,
    Open(Cursor),
}

impl<'c> Response<'c> {
    pub(crate) fn new(channel: &'c mut Channel, capabilities: Capabilities, binary: bool) -> Self {
        Self {
            channel,
            capabilities,
            binary,
            row_open: false,
            metadata: true,
            status_at: None,
            results: 0,
            cursor: CursorState::NotAsked,
            cursor_max_bytes: 0,
            infile_open: false,
        }
    }

    /// The first rows go into a cursor of up to this size.
    pub(crate) fn with_cursor(mut self, max_bytes: usize) -> Self {
        (self.cursor, self.cursor_max_bytes) = (CursorState::Asked, max_bytes);
        self
    }

    /// Leaves out the definitions of columns, if the client can do without
    /// (`resultset_metadata=NONE`).
    pub fn omit_metadata(&mut self) {
        self.metadata = !self.capabilities.contains(Capabilities::OPTIONAL_RESULTSET_METADATA);
    }

    /// What the connection can.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether rows are binary: the statement was prepared.
    pub fn is_binary(&self) -> bool {
        self.binary
    }

    pub(super) fn output(&mut self) -> &mut PacketBuffer {
        &mut self.channel.output
    }

    pub(super) fn row_buffer(&mut self) -> &mut PacketBuffer {
        match &mut self.cursor {
            CursorState::Open(cursor) => &mut cursor.rows,
            _ => &mut self.channel.output,
        }
    }

    /// Ends the open row; whether so much waits that it is to be sent.
    pub(super) fn finish_row(&mut self) -> Result<bool> {
        if let CursorState::Open(cursor) = &mut self.cursor {
            cursor.end_row(self.cursor_max_bytes)?;
            self.row_open = false;
            return Ok(false);
        }
        self.channel.output.end();
        self.row_open = false;
        Ok(self.channel.output.len() >= FLUSH_BYTES)
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.channel.flush().await
    }

    pub(super) fn result_ended(&mut self, status_at: usize) {
        self.status_at = Some(status_at);
        self.results += 1;
    }

    /// Tells the client, in the result before, that this one follows.
    fn begin_result(&mut self) -> Result<()> {
        if self.row_open {
            return Err(Error::Misuse("a result was left in the middle of a row"));
        }
        if self.infile_open {
            return Err(Error::Misuse("a file of the client was not read to its end"));
        }
        if let Some(at) = self.status_at.take() {
            // Low byte of the flags; the result cannot have been sent yet.
            self.channel.output.bytes()[at] |= StatusFlags::MORE_RESULTS.0 as u8;
        }
        Ok(())
    }

    /// A result without rows.
    pub fn ok(&mut self, summary: &Summary) -> Result<()> {
        self.begin_result()?;
        let at = put_ok(&mut self.channel.output, self.capabilities, summary);
        self.result_ended(at);
        Ok(())
    }

    /// A result with rows of these columns. There must be at least one column.
    pub fn rows<'r, 's>(&'r mut self, columns: &'s Columns) -> Result<Rows<'r, 'c, 's>> {
        if columns.is_empty() {
            return Err(Error::Misuse("a result with rows has at least one column"));
        }
        self.begin_result()?;
        let open_cursor = matches!(self.cursor, CursorState::Asked);
        let output = &mut self.channel.output;
        output.begin();
        put_lenenc(output.bytes(), columns.len() as u64);
        if self.capabilities.contains(Capabilities::OPTIONAL_RESULTSET_METADATA) {
            output.bytes().push(u8::from(self.metadata));
        }
        output.end();
        if self.metadata {
            for payload in columns.payloads() {
                output.packet(payload);
            }
        }
        // Where the EOF of a cursor's columns would stand comes that of its opening.
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) && !open_cursor {
            put_eof(output, self.capabilities, &Summary::default());
        }
        if open_cursor {
            self.cursor = CursorState::Open(Cursor::default());
        }
        Ok(Rows::new(self, columns))
    }

    /// Asks the client for the content of a file of its own. The answer to the
    /// statement follows when the file has been read.
    pub async fn local_infile(&mut self, name: &[u8]) -> Result<LocalInfile<'_, 'c>> {
        if !self.capabilities.contains(Capabilities::LOCAL_FILES) {
            return Err(Error::Sql(SqlError::local_files_disabled()));
        }
        self.begin_result()?;
        let output = &mut self.channel.output;
        output.begin();
        output.bytes().push(0xfb);
        output.bytes().extend_from_slice(name);
        output.end();
        self.infile_open = true;
        self.channel.flush().await?;
        Ok(LocalInfile { response: self })
    }

    async fn next_infile_part(&mut self) -> Result<Option<Bytes>> {
        if !self.infile_open {
            return Ok(None);
        }
        let part = self.channel.read_packet(self.channel.timeouts.read).await?;
        self.infile_open = !part.is_empty();
        Ok(self.infile_open.then_some(part))
    }

    /// Completes the answer: gives the error of the handler to the client, if
    /// it is the statement's only.
    pub(crate) async fn conclude(mut self, handled: Result<()>) -> Result<Option<Cursor>> {
        let error = match handled {
            Ok(()) if self.row_open => Some(SqlError::unknown("The result was left unfinished")),
            Ok(()) if self.results == 0 => Some(SqlError::unknown("The statement gave no result")),
            Ok(()) => None,
            Err(Error::Sql(error)) => Some(error),
            Err(Error::Misuse(what)) => Some(SqlError::unknown(what)),
            Err(error) => return Err(error),
        };
        while self.infile_open {
            match self.next_infile_part().await {
                Ok(_) | Err(Error::Sql(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = error {
            let in_cursor = matches!(self.cursor, CursorState::Open(_));
            if std::mem::take(&mut self.row_open) && !in_cursor {
                self.channel.output.abandon();
            }
            self.begin_result()?;
            put_error(&mut self.channel.output, self.capabilities, &error);
            return Ok(None);
        }
        Ok(match self.cursor {
            CursorState::Open(cursor) => Some(cursor),
            _ => None,
        })
    }

    /// What [`Rows::end`] ends rows with: into a cursor, its opening.
    pub(super) fn end_summary<'a>(&self, summary: &'a Summary) -> Cow<'a, Summary> {
        if matches!(self.cursor, CursorState::Open(_)) && self.results == 0 {
            let mut summary = summary.clone();
            summary.status.set(StatusFlags::CURSOR_EXISTS, true);
            return Cow::Owned(summary);
        }
        Cow::Borrowed(summary)
    }
}

/// A file that the client sends.
pub struct LocalInfile<'r, 'c> {
    response: &'r mut Response<'c>,
}

impl LocalInfile<'_, '_> {
    /// The next part of the file; `None` at its end. A file the client cannot
    /// read is an empty one to the server.
    ///
    /// The whole file has to be read before the statement is answered;
    /// [`skip`](Self::skip) does that. After an error it is done anyway.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.response.next_infile_part().await
    }

    /// Throws away what is left of the file.
    pub async fn skip(&mut self) -> Result<()> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}
