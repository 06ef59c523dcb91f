//! Tells the program which commit it was built from, for reports and metrics.

use std::path::Path;
use std::process::Command;

fn main() {
    // In a worktree `.git` is a file; then the commit may be a build late.
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
    let git = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    // Built from an archive of the source, there is no commit to name.
    let commit = git.ok().filter(|out| out.status.success());
    let commit = commit.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!("cargo::rustc-env=SOURCE_COMMIT={}", commit.unwrap_or_default());
}
