//! Firn's engine inside another program: `cargo run --release --example embedded -- FOLDER`.

use std::time::Duration;

use firn::data_dir::DataDir;
use firn::local::{Local, LocalOptions};
use firn::store::Store;
use firn_engine::{Result, SpaceId, WriteBatch};
use firn_services::config::Config;
use firn_services::machine::Machine;
use firn_services::runtime::Runtimes;

/// Keys live in numbered spaces; this program uses one.
const FRUIT: SpaceId = SpaceId(1);

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "firn-data".to_owned());
    let machine = Machine::detect();
    let config = Config::with_data_dir(folder.as_ref(), &machine)?;
    let runtimes = Runtimes::start(machine.cores)?;
    runtimes.block_on(work(&config, &runtimes))?;
    runtimes.shutdown(Duration::from_secs(10))
}

async fn work(config: &Config, runtimes: &Runtimes) -> Result<()> {
    let env = runtimes.env();
    let dir = DataDir::take(&config.data_dir)?;
    let store = Store::open(config, &env).await?;
    let options = LocalOptions::new(config);
    let local = Local::open(&env, dir, store.objects, store.layout, options).await?;
    let db = local.db();

    // On return a write is durable and visible; a batch is all or nothing.
    let mut batch = WriteBatch::new();
    batch.put(FRUIT, b"apple", b"red")?;
    batch.put(FRUIT, b"banana", b"yellow")?;
    batch.delete(FRUIT, b"cherry")?;
    db.write(&batch).await?;

    // A snapshot does not see what comes after it.
    let before = db.snapshot();
    db.put(FRUIT, b"apple", b"green").await?;
    assert_eq!(before.get(FRUIT, b"apple").await?.as_deref(), Some(&b"red"[..]));
    assert_eq!(db.get(FRUIT, b"apple").await?.as_deref(), Some(&b"green"[..]));

    let mut scan = db.scan_prefix(FRUIT, b"").await?;
    let mut rows = 0;
    while let Some((key, value)) = scan.next().await? {
        tracing::info!("{} is {}", key.escape_ascii(), value.escape_ascii());
        rows += 1;
    }
    assert_eq!(rows, 2);
    local.close(Duration::from_secs(30)).await
}
