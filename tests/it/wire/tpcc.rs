//! Transactions that meet each other on the same rows, and a server that is killed under
//! them: the consistency conditions of TPC-C hold in what is there then.

use std::fs;
use std::time::Instant;

use firn_benchmark::mysql::{Tpcc, check_tpcc};

use super::Server;
use super::server::{WAIT_MAX, client, firn, rows};

/// Transactions that are committed before the server is killed.
const ORDERS: u64 = 150;

fn size() -> Tpcc {
    Tpcc { warehouses: 2, divide_by: 100, keying: 0.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conditions_of_tpcc_hold_after_a_kill_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--data-dir", "data"];
    let server = Server::start(folder.path(), &args);
    let text = format!(
        "name: tpcc\nservers: [{{kind: address, address: '{}'}}]\n\
         tpcc: {{warehouses: 2, divide_by: 100}}\nthreads: [6]\nwarmup_s: 0\nduration_s: 60\n\
         settle_limit_s: 0\nphases: [{{kind: tpcc}}]\n",
        server.address()
    );
    fs::write(folder.path().join("tpcc.yaml"), text).unwrap();
    let mut command = firn(folder.path(), &["bench", "tpcc.yaml", "--out", "out"]);
    command.stdout(std::process::Stdio::null());
    command.stderr(fs::File::create(folder.path().join("bench")).unwrap());
    let mut terminals = command.spawn().unwrap();
    let mut watch = client(server.address(), None).await.unwrap();
    let begun = Instant::now();
    let schema = loop {
        assert!(begun.elapsed() < WAIT_MAX, "no orders come");
        assert!(terminals.try_wait().unwrap().is_none(), "no terminals");
        let sql = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'orders'";
        let schema = rows(&mut watch, sql).await.unwrap();
        let Some(schema) = schema.first().map(|row| row[0].clone()) else { continue };
        let sql = format!("SELECT COALESCE(SUM(d_next_o_id - 31), 0) FROM {schema}.district");
        // The table may not be there yet.
        let Ok(orders) = rows(&mut watch, &sql).await else { continue };
        if orders[0][0].parse::<u64>().unwrap() >= ORDERS {
            break schema;
        }
    };
    server.kill();
    assert!(!terminals.wait().unwrap().success(), "terminals that miss nothing");
    let server = Server::start(folder.path(), &args);
    check_tpcc(server.address(), &schema, &size()).await.unwrap();
    // A condition that is broken is found.
    let mut client = client(server.address(), Some(&schema)).await.unwrap();
    for (condition, breaks, mends) in [
        (
            1,
            "UPDATE district SET d_ytd = d_ytd + 1 WHERE d_w_id = 1 AND d_id = 3",
            "UPDATE district SET d_ytd = d_ytd - 1 WHERE d_w_id = 1 AND d_id = 3",
        ),
        (
            2,
            "UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = 2 AND d_id = 3",
            "UPDATE district SET d_next_o_id = d_next_o_id - 1 WHERE d_w_id = 2 AND d_id = 3",
        ),
        (
            7,
            "UPDATE order_line SET ol_delivery_d = NULL WHERE ol_w_id = 1 AND ol_d_id = 1 AND ol_o_id = 1 AND ol_number = 1",
            "UPDATE order_line SET ol_delivery_d = NOW() WHERE ol_w_id = 1 AND ol_d_id = 1 AND ol_o_id = 1 AND ol_number = 1",
        ),
        (8, "UPDATE history SET h_amount = h_amount + 1 WHERE h_w_id = 1 LIMIT 1", ""),
    ] {
        rows(&mut client, breaks).await.unwrap();
        let error = check_tpcc(server.address(), &schema, &size()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("condition {condition}:")), "{error}");
        if !mends.is_empty() {
            rows(&mut client, mends).await.unwrap();
        }
    }
    server.stop();
}
