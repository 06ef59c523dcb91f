//! A plan that runs: its batches as flat rows.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use datafusion_common::DataFusionError;
use datafusion_execution::config::SessionConfig;
use datafusion_execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion_execution::runtime_env::RuntimeEnvBuilder;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Settings};
use firn_mysql_semantics::vector::{Execution, Statement};
use futures::StreamExt;

use super::alone::Scanned;
use super::asked::Settled;
use super::choose::Executor;
use super::output::{Decoded, Output};
use super::plan::{Built, Planner, told};
use super::pool::StatementPool;
use crate::execute::{Accumulated, MadeRows, View};
use crate::memory::Charge;
use crate::plan::SelectPlan;
use crate::server::{EE_CANT_CREATE_FILE, EE_READ, EE_WRITE};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// How a run fails.
pub(crate) enum Failed {
    /// It cannot go on as the row executor would: an expression met an error or a
    /// warning, or memory ran out. The rows before that are right.
    GivenUp,
    /// There is no memory for the groups.
    OutOfMemory,
    /// 1317, 3024, and those of temporary files: the statement is over.
    Over(SqlError),
}

/// A plan that runs.
pub(crate) struct VectorRun {
    stream: SendableRecordBatchStream,
    statement: Arc<Statement>,
    output: Output,
    batch: Option<Decoded>,
    /// Batches that come next, if all were asked for at once, and what they take.
    ahead: Option<(VecDeque<Decoded>, Charge)>,
    next: usize,
    given: u64,
    /// A batch could not be read.
    broken: bool,
}

impl VectorRun {
    /// Begins to run a block as a whole ([`super::Way::Batches`]); `None` if it cannot be,
    /// after all. `made` has the rows of queries in FROM, by step, `settled` the
    /// conditions; `gathers` says that groups are gathered over batches, too.
    pub(crate) fn begin(
        plan: &SelectPlan,
        params: &[Value],
        made: &[Option<MadeRows>],
        settled: &Settled,
        gathers: bool,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Self> {
        let build =
            |planner: &Planner<'_>, view: &mut View<'_>, cx: &mut Cx<'_>| planner.build(view, cx);
        Self::planned(plan, params, made, settled, gathers, view, cx, build)
    }

    /// Begins to scan one table, for a block that is read row by row; `None` if it cannot be,
    /// after all.
    pub(crate) fn scan(
        plan: &SelectPlan,
        params: &[Value],
        scanned: Scanned,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Self> {
        let settled = Settled::default();
        let build = |planner: &Planner<'_>, view: &mut View<'_>, cx: &mut Cx<'_>| {
            planner.build_scan(scanned, view, cx)
        };
        Self::planned(plan, params, &[], &settled, false, view, cx, build)
    }

    #[allow(clippy::too_many_arguments, reason = "what a planner is made of")]
    fn planned(
        plan: &SelectPlan,
        params: &[Value],
        made: &[Option<MadeRows>],
        settled: &Settled,
        gathers: bool,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        build: impl FnOnce(&Planner<'_>, &mut View<'_>, &mut Cx<'_>) -> Result<Option<Built>, SqlError>,
    ) -> Option<Self> {
        let session = cx.session.apart()?;
        let settings: Arc<Settings> = Arc::new(cx.settings.clone());
        let statement = Statement::new();
        let env = view.env().clone();
        let planner = Planner {
            plan,
            params,
            statement: &statement,
            settings: &settings,
            session: &session,
            made,
            settled,
            env: &env,
            by_cost: view.executor() == Executor::Auto,
            gathers,
            spill: &view.spill(),
            bytes_max: view.gathered_bytes_max(),
        };
        let built = match build(&planner, view, cx) {
            Ok(built) => built?,
            Err(error) => {
                tracing::debug!(why = error.message(), "no plan over batches");
                return None;
            }
        };
        statement.begin(Execution::new((*settings).clone(), params.to_vec(), session));
        let stream = match context(view).and_then(|context| built.plan.execute(0, context)) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(why = %error, "a plan over batches does not begin");
                return None;
            }
        };
        Some(Self {
            stream,
            statement,
            output: built.output,
            batch: None,
            ahead: None,
            next: 0,
            given: 0,
            broken: false,
        })
    }

    /// Rows that were given.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// As [`Self::next`] if a row is there already; `false` if that one has to be asked.
    pub(crate) fn try_next(&mut self, row: &mut [Value]) -> bool {
        let Some(batch) = self.batch.as_ref().filter(|batch| self.next < batch.rows) else {
            return false;
        };
        if let Err(error) = batch.row(self.next, row) {
            tracing::debug!(why = error.message(), "a batch cannot be read");
            (self.batch, self.broken) = (None, true);
            return false;
        }
        self.next += 1;
        self.given += 1;
        true
    }

    /// Brings the next row into the flat row.
    ///
    /// # Errors
    /// [`Failed`].
    pub(crate) async fn next(
        &mut self,
        view: &View<'_>,
        row: &mut [Value],
    ) -> Result<bool, Failed> {
        while !self.try_next(row) {
            if self.broken {
                return Err(Failed::GivenUp);
            }
            if !self.fetch(view).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs to the end. From then on nothing is given up.
    ///
    /// # Errors
    /// [`Failed`].
    pub(crate) async fn gather(&mut self, view: &View<'_>) -> Result<(), Failed> {
        let (mut all, mut charge) = (VecDeque::new(), Charge::new(view.memory()));
        while self.fetch(view).await? {
            let Some(batch) = self.batch.take() else { break };
            charge.grow(batch.bytes).map_err(|_| Failed::OutOfMemory)?;
            if charge.bytes() > view.gathered_bytes_max() {
                return Err(Failed::OutOfMemory);
            }
            all.push_back(batch);
        }
        self.ahead = Some((all, charge));
        Ok(())
    }

    /// Groups that are still to be given.
    pub(crate) fn gathered(&self) -> usize {
        self.ahead.iter().flat_map(|(all, _)| all).map(|batch| batch.rows).sum()
    }

    /// Brings the next of the groups that were gathered into the flat row, with what its
    /// aggregates have come to.
    ///
    /// # Errors
    /// 1105 if a batch is not what its plan says; 1317, 3024 if the statement is over.
    pub(crate) async fn next_group(
        &mut self,
        view: &View<'_>,
        row: &mut [Value],
    ) -> Result<Option<Vec<Accumulated>>, SqlError> {
        if self.batch.as_ref().is_none_or(|batch| self.next == batch.rows) {
            view.check()?;
            // Others run meanwhile.
            tokio::task::yield_now().await;
            let next = self.ahead.as_mut().and_then(|(all, _)| all.pop_front());
            (self.batch, self.next) = (next, 0);
        }
        let Some(batch) = &self.batch else { return Ok(None) };
        batch.row(self.next, row)?;
        self.next += 1;
        batch.gathered(self.next - 1).map(Some)
    }

    async fn fetch(&mut self, view: &View<'_>) -> Result<bool, Failed> {
        (self.batch, self.next) = (None, 0);
        // Operators give way while they work: a statement that is over ends there.
        let next = poll_fn(|task| match view.check() {
            Ok(()) => self.stream.poll_next_unpin(task).map(Ok),
            Err(error) => Poll::Ready(Err(error)),
        });
        let next = next.await.map_err(Failed::Over)?;
        view.check().map_err(Failed::Over)?;
        let batch = match next {
            None => Ok(None),
            Some(Ok(batch)) => self.output.decode(&batch).map(Some),
            Some(Err(error)) => {
                if matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
                    return Err(Failed::OutOfMemory);
                }
                let error = told(&error);
                // No row can be told from what a file no longer says, and none goes into one.
                if is_of_files(&error) {
                    return Err(Failed::Over(error));
                }
                Err(error)
            }
        };
        let warned = self.statement.current().map_or(true, |run| !run.conditions().is_empty());
        match batch {
            Ok(_) if warned => Err(Failed::GivenUp),
            Ok(batch) => {
                self.batch = batch;
                Ok(self.batch.is_some())
            }
            Err(error) => {
                tracing::debug!(why = error.message(), "a run over batches is given up");
                Err(Failed::GivenUp)
            }
        }
    }
}

/// Whether an error is one of temporary files.
fn is_of_files(error: &SqlError) -> bool {
    const NUMBERS: [u16; 5] =
        [EE_CANT_CREATE_FILE, EE_READ, EE_WRITE, code::ER_RECORD_FILE_FULL, code::ER_NOT_KEYFILE];
    NUMBERS.contains(&error.number())
}

/// Where a plan runs: with the memory of its statement, and without DataFusion's files, which
/// are not checked.
fn context(view: &View<'_>) -> datafusion_common::Result<Arc<TaskContext>> {
    static CONFIG: OnceLock<SessionConfig> = OnceLock::new();
    let config = CONFIG
        .get_or_init(|| SessionConfig::new().with_batch_size(BATCH_ROWS).with_target_partitions(1));
    let pool = StatementPool::new(Charge::new(view.memory()), view.gathered_bytes_max());
    let files = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(files)
        .build_arc()?;
    let context = TaskContext::default().with_session_config(config.clone());
    Ok(Arc::new(context.with_runtime(runtime)))
}
