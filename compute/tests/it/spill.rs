//! Statements that need more memory than they may have go on in temporary files.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use firn_compute::server::Site;
use firn_compute::txn::Limits;

use crate::executors::{JOINED, PARTNERS, STATEMENTS, counted, filled, related, told};
use crate::support::{TestClient, TestServer, World};

/// Next to nothing for what a statement gathers.
fn tiny() -> Limits {
    Limits { gathered_bytes_max: 64 << 10, ..Limits::default() }
}

/// Each of these gathers more than that.
const LARGE: &[&str] = &[
    // In order: by keys of several kinds, both ways, with equal keys, cut.
    "SELECT id, s, l, dt FROM big ORDER BY s, l DESC, dt",
    "SELECT id, s FROM big ORDER BY s DESC",
    "SELECT id, d FROM big ORDER BY d DESC, id LIMIT 3000 OFFSET 9000",
    "SELECT id + 0, CONCAT(s, l), f, w, ts, j FROM big ORDER BY CONCAT(s, l), n",
    "SELECT SQL_CALC_FOUND_ROWS id + 1 FROM big ORDER BY n LIMIT 5",
    "SELECT b.id, t.label FROM big b JOIN tiny t ON t.g = b.g ORDER BY t.label, b.n, b.id",
    // Groups: many, with all aggregates, of rows in an order that shows.
    "SELECT id, COUNT(*), SUM(f), MIN(s), MAX(l), AVG(d), BIT_XOR(u), STD(f), VAR_SAMP(n) FROM big
     GROUP BY id + 0",
    "SELECT id % 5000 AS k, GROUP_CONCAT(id), GROUP_CONCAT(s ORDER BY id DESC SEPARATOR '/'),
     JSON_ARRAYAGG(n), JSON_OBJECTAGG(id, l) FROM big GROUP BY k",
    "SELECT id % 3000 AS k, COUNT(DISTINCT n), SUM(DISTINCT f), GROUP_CONCAT(DISTINCT l ORDER BY n),
     AVG(DISTINCT d) FROM big GROUP BY k HAVING COUNT(*) > 3 ORDER BY COUNT(DISTINCT n), k",
    "SELECT COUNT(DISTINCT d), SUM(DISTINCT f), COUNT(DISTINCT at, n), MAX(DISTINCT w) FROM big",
    "SELECT n % 3, COUNT(DISTINCT at), SUM(DISTINCT r), SUM(f) FROM big GROUP BY n % 3",
    "SELECT g, id % 2000, COUNT(*), SUM(f), GROUPING(g) FROM big GROUP BY g, id % 2000 WITH ROLLUP",
    "SELECT (id * 7919) % 10007 AS k, COUNT(*), SUM(f) FROM big GROUP BY k",
    "SELECT GROUP_CONCAT(at ORDER BY f DESC, id) FROM big",
    "SELECT MAX(c) FROM (SELECT COUNT(*) AS c FROM big GROUP BY d) x",
    // The first of the same.
    "SELECT DISTINCT d FROM big",
    "SELECT DISTINCT d % 900, s FROM big LIMIT 2500",
    "SELECT DISTINCT id % 7000 AS k, s FROM big ORDER BY s, k LIMIT 4000, 100",
    "SELECT DISTINCT n, COUNT(*) * 0 + id AS k FROM big GROUP BY id",
    // Set operations.
    "SELECT id, s FROM big UNION SELECT id % 9000, l FROM big",
    "SELECT d FROM big UNION ALL SELECT f FROM big",
    "SELECT id % 6000, s FROM big INTERSECT SELECT id % 4000, l FROM big",
    "SELECT id % 6000, n FROM big INTERSECT ALL SELECT id % 4000, n FROM big",
    "SELECT id % 6000, n FROM big EXCEPT SELECT id % 4000, n FROM big",
    "SELECT id % 6000, n FROM big EXCEPT ALL SELECT id % 4000, n FROM big",
    "SELECT id FROM big UNION ALL (SELECT id FROM big EXCEPT SELECT id FROM small) ORDER BY 1 DESC LIMIT 9",
    // Rows that are read again.
    "SELECT COUNT(*), SUM(x.d) FROM (SELECT id, d, s FROM big LIMIT 30000) x WHERE x.id % 7 = 0",
    "WITH x AS (SELECT DISTINCT id, d, at FROM big WHERE n > 0) SELECT COUNT(*), (SELECT MAX(d) FROM x),
     (SELECT MIN(at) FROM x) FROM x",
    "WITH RECURSIVE x AS (SELECT 1 AS i, REPEAT('x', 40) AS t UNION ALL SELECT i + 1, t FROM x
     WHERE i < 5000) SELECT COUNT(*), SUM(i), MAX(t) FROM x",
    "WITH RECURSIVE x AS (SELECT id % 3000 AS i FROM big UNION SELECT (i + 1000) % 3500 FROM x)
     SELECT COUNT(*), SUM(i), MAX(i) FROM x",
    "SELECT COUNT(*) FROM tiny t, (SELECT id, g, s FROM big ORDER BY id LIMIT 20000) x WHERE x.g = t.g",
    "SELECT COUNT(*) FROM digits WHERE i * 1500 IN (SELECT id FROM big WHERE s <> 'q' OR n = 9)",
    "SELECT COUNT(*) FROM digits WHERE (i * 1900, 'A') NOT IN (SELECT id, s FROM big)",
];

async fn started(limits: Limits, site: &Site) -> (TestServer, TestClient) {
    let server = World::new().limited(limits).start_at(site).await;
    let mut client = server.client().await;
    client
        .run("CREATE DATABASE t; USE t; SET cte_max_recursion_depth = 100000, sql_mode = ''")
        .await;
    filled(&mut client).await;
    related(&mut client).await;
    (server, client)
}

async fn spilled(client: &mut TestClient) -> u64 {
    counted(client, "SESSION", "Firn_spilled_bytes").await
}

fn is_clean(server: &TestServer, what: &str) {
    assert_eq!((server.spill.files(), server.spill.bytes()), (0, 0), "{what}");
    assert_eq!(server.memory.used(), 0, "{what}");
}

#[tokio::test]
async fn what_goes_to_files_answers_the_same_as_what_is_in_memory() {
    let (large, mut one) = started(Limits::default(), &Site::default()).await;
    let (small, mut other) = started(tiny(), &Site::default()).await;
    for sql in LARGE {
        let right = told(&mut one, "direct", sql).await;
        assert!(right.starts_with("[ResultSet"), "{sql}: {right:.300}");
        let before = spilled(&mut other).await;
        let answer = told(&mut other, "direct", sql).await;
        assert!(right == answer, "{sql}:\n{:.2000}\nnot\n{:.2000}", answer, right);
        assert!(spilled(&mut other).await > before, "in memory: {sql}");
        is_clean(&small, sql);
    }
    assert_eq!(spilled(&mut one).await, 0, "with enough memory nothing is spilled");
    for name in ["Sort_merge_passes", "Created_tmp_disk_tables"] {
        assert!(counted(&mut other, "SESSION", name).await > 0, "{name}");
        assert_eq!(counted(&mut one, "SESSION", name).await, 0, "{name}");
    }
    assert!(counted(&mut other, "GLOBAL", "Created_tmp_files").await > 0);
    is_clean(&large, "all");
}

/// These say which of equal texts came first, which a join of parts does not keep.
const FIRST_OF_EQUAL: &[&str] = &["MIN(s.name)", "MAX(b.s)", "GROUP BY s.name"];

#[tokio::test]
async fn queries_over_batches_answer_the_same_with_next_to_no_memory() {
    let (_large, mut one) = started(Limits::default(), &Site::default()).await;
    let (small, mut other) = started(tiny(), &Site::default()).await;
    let shows = |sql: &str| FIRST_OF_EQUAL.iter().any(|part| sql.contains(part));
    let joined = JOINED.iter().filter(|sql| !shows(sql)).map(|sql| (*sql, &["vector"][..]));
    let all = STATEMENTS.iter().map(|sql| (*sql, &["vector", "direct"][..]));
    for (sql, executors) in all.chain(joined) {
        let right = told(&mut one, "vector", sql).await;
        for executor in executors {
            let answer = told(&mut other, executor, sql).await;
            assert!(right == answer, "{executor}: {sql}:\n{:.2000}\nnot\n{:.2000}", answer, right);
            is_clean(&small, sql);
        }
    }
    assert!(spilled(&mut other).await > 0);
    for sql in PARTNERS {
        let right = told(&mut one, "vector", sql).await;
        let answer = told(&mut other, "vector", sql).await;
        assert!(right == answer, "{sql}:\n{answer:.2000}\nnot\n{right:.2000}");
        is_clean(&small, sql);
    }
    // Both sides of these go to files, some of their parts once more, and nothing is given up.
    for sql in [
        "SELECT COUNT(*), SUM(a.g), SUM(b.d) FROM big a JOIN big b ON a.id = b.id",
        "SELECT COUNT(*), SUM(a.g), COUNT(b.id) FROM big a LEFT JOIN big b ON a.g = b.id AND b.n > 0",
        "SELECT COUNT(*), SUM(a.id), COUNT(b.id) FROM (SELECT id, g, s FROM big WHERE id % 2 = 0) a LEFT JOIN
         big b ON b.id = a.g * 100 AND b.s = a.s",
        "SELECT COUNT(*), SUM(a.id) FROM big a WHERE EXISTS (SELECT 1 FROM big b WHERE b.u = a.u AND b.n > 0)",
        "SELECT COUNT(*), SUM(a.id) FROM big a WHERE NOT EXISTS (SELECT 1 FROM big b WHERE b.u = a.u AND b.n > 0)",
        "SELECT COUNT(*), SUM(a.id) FROM big a WHERE a.id % 8 = 0 AND NOT EXISTS (SELECT 1 FROM big b WHERE
         b.u = a.u AND b.n > 0)",
        "SELECT COUNT(*), SUM(c.n) FROM big a JOIN big b ON a.u = b.u JOIN big c ON c.at = b.at WHERE a.id % 20 = 0",
    ] {
        let right = told(&mut one, "vector", sql).await;
        let (before, given_up) = (spilled(&mut other).await, given_up(&mut other).await);
        assert_eq!(told(&mut other, "vector", sql).await, right, "{sql}");
        assert!(spilled(&mut other).await > before + 100_000, "{sql}");
        assert_eq!(self::given_up(&mut other).await, given_up, "{sql}");
        is_clean(&small, sql);
    }
}

async fn given_up(client: &mut TestClient) -> u64 {
    counted(client, "SESSION", "Firn_vector_given_up").await
}

#[tokio::test]
async fn changes_of_more_rows_than_fit_into_memory_are_made_once() {
    let (small, mut client) = started(tiny(), &Site::default()).await;
    client
        .run("CREATE TABLE c (id INT PRIMARY KEY AUTO_INCREMENT, v INT, note VARCHAR(40), KEY (v))")
        .await;
    client.run("INSERT INTO c SELECT id + 1, n, CONCAT('row ', id) FROM big").await;
    let before = spilled(&mut client).await;
    for (sql, rows) in [
        // What is read is what is written.
        ("INSERT INTO c (v, note) SELECT v, note FROM c", 20_000),
        ("UPDATE c SET v = v + 1000 WHERE v > -1000", 40_000),
        ("UPDATE c JOIN tiny t ON t.g = c.v - 1000 SET c.note = t.label", 0),
        ("UPDATE c SET note = 'first' ORDER BY note DESC, id LIMIT 7000", 7000),
        ("DELETE FROM c WHERE v > 1000 ORDER BY v, id LIMIT 9000", 9000),
        ("DELETE a FROM c a JOIN c b ON a.id = b.id WHERE b.note = 'first'", 0),
    ] {
        let now = spilled(&mut client).await;
        let result = client.result(sql).await;
        if rows > 0 {
            assert_eq!(result.summary.affected_rows, rows, "{sql}");
        }
        assert!(spilled(&mut client).await > now, "in memory: {sql}");
        assert_eq!((small.spill.files(), small.spill.bytes()), (0, 0), "{sql}");
    }
    assert!(spilled(&mut client).await > before);
    let rest = "SELECT COUNT(*), COUNT(DISTINCT id), MIN(v) > 800, SUM(note = 'first') FROM c";
    let lines = client.lines(rest).await;
    let by_index = client.lines("SELECT COUNT(*) FROM c FORCE INDEX (v) WHERE v > -9999").await;
    let [count, ids, ..] = *lines[0].split('|').collect::<Vec<_>>() else { panic!("{lines:?}") };
    assert_eq!((count, ids), (&*by_index[0], count));
    assert!(lines[0].ends_with("|1|0"), "{lines:?}");
}

/// It sorts until somebody ends it.
const ENDLESS: &str = "SELECT a.id, b.s FROM big a, big b, big c ORDER BY b.s, a.id + c.id";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_ended_leaves_no_file_and_its_connection_goes_on() {
    let (server, mut client) = started(tiny(), &Site::default()).await;
    let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
    let mut other = server.client().await;
    let spill = Arc::clone(&server.spill);
    let before = spill.written();
    let kill = async {
        while spill.files() == 0 || spill.written() < before + (1 << 20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        other.run(&format!("KILL QUERY {id}")).await;
    };
    let ((number, text), ()) = futures::join!(client.error(ENDLESS), kill);
    assert_eq!(number, 1317, "{text}");
    is_clean(&server, "KILL");
    client.run("SET max_execution_time = 300").await;
    let (number, text) = client.error(ENDLESS).await;
    assert_eq!(number, 3024, "{text}");
    is_clean(&server, "max_execution_time");
    client.run("SET max_execution_time = 0").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM big").await.as_deref(), Some("20000"));
    // Nor does a connection that is ended.
    let kill = async {
        while spill.files() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        other.run(&format!("KILL {id}")).await;
    };
    let (ended, ()) = futures::join!(client.0.query_all(ENDLESS.as_bytes()), kill);
    ended.unwrap_err();
    let clean = async {
        while spill.files() > 0 || spill.bytes() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), clean).await.expect("its files go");
}

fn below(folder: &Path) -> Site {
    Site { data_dir: folder.display().to_string(), ..Site::default() }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new().limited(tiny());
    let first = world.start().await;
    let mut client = first.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    filled(&mut client).await;
    drop((client, first));
    let site = Site { spill_bytes_max: Some(200_000), ..below(folder.path()) };
    let server = world.start_at(&site).await;
    let mut client = server.client().await;
    client.run("USE t").await;
    let sort = "SELECT id, s, l, dt, d, at FROM big ORDER BY s, d";
    let error = client.error(sort).await;
    let name = folder.path().join("spill/#sql_temporary").display().to_string();
    assert_eq!(error, (1114, format!("The table '{name}' is full")));
    is_clean(&server, "full");
    assert_eq!(client.value("SELECT COUNT(*) FROM big").await.as_deref(), Some("20000"));
    // What needs less goes on.
    assert_eq!(client.rows("SELECT id FROM big WHERE id < 2000 ORDER BY s, d").await.len(), 2000);
    std::fs::remove_dir(folder.path().join("spill")).unwrap();
    let (number, text) = client.error(sort).await;
    let what = "Can't create/write to file";
    let why = "(OS errno 2 - No such file or directory)";
    assert!(number == 1 && text.starts_with(what) && text.ends_with(why), "{number}: {text}");
    is_clean(&server, "no folder");
    assert_eq!(
        client.value("SELECT @@tmpdir").await,
        folder.path().join("spill").to_str().map(str::to_owned)
    );
}

#[tokio::test]
async fn files_of_a_process_that_is_gone_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let spill = folder.path().join("spill");
    std::fs::create_dir(&spill).unwrap();
    std::fs::write(spill.join(".tmpAbCd"), "left over").unwrap();
    let server = World::new().start_at(&below(folder.path())).await;
    assert_eq!(std::fs::read_dir(&spill).unwrap().count(), 0);
    assert_eq!(server.spill.folder(), spill);
}

/// Turns a bit in every temporary file of the folder that this process has open.
fn damage(folder: &Path) {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return };
    for entry in open.flatten() {
        let path = entry.path();
        if std::fs::read_link(&path).is_ok_and(|target| target.starts_with(folder))
            && let Ok(file) = std::fs::File::options().read(true).write(true).open(&path)
        {
            let mut byte = [0];
            for at in (0..file.metadata().map_or(0, |known| known.len())).step_by(20_011) {
                if file.read_exact_at(&mut byte, at).is_ok() {
                    let _ = file.write_all_at(&[byte[0] ^ 4], at);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_an_error_and_never_a_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (server, mut client) = started(tiny(), &below(folder.path())).await;
    let ends = Arc::new(AtomicBool::new(false));
    let (over, at) = (Arc::clone(&ends), folder.path().canonicalize().unwrap());
    let damaging = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            damage(&at);
            std::thread::yield_now();
        }
    });
    for sql in [
        "SELECT id, s, l, dt, d, at FROM big ORDER BY s, d",
        "SELECT d, COUNT(*), SUM(f) FROM big GROUP BY d",
        "SELECT DISTINCT d, s FROM big",
        "SELECT COUNT(*), SUM(x.d) FROM (SELECT id, d, s FROM big LIMIT 30000) x",
    ] {
        let (number, text) = client.error(sql).await;
        assert!(
            number == 1034 && text.starts_with("Damaged data: file '"),
            "{number} {text}: {sql}"
        );
        is_clean(&server, sql);
    }
    ends.store(true, Ordering::Relaxed);
    damaging.join().unwrap();
    assert_eq!(client.rows("SELECT DISTINCT d, s FROM big").await.len(), 20_000);
}
