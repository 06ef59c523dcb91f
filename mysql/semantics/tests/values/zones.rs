//! CONVERT_TZ over all zones. The server's zone tables must be loaded from the
//! folder that `ZONEINFO` names (`/usr/share/zoneinfo` by default).

use crate::server::{ask, generator};
use firn_mysql_semantics::temporal::zone::{NamedZone, TimeZone, convert_zone};
use firn_mysql_semantics::temporal::{DateMode, DateTime, parse_datetime};
use rand::RngExt as _;
use std::collections::BTreeMap;

fn read(text: &str) -> DateTime {
    parse_datetime(text.as_bytes(), DateMode::REAL).value.expect("a date")
}

/// Local times of which some are skipped or repeated: around each change of the
/// zone's offset from 1970 to 2037, and at random.
fn times(zone: &TimeZone, rng: &mut rand::rngs::SmallRng) -> Vec<String> {
    let mut times = Vec::new();
    let (mut at, step) = (0_i64, 6 * 3600);
    while at < 2_145_916_800 {
        if zone.offset_at(at) != zone.offset_at(at + step) {
            for _ in 0..4 {
                let moment = at + rng.random_range(-3600 * 3..step + 3600 * 3);
                times.extend(zone.from_utc(moment.max(1), 0).map(|time| time.to_string()));
            }
        }
        at += step;
    }
    for _ in 0..20 {
        let moment = rng.random_range(1..32_536_771_199_i64);
        times.extend(zone.from_utc(moment, 0).map(|time| time.to_string()));
    }
    times
}

/// Run with the zone tables loaded:
/// `mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql`.
#[test]
#[ignore = "needs a MySQL server: MYSQL_CLI"]
fn zones_convert_as_the_server_s_do() {
    let mut rng = generator();
    let known = ask(
        "DO 0;",
        &["SELECT GROUP_CONCAT(Name) FROM (SELECT Name FROM mysql.time_zone_name) n".to_owned()],
    );
    assert!(known[0].row[0].is_some(), "the server's zone tables are not loaded");
    let folder = std::env::var("ZONEINFO").unwrap_or_else(|_| "/usr/share/zoneinfo".to_owned());
    let mut cases = Vec::new();
    for name in NamedZone::names() {
        let Ok(data) = std::fs::read(std::path::Path::new(&folder).join(name)) else {
            continue;
        };
        let zone = NamedZone::from_tzif(name, &data).expect("a zone");
        let zone = TimeZone::Named(std::sync::Arc::new(zone));
        for time in times(&zone, &mut rng) {
            cases.push((name, zone.clone(), time));
        }
    }
    let utc = TimeZone::UTC;
    let statements: Vec<String> = cases
        .chunks(40)
        .map(|cases| {
            let calls: Vec<String> = cases
                .iter()
                .map(|(name, _, time)| {
                    format!(
                        "CONVERT_TZ('{time}','{name}','+00:00'),CONVERT_TZ('{time}','+00:00','{name}')"
                    )
                })
                .collect();
            format!("SELECT {}", calls.join(","))
        })
        .collect();
    let answers = ask("DO 0;", &statements);
    let mut different: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut absent = BTreeMap::new();
    for (cases, answer) in cases.chunks(40).zip(&answers) {
        for ((name, zone, time), theirs) in cases.iter().zip(answer.row.chunks(2)) {
            let ours = [
                convert_zone(read(time), zone, &utc).map(|time| time.to_string()),
                convert_zone(read(time), &utc, zone).map(|time| time.to_string()),
            ];
            if theirs == [None, None] {
                *absent.entry(*name).or_insert(0) += 1;
            } else if ours.as_slice() != theirs {
                different.entry(name).or_default().push(format!("{time}: {ours:?} {theirs:?}"));
            }
        }
    }
    assert!(cases.len() > 50_000, "{folder} has no zones");
    println!("{} cases; not in the server: {absent:?}", cases.len());
    for (name, examples) in &different {
        println!("{name} {}: {}", examples.len(), examples[0]);
    }
    assert!(different.is_empty(), "{} zones differ", different.len());
}
