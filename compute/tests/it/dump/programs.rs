//! The stock programs, from the environment: the program with what has to stand before its
//! own arguments, separated by blanks.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// What one writes when it runs with these arguments and this input.
///
/// # Panics
/// With what it complains of, if it fails.
pub(super) fn run(variable: &str, at: SocketAddr, args: &[&str], input: &[u8]) -> Vec<u8> {
    let program = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is the program, with its first arguments"));
    let mut words = program.split_whitespace();
    let mut child = Command::new(words.next().expect("a program"))
        .args(words)
        .args(["--no-defaults", "-uroot"])
        .args([format!("-h{}", at.ip()), format!("-P{}", at.port())])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_vec();
    let writer =
        std::thread::Builder::new().spawn(move || drop(stdin.write_all(&input))).expect("a thread");
    let output = child.wait_with_output().expect("it ends");
    drop(writer.join());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let failed = !output.status.success() || errors.contains("rror");
    assert!(!failed, "{variable} {args:?} at {at}: {errors}");
    output.stdout
}

/// An address from the environment.
pub(super) fn address(variable: &str) -> SocketAddr {
    let text = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is host:port"));
    text.parse().unwrap_or_else(|_| panic!("{variable} is host:port"))
}
