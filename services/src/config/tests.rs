use std::path::Path;

use super::*;

const GIB: u64 = 1 << 30;

fn machine() -> Machine {
    Machine { cores: 8, memory_bytes: 10 * GIB, ..Machine::default() }
}

/// A folder that can hold the file, and what to load.
struct Case {
    dir: tempfile::TempDir,
    env: Vec<(OsString, OsString)>,
    has_file: bool,
}

impl Case {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), env: Vec::new(), has_file: false }
    }

    fn file(mut self, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.dir.path().join("firn.yaml"), text).unwrap();
        self.has_file = true;
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    fn load(&self) -> Result<Config> {
        let path = self.dir.path().join("firn.yaml");
        Config::load(self.has_file.then_some(&*path), self.env.clone(), &machine())
    }

    /// The error with the folder's name cut off.
    fn error(&self) -> String {
        let e = self.load().expect_err("an error");
        let line = e.to_string();
        assert!(!line.contains('\n'), "{line:?}");
        line.replace(&format!("{}/", self.dir.path().display()), "")
    }
}

fn file_error(text: impl AsRef<[u8]>) -> String {
    Case::new().file(text).error()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let c = Case::new().load().unwrap();
    assert_eq!(c.data_dir, Path::new("./firn-data"));
    assert_eq!(c.object_store.url, "./firn-data/objects");
    assert_eq!(c.location().unwrap(), Location::Folder("./firn-data/objects".into()));
    assert_eq!(c.branch.to_string(), "main");
    assert_eq!(c.journal, JournalConfig::default());
    assert_eq!(c.memory_bytes_max, ByteSize(4 * GIB));
    assert_eq!(c.compaction.concurrency, 7);
    assert_eq!(c.http_listen.unwrap().to_string(), "127.0.0.1:7400");
    assert_eq!((&*c.log, c.log_format), ("info", LogFormat::Text));
    assert!(!c.object_store.path_style);
    assert_eq!(c.origin("log"), Some(&Origin::Default));
    assert_eq!(c.origin("no such key"), None);
}

#[test]
fn the_environment_goes_over_the_file_and_the_file_over_defaults() {
    let case = Case::new()
        .file("branch: from-file\nlog: debug\nobject_store:\n  url: s3://b/p/\n  region: here\n")
        .env("FIRN_BRANCH", "from-env")
        .env("FIRN_OBJECT_STORE__URL", "s3://other/a/b")
        .env("FIRN_LOG", "")
        .env("FIR_LOG", "not ours");
    let c = case.load().unwrap();
    assert_eq!(c.branch.to_string(), "from-env");
    assert_eq!(c.log, "debug", "an empty variable is not set");
    assert_eq!(c.object_store.region.as_deref(), Some("here"));
    let location = Location::S3 { bucket: "other".into(), prefix: "a/b".into() };
    assert_eq!(c.location().unwrap(), location);
    assert_eq!(c.origin("branch"), Some(&Origin::Environment("FIRN_BRANCH".into())));
    assert!(matches!(c.origin("log"), Some(Origin::File(p)) if p.ends_with("firn.yaml")));
}

#[test]
fn the_file_can_be_named_by_a_variable_and_the_command_line_goes_first() {
    let named = Case::new().file("branch: named\n");
    let path = named.dir.path().join("firn.yaml");
    let by_variable = Case::new().env("FIRN_CONFIG", path.to_str().unwrap());
    assert_eq!(by_variable.load().unwrap().branch.to_string(), "named");
    let both = by_variable.file("branch: command-line\n");
    assert_eq!(both.load().unwrap().branch.to_string(), "command-line");
    assert!(Case::new().env("FIRN_CONFIG", "").load().is_ok());
}

#[test]
fn values_are_taken_as_they_are_written() {
    // For YAML these are a number, a float, a flag and nothing at all.
    let text = "branch: 007\nobject_store: {url: s3://b, region: 1e3, path_style: true, endpoint: ~}\n\
                compaction: {concurrency: \"3\"}\njournal:\nmemory_bytes_max: 536870912\nlog:\n";
    let c = Case::new().file(text).load().unwrap();
    assert_eq!(c.branch.to_string(), "007");
    assert_eq!(c.object_store.region.as_deref(), Some("1e3"));
    assert!(c.object_store.path_style && c.object_store.endpoint.is_none());
    assert_eq!(c.compaction.concurrency, 3);
    assert_eq!(c.memory_bytes_max, ByteSize(512 << 20));
    assert_eq!(c.log, "info");
    let quoted = Case::new().file("branch: \"null\"\n").load().unwrap();
    assert_eq!(quoted.branch.to_string(), "null");
    for empty in ["", "# nothing\n", "---\n", "~\n"] {
        assert!(Case::new().file(empty).load().is_ok(), "{empty:?}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_line() {
    assert_eq!(
        file_error("log: info\nmemroy_bytes_max: 1 GiB\n"),
        "firn.yaml:2: unknown key \"memroy_bytes_max\"; did you mean \"memory_bytes_max\"?"
    );
    assert_eq!(
        file_error("object_store:\n  url: s3://b\n  regoin: x\n"),
        "firn.yaml:3: unknown key \"object_store.regoin\"; did you mean \"object_store.region\"?"
    );
    assert_eq!(file_error("\n\nkubernetes: 1\n"), "firn.yaml:3: unknown key \"kubernetes\"");
    assert!(file_error("object_store.url: x\n").contains("unknown key \"object_store.url\""));
    assert!(file_error("1: x\n").starts_with("firn.yaml:1: unknown key \"1\""));
    assert!(file_error("<<: {log: info}\n").contains("unknown key \"<<\""));
}

#[test]
fn an_unknown_variable_is_named() {
    let unknown = |name| Case::new().env(name, "x").error();
    assert_eq!(
        unknown("FIRN_BRANHC"),
        "environment: FIRN_BRANHC: unknown key \"FIRN_BRANHC\"; did you mean \"FIRN_BRANCH\"?"
    );
    assert!(unknown("FIRN_").contains("unknown key"));
    assert!(unknown("FIRN_branch").contains("did you mean \"FIRN_BRANCH\""));
    assert!(unknown("FIRN_OBJECT_STORE.URL").contains("unknown key"));
    assert!(unknown("FIRN_OBJECT_STORE_URL").contains("did you mean \"FIRN_OBJECT_STORE__URL\""));
    assert!(unknown("FIRN_OBJECT_STORE").contains("unknown key"));
}

#[test]
fn variables_of_kubernetes_and_of_tests_are_passed_over() {
    let case = Case::new()
        .env("FIRN_SERVICE_HOST", "10.0.0.1")
        .env("FIRN_SERVICE_PORT_HTTP", "7400")
        .env("FIRN_PORT", "tcp://10.0.0.1:7400")
        .env("FIRN_PORT_7400_TCP_ADDR", "10.0.0.1")
        .env("FIRN_STORAGE_PORT_7401_TCP", "tcp://10.0.0.1:7401")
        .env("FIRN_REWRITE", "1")
        .env("FIRN_SEED", "7")
        .env("FIRN_CRASH_ROUNDS", "500");
    case.load().unwrap();
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_place() {
    assert_eq!(
        file_error("log: info\nobject_store:\n  path_style: yes\n"),
        "firn.yaml:3: object_store.path_style: must be true or false, is \"yes\""
    );
    assert_eq!(
        Case::new().env("FIRN_JOURNAL__KIND", "raft").error(),
        "environment: FIRN_JOURNAL__KIND: must be one of local, object, memory, is \"raft\""
    );
    for (line, why) in [
        ("memory_bytes_max: 4 G", "no size in bytes"),
        ("memory_bytes_max: 1 MiB", "must be at least 256 MiB"),
        ("disk_cache_bytes_max: 1 MiB", "must be at least 256 MiB"),
        ("compaction: {concurrency: 0}", "must be between 1 and 1024"),
        ("compaction: {concurrency: -1}", "must be between 1 and 1024"),
        ("http_listen: localhost:7400", "must be an address and a port"),
        ("http_listen: 7400", "must be an address and a port"),
        ("branch: a/b", "branch name"),
        ("log: loud", "no level of logging"),
        ("log_format: xml", "must be one of text, json"),
        ("object_store: {url: \"gs://b\"}", "must be a folder, file://"),
        ("object_store: {url: \"s3:///p\"}", "must be s3://bucket"),
        ("object_store: {url: \"s3://b/../c\"}", "plain names between slashes"),
        ("object_store: {url: \"file://folder\"}", "three slashes"),
        ("object_store: {url: \"memory://x\"}", "nothing may follow"),
        ("object_store: {endpoint: minio}", "must start with https://"),
        ("data_dir: \"a\\nb\"", "control characters"),
        ("log: [info]", "invalid type: sequence"),
        ("log: {level: info}", "invalid type: map"),
        ("object_store: s3://b", "expected keys of object_store"),
        ("- log", "expected keys and values"),
        ("log: info\n---\nlog: debug", "more than one document"),
    ] {
        let e = file_error(line);
        assert!(e.contains(why) && e.starts_with("firn.yaml"), "{line:?}: {e}");
    }
}

#[test]
fn a_broken_file_is_a_line_that_names_it() {
    assert!(
        file_error("log: info\nlog: debug\n").contains("firn.yaml:2: key \"log\" is given twice")
    );
    let e = file_error("log: \"info\nbranch: x\n");
    assert_eq!(
        e,
        "firn.yaml:3: found unexpected end of stream, while scanning a quoted scalar at line 1 column 6"
    );
    assert!(file_error([0xff, 0xfe]).contains("not UTF-8"));
    assert!(file_error(vec![b'#'; 1 << 21]).contains("more than 1048576 bytes"));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nlog: *b\n";
    assert!(file_error(bomb).starts_with("firn.yaml:1: unknown key"));

    let missing = Config::load(Some(Path::new("/missing/firn.yaml")), [], &machine()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Unavailable);
    assert!(missing.to_string().starts_with("/missing/firn.yaml: No such file"), "{missing}");
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let s3 = "object_store:\n  url: s3://b\n";
    assert_eq!(
        file_error(format!("{s3}  endpoint: http://minio:9000\n")),
        "firn.yaml: object_store.endpoint: \"http://minio:9000\" is plain HTTP: \
         set object_store.allow_http: true or use https://"
    );
    let allowed = format!("{s3}  endpoint: http://minio:9000\n  allow_http: true\n");
    assert!(Case::new().file(allowed).load().unwrap().object_store.path_style);
    let key_only = format!("{s3}  access_key_id: k\n");
    assert!(file_error(&key_only).contains("secret_access_key is not"));
    let e = Case::new().file(key_only).env("FIRN_OBJECT_STORE__URL", "/tmp/objects").error();
    assert!(e.contains("access_key_id: has no meaning for object_store.url"), "{e}");
    let e = Case::new().env("FIRN_OBJECT_STORE__ENDPOINT", "https://minio").error();
    assert!(
        e.starts_with("environment, FIRN_OBJECT_STORE__ENDPOINT: object_store.endpoint"),
        "{e}"
    );
}

#[test]
fn secrets_are_never_shown() {
    let case = Case::new()
        .file("object_store: {url: s3://b, access_key_id: AKIDSHOWN}\n")
        .env("FIRN_OBJECT_STORE__SECRET_ACCESS_KEY", "hunter2");
    let c = case.load().unwrap();
    assert_eq!(c.object_store.secret_access_key.as_ref().unwrap().reveal(), "hunter2");
    let shown = format!("{c:?} {c:#?} {}", c.to_yaml());
    assert!(!shown.contains("hunter2") && !shown.contains("AKIDSHOWN"), "{shown}");
    assert!(c.to_yaml().contains("secret_access_key: \"********\""));

    let url = Case::new().file("object_store: {url: \"s3://me:hunter2@b\"}\n").error();
    assert!(url.contains("no credentials") && !url.contains("hunter2"), "{url}");
    let endpoint = Case::new().env("FIRN_OBJECT_STORE__ENDPOINT", "https://me:hunter2@x").error();
    assert!(!endpoint.contains("hunter2"), "{endpoint}");
    let long = "hunter2".repeat(1000);
    let e = Case::new().env("FIRN_OBJECT_STORE__SECRET_ACCESS_KEY", &long).error();
    assert!(!e.contains("hunter2"), "{e}");
}

#[test]
fn what_is_printed_reads_back_as_the_same_configuration() {
    let case = Case::new()
        .file(
            "object_store: {url: \"s3://b\", endpoint: \"https://[::1]:9000\", region: \"a #b\"}\n",
        )
        .env("FIRN_DATA_DIR", "/tmp/with: colon \"and\" quotes")
        .env("FIRN_BRANCH", "null")
        .env("FIRN_HTTP_LISTEN", "[::]:7400")
        .env("FIRN_DISK_CACHE_BYTES_MAX", "0")
        .env("FIRN_MEMORY_BYTES_MAX", "1234567890");
    let first = case.load().unwrap();
    let second = Case::new().file(first.to_yaml()).load().unwrap();
    let settings =
        |c: &Config| settings::SETTINGS.iter().map(|s| (s.key, (s.get)(c))).collect::<Vec<_>>();
    assert_eq!(settings(&first), settings(&second), "{}", first.to_yaml());
    assert!(first.to_yaml().contains("# environment, FIRN_BRANCH\n"));
    assert!(first.to_yaml().contains("# default\n"));

    let masked = first.to_yaml().replace("# secret_access_key:", "secret_access_key: '********' #");
    assert!(file_error(masked).contains("is the mask"));
}

#[test]
fn every_setting_is_reached_by_its_own_key_and_variable() {
    let mut groups = Vec::new();
    for setting in settings::SETTINGS {
        let group = setting.key.rsplit_once('.').map_or("", |(group, _)| group);
        if groups.last() != Some(&group) {
            assert!(group.is_empty() || !groups.contains(&group), "{group} is split");
            groups.push(group);
        }
        assert!(!settings::is_foreign_variable(&setting.variable()), "{}", setting.key);
        let e = Case::new().env(&setting.variable(), "\u{7}").error();
        assert!(e.contains(&setting.variable()), "{e}");
        // What is printed must be taken.
        let config = Case::new().load().unwrap();
        if let Some(value) = (setting.get)(&config) {
            let mut other = config.clone();
            (setting.set)(&mut other, &value).unwrap_or_else(|e| panic!("{}: {e}", setting.key));
            assert_eq!((setting.get)(&other), Some(value), "{}", setting.key);
        }
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    if std::env::var_os("FIRN_REWRITE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == reference(),
        "docs/CONFIGURATION.md is old: run the tests with FIRN_REWRITE=1"
    );
    // Its example is a configuration.
    let example = stored.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    Case::new().file(example.unwrap()).load().unwrap();
}
