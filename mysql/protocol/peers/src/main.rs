//! CPU time of the server's side per query of constant rows, in text: ours and
//! opensrv-mysql's in turns, with the same client.

#[path = "../../benches/harness/mod.rs"]
mod harness;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use opensrv_mysql::{
    AsyncMysqlIntermediary, AsyncMysqlShim, Column, ColumnFlags, ColumnType, ParamParser,
    QueryResultWriter, StatementMetaWriter,
};
use tokio::io::AsyncWrite;

struct Constant;

#[async_trait::async_trait]
impl<W: AsyncWrite + Send + Unpin> AsyncMysqlShim<W> for Constant {
    type Error = io::Error;

    async fn on_prepare<'a>(
        &'a mut self,
        _: &'a str,
        _: StatementMetaWriter<'a, W>,
    ) -> io::Result<()> {
        Ok(())
    }

    async fn on_execute<'a>(
        &'a mut self,
        _: u32,
        _: ParamParser<'a>,
        _: QueryResultWriter<'a, W>,
    ) -> io::Result<()> {
        Ok(())
    }

    async fn on_close(&mut self, _: u32) {}

    async fn on_query<'a>(
        &'a mut self,
        sql: &'a str,
        results: QueryResultWriter<'a, W>,
    ) -> io::Result<()> {
        let columns = [Column {
            table: "sbtest1".into(),
            column: "c".into(),
            coltype: ColumnType::MYSQL_TYPE_STRING,
            colflags: ColumnFlags::empty(),
        }];
        let mut rows = results.start(&columns).await?;
        if sql.as_bytes() == harness::CPU_TIME {
            rows.write_col(harness::thread_cpu_nanos().to_string())?;
            rows.end_row().await?;
        }
        for _ in 0..harness::rows_of(sql.as_bytes()) {
            rows.write_col(harness::VALUE)?;
            rows.end_row().await?;
        }
        rows.finish().await
    }
}

fn start() -> SocketAddr {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (read, write) = stream.into_split();
                let write = tokio::io::BufWriter::with_capacity(100 * 1024, write);
                tokio::spawn(AsyncMysqlIntermediary::run_on(Constant, read, write));
            }
        });
    });
    receive.recv().unwrap()
}

fn main() {
    let mut ours = harness::Client::connect(harness::firn::start(), "bench");
    let mut theirs = harness::Client::connect(start(), "bench");
    for (name, sql) in harness::STATEMENTS {
        let (mut our_best, mut their_best) = (f64::MAX, f64::MAX);
        for _ in 0..5 {
            our_best = our_best.min(ours.measure(sql, 20_000, 1));
            their_best = their_best.min(theirs.measure(sql, 20_000, 1));
        }
        println!(
            "{name}, µs of server CPU per query: firn-mysql-protocol {our_best:.1}, \
             opensrv-mysql {their_best:.1}"
        );
    }
}
