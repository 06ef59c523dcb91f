//! The statements of the server in memory.

use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::result::{Column, Columns, Response, Rows, StateChange, Summary};
use firn_mysql_protocol::{ColumnType, Error, Result, SqlError, StatusFlags};

use super::{MemorySession, describe, text_column, types};

fn number(text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| syntax_error(text))
}

fn syntax_error(near: &str) -> Error {
    Error::Sql(SqlError::new(
        1064,
        b"42000",
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your \
             MySQL server version for the right syntax to use near '{near}' at line 1"
        ),
    ))
}

/// The column that gives this parameter back as it came.
fn column_for(parameter: &Parameter<'_>) -> Column {
    let mut column = Column::new("?", parameter.kind, 63, 1024);
    match parameter.value {
        ParameterValue::UInt(_) => column.flags = firn_mysql_protocol::ColumnFlags::UNSIGNED,
        ParameterValue::DateTime(_) | ParameterValue::Time(_) => column.decimals = 6,
        ParameterValue::Bytes(_) => column.collation = 255,
        ParameterValue::Null => column.kind = ColumnType::Null,
        _ => {}
    }
    column
}

fn put(rows: &mut Rows<'_, '_, '_>, value: &ParameterValue<'_>) -> Result<()> {
    match *value {
        ParameterValue::Null => rows.null(),
        ParameterValue::Int(v) => rows.i64(v),
        ParameterValue::UInt(v) => rows.u64(v),
        ParameterValue::Float(v) => rows.f32(v),
        ParameterValue::Double(v) => rows.f64(v),
        ParameterValue::Bytes(v) => rows.bytes(v),
        ParameterValue::Date(v) => rows.date(v),
        ParameterValue::DateTime(v) => rows.date_time(v),
        ParameterValue::Time(v) => rows.time(v),
    }
}

impl MemorySession {
    /// Columns, as far as they are known before the execution.
    pub(super) fn columns_of(&self, sql: &str, parameters: usize) -> Columns {
        match sql.split_whitespace().next() {
            Some("types" | "nulls") => Columns::new(&types::columns()),
            Some("rows") => Columns::new(&types::row_columns()),
            Some("echo") if parameters > 0 => Columns::new(&vec![text_column("?"); parameters]),
            Some("affected" | "use" | "infile" | "error") => Columns::default(),
            _ => Columns::new(&[text_column("value")]),
        }
    }

    pub(super) async fn run(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        attributes: &[Parameter<'_>],
        response: &mut Response<'_>,
    ) -> Result<()> {
        let sql = sql.trim();
        let (verb, rest) = sql.split_once(' ').unwrap_or((sql, ""));
        // Drivers send statements of their own when they connect.
        match verb.to_ascii_lowercase().as_str() {
            "types" => self.types(response, 1, false).await,
            "nulls" => self.types(response, 1, true).await,
            "rows" => {
                let count = match parameters.first().map(|p| &p.value) {
                    Some(ParameterValue::Int(n)) => *n as u64,
                    Some(ParameterValue::UInt(n)) => *n,
                    Some(ParameterValue::Bytes(b)) => number(&String::from_utf8_lossy(b))?,
                    _ => number(rest)?,
                };
                self.rows(response, count).await
            }
            "bytes" => self.one(response, "value", &vec![b'x'; number(rest)? as usize]).await,
            "echo" if !parameters.is_empty() => self.echo(response, parameters).await,
            "echo" => self.one(response, "value", rest.as_bytes()).await,
            "length" => {
                let len = match parameters.first().map(|p| &p.value) {
                    Some(ParameterValue::Bytes(bytes)) => bytes.len(),
                    _ => rest.len(),
                };
                self.one(response, "length", len.to_string().as_bytes()).await
            }
            "params" => self.one(response, "params", describe(parameters).as_bytes()).await,
            "attributes" => self.one(response, "value", describe(attributes).as_bytes()).await,
            "schema" => {
                let schema = self.schema.clone().unwrap_or_default();
                self.one(response, "schema", schema.as_bytes()).await
            }
            "who" => {
                let login = &self.login;
                let text = format!(
                    "{}|tls={}|collation={}|attributes={}",
                    login.account.user,
                    login.tls,
                    login.collation,
                    login.attributes.len()
                );
                self.one(response, "who", text.as_bytes()).await
            }
            "affected" => response.ok(&Summary {
                affected_rows: number(rest)?,
                last_insert_id: number(rest)? + 1,
                info: "Rows matched: 1  Changed: 1  Warnings: 0".into(),
                ..self.summary()
            }),
            "warn" => response.ok(&Summary { warnings: 3, ..self.summary() }),
            "use" => {
                self.use_schema(rest)?;
                let changes = vec![StateChange::Schema(rest.to_owned())];
                response.ok(&Summary { changes, ..self.summary() })
            }
            "error" => Err(Error::Sql(SqlError::new(1146, b"42S02", "Table 'x.y' doesn't exist"))),
            "fail_in_row" => {
                let columns = Columns::new(&types::row_columns());
                let mut rows = response.rows(&columns)?;
                rows.u64(1)?;
                Err(Error::Sql(SqlError::new(1317, b"70100", "Query execution was interrupted")))
            }
            "infile" => self.infile(response, rest).await,
            // Some clients look for the real statement before they send a file.
            "load" => {
                let name = rest.split('\'').nth(1).ok_or_else(|| syntax_error(sql))?;
                self.infile(response, name).await
            }
            "begin" => {
                let status = self.status_in_transaction();
                response.ok(&Summary::new(status))
            }
            "set" | "commit" | "rollback" => response.ok(&self.summary()),
            "select" => self.select(response, rest).await,
            _ => Err(syntax_error(sql)),
        }
    }

    fn status_in_transaction(&self) -> StatusFlags {
        StatusFlags::AUTOCOMMIT | StatusFlags::IN_TRANSACTION
    }

    /// What drivers and the command-line client ask by themselves.
    async fn select(&self, response: &mut Response<'_>, what: &str) -> Result<()> {
        let value = match what.trim() {
            "1" => {
                let columns = Columns::new(&[Column::new("1", ColumnType::LongLong, 63, 2)]);
                let mut rows = response.rows(&columns)?;
                rows.i64(1)?;
                rows.end_row().await?;
                return rows.end(&self.summary());
            }
            "@@version_comment limit 1" => "Firn's test server",
            "USER()" | "user()" => "test@localhost",
            "VERSION()" | "version()" => "8.4.7",
            "$$" => return Err(syntax_error("$$")),
            _ => "0",
        };
        self.one(response, what.trim(), value.as_bytes()).await
    }

    async fn types(&self, response: &mut Response<'_>, count: u64, nulls: bool) -> Result<()> {
        let columns = Columns::new(&types::columns());
        let mut rows = response.rows(&columns)?;
        for _ in 0..count {
            types::put_row(&mut rows, nulls)?;
            rows.end_row().await?;
        }
        rows.end(&self.summary())
    }

    async fn rows(&self, response: &mut Response<'_>, count: u64) -> Result<()> {
        let columns = Columns::new(&types::row_columns());
        let mut rows = response.rows(&columns)?;
        for id in 0..count {
            rows.u64(id)?;
            rows.bytes(format!("row number {id}").as_bytes())?;
            rows.end_row().await?;
        }
        rows.end(&self.summary())
    }

    async fn echo(&self, response: &mut Response<'_>, parameters: &[Parameter<'_>]) -> Result<()> {
        let columns: Vec<_> = parameters.iter().map(column_for).collect();
        let columns = Columns::new(&columns);
        let mut rows = response.rows(&columns)?;
        for parameter in parameters {
            put(&mut rows, &parameter.value)?;
        }
        rows.end_row().await?;
        rows.end(&self.summary())
    }

    async fn infile(&self, response: &mut Response<'_>, name: &str) -> Result<()> {
        let mut infile = response.local_infile(name.as_bytes()).await?;
        let (mut bytes, mut lines) = (0, 0);
        while let Some(part) = infile.next().await? {
            bytes += part.len();
            lines += part.iter().filter(|&&b| b == b'\n').count();
            if name == "first_part_only" {
                infile.skip().await?;
            } else if name == "refused" {
                return Err(Error::Sql(SqlError::new(1290, b"HY000", "Refused")));
            }
        }
        let info = format!("Records: {lines}  Deleted: 0  Skipped: 0  Warnings: 0");
        let summary = Summary { affected_rows: lines as u64, info: info.into(), ..self.summary() };
        response.ok(&Summary { last_insert_id: bytes as u64, ..summary })
    }
}
