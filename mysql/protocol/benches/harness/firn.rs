//! Our server of constant rows.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};

use firn_mysql_protocol::auth::{Account, AuthPlugin};
use firn_mysql_protocol::result::{Column, Columns, Response, Summary};
use firn_mysql_protocol::server::{
    Execution, Login, Peer, Prepared, Query, ServerConfig, Service, Session, serve,
};
use firn_mysql_protocol::{ColumnType, Error, Result, SqlError, StatusFlags};

use super::{CPU_TIME, VALUE, rows_of, thread_cpu_nanos};

struct Constant;

struct ConstantSession {
    columns: Columns,
}

impl Service for Constant {
    type Session = ConstantSession;

    async fn lookup(&self, user: &str, _: &Peer) -> Result<Option<Account>, SqlError> {
        Ok(Some(Account {
            user: user.into(),
            host: "%".into(),
            plugin: AuthPlugin::NativePassword,
            auth_string: Vec::new(),
            second_auth_string: Vec::new(),
        }))
    }

    async fn open(&self, _: Login) -> Result<ConstantSession, SqlError> {
        let mut column = Column::new("c", ColumnType::String, 255, 480);
        column.schema = b"sbtest".to_vec();
        (column.table, column.org_table) = (b"sbtest1".to_vec(), b"sbtest1".to_vec());
        column.org_name = b"c".to_vec();
        Ok(ConstantSession { columns: Columns::new(&[column]) })
    }
}

impl Session for ConstantSession {
    type Statement = ();

    fn status(&self) -> StatusFlags {
        StatusFlags::AUTOCOMMIT
    }

    async fn query(&mut self, query: Query<'_>, response: &mut Response<'_>) -> Result<()> {
        let mut rows = response.rows(&self.columns)?;
        if query.sql == CPU_TIME {
            rows.bytes(thread_cpu_nanos().to_string().as_bytes())?;
            rows.end_row().await?;
        }
        for _ in 0..rows_of(query.sql) {
            rows.bytes(VALUE.as_bytes())?;
            rows.end_row().await?;
        }
        rows.end(&Summary::new(StatusFlags::AUTOCOMMIT))
    }

    async fn prepare(&mut self, _: &[u8]) -> Result<Prepared<()>> {
        Err(Error::Sql(SqlError::unknown_command()))
    }

    async fn execute(&mut self, (): &mut (), _: Execution<'_>, _: &mut Response<'_>) -> Result<()> {
        Err(Error::Sql(SqlError::unknown_command()))
    }

    async fn init_db(&mut self, _: &[u8]) -> Result<Summary> {
        Ok(Summary::new(self.status()))
    }

    async fn field_list(&mut self, _: &[u8], _: &[u8]) -> Result<Vec<(Column, Option<Vec<u8>>)>> {
        Ok(Vec::new())
    }

    async fn statistics(&mut self) -> Result<String> {
        Ok(String::new())
    }

    async fn kill(&mut self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn debug(&mut self) -> Result<()> {
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        Ok(())
    }

    async fn close(self) {}
}

/// Serves on a thread of its own; gives the address.
pub fn start() -> SocketAddr {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            let config = Arc::new(ServerConfig::default());
            loop {
                let (stream, address) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let service = Arc::new(Constant);
                let control = Default::default();
                let config = Arc::clone(&config);
                tokio::spawn(serve(service, config, stream, address.into(), 1, control));
            }
        });
    });
    receive.recv().unwrap()
}
