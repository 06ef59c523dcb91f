//! Good and bad workloads.

use super::*;

const MINIMAL: &str = "name: x\nphases:\n  - kind: load\n";

fn error(text: &str) -> String {
    let e = Config::parse(text, "w.yaml").unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BadRequest);
    let line = e.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn a_minimal_workload_has_defaults() {
    let config = Config::parse(MINIMAL, "w.yaml").unwrap();
    assert_eq!(config.phases[0].name, "load");
    assert!(config.topology.sync);
    assert_eq!(config.data.keys, 1_000_000);
    assert_eq!(config.topology.journal, Journal::Local);
}

#[test]
fn off_is_a_word_whatever_yaml_thinks() {
    let text = format!("{MINIMAL}topology: {{compaction: off}}\n");
    assert_eq!(Config::parse(&text, "w").unwrap().topology.compaction, Switch::Off);
}

#[test]
fn faults_are_named_with_file_line_and_key() {
    for (text, want) in [
        (
            "name: x\nphases:\n  - kind: load\n    taks: 5\n",
            "w.yaml:4: phases[0]: unknown field `taks`",
        ),
        ("name: x\nphases:\n  - kind: lod\n", "w.yaml:3: phases[0].kind: unknown variant `lod`"),
        (
            "name: x\nphases:\n  - kind: get\n    tasks: many\n    ops: 5\n",
            "w.yaml:4: phases[0].tasks: invalid type: string \"many\"",
        ),
        (
            "name: x\ndata:\n  keys: 5 MB\nphases: []\n",
            "w.yaml:3: data.keys: \"5 MB\" is not a count",
        ),
        (
            "name: x\ntopology:\n  journal: 10.0.0.1:7000\nphases: []\n",
            "w.yaml:3: topology.journal: journal at \"10.0.0.1:7000\": say local or",
        ),
        (
            "name: x\ntopology:\n  object_store: ftp\nphases: []\n",
            "w.yaml:3: topology.object_store: \"ftp\" is no object store",
        ),
        ("name: x\nphases: []\n", "w.yaml:2: phases: there is nothing to do"),
        ("name: a/b\nphases:\n  - kind: load\n", "w.yaml:1: name: letters"),
        (
            "name: x\nphases:\n  - kind: load\n  - kind: get\n    ops: 1\n    tasks: 0\n",
            "w.yaml:6: phases.1.tasks: 0 is not between 1 and 100000",
        ),
        (
            "name: x\nphases:\n  - kind: put\n    ops: 5\n    rate:\n      of: y\n      share: 1\n",
            "w.yaml:6: phases.0.rate.of: \"y\" is no earlier phase",
        ),
        ("name: x\nphases:\n  - kind: get\n", "w.yaml:3: phases.0.kind: duration_s or ops"),
        (
            "name: x\nphases:\n  - kind: load\n  - kind: load\n",
            "w.yaml:4: phases.1.name: an earlier phase",
        ),
        (
            "name: x\ntopology: {journal: memory}\nphases:\n  - kind: reopen\n",
            "w.yaml:4: phases.0.kind: what is in memory",
        ),
        (
            "name: x\nphases:\n  - kind: load\ngoals:\n  - phase: lad\n    measure: p50_us\n",
            "w.yaml:5: goals.0.phase: there is no phase",
        ),
        (
            "name: x\nphases:\n  - kind: load\ngoals:\n  - phase: load\n    measure: p50_us\n    at_most: 1\n    versus: rocksdb\n",
            "w.yaml:8: goals.0.versus: compare_with does not",
        ),
        (
            "name: x\ntopology: {compaction: workers}\nphases:\n  - kind: load\n",
            "w.yaml:2: topology.compaction: workers are given work by",
        ),
        (
            "name: x\ntopology: {storage: services, object_store: memory}\nphases:\n  - kind: load\n",
            "w.yaml:2: topology.object_store: the memory of one process",
        ),
        (
            "name: x\ntopology: {addresses: {journal: [a:1]}}\nphases:\n  - kind: load\n",
            "w.yaml:2: topology.addresses.journal: `journal: members` is missing",
        ),
        (
            "name: x\nphases:\n  - kind: load\nvariants:\n  - {name: firn, topology: {}}\n",
            "w.yaml:5: variants.0.name: a name of its own",
        ),
    ] {
        let got = error(text);
        assert!(got.starts_with(want), "{got}\ninstead of\n{want}");
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    let e = Config::read(Path::new("/nonexistent/w.yaml")).unwrap_err();
    assert!(e.to_string().starts_with("/nonexistent/w.yaml: "), "{e}");
}

/// The workloads that come with the source.
#[test]
fn every_workload_of_ours_can_be_run_and_says_what_it_answers() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut names = Vec::new();
    for file in std::fs::read_dir(&dir).unwrap() {
        let path = file.unwrap().path();
        if crate::mysql::is_mysql_workload(&std::fs::read_to_string(&path).unwrap()) {
            continue;
        }
        let (config, text) = Config::read(&path).unwrap();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap();
        assert_eq!(config.name, stem, "a workload is named as its file");
        assert!(!config.about.is_empty(), "{stem}");
        let comment: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.contains("Answers"), "{stem}: {comment}");
        assert!(config.topology.sync, "{stem}");
        names.push(config.name);
    }
    assert!(names.len() >= 18, "{names:?}");
    assert!(names.iter().any(|n| n == "quick"), "`make bench` runs it");
}
