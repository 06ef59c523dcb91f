//! How compaction's edits change a branch's state.

use std::sync::Arc;

use super::job::{Job, JobId, JobInput, Shard};
use super::space::{LEVEL_MAX, SpaceState};
use super::sst::SstMeta;
use super::version::{Garbage, Version};
use crate::error::{Error, Result};
use crate::types::{ObjectId, SpaceId};

/// Jobs that may be planned or running at once.
const JOBS_MAX: usize = 1024;

impl Version {
    pub(super) fn job_mut(&mut self, job: JobId) -> Result<&mut Job> {
        match self.jobs.get_mut(&job) {
            Some(found) => Ok(Arc::make_mut(found)),
            None => Err(Error::bad_request(format!("compaction job {job} does not exist"))),
        }
    }

    /// The shard, if `attempt` is the one that holds it.
    pub(super) fn shard_of(
        &mut self,
        job: JobId,
        shard: usize,
        attempt: u64,
    ) -> Result<&mut Shard> {
        let found = self.job_mut(job)?.shards.get_mut(shard);
        match found {
            Some(s) if s.attempt == Some(attempt) => Ok(s),
            _ => Err(Error::bad_request(format!(
                "compaction job {job} shard {shard}: attempt {attempt} does not hold it"
            ))),
        }
    }

    pub(super) fn add_job(&mut self, job: &Arc<Job>) -> Result<()> {
        if job.id != self.next_job {
            return Err(Error::internal(format!("job {} is not the next number", job.id)));
        }
        if self.jobs.len() >= JOBS_MAX {
            return Err(Error::bad_request(format!("{JOBS_MAX} compaction jobs are open already")));
        }
        if job.inputs.is_empty() || job.shards.is_empty() || job.target_level > LEVEL_MAX {
            return Err(Error::internal(format!("job {} has no work", job.id)));
        }
        if job.watermark > self.watermark.seq {
            return Err(Error::internal(format!("job {} is ahead of the watermark", job.id)));
        }
        let busy = self.busy_inputs();
        let space = self.spaces.get(&job.space);
        for input in &job.inputs {
            let there = space.and_then(|s| s.level(input.level).iter().find(|f| f.id == input.id));
            if there.is_none() || busy.contains(&input.id) {
                return Err(Error::bad_request(format!(
                    "job {}: {:?} is not at level {} or is taken",
                    job.id, input.id, input.level
                )));
            }
        }
        if space.is_some_and(|space| passes_older(space, job)) {
            return Err(Error::internal(format!("job {} would pass older data", job.id)));
        }
        if job.shards.windows(2).any(|w| w[0].range.overlaps(&w[1].range)) {
            return Err(Error::internal(format!("job {}: its shards overlap", job.id)));
        }
        self.next_job += 1;
        self.jobs.insert(job.id, Arc::clone(job));
        Ok(())
    }

    /// Inputs of all open jobs.
    #[must_use]
    pub fn busy_inputs(&self) -> std::collections::BTreeSet<ObjectId> {
        self.jobs.values().flat_map(|j| j.inputs.iter().map(|i| i.id)).collect()
    }

    pub(super) fn lease_shard(
        &mut self,
        job: JobId,
        shard: usize,
        attempt: u64,
        worker: &str,
    ) -> Result<()> {
        if attempt != self.next_attempt {
            return Err(Error::internal(format!("attempt {attempt} is not the next number")));
        }
        let found = self.job_mut(job)?;
        if found.parked.is_some() {
            return Err(Error::bad_request(format!("compaction job {job} is parked")));
        }
        match found.shards.get_mut(shard) {
            Some(s) if s.attempt.is_none() && !s.done => {
                s.attempt = Some(attempt);
                worker.clone_into(&mut s.worker);
            }
            _ => {
                return Err(Error::bad_request(format!(
                    "compaction job {job} shard {shard} is not free"
                )));
            }
        }
        self.next_attempt += 1;
        Ok(())
    }

    pub(super) fn complete(&mut self, id: JobId) -> Result<()> {
        let job =
            Arc::clone(self.jobs.get(&id).ok_or_else(|| {
                Error::bad_request(format!("compaction job {id} does not exist"))
            })?);
        if !job.is_done() {
            return Err(Error::internal(format!("compaction job {id} is not done")));
        }
        let outputs: Vec<_> = job.shards.iter().flat_map(|s| s.outputs.iter().cloned()).collect();
        for file in &outputs {
            self.check_file(file)?;
        }
        let unlinked_at = self.number;
        let space = self.spaces.get_mut(&job.space).map(Arc::make_mut).ok_or_else(|| {
            Error::internal(format!("compaction job {id}: its space is not there"))
        })?;
        for level in 0..=LEVEL_MAX {
            let ids: Vec<_> =
                job.inputs.iter().filter(|i| i.level == level).map(|i| i.id).collect();
            if !ids.is_empty() {
                for file in space.remove(level, &ids)? {
                    // A moved file is both input and output.
                    if !outputs.iter().any(|o| o.id == file.id) {
                        let has_column = file.column.is_some();
                        self.garbage.insert(file.id, Garbage { unlinked_at, has_column });
                    }
                }
            }
        }
        space.insert(job.target_level, &outputs)?;
        self.jobs.remove(&id);
        Ok(())
    }

    pub(super) fn cancel(&mut self, id: JobId) -> Result<()> {
        let job = self
            .jobs
            .remove(&id)
            .ok_or_else(|| Error::bad_request(format!("compaction job {id} does not exist")))?;
        for file in job.shards.iter().flat_map(|s| &s.outputs) {
            let has_column = file.column.is_some();
            self.garbage.insert(file.id, Garbage { unlinked_at: self.number, has_column });
        }
        Ok(())
    }

    pub(super) fn move_files(
        &mut self,
        space: SpaceId,
        files: &[JobInput],
        to_level: usize,
    ) -> Result<()> {
        let busy = self.busy_inputs();
        let Some(state) = self.spaces.get_mut(&space).map(Arc::make_mut) else {
            return Err(Error::bad_request(format!("{space:?} has no files")));
        };
        if to_level == 0 || to_level > LEVEL_MAX {
            return Err(Error::internal(format!("files cannot be moved to level {to_level}")));
        }
        for JobInput { level, id } in files {
            if busy.contains(id) || *level >= to_level {
                return Err(Error::bad_request(format!("{id:?} is taken or does not go down")));
            }
            let moved = state.remove(*level, &[*id])?;
            // What stays above must be newer, and what is passed must not overlap.
            for file in &moved {
                let passed =
                    (*level + 1..=to_level).any(|l| !state.overlapping(l, &file.range).is_empty());
                let older_left = *level == 0
                    && state
                        .l0
                        .iter()
                        .any(|f| f.range.overlaps(&file.range) && f.seq_max < file.seq_min);
                if passed || older_left {
                    return Err(Error::internal(format!("{id:?} cannot pass what it overlaps")));
                }
            }
            state.insert(to_level, &moved)?;
        }
        Ok(())
    }
}

/// Whether outputs of a job would lie below older data that is no input of it.
fn passes_older(space: &SpaceState, job: &Job) -> bool {
    let stays = |file: &Arc<SstMeta>| job.inputs.iter().all(|input| input.id != file.id);
    job.inputs.iter().any(|input| {
        let Some((level, file)) = space.find(input.id) else { return false };
        let between = (level + 1..job.target_level)
            .any(|level| space.overlapping(level, &file.range).iter().any(stays));
        let is_older = |other: &&Arc<SstMeta>| {
            other.range.overlaps(&file.range) && other.seq_max < file.seq_min
        };
        between || (level == 0 && space.l0.iter().filter(is_older).any(stays))
    })
}

pub(super) fn progress(
    shard: &mut Shard,
    outputs: &[Arc<SstMeta>],
    resume_key: &bytes::Bytes,
) -> Result<()> {
    let mut floor = shard.resume_key.clone();
    for file in outputs {
        let end = file.range.end.as_ref();
        if file.range.start < floor || !shard.range.covers(&file.range) || end.is_none() {
            return Err(Error::internal(format!(
                "{:?} does not follow the outputs before it",
                file.id
            )));
        }
        floor = end.cloned().unwrap_or_default();
        shard.outputs.push(Arc::clone(file));
    }
    if *resume_key < floor {
        return Err(Error::internal("a compaction's progress would go back"));
    }
    shard.resume_key = resume_key.clone();
    Ok(())
}
