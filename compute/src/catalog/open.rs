//! The catalog of an open database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use firn_engine::manifest::SpaceOptions;
use firn_engine::{Db, Error, ErrorKind, WriteBatch};
use firn_mysql_semantics::error::{SqlError, code};

use firn_table::RowDescription;
use firn_table::descriptor::{IndexId, TableDescriptor};

use super::ddl::TableIds;
use super::store::{self, Writes};
use super::{CatalogChange, CatalogSnapshot};

/// Databases and tables by name. Reading takes no lock; changes are made one at a time.
pub struct Catalog {
    db: Arc<Db>,
    current: ArcSwap<CatalogSnapshot>,
    next_id: AtomicU32,
    changing: tokio::sync::Mutex<()>,
    /// How many times changing has begun, and how many times it has ended: see
    /// [`Catalog::epoch`].
    steps: AtomicU64,
    /// See [`Catalog::guard`].
    guards: AtomicUsize,
}

/// While it lives, [`Catalog::epoch`] is `None`.
pub struct Guard(Arc<Catalog>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.guards.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends a step of changing, whatever became of it.
struct Step<'c>(&'c AtomicU64);

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The catalog is not any more what the change was planned on.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The engine's; after `OutcomeUnknown` the change may have been made.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Catalog {
    /// Reads what is stored.
    ///
    /// # Errors
    /// `Corrupt` for what no version of the catalog has written; the engine's.
    pub async fn open(db: Arc<Db>) -> firn_engine::Result<Self> {
        let (snapshot, next_id) = store::load(&db).await?;
        store::clear_scratch(&db, &snapshot).await?;
        Ok(Self {
            db,
            current: ArcSwap::from_pointee(snapshot),
            next_id: AtomicU32::new(next_id),
            changing: tokio::sync::Mutex::new(()),
            steps: AtomicU64::new(0),
            guards: AtomicUsize::new(0),
        })
    }

    /// The catalog as it is now.
    #[inline]
    #[must_use]
    pub fn snapshot(&self) -> Arc<CatalogSnapshot> {
        self.current.load_full()
    }

    /// Which catalog this is, for readers that lock no tables; `None` while it changes,
    /// or while somebody holds a [`Guard`].
    ///
    /// Who was given a number, then planned, and after taking a snapshot of the engine
    /// is given the same number, may read that snapshot by the plan: a change that the
    /// snapshot could show would have begun before it was taken, and have made the
    /// number another. (The other order, the number before the snapshot, would let a
    /// change be written between the two.)
    #[inline]
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        let steps = self.steps.load(Ordering::SeqCst);
        let quiet = steps.is_multiple_of(2) && self.guards.load(Ordering::SeqCst) == 0;
        quiet.then_some(steps)
    }

    /// Makes readers lock the tables that they read: who takes tables away from others
    /// as long as he likes holds one from before he asks for their locks.
    #[must_use]
    pub fn guard(self: &Arc<Self>) -> Guard {
        self.guards.fetch_add(1, Ordering::SeqCst);
        Guard(Arc::clone(self))
    }

    /// Makes a change: on return it is durable, and visible to whoever asks next.
    ///
    /// # Errors
    /// 1412 if something that it touches is not what it was when it was planned; the
    /// engine's.
    pub async fn apply(&self, change: &CatalogChange) -> Result<Arc<CatalogSnapshot>, ChangeError> {
        self.apply_with(change, WriteBatch::new()).await
    }

    /// As [`Self::apply`], with writes of the caller's in the same batch.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub async fn apply_with(
        &self,
        change: &CatalogChange,
        mut batch: WriteBatch,
    ) -> Result<Arc<CatalogSnapshot>, ChangeError> {
        let _one_at_a_time = self.changing.lock().await;
        let mut next = (*self.snapshot()).clone();
        change.apply_to(&mut next)?;
        change.write_to(&mut batch)?;
        for (was, now) in change.tables() {
            if let Some(now) = now {
                self.declare_rows(was.map(|was| &**was), now).await?;
            }
        }
        Writes(&mut batch).put_next_id(self.next_id.load(Ordering::Acquire))?;
        self.steps.fetch_add(1, Ordering::SeqCst);
        let step = Step(&self.steps);
        let seq = self.db.write(&batch).await?;
        next.moved(change.moved().map(|table| table.id), seq);
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        drop(step);
        Ok(next)
    }

    /// Tells the engine how rows of a table are read, for their column copies: before
    /// the first of them is written in that form.
    ///
    /// # Errors
    /// The engine's.
    pub async fn declare_rows(
        &self,
        was: Option<&TableDescriptor>,
        now: &TableDescriptor,
    ) -> firn_engine::Result<()> {
        let row_schema = described(now)?;
        if let Some(was) = was
            && was.id == now.id
            && described(was)? == row_schema
        {
            return Ok(());
        }
        let options = SpaceOptions { row_schema, ..SpaceOptions::default() };
        self.db.declare_space(now.space(), options).await
    }

    /// Makes sure that ids given so far are not given again after a crash.
    ///
    /// # Errors
    /// The engine's.
    pub async fn keep_ids(&self) -> firn_engine::Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        let mut batch = WriteBatch::new();
        Writes(&mut batch).put_next_id(self.next_id.load(Ordering::Acquire))?;
        self.db.write(&batch).await.map(drop)
    }

    /// Before entries are written for indexes that the catalog does not have: they go with
    /// the next start, unless [`forget_scratch_index`](super::forget_scratch_index) is part
    /// of the batch that names them.
    ///
    /// # Errors
    /// The engine's.
    pub async fn keep_scratch_indexes(
        &self,
        table: u32,
        indexes: &[IndexId],
    ) -> firn_engine::Result<()> {
        let mut batch = WriteBatch::new();
        for index in indexes {
            store::put_scratch_index(table, *index, &mut batch)?;
        }
        self.db.write(&batch).await.map(drop)
    }

    /// Before rows are written for a table that the catalog does not have: its id is not
    /// given again after a crash, and its rows go with the next start, unless
    /// [`forget_scratch`](super::forget_scratch) is part of the batch that names it.
    ///
    /// # Errors
    /// The engine's.
    pub async fn keep_scratch(&self, id: u32) -> firn_engine::Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        let mut batch = WriteBatch::new();
        store::put_scratch(id, &mut batch)?;
        Writes(&mut batch).put_next_id(self.next_id.load(Ordering::Acquire))?;
        self.db.write(&batch).await.map(drop)
    }
}

/// What describes the rows of a table; nothing if that would be too long: such tables
/// have no column copies.
fn described(table: &TableDescriptor) -> firn_engine::Result<Bytes> {
    match RowDescription::table(table) {
        Ok(description) => Ok(description.encode()),
        Err(error) if error.kind() == ErrorKind::BadRequest => Ok(Bytes::new()),
        Err(error) => Err(error),
    }
}

impl TableIds for Catalog {
    fn next_table_id(&self) -> Result<u32, SqlError> {
        let next = |id: u32| id.checked_add(1).filter(|id| *id < u32::MAX);
        self.next_id
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .map_err(|_| SqlError::new(code::ER_INTERNAL_ERROR, &["no table ids are left".into()]))
    }
}
