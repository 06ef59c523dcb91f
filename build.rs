//! Tells the program which commit it was built from, for reports and metrics.

use std::path::PathBuf;
use std::process::Command;

/// What `git rev-parse` says, if this is a checkout.
fn rev_parse(args: &[&str]) -> Option<String> {
    let out = Command::new("git").arg("rev-parse").args(args).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // HEAD changes when another branch is checked out, its branch when somebody
    // commits; in a worktree both lie elsewhere than in `.git`.
    let branch = rev_parse(&["--symbolic-full-name", "HEAD"]);
    let names = ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref());
    for name in names {
        let path = rev_parse(&["--git-path", name]).map(PathBuf::from);
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    // Built from an archive of the source, there is no commit to name.
    let commit = rev_parse(&["--short=12", "HEAD"]).unwrap_or_default();
    println!("cargo::rustc-env=SOURCE_COMMIT={commit}");
}
