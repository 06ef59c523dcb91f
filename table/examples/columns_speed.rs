//! Speed of writing column copies: `cargo run --release -p firn-table --example columns_speed
//! [rows] [value bytes] [file]`. Values compress about 2:1;
//! times are CPU times.
#![expect(clippy::print_stdout, reason = "an example that prints")]

use firn_engine::column::RowSchemas;
use firn_engine::key::{ValueKind, user_key};
use firn_engine::{Seq, SpaceId};
use firn_table::{RowDescription, Schemas};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default| args.get(i).map_or(Ok(default), |text| text.parse());
    let (rows, value_len) = (number(0, 2_000_000)?, number(1, 100)?);
    let mut rng = SmallRng::seed_from_u64(1);
    let values: Vec<Vec<u8>> = (0..1 << 17)
        .map(|_| {
            let mut value = vec![0; value_len];
            rng.fill(&mut value[..value_len / 2]);
            value
        })
        .collect();
    let schema = Schemas.open(&RowDescription::KeyValue.encode())?;
    let mut writer = schema.writer()?;
    let (mut stored, mut raw, mut file) = (0, 0, Vec::new());
    let start = cpu_seconds();
    for i in 0..rows {
        let key = user_key(SpaceId(1), &(i as u64 * 1000).to_be_bytes());
        let value = &values[i.wrapping_mul(2654435761) % values.len()];
        raw += key.len() + value.len();
        writer.add(
            &key,
            Seq((i as u64).wrapping_mul(2654435761) % 10_000_000),
            ValueKind::Put,
            value,
        )?;
        if i % 4096 == 0 {
            let mut taken = writer.take();
            stored += taken.len();
            if args.len() > 2 {
                file.append(&mut taken);
            }
        }
    }
    let mut rest = writer.finish()?;
    stored += rest.len();
    let seconds = cpu_seconds() - start;
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!(
        "{rows} rows, {:.1} MiB to {:.1} MiB in {seconds:.3} s: {:.0} MB/s, {:.0} ns/row",
        mib(raw),
        mib(stored),
        raw as f64 / seconds / 1e6,
        seconds * 1e9 / rows as f64,
    );
    if let Some(path) = args.get(2) {
        file.append(&mut rest);
        std::fs::write(path, file)?;
    }
    Ok(())
}

/// CPU time of this thread, as Linux counts it.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    nanos.unwrap_or_default() as f64 / 1e9
}
