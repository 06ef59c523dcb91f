use std::path::Path;

use super::*;

fn error_of(yaml: &str) -> String {
    MysqlConfig::parse(yaml, "w.yaml").unwrap_err().to_string()
}

const HEAD: &str = "name: x\nservers:\n  - {kind: firn}\n";

#[test]
fn unknown_keys_are_named_with_their_line() {
    let e = error_of(&format!("{HEAD}thread: [1]\nphases: [{{kind: point_select}}]\n"));
    assert!(e.starts_with("w.yaml:4: ") && e.contains("thread"), "{e}");
    let e = error_of(&format!("{HEAD}phases:\n  - kind: point_select\n    durations: 1\n"));
    assert!(e.starts_with("w.yaml:") && e.contains("durations"), "{e}");
    let e = error_of(&format!("{HEAD}phases:\n  - kind: point_update\n"));
    assert!(e.contains("point_update"), "{e}");
}

#[test]
fn what_cannot_be_run_is_named_with_its_line() {
    for (rest, want) in [
        ("phases: []\n", "w.yaml:4: phases: there is nothing to do"),
        ("threads: []\nphases: [{kind: insert}]\n", "w.yaml:4: threads: at least one number"),
        ("threads: [0]\nphases: [{kind: insert}]\n", "w.yaml:4: threads: 0 is not between"),
        ("rows: 5G\nphases: [{kind: insert}]\n", "w.yaml:4: rows: 5000000000 is not between"),
        ("phases:\n  - kind: insert\n  - kind: insert\n", "phases.0.name: two phases"),
        (
            "phases:\n  - kind: shop_joins\n  - kind: tpcc\n",
            "phases.0.kind: its tables have the names of those of tpcc",
        ),
        (
            "phases: [{kind: insert}]\ngoals:\n  - phase: delete\n    threads: 1\n    measure: p50_us\n    at_most: 1\n",
            "w.yaml:6: goals.0.phase: there is no phase",
        ),
        (
            "phases: [{kind: insert}]\ngoals:\n  - phase: insert\n    threads: 7\n    measure: p50_us\n    at_most: 1\n",
            "goals.0.threads: the phase does not run with so many",
        ),
    ] {
        let e = error_of(&format!("{HEAD}{rest}"));
        assert!(e.contains(want), "{e}\nnot: {want}");
    }
    for (server, want) in [
        ("{kind: address}", "address is missing"),
        ("{kind: mysqld, address: 'x:1'}", "only of kind: address"),
        ("{kind: firn, options: [sync]}", "is not KEY=VALUE"),
        ("{kind: firn, name: 'a b'}", "letters, digits"),
    ] {
        let e = error_of(&format!("name: x\nservers:\n  - {server}\nphases: [{{kind: insert}}]\n"));
        assert!(e.starts_with("w.yaml:3: ") && e.contains(want), "{e}\nnot: {want}");
    }
}

#[test]
fn a_password_is_in_no_report() {
    let yaml = "name: x\nservers: [{kind: address, address: 'h:1', password: hidden}]\nphases: [{kind: insert}]\n";
    let config = MysqlConfig::parse(yaml, "w.yaml").unwrap();
    assert_eq!(config.servers[0].password, "hidden");
    assert!(!serde_json::to_string(&config).unwrap().contains("hidden"));
}

/// The workloads that come with the source.
#[test]
fn every_workload_of_ours_can_be_run_and_says_what_it_answers() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut names = Vec::new();
    for file in std::fs::read_dir(&dir).unwrap() {
        let path = file.unwrap().path();
        if !crate::mysql::is_mysql_workload(&std::fs::read_to_string(&path).unwrap()) {
            continue;
        }
        let (config, text) = MysqlConfig::read(&path).unwrap();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap();
        assert_eq!(config.name, stem, "a workload is named as its file");
        assert!(!config.about.is_empty(), "{stem}");
        let comment: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.contains("Answers"), "{stem}: {comment}");
        names.push(config.name);
    }
    assert!(names.len() >= 4, "{names:?}");
}
