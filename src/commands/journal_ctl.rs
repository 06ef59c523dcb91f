//! `firn ctl journal`: members of the replicated journal.

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::Config;
use firn_services::journal::admin::{Answer, Change, GroupState, JournalAdmin, MemberState};
use serde::Serialize;

use crate::cli::JournalWhat;
use crate::table::{TextTable, human_bytes};

/// One member's part in one raft group.
#[derive(Debug, Serialize)]
pub(super) struct MemberRow {
    address: String,
    /// `None` if it does not answer.
    member: Option<u64>,
    group: Option<u32>,
    /// `leader`, `voter`, `learner` or `none`.
    role: Option<&'static str>,
    term: Option<u64>,
    committed: Option<u64>,
    applied: Option<u64>,
    /// Entries that it lacks, as its leader knows.
    lag: Option<u64>,
    kept_bytes: Option<u64>,
    disk_bytes: Option<u64>,
    /// Why it does not answer.
    error: Option<String>,
}

/// The client for the journal that the configuration names.
pub(super) fn admin(config: &Config, env: &Env) -> Result<JournalAdmin> {
    let journal = &config.journal;
    let addresses = match journal.addresses.is_empty() {
        false => journal.addresses.clone(),
        true => journal.members.values().cloned().collect(),
    };
    if addresses.is_empty() {
        let why = "journal.addresses is not set: say where the members are with --journal-addr";
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    Ok(JournalAdmin::new(env.clone(), addresses, config.rpc.trust()))
}

pub(super) async fn run(config: &Config, what: JournalWhat, env: &Env) -> Result<Vec<MemberRow>> {
    let admin = admin(config, env)?;
    match what {
        JournalWhat::Status => {}
        JournalWhat::Add { member } => admin.change(Change::Add(member)).await?,
        JournalWhat::Remove { member } => admin.change(Change::Remove(member)).await?,
        JournalWhat::Transfer { member } => admin.change(Change::Lead(member)).await?,
    }
    Ok(rows(&admin.states().await))
}

/// A row for each member and group.
pub(super) fn rows(answers: &[Answer]) -> Vec<MemberRow> {
    let states = || answers.iter().filter_map(|(_, state)| state.as_ref().ok());
    // What the leader of a group, of the latest term, says of it.
    let leader = |number: u32| -> Option<&GroupState> {
        let groups = states().flat_map(|s| s.groups.iter().map(move |g| (s.member, g)));
        let led = groups.filter(|(member, g)| g.group == number && g.leader == *member);
        led.map(|(_, group)| group).max_by_key(|group| group.term)
    };
    let row = |address: &str, state: &MemberState, group: &GroupState| {
        let (member, led) = (state.member, leader(group.group));
        let known = led.unwrap_or(group);
        let role = match () {
            () if led.is_some_and(|led| led.leader == member) => "leader",
            () if known.voters.contains(&member) => "voter",
            () if known.learners.contains(&member) => "learner",
            () => "none",
        };
        let matched = led.and_then(|led| led.matched.get(&member));
        MemberRow {
            address: address.to_owned(),
            member: Some(member),
            group: Some(group.group),
            role: Some(role),
            term: Some(group.term),
            committed: Some(group.committed),
            applied: Some(group.applied),
            lag: led.zip(matched).map(|(led, matched)| led.last_index.saturating_sub(*matched)),
            kept_bytes: Some(group.bytes),
            disk_bytes: Some(state.disk_bytes),
            error: None,
        }
    };
    let mut rows = Vec::new();
    for (address, state) in answers {
        match state {
            Ok(state) => rows.extend(state.groups.iter().map(|group| row(address, state, group))),
            Err(error) => rows.push(MemberRow {
                address: address.clone(),
                member: None,
                group: None,
                role: None,
                term: None,
                committed: None,
                applied: None,
                lag: None,
                kept_bytes: None,
                disk_bytes: None,
                error: Some(error.to_string()),
            }),
        }
    }
    rows
}

/// [`rows`] as a table.
pub(super) fn table(rows: &[MemberRow]) -> TextTable {
    let mut table = TextTable::new(&[
        "journal",
        "address",
        ">group",
        "role",
        ">term",
        ">committed",
        ">applied",
        ">lag",
        ">kept",
        ">disk",
        "error",
    ]);
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<u64>| text(value.map(|value| value.to_string()));
    for row in rows {
        table.row(vec![
            text(row.member.map(|member| format!("member {member}"))),
            row.address.clone(),
            number(row.group.map(u64::from)),
            text(row.role.map(str::to_owned)),
            number(row.term),
            number(row.committed),
            number(row.applied),
            number(row.lag),
            text(row.kept_bytes.map(human_bytes)),
            text(row.disk_bytes.map(human_bytes)),
            row.error.clone().unwrap_or_default(),
        ]);
    }
    table
}
