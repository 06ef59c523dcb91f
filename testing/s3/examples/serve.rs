//! Runs the server by hand: `cargo run -p firn-testing-s3 --example serve [ADDRESS] [BUCKET]`.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use firn_testing_s3::{ACCESS_KEY, Limits, REGION, SECRET_KEY, Server};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let bucket = arguments.next().unwrap_or_else(|| "firn".to_owned());
    let server = Server::start_with(&bucket, &address, Limits::default()).await?;
    println!(
        "{} bucket {bucket}, key {ACCESS_KEY}, secret {SECRET_KEY}, region {REGION}",
        server.endpoint()
    );
    tokio::signal::ctrl_c().await
}
