//! Plans from states written down in `testdata/picker`.
//!
//! ```text
//! options l0=4 base=1000 job=4000 level=300 shard=1000
//! schema
//! watermark 50
//! settle 20
//! L0 a-m 10-20 100 [deletes=N] [rd=N] [busy]
//! ```
//!
//! A file line is level, first and last key, seqs, stored bytes.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::key::{KeyRange, user_key};
use firn_engine::manifest::{Job, JobInput, Shard, SpaceState, SstMeta, Version, Watermark};
use firn_engine::{BranchName, Epoch, ObjectId, Seq, SpaceId};
use firn_testing::datadriven::{Case, run_file, run_folder};

use super::{Pick, PickerOptions, pick, scores};

const SPACE: SpaceId = SpaceId(1);

struct Fixture {
    options: PickerOptions,
    version: Version,
}

fn parse(input: &str) -> Fixture {
    let mut options = PickerOptions {
        l0_files: 4,
        base_bytes_max: 1000,
        job_bytes_max: 4000,
        level_job_bytes: 300,
        shard_bytes: 1000,
    };
    let mut version = Version::empty(BranchName::main());
    version.branch_uid = 1;
    version.epoch = Epoch(1);
    let mut space = SpaceState::default();
    let mut busy = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "options" => {
                for word in &words[1..] {
                    let (name, value) = word.split_once('=').expect("name=value");
                    let value: u64 = value.parse().expect("a number");
                    match name {
                        "l0" => options.l0_files = value as usize,
                        "base" => options.base_bytes_max = value,
                        "job" => options.job_bytes_max = value,
                        "level" => options.level_job_bytes = value,
                        "shard" => options.shard_bytes = value,
                        other => panic!("option {other}"),
                    }
                }
            }
            "settle" => {
                space.options.settle_seq = Seq(words[1].parse().expect("a seq"));
            }
            "schema" => space.options.row_schema = Bytes::from_static(b"rows"),
            "watermark" => {
                let seq = Seq(words[1].parse().expect("a seq"));
                version.watermark = Watermark { seq, holder: String::new() };
            }
            level => {
                let level: usize =
                    level.strip_prefix('L').expect("a level").parse().expect("a level");
                let file = file(&words, number as u64 + 1);
                if words.contains(&"busy") {
                    busy.push(JobInput { level, id: file.id });
                }
                let files = if level == 0 { &mut space.l0 } else { &mut space.levels[level - 1] };
                Arc::make_mut(files).push(Arc::new(file));
            }
        }
    }
    if !busy.is_empty() {
        let range = |i: &JobInput| space.find(i.id).expect("there").1.range.clone();
        let all = busy.iter().map(range).reduce(|a, b| a.union(&b)).expect("not empty");
        let job = Job {
            id: 1,
            space: SPACE,
            target_level: busy.iter().map(|i| i.level).max().expect("not empty"),
            inputs: busy,
            bottom: false,
            watermark: Seq::ZERO,
            shards: vec![Shard::new(all)],
            parked: None,
        };
        version.jobs.insert(1, Arc::new(job));
        version.next_job = 2;
    }
    version.spaces.insert(SPACE, Arc::new(space));
    Fixture { options, version }
}

fn file(words: &[&str], counter: u64) -> SstMeta {
    let (first, last) = words[1].split_once('-').expect("first-last");
    let (seq_min, seq_max) = words[2].split_once('-').expect("min-max");
    let number = |name: &str| {
        let word = words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
        word.map_or(0, |w| w.parse().expect("a number"))
    };
    SstMeta {
        id: ObjectId { branch: 1, counter, epoch: Epoch(1) },
        space: SPACE,
        range: KeyRange::inclusive(
            &user_key(SPACE, first.as_bytes()),
            &user_key(SPACE, last.as_bytes()),
        ),
        seq_min: Seq(seq_min.parse().expect("a seq")),
        seq_max: Seq(seq_max.parse().expect("a seq")),
        bytes: words[3].parse().expect("bytes"),
        tail_bytes: 1,
        cut: false,
        raw_bytes: 1,
        entries: 10,
        deletes: number("deletes"),
        range_deletes: number("rd"),
        widest: Vec::new(),
        column: None,
    }
}

fn key(key: &[u8]) -> String {
    String::from_utf8_lossy(&key[SpaceId::LEN..]).replace('\0', "+")
}

fn show(version: &Version, picked: Option<Pick>) -> String {
    let space = version.space(SPACE).expect("there");
    let name = |input: &JobInput| {
        let (_, file) = space.find(input.id).expect("there");
        let end = file.range.end.as_ref().expect("an end");
        format!("L{} {}-{}", input.level, key(&file.range.start), key(end).trim_end_matches('+'))
    };
    let mut out = String::new();
    match picked {
        None => out.push_str("nothing\n"),
        Some(Pick::Move { files, to_level, .. }) => {
            let _ = writeln!(out, "move to L{to_level}");
            for file in &files {
                let _ = writeln!(out, "  {}", name(file));
            }
        }
        Some(Pick::Merge(job)) => {
            let bottom = if job.bottom { ", bottom" } else { "" };
            let _ = writeln!(
                out,
                "merge into L{}{bottom}, watermark {}",
                job.target_level, job.watermark
            );
            for input in &job.inputs {
                let _ = writeln!(out, "  {}", name(input));
            }
            for shard in &job.shards {
                let end = shard.range.end.as_ref().map_or("end".into(), |e| key(e));
                let _ = writeln!(out, "  shard [{}, {end})", key(&shard.range.start));
            }
            // A plan must be one that the manifest accepts.
            version
                .apply(&[firn_engine::manifest::Edit::AddJob { job: Arc::new(job) }])
                .expect("the manifest accepts it");
        }
    }
    out
}

fn run(case: &Case) -> String {
    let fixture = parse(&case.input);
    match case.command.as_str() {
        "pick" => show(&fixture.version, pick(&fixture.version, &fixture.options)),
        "scores" => {
            let space = fixture.version.space(SPACE).expect("there");
            let mut out = String::new();
            for (score, level) in scores(space, &fixture.options) {
                let _ = writeln!(out, "L{level} {score} %");
            }
            out
        }
        other => panic!("command {other}"),
    }
}

#[test]
fn plans_are_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/picker");
    run_folder(&folder, |path| run_file(path, run));
}
