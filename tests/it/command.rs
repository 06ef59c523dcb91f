//! The `firn` command as a user meets it: what it prints, what it exits with,
//! and that every trouble is one line that names what and where.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use firn::data_dir::DataDir;
use firn::local::{Local, LocalOptions};
use firn::store::Store;
use firn_engine::{Env, SpaceId};
use firn_services::config::Config;
use firn_services::machine::Machine;

pub(crate) const SPACE: SpaceId = SpaceId(1);

/// Anything that takes longer hangs.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// A folder for one database.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firn"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FIRN_") {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(self.path()).env("FIRN_DATA_DIR", self.data());
        command.env("FIRN_DISK_CACHE_BYTES_MAX", "0").env("FIRN_MEMORY_BYTES_MAX", "256 MiB");

        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs what must fail; gives its one line.
    fn fails(&self, args: &[&str], code: i32) -> String {
        line_of(&self.run(args), code)
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::with_data_dir(&self.data(), &Machine::detect()).unwrap();
        config.disk_cache_bytes_max = firn_services::bytes::ByteSize(0);
        config.memory_bytes_max = firn_services::bytes::ByteSize(64 << 20);
        config
    }

    async fn open(&self) -> Local {
        self.open_as(&self.config()).await
    }

    pub(crate) async fn open_as(&self, config: &Config) -> Local {
        let handle = tokio::runtime::Handle::current();
        let env = Env::tokio(handle.clone(), handle);
        let dir = DataDir::take(&config.data_dir).unwrap();
        let store = Store::open(config, &env).await.unwrap();
        let options = LocalOptions::new(config);
        Local::open(&env, dir, store.objects, store.layout, options).await.unwrap()
    }

    /// A closed database with some rows in files.
    async fn fill(&self) {
        let local = self.open().await;
        for i in 0..1000u32 {
            local.db().put(SPACE, &i.to_be_bytes(), &[7; 100]).await.unwrap();
        }
        local.close(WAIT_MAX).await.unwrap();
    }

    fn objects(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data().join("objects").join(folder)).unwrap();
        let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

pub(crate) fn line_of(out: &Output, code: i32) -> String {
    let err = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{err}");
    let lines: Vec<_> = err.lines().filter(|line| line.starts_with("firn: ")).collect();
    assert_eq!(lines.len(), 1, "{err}");
    assert!(!err.contains("panicked"), "{err}");
    lines[0].to_owned()
}

pub(crate) fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn unknown_keys_are_named_with_file_and_line() {
    let home = Home::new();
    fs::write(home.path().join("firn.yaml"), "journal:\n  knid: local\n").unwrap();
    let line = home.fails(&["--config", "firn.yaml", "config"], 2);
    assert!(line.contains("firn.yaml") && line.contains("knid"), "{line}");
    let out = home.command(&["config"]).env("FIRN_JUORNAL", "x").output().unwrap();
    assert!(line_of(&out, 2).contains("FIRN_JUORNAL"));
}

/// `cargo run` hands the variables of the build to the program.
#[test]
fn variables_of_the_build_are_no_settings() {
    let home = Home::new();
    let out = Command::new(env!("CARGO_BIN_EXE_firn"))
        .arg("config")
        .current_dir(home.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let home = Home::new();
    let out = home
        .command(&["config"])
        .env("FIRN_OBJECT_STORE__URL", "s3://bucket")
        .env("FIRN_OBJECT_STORE__ACCESS_KEY_ID", "shown-to-nobody")
        .env("FIRN_OBJECT_STORE__SECRET_ACCESS_KEY", "hidden-from-all")
        .output()
        .unwrap();
    let text = stdout(&out);
    assert!(out.status.success() && text.contains("s3://bucket"), "{text}");
    assert!(!text.contains("hidden-from-all"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_use_is_refused_and_says_by_whom() {
    let home = Home::new();
    let local = home.open().await;
    let line = home.fails(&["up"], 4);
    assert!(line.contains(&home.data().display().to_string()), "{line}");
    assert!(line.ends_with(&format!("in use by process {}", std::process::id())), "{line}");
    local.close(WAIT_MAX).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupt_block_is_found_by_scrub_and_by_readers() {
    let home = Home::new();
    home.fill().await;
    assert!(home.run(&["scrub"]).status.success());
    let file = home.objects("sst").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[40] ^= 1;
    fs::write(&file, bytes).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();

    let out = home.run(&["scrub"]);
    assert!(line_of(&out, 3).ends_with("0 objects are missing and 1 are corrupt"));
    assert!(stdout(&out).contains(&format!("corrupt  sst/{name}")), "{}", stdout(&out));

    let local = home.open().await;
    let e = local.db().get(SPACE, &0u32.to_be_bytes()).await.unwrap_err();
    assert_eq!(e.kind(), firn_engine::ErrorKind::Corrupt, "{e}");
    let id = name.strip_suffix(".sst").unwrap();
    assert!(e.to_string().contains(id), "{e}");
    local.close(WAIT_MAX).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrub_names_what_is_missing_and_deletes_orphans_only_when_told() {
    let home = Home::new();
    home.fill().await;
    let file = home.objects("sst").remove(0);
    // An upload of a writer that has been replaced since.
    let id = file.file_stem().unwrap().to_str().unwrap();
    let (head, epoch) = id.rsplit_once('-').unwrap();
    home.fill().await;
    let orphan = file.with_file_name(format!("{}-{epoch}.sst", bumped(head)));
    fs::copy(&file, &orphan).unwrap();
    let orphan_name = orphan.file_name().unwrap().to_str().unwrap();

    let out = home.run(&["scrub", "--quick"]);
    assert!(out.status.success(), "{out:?}");
    assert!(stdout(&out).contains(&format!("orphan   sst/{orphan_name}")), "{}", stdout(&out));
    assert!(orphan.exists());
    let out = home.run(&["scrub", "--delete-orphans"]);
    assert!(out.status.success() && stdout(&out).contains("1 deleted"), "{}", stdout(&out));
    assert!(!orphan.exists());

    fs::remove_file(&file).unwrap();
    let out = home.run(&["scrub"]);
    assert!(line_of(&out, 3).contains("1 objects are missing"));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(stdout(&out).contains(&format!("missing  sst/{name}")), "{}", stdout(&out));
}

/// The same branch with another counter, both of sixteen digits.
fn bumped(head: &str) -> String {
    let (branch, counter) = head.split_at(16);
    let counter = u64::from_str_radix(counter, 16).expect("a counter") + 500;
    format!("{branch}{counter:016x}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_of_a_newer_version_is_refused_in_words() {
    let home = Home::new();
    home.fill().await;
    let last = home.objects("branches/main/manifest").pop().unwrap();
    let number: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let newer = last.with_file_name(format!("{:020}.pb", number + 1));
    let mut bytes = fs::read(&last).unwrap();
    bytes[8] = 9; // the format, after eight bytes of magic
    fs::write(newer, bytes).unwrap();
    for args in [&["up"][..], &["scrub"], &["ctl", "levels"]] {
        let line = home.fails(args, 4);
        assert!(line.contains("by a newer Firn"), "{line}");
    }
}

#[test]
fn a_file_that_is_no_configuration_is_one_line() {
    let home = Home::new();
    let line = home.fails(&["--config", "nowhere.yaml", "config"], 4);
    assert!(line.contains("nowhere.yaml"), "{line}");
    let line = home.fails(&["bench", "nowhere.yaml"], 2);
    assert!(line.contains("nowhere.yaml"), "{line}");
    let line = home.fails(&["ctl", "levels"], 2);
    assert!(line.contains("branch main does not exist"), "{line}");
    let line = home.fails(&["scrub"], 2);
    assert!(line.contains("there is no database in"), "{line}");
    let line = home.fails(&["ctl", "caches"], 4);
    assert!(line.contains("asking the running process at http_listen"), "{line}");
}

/// A running `firn up`; killed if the test fails.
struct Up {
    child: Child,
    address: String,
}

impl Up {
    fn start(home: &Home) -> Self {
        // A port that was free a moment ago: `ctl` must know it as well.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut child = home
            .command(&["up"])
            .env("FIRN_HTTP_LISTEN", &address)
            .env("FIRN_MYSQL_LISTEN", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("the database is open") {
            assert_ne!(log.read_line(&mut seen).unwrap(), 0, "{seen}");
        }
        // Read on, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        let deadline = Instant::now() + WAIT_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        panic!("it does not end");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_serves_health_metrics_and_status_and_ends_cleanly() {
    let home = Home::new();
    home.fill().await;
    let up = Up::start(&home);
    assert!(up.get("/livez").starts_with("HTTP/1.0 200"));
    assert!(up.get("/readyz").starts_with("HTTP/1.0 200"));
    let metrics = up.get("/metrics");
    for name in ["firn_commits_total", "firn_level_files", "firn_store_requests_total"] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    assert!(up.get("/status").contains("\"branch\": \"main\""));
    let ctl = |what: &str| {
        let out =
            home.command(&["ctl", what]).env("FIRN_HTTP_LISTEN", &up.address).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        stdout(&out)
    };
    assert!(ctl("levels").contains("1000"), "{}", ctl("levels"));
    assert!(ctl("files").contains("1000"));
    assert!(ctl("caches").starts_with("cache"));
    assert!(ctl("pins").contains("reader"));
    assert!(ctl("jobs").starts_with("job"));
    assert_eq!(up.terminate(), Some(0));
    let local = home.open().await;
    assert_eq!(local.db().stats().replayed_bytes, 0);
    let row = local.db().get(SPACE, &999u32.to_be_bytes()).await.unwrap();
    assert_eq!(row.as_deref(), Some(&[7; 100][..]));
    let last = Arc::clone(local.db());
    local.close(WAIT_MAX).await.unwrap();
    assert!(last.put(SPACE, b"k", b"v").await.is_err());
}
