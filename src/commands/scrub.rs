//! `firn scrub`.

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::Config;
use indicatif::{ProgressBar, ProgressStyle};

use super::print;
use crate::cli::ScrubArgs;
use crate::scrub::{Findings, ScrubOptions, not_whole, scrub};
use crate::store::Store;
use crate::table::human_bytes;

pub(super) async fn run(config: &Config, args: &ScrubArgs, env: &Env) -> Result<()> {
    let store = Store::open(config, env).await?;
    let options = ScrubOptions { quick: args.quick, delete_orphans: args.delete_orphans };
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:40} {pos} of {len} objects, {eta} left")
            .expect("a constant template"),
    );
    let progress = |checked, of| {
        bar.set_length(of);
        bar.set_position(checked);
    };
    let findings = scrub(env, &store.objects, &store.layout, options, progress).await?;
    bar.finish_and_clear();
    if findings.branches == 0 {
        // Most likely a wrong address: "nothing is missing" would be misleading.
        let why = format!("there is no database in {}", store.name);
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    print(&report(&findings, args))?;
    if findings.is_whole() { Ok(()) } else { Err(not_whole(&findings)) }
}

fn report(findings: &Findings, args: &ScrubArgs) -> String {
    let mut lines = Vec::new();
    lines.extend(findings.missing.iter().map(|object| format!("missing  {object}")));
    lines.extend(findings.corrupt.iter().map(|d| format!("corrupt  {}: {}", d.object, d.why)));
    let orphan = |(object, bytes): &_| format!("orphan   {object} ({})", human_bytes(*bytes));
    lines.extend(findings.orphans.iter().map(orphan));
    lines.extend(findings.strange.iter().map(|object| format!("strange  {object}")));
    let read = if args.quick {
        "names and sizes compared".to_owned()
    } else {
        format!("{} read", human_bytes(findings.bytes))
    };
    lines.push(format!(
        "{} branches, {} objects named, {read}: {} missing, {} corrupt",
        findings.branches,
        findings.objects,
        findings.missing.len(),
        findings.corrupt.len(),
    ));
    let orphans: u64 = findings.orphans.iter().map(|(_, bytes)| bytes).sum();
    let deleted = match (findings.deleted, findings.orphans.len()) {
        (_, 0) => String::new(),
        (0, _) => "; --delete-orphans deletes them".to_owned(),
        (n, _) => format!("; {n} deleted"),
    };
    lines.push(format!(
        "{} orphans, {}{deleted}; {} strange names",
        findings.orphans.len(),
        human_bytes(orphans),
        findings.strange.len(),
    ));
    lines.push(String::new());
    lines.join("\n")
}
