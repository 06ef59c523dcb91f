//! Edits and what becomes of a branch, written down in `testdata/manifest`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use firn_testing::datadriven::{Case, run_file, run_folder};
use proptest::prelude::*;

use super::record::{Record, STATE_EVERY, base_of, has_state};
use super::{
    BranchPoint, BranchState, ColumnCopy, Edit, Job, JobInput, Lease, RangeDelete, Shard,
    SnapshotMeta, SpaceOptions, SstMeta, TimePoint, Version, Watermark,
};
use crate::key::{KeyRange, user_key};
use crate::types::{BranchName, Epoch, ManifestVersion, ObjectId, Seq, SpaceId};

const SPACE: SpaceId = SpaceId(1);

fn id(counter: u64) -> ObjectId {
    ObjectId { branch: 7, counter, epoch: Epoch(1) }
}

fn range(text: &str) -> KeyRange {
    let (first, last) = text.split_once('-').expect("first-last");
    KeyRange {
        start: Bytes::copy_from_slice(&user_key(SPACE, first.as_bytes())),
        end: Some(Bytes::copy_from_slice(&user_key(SPACE, last.as_bytes()))),
    }
}

/// `12:a-m@3-9` is object 12 with keys a up to m and seqs 3 to 9.
fn file(text: &str) -> Arc<SstMeta> {
    let (counter, rest) = text.split_once(':').expect("object:keys@seqs");
    let (keys, seqs) = rest.split_once('@').expect("object:keys@seqs");
    let (low, high) = seqs.split_once('-').expect("low-high");
    Arc::new(SstMeta {
        id: id(counter.parse().expect("a counter")),
        space: SPACE,
        range: range(keys),
        seq_min: Seq(low.parse().expect("a seq")),
        seq_max: Seq(high.parse().expect("a seq")),
        bytes: 100,
        tail_bytes: 10,
        cut: false,
        raw_bytes: 200,
        entries: 5,
        deletes: 0,
        range_deletes: 0,
        widest: Vec::new(),
        column: None,
    })
}

fn edit(line: &str) -> Edit {
    let words: Vec<&str> = line.split_whitespace().collect();
    let find = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str| -> u64 {
        find(name).unwrap_or_else(|| panic!("{line}: {name}=")).parse().expect("a number")
    };
    let files = || words.iter().filter(|w| w.contains('@')).map(|w| file(w)).collect::<Vec<_>>();
    let inputs = || {
        let input = |w: &&str| {
            let (level, object) = w.strip_prefix('L')?.split_once(':')?;
            Some(JobInput { level: level.parse().ok()?, id: id(object.parse().ok()?) })
        };
        words.iter().filter_map(input).collect::<Vec<_>>()
    };
    match words[0] {
        "create" => Edit::CreateBranch { branch_uid: 7 },
        "claim" => Edit::ClaimWriter { writer: words[1].into() },
        "charge" => Edit::TakeCharge { owner_name: words[1].into() },
        "owner" => Edit::AsOwner { owner: words[1].parse().expect("a number") },
        "flush" => Edit::Flush {
            epoch: Epoch(number("epoch")),
            files: files(),
            flushed_seq: Seq(number("to")),
            decided_counter: number("decided"),
            times: Vec::new(),
        },
        "job" => {
            let inputs = inputs();
            let shards = words.iter().filter_map(|w| w.strip_prefix("shard="));
            Edit::AddJob {
                job: Arc::new(Job {
                    id: number("id"),
                    space: SPACE,
                    inputs,
                    target_level: number("to") as usize,
                    bottom: true,
                    watermark: Seq(number("watermark")),
                    shards: shards.map(|s| Shard::new(range(s))).collect(),
                    parked: None,
                }),
            }
        }
        "lease" => Edit::LeaseShard {
            job: number("job"),
            shard: number("shard") as usize,
            attempt: number("attempt"),
            worker: "w".into(),
        },
        "progress" => Edit::ShardProgress {
            job: number("job"),
            shard: number("shard") as usize,
            attempt: number("attempt"),
            outputs: files(),
            resume_key: Bytes::copy_from_slice(&user_key(
                SPACE,
                find("resume").expect("resume=").as_bytes(),
            )),
            done: words.contains(&"done"),
        },
        "release" => Edit::ReleaseShard {
            job: number("job"),
            shard: number("shard") as usize,
            attempt: number("attempt"),
            failure: find("failure").map(Into::into),
            park: words.contains(&"park"),
        },
        "complete" => Edit::CompleteJob { job: number("job") },
        "cancel" => Edit::CancelJob { job: number("job") },
        "snapshot" => Edit::AddSnapshot {
            name: words[1].into(),
            snapshot: SnapshotMeta { seq: Seq(number("seq")), created_unix_ms: 0 },
        },
        "drop-snapshot" => Edit::DropSnapshot { name: words[1].into() },
        "watermark" => Edit::AdvanceWatermark {
            watermark: Watermark { seq: Seq(number("seq")), holder: "test".into() },
            leases: Vec::new(),
        },
        "move" => Edit::Move { space: SPACE, files: inputs(), to_level: number("to") as usize },
        "unlink" => {
            Edit::Unlink { space: SPACE, files: inputs().into_iter().map(|i| i.id).collect() }
        }
        "forget" => Edit::ForgetGarbage { objects: inputs().into_iter().map(|i| i.id).collect() },
        other => panic!("edit {other}"),
    }
}

fn text(key: &[u8]) -> String {
    key.get(SpaceId::LEN..).unwrap_or_default().escape_ascii().to_string()
}

fn show(version: &Version) -> String {
    let mut out = String::new();
    let name = |f: &SstMeta| {
        let end = f.range.end.as_ref().expect("an end");
        format!(
            "{}:{}-{}@{}-{}",
            f.id.counter,
            text(&f.range.start),
            text(end),
            f.seq_min,
            f.seq_max
        )
    };
    let _ = writeln!(
        out,
        "v{} epoch {} owner {} flushed {} decided {} watermark {}",
        version.number,
        version.epoch,
        version.owner,
        version.flushed_seq,
        version.decided_counter,
        version.watermark.seq
    );
    for level in 0..=super::LEVEL_MAX {
        let Some(space) = version.space(SPACE) else { break };
        if !space.level(level).is_empty() {
            let files: Vec<_> = space.level(level).iter().map(|f| name(f)).collect();
            let _ = writeln!(out, "  L{level} {}", files.join(" "));
        }
    }
    for job in version.jobs.values() {
        let _ = write!(out, "  job {}", job.id);
        if let Some(why) = &job.parked {
            let _ = write!(out, " parked: {why}");
        }
        for shard in &job.shards {
            let outputs: Vec<_> = shard.outputs.iter().map(|f| name(f)).collect();
            let _ = write!(
                out,
                " [{} attempt {:?} failures {} resume {} {}]",
                if shard.done { "done" } else { "open" },
                shard.attempt,
                shard.failures,
                text(&shard.resume_key),
                outputs.join(" ")
            );
        }
        out.push('\n');
    }
    for (name, snapshot) in &version.snapshots {
        let _ = writeln!(out, "  snapshot {name} at {}", snapshot.seq);
    }
    if !version.garbage.is_empty() {
        let garbage = version.garbage.iter();
        let all: Vec<_> =
            garbage.map(|(id, g)| format!("{} since v{}", id.counter, g.unlinked_at)).collect();
        let _ = writeln!(out, "  garbage {}", all.join(", "));
    }
    out
}

#[test]
fn edits_do_what_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/manifest");
    run_folder(&folder, |path| {
        let mut version = Version::empty(BranchName::main());
        run_file(path, |case: &Case| {
            if case.command == "reset" {
                version = Version::empty(BranchName::main());
            }
            let edits: Vec<_> = case.input.lines().map(edit).collect();
            match version.apply(&edits) {
                Ok(next) => {
                    version = next;
                    show(&version)
                }
                Err(e) => format!("{e:?}"),
            }
        });
    });
}

/// A state with something of everything in it.
fn rich() -> Version {
    let mut version = Version::empty(BranchName::new("dev-1").unwrap());
    let range_delete = RangeDelete { range: range("a-m"), seq: Seq(9) };
    let full = SstMeta {
        range_deletes: 1,
        widest: vec![range_delete],
        column: Some(ColumnCopy { bytes: 50, rows: 5 }),
        ..(*file("3:n-z@1-9")).clone()
    };
    let steps = [
        vec![Edit::CreateBranch { branch_uid: 7 }, Edit::ClaimWriter { writer: "alice".into() }],
        vec![Edit::TakeCharge { owner_name: "storage-1".into() }, Edit::AsOwner { owner: 1 }],
        vec![Edit::DeclareSpace {
            epoch: Epoch(1),
            space: SPACE,
            options: SpaceOptions {
                row_schema: Bytes::from_static(b"kv"),
                filter_prefix_len: 6,
                settle_seq: Seq::ZERO,
            },
        }],
        vec![Edit::Flush {
            epoch: Epoch(1),
            files: vec![file("1:a-m@1-9"), Arc::new(full)],
            flushed_seq: Seq(9),
            decided_counter: 4,
            times: vec![TimePoint { seq: Seq(4), unix_ms: 1000 }],
        }],
        vec![Edit::AdvanceWatermark {
            watermark: Watermark { seq: Seq(5), holder: "reader bob".into() },
            leases: vec![(
                "bob".into(),
                Lease { oldest_seq: Seq(5), oldest_version: ManifestVersion(4) },
            )],
        }],
        vec![
            edit("job id=1 to=6 watermark=5 L0:1 L0:3 shard=a-n shard=n-z"),
            edit("lease job=1 shard=0 attempt=1"),
        ],
        vec![edit("progress job=1 shard=0 attempt=1 resume=k 9223372036855824384:a-k@1-9")],
        vec![edit("release job=1 shard=0 attempt=1 failure=because")],
        vec![edit("snapshot monday seq=7"), Edit::Archived { through: Seq(8) }],
        vec![edit("flush epoch=1 to=20 decided=9 5:a-c@10-20"), edit("cancel job=1")],
    ];
    for edits in steps {
        version = version.apply(&edits).unwrap();
    }
    assert!(!version.garbage.is_empty() && !version.leases.is_empty());
    version
}

fn name(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

/// A branch whose number is its seq.
fn pin(branch: &str, seq: u64) -> Edit {
    let point = BranchPoint {
        branch_uid: seq,
        seq: Seq(seq),
        version: ManifestVersion(0),
        created_unix_ms: 9,
        state: BranchState::Pinned,
    };
    Edit::PinBranch { name: name(branch), point }
}

fn mark(branch: &str, branch_uid: u64, state: BranchState) -> Edit {
    Edit::MarkBranch { name: name(branch), branch_uid, state }
}

/// The same with branches.
fn branched() -> Version {
    let steps = [
        vec![Edit::WantFlush, Edit::WantFlush, Edit::AnswerFlush { epoch: Epoch(1), answers: 1 }],
        vec![pin("one", 7), pin("two", 20), pin("three", 8)],
        vec![mark("two", 20, BranchState::Created), mark("three", 8, BranchState::Dropped)],
    ];
    steps.iter().fold(rich(), |version, edits| version.apply(edits).unwrap())
}

#[test]
fn a_state_reads_back_whole() {
    let version = branched();
    let fork = version.fork(&name("one"), &version.children[&name("one")]).unwrap();
    let dropped = fork.apply(&[Edit::DropBranch]).unwrap();
    for version in [version, fork, dropped] {
        let state = firn_proto::v1::ManifestState::from(&version);
        let back = Version::from_state(version.branch.clone(), version.number, state).unwrap();
        assert_eq!(back, version);
    }
}

#[test]
fn edits_of_branches_read_back() {
    let forget = Edit::ForgetBranch { name: name("a"), branch_uid: 3 };
    let answer = Edit::AnswerFlush { epoch: Epoch(2), answers: 5 };
    let others = [forget, answer, Edit::WantFlush, Edit::DropBranch];
    let all = others.into_iter().chain([pin("a", 3), mark("b", 1, BranchState::Dropped)]);
    for edit in all {
        let sent = firn_proto::v1::ManifestEdit::from(&edit);
        assert_eq!(Edit::try_from(sent).unwrap(), edit);
    }
}

#[test]
fn a_branch_begins_with_what_was_visible_at_its_seq_and_nothing_else() {
    let version = branched();
    let point = |branch: &str| version.children[&name(branch)];
    let branch = version.fork(&name("one"), &point("one")).unwrap();
    // Files 1 and 3 have seqs 1 to 9, file 5 has 10 to 20; the branch begins at 7.
    let files: Vec<_> = branch.files().map(|(level, f)| (level, f.id.counter, f.seq_max)).collect();
    assert_eq!(files, [(0, 1, Seq(7)), (0, 3, Seq(7))]);
    for (_, file) in branch.files() {
        assert!(file.cut && file.column.is_none(), "{file:?}");
        assert!(file.widest.is_empty(), "a range deletion at 9 is not seen: {file:?}");
        assert!(file.hides(Seq(8)) && !file.hides(Seq(7)));
    }
    assert_eq!((branch.flushed_seq, branch.branch_uid, branch.epoch), (Seq(7), 7, Epoch(0)));
    assert_eq!((branch.watermark.seq, branch.times.len()), (Seq(5), 1));
    assert!(branch.jobs.is_empty() && branch.garbage.is_empty() && branch.snapshots.is_empty());
    assert!(branch.leases.is_empty() && branch.children.is_empty());
    assert_eq!(branch.origin.as_ref().unwrap().branch, version.branch);
    // At the head everything is shared as it is.
    let head = version.fork(&name("two"), &point("two")).unwrap();
    assert_eq!(head.spaces, version.spaces);
    // What it writes next follows what it has.
    let writes = [
        Edit::ClaimWriter { writer: "bob".into() },
        edit("flush epoch=1 to=9 decided=4 77:a-c@8-9"),
    ];
    branch.apply(&writes).unwrap();
}

#[test]
fn branches_are_refused_in_words() {
    let version = branched();
    let refused = |edit: Edit| version.apply(&[edit]).unwrap_err().to_string();
    assert_eq!(refused(pin("one", 7)), "branch one exists already");
    assert_eq!(refused(pin("dev-1", 7)), "branch dev-1 exists already");
    let kept = "branch dev-1 at seq 4: only what was visible at 5 or later is kept, by reader bob";
    assert_eq!(refused(pin("x", 4)), kept);
    assert_eq!(refused(pin("x", 21)), "branch dev-1 at seq 21: it is in files up to 20 only");
    let other = Edit::ForgetBranch { name: name("one"), branch_uid: 8 };
    assert_eq!(refused(other), "branch one is not a branch of branch dev-1");
    let back = mark("three", 8, BranchState::Created);
    assert_eq!(refused(back), "branch three was dropped, or exists already");
    let has = "branch dev-1 has 2 branches, such as one: drop those first";
    assert_eq!(refused(Edit::DropBranch), has);
    let main = Version::empty(BranchName::main());
    let main = main.apply(&[Edit::CreateBranch { branch_uid: 1 }]).unwrap();
    let refused = main.apply(&[Edit::DropBranch]).unwrap_err();
    assert_eq!(refused.to_string(), "branch main cannot be dropped");
    let fork = version.fork(&name("one"), &version.children[&name("one")]).unwrap();
    let dropped = fork.apply(&[Edit::DropBranch]).unwrap();
    assert_eq!(dropped.garbage.len(), 2);
    let refused = dropped.apply(&[Edit::ClaimWriter { writer: "bob".into() }]).unwrap_err();
    assert_eq!(refused.to_string(), "branch one was dropped");
    let object = *dropped.garbage.keys().next().unwrap();
    dropped.apply(&[Edit::ForgetGarbage { objects: vec![object] }]).unwrap();
}

/// Records from the first version on, each with what it needs.
fn history(until: u64) -> (Vec<Record>, Version) {
    let branch = BranchName::main();
    let mut version = Version::empty(branch);
    let mut records = Vec::new();
    for n in 1..=until {
        let edits = match n {
            1 => vec![Edit::CreateBranch { branch_uid: 7 }],
            n => vec![Edit::ClaimWriter { writer: format!("writer {n}") }],
        };
        version = version.apply(&edits).unwrap();
        records.push(Record {
            number: version.number,
            commit_id: n * 31,
            unix_ms: n,
            edits,
            state: has_state(version.number).then(|| version.clone()),
        });
    }
    (records, version)
}

#[test]
fn the_newest_state_follows_from_the_records_since_its_base() {
    let branch = BranchName::main();
    for until in [1, 2, STATE_EVERY - 1, STATE_EVERY, STATE_EVERY + 1, 3 * STATE_EVERY + 7] {
        let (records, version) = history(until);
        let stored: Vec<_> = records.iter().map(|r| (r.number, r.encode(&branch))).collect();
        let base = base_of(version.number);
        let needed: Vec<_> = stored
            .iter()
            .filter(|(number, _)| *number >= base)
            .map(|(number, bytes)| Record::decode(&branch, *number, bytes).unwrap())
            .collect();
        assert!(needed.len() as u64 <= STATE_EVERY);
        assert_eq!(Record::replay(&branch, needed.clone()).unwrap(), version);
        if needed.len() > 2 {
            let mut holed = needed.clone();
            holed.remove(1);
            assert!(Record::replay(&branch, holed).is_err(), "a missing record is noticed");
        }
    }
}

#[test]
fn a_record_from_a_newer_firn_is_refused_in_words() {
    let branch = BranchName::main();
    let (records, _) = history(1);
    let mut bytes = records[0].encode(&branch).to_vec();
    bytes[8] = 9;
    let e = Record::decode(&branch, ManifestVersion(1), &bytes.into()).unwrap_err();
    assert_eq!(e.kind(), crate::ErrorKind::Unavailable);
    assert_eq!(
        e.to_string(),
        "manifest 1: branch main: written in format 9 by a newer Firn; this one knows up to 2"
    );
}

proptest! {
    #[test]
    fn a_changed_byte_of_a_record_is_noticed(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let branch = BranchName::main();
        let (records, _) = history(STATE_EVERY);
        let good = records.last().unwrap().encode(&branch);
        let mut bad = good.to_vec();
        bad[at.index(good.len())] ^= flip;
        prop_assert!(Record::decode(&branch, ManifestVersion(STATE_EVERY), &bad.into()).is_err());
        let cut = at.index(good.len());
        prop_assert!(Record::decode(&branch, ManifestVersion(STATE_EVERY), &good.slice(..cut)).is_err());
    }
}

fn fixture(version: Version, edits: Vec<Edit>) -> Record {
    let version = Version { number: ManifestVersion(64), ..version };
    Record {
        number: version.number,
        commit_id: 0x1234,
        unix_ms: 1_700_000_000_000,
        edits,
        state: Some(version),
    }
}

/// What earlier versions stored must stay readable. `FIRN_REWRITE=1` writes the newest file
/// anew, for a change of the format that is meant.
#[test]
fn stored_fixtures_stay_readable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fixtures");
    let branched = branched();
    let cut = branched.fork(&name("one"), &branched.children[&name("one")]).unwrap();
    let options = SpaceOptions { settle_seq: Seq(3), ..SpaceOptions::default() };
    let settle = Edit::DeclareSpace { epoch: Epoch(1), space: SPACE, options };
    let settling = rich().apply(std::slice::from_ref(&settle)).unwrap();
    let fixtures = [
        ("manifest-format-1.pb", fixture(rich(), vec![edit("snapshot tuesday seq=12")])),
        ("manifest-format-2.pb", fixture(cut, vec![pin("four", 21), Edit::WantFlush])),
        ("manifest-format-2-settling.pb", fixture(settling, vec![settle])),
    ];
    if std::env::var_os("FIRN_REWRITE").is_some() {
        let (file, newest) = fixtures.last().expect("one");
        let branch = &newest.state.as_ref().expect("it has one").branch;
        std::fs::write(folder.join(file), newest.encode(branch)).unwrap();
    }
    for (file, record) in fixtures {
        let stored = Bytes::from(std::fs::read(folder.join(file)).unwrap());
        let branch = record.state.as_ref().expect("it has one").branch.clone();
        assert_eq!(Record::decode(&branch, record.number, &stored).unwrap(), record, "{file}");
    }
}
