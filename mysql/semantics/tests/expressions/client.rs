//! As much of MySQL's protocol as the comparison needs: an account without a
//! password, and text results.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

pub(crate) struct Client {
    stream: TcpStream,
    sequence: u8,
}

/// One column of one row, or what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Value { kind: u8, flags: u16, length: u32, decimals: u8, charset: u16, value: Option<Vec<u8>> },
    Error { number: u16, message: String },
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        if count > self.0.len() {
            return Err(Error::new(ErrorKind::UnexpectedEof, "a packet is too short"));
        }
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(head)
    }

    fn number(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    fn text(&mut self) -> Result<Option<&'a [u8]>> {
        let length = match self.number(1)? {
            0xfb => return Ok(None),
            0xfc => self.number(2)?,
            0xfd => self.number(3)?,
            0xfe => self.number(8)?,
            short => short,
        };
        self.take(length as usize).map(Some)
    }
}

impl Client {
    pub(crate) fn connect(address: &str) -> Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Client { stream, sequence: 0 };
        client.packet()?;
        // Protocol 4.1, secure connection, plugin names, long columns' flags.
        let capabilities: u32 = 0x1 | 0x4 | 0x200 | 0x8000 | 0x8_0000;
        let mut login = capabilities.to_le_bytes().to_vec();
        login.extend_from_slice(&(64u32 << 20).to_le_bytes());
        login.push(255);
        login.extend_from_slice(&[0; 23]);
        login.extend_from_slice(b"root\0\0caching_sha2_password\0");
        client.send(&login)?;
        let mut answer = client.packet()?;
        while answer.first() == Some(&1) {
            answer = client.packet()?;
        }
        match answer.first() {
            Some(0) => Ok(client),
            _ => Err(Error::other(String::from_utf8_lossy(&answer).into_owned())),
        }
    }

    /// A packet; one of 16 MiB and more comes in pieces.
    fn packet(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head)?;
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
            self.sequence = head[3].wrapping_add(1);
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            if length < 0xff_ffff {
                return Ok(body);
            }
        }
    }

    fn send(&mut self, body: &[u8]) -> Result<()> {
        let mut out = (body.len() as u32).to_le_bytes();
        out[3] = self.sequence;
        let mut packet = out.to_vec();
        packet.extend_from_slice(body);
        self.stream.write_all(&packet)
    }

    /// Runs a statement; the rows, and how many warnings came.
    pub(crate) fn rows(&mut self, sql: &str) -> Result<(Vec<Vec<Reply>>, u16)> {
        self.sequence = 0;
        let mut command = vec![3];
        command.extend_from_slice(sql.as_bytes());
        self.send(&command)?;
        let first = self.packet()?;
        match first.first() {
            Some(0) => return Ok((Vec::new(), 0)),
            Some(0xff) => return Ok((vec![vec![error(&first)?]], 0)),
            _ => {}
        }
        let count = first.first().copied().unwrap_or(0);
        let mut columns = Vec::new();
        for _ in 0..count {
            let packet = self.packet()?;
            let mut fields = Fields(&packet);
            for _ in 0..6 {
                fields.text()?;
            }
            fields.number(1)?;
            let charset = fields.number(2)? as u16;
            let length = fields.number(4)? as u32;
            let kind = fields.number(1)? as u8;
            let flags = fields.number(2)? as u16;
            let decimals = fields.number(1)? as u8;
            columns.push((kind, flags, length, decimals, charset));
        }
        self.packet()?;
        let mut rows = Vec::new();
        loop {
            let packet = self.packet()?;
            match packet.first() {
                Some(0xfe) if packet.len() < 9 => {
                    let warnings = Fields(&packet[1..]).number(2)? as u16;
                    return Ok((rows, warnings));
                }
                Some(0xff) => return Ok((vec![vec![error(&packet)?]], 0)),
                _ => {}
            }
            let mut fields = Fields(&packet);
            let mut row = Vec::new();
            for (kind, flags, length, decimals, charset) in columns.iter().copied() {
                let value = fields.text()?.map(<[u8]>::to_vec);
                row.push(Reply::Value { kind, flags, length, decimals, charset, value });
            }
            rows.push(row);
        }
    }

    /// The one value of `SELECT expr`, and the warnings as (number, text).
    pub(crate) fn value(&mut self, sql: &str) -> Result<(Reply, Vec<(u16, String)>)> {
        let (rows, count) = self.rows(sql)?;
        let reply = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .ok_or_else(|| Error::other("no row came"))?;
        let mut warnings = Vec::new();
        if count > 0 {
            for row in self.rows("SHOW WARNINGS")?.0 {
                let text = |at: usize| match row.get(at) {
                    Some(Reply::Value { value: Some(value), .. }) => {
                        String::from_utf8_lossy(value).into_owned()
                    }
                    _ => String::new(),
                };
                warnings.push((text(1).parse().unwrap_or(0), text(2)));
            }
        }
        Ok((reply, warnings))
    }
}

fn error(packet: &[u8]) -> Result<Reply> {
    let mut fields = Fields(packet);
    fields.number(1)?;
    let number = fields.number(2)? as u16;
    let message = String::from_utf8_lossy(fields.0.get(6..).unwrap_or_default()).into_owned();
    Ok(Reply::Error { number, message })
}
