//! CPU time of the server's side per query of constant rows, in text:
//! `cargo bench -p firn-mysql-protocol`. `peers/run` measures another server in the
//! same run.
#![allow(clippy::print_stdout, missing_docs, unreachable_pub)]

mod harness;

fn main() {
    let mut client = harness::Client::connect(harness::firn::start(), "bench");
    for (name, sql) in harness::STATEMENTS {
        let micros = client.measure(sql, 20_000, 5);
        println!("firn-mysql-protocol, {name}: {micros:.1} µs of server CPU per query");
    }
}
