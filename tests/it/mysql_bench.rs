//! `firn bench` over MySQL's protocol: it starts Firn as a process of its own.

use std::fs;

use crate::command::{Home, stdout};

#[test]
fn a_workload_over_the_protocol_runs_on_a_process_of_its_own() {
    let home = Home::new();
    let text = "
name: wire
servers: [{kind: firn}]
memory: 256 MiB
tables: 2
rows: 300
threads: [3]
warmup_s: 0
duration_s: 1
settle_limit_s: 0
phases:
  - {kind: read_write, range_size: 10}
  - {kind: point_select, protocol: text, distribution: uniform, threads: [1]}
goals:
  - {phase: point_select, threads: 1, measure: events_per_s, at_least: 1}
";
    fs::write(home.path().join("wire.yaml"), text).unwrap();
    let out = home.run(&["bench", "wire.yaml", "--out", "out"]);
    assert!(out.status.success(), "{out:?}");
    let out = stdout(&out);
    assert!(out.contains("reached"), "{out}");
    let report = fs::read_to_string(home.path().join("out/wire.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(row["events"].as_u64().unwrap() > 0, "{row}");
        assert!(row["resident_mib"].as_f64().unwrap() > 1.0, "{row}");
        assert_eq!(row["error"], serde_json::Value::Null);
    }
    // 20 statements in a transaction of this kind.
    let ratio =
        rows[0]["queries_per_s"].as_f64().unwrap() / rows[0]["events_per_s"].as_f64().unwrap();
    assert!(ratio >= 20.0, "{ratio}");
    assert!(!home.path().join("out/firn-bench-data").exists());
}

#[test]
fn a_server_that_is_not_there_is_one_line() {
    let home = Home::new();
    let text =
        "name: x\nservers: [{kind: address, address: '127.0.0.1:1'}]\nphases: [{kind: insert}]\n";
    fs::write(home.path().join("x.yaml"), text).unwrap();
    let out = home.run(&["bench", "x.yaml", "--out", "out"]);
    assert!(!out.status.success());
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(err.contains("server address") && err.contains("127.0.0.1:1"), "{err}");
}
