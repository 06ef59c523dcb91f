//! What another process asks of the object store, as its metrics say.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use firn_benchmark::measure::Requests;
use firn_engine::{Error, ErrorKind, Result};

/// How long connecting, and each read, may take.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const ANSWER_MAX: u64 = 4 << 20;

/// Asks the process that serves its metrics at `address`. Blocks.
///
/// # Errors
/// `Unavailable` if it does not answer, or with something else.
pub(super) fn requests(address: SocketAddr) -> Result<Requests> {
    let failed = |e| Error::with_source(ErrorKind::Unavailable, format!("metrics at {address}"), e);
    let text = get(address).map_err(failed)?;
    Ok(parse(&text))
}

fn get(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT_MAX)?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    stream.set_write_timeout(Some(WAIT_MAX))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut text)?;
    if !text.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other("it does not serve metrics there"));
    }
    Ok(text)
}

/// Adds up what `StoreMetrics` writes. A part without an object store has none of it.
fn parse(text: &str) -> Requests {
    let mut all = Requests::default();
    for line in text.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Some((name, labels)) = series.split_once('{') else { continue };
        let kind = labels.strip_prefix("kind=\"").and_then(|rest| rest.strip_suffix("\"}"));
        let (Some(kind), Ok(value)) = (kind, value.parse::<f64>()) else { continue };
        let value = value as u64;
        match (name, kind) {
            ("firn_store_requests_total", "get" | "head") => all.gets += value,
            ("firn_store_requests_total", "list") => all.lists += value,
            ("firn_store_requests_total", "delete") => all.deletes += value,
            ("firn_store_requests_total", _) => all.puts += value,
            ("firn_store_errors_total", _) => all.errors += value,
            ("firn_store_sent_bytes_total", _) => all.bytes_put += value,
            ("firn_store_received_bytes_total", _) => all.bytes_got += value,
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::StoreMetrics;
    use firn_engine::Env;
    use firn_engine::object::{MemoryStore, RetryOptions, RetryingStore};
    use firn_services::metrics::Registry;
    use object_store::path::Path;
    use object_store::{ObjectStore, ObjectStoreExt};
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn requests_are_read_as_the_metrics_write_them() {
        let env = Env::simulated(1);
        let backend = Arc::new(MemoryStore::new());
        let store = RetryingStore::new(backend, env, RetryOptions::default());
        let (path, other) = (Path::from("a"), Path::from("b"));
        store.put(&path, vec![1; 10].into()).await.unwrap();
        store.get(&path).await.unwrap().bytes().await.unwrap();
        store.head(&path).await.unwrap();
        store.get(&other).await.unwrap_err();
        store.delete(&path).await.unwrap();
        drop(store.list_with_delimiter(None).await.unwrap());
        let registry = Registry::new();
        registry.add(StoreMetrics(store.stats()));
        let read = parse(&registry.render());
        let wanted = Requests {
            puts: 1,
            gets: 3,
            lists: 1,
            deletes: 1,
            errors: 1,
            bytes_put: 10,
            bytes_got: 10,
        };
        assert_eq!(read, wanted);
    }
}
