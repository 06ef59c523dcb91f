//! Statements that are compiled already, shared by all sessions.
//!
//! A statement's key is its [`firn_mysql_parser::Shape`] (its text without its
//! literals), what the session brings to binding (its settings, the character set of
//! results), and the literals that could not be made parameters ([`literals`]). What is
//! found under a key is good for as long as the catalog is the one that it was compiled
//! with: any change of the catalog makes all of it stale.
//!
//! Not kept: statements that name variables, whose types may differ each time, or
//! tables that only the session sees; long ones, whose parsing is the least of it.

mod literals;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_mysql_parser::Shape;
use firn_mysql_semantics::expr::Settings;
use parking_lot::Mutex;

pub(crate) use literals::{TEXT_LENGTH, argument_of, converted, into_parameters};

use crate::output::ResultCharset;

/// Longer statements are not kept, in bytes of their shape.
pub(crate) const SHAPE_BYTES_MAX: usize = 8 << 10;

/// Longer texts are not looked at, in bytes: what is long is so by its literals.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// Parts that are locked apart.
const SHARDS: usize = 16;

/// Entries of one part. A plan of a few tables is some 10 KiB.
const SHARD_ENTRIES_MAX: usize = 128;

/// Variants of one shape: fixed literals, databases, settings.
const VARIANTS_MAX: usize = 16;

/// Plans of one part.
const SHARD_PLANS_MAX: usize = 2 * SHARD_ENTRIES_MAX;

/// What a statement is compiled for, beside its shape.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) settings: Arc<Settings>,
    pub(crate) results: ResultCharset,
    /// Tables that foreign keys lead to are locked.
    pub(crate) foreign_key_checks: bool,
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.results == other.results
            && self.foreign_key_checks == other.foreign_key_checks
            && (Arc::ptr_eq(&self.settings, &other.settings) || self.settings == other.settings)
    }
}

/// What is known of a shape.
#[derive(Debug)]
struct Known<P> {
    shape: Box<[u8]>,
    /// Its literals that are parameters, in the order of these.
    free: Arc<[usize]>,
    is_free: Box<[bool]>,
    variants: Vec<Variant<P>>,
    used: u64,
}

#[derive(Debug)]
struct Variant<P> {
    setting: Setting,
    /// The literals that are not parameters as they are written, in the order of the text:
    /// columns are named after them.
    fixed: Box<[Box<[u8]>]>,
    /// The catalog's epoch.
    epoch: u64,
    plan: Arc<P>,
}

/// Plans by shape.
#[derive(Debug)]
pub(crate) struct PlanCache<P> {
    shards: Box<[Mutex<Shard<P>>]>,
}

#[derive(Debug)]
struct Shard<P> {
    entries: BTreeMap<u64, Known<P>>,
    clock: u64,
}

/// A plan that was found.
#[derive(Debug)]
pub(crate) struct Found<P> {
    pub(crate) plan: Arc<P>,
    /// Which literals are its parameters, in order.
    pub(crate) free: Arc<[usize]>,
}

impl<P> Default for PlanCache<P> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { entries: BTreeMap::new(), clock: 0 });
        Self { shards: (0..SHARDS).map(|_| shard()).collect() }
    }
}

/// The literals that are no parameters, as they are written in `sql`, in its order.
fn fixed<'l>(
    sql: &'l [u8],
    shape: &'l Shape,
    is_free: &'l [bool],
) -> impl Iterator<Item = &'l [u8]> {
    let fixed = shape.literals.iter().zip(is_free).filter(|(_, is_free)| !**is_free);
    fixed.map(|((span, _), _)| &sql[span.start as usize..span.end as usize])
}

fn mask(literals: usize, free: &[usize]) -> Box<[bool]> {
    let mut is_free = vec![false; literals];
    free.iter().for_each(|at| is_free[*at] = true);
    is_free.into()
}

impl<P> Shard<P> {
    /// Drops the shape that has not been used for longest.
    fn forget_oldest(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, known)| known.used);
        if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
            self.entries.remove(&oldest);
        }
    }
}

impl<P> PlanCache<P> {
    fn shard(&self, hash: u64) -> &Mutex<Shard<P>> {
        &self.shards[(hash >> 60) as usize % SHARDS]
    }

    /// The plan of the statement `sql`, compiled with the catalog of `epoch`.
    pub(crate) fn find(
        &self,
        sql: &[u8],
        shape: &Shape,
        setting: &Setting,
        epoch: u64,
    ) -> Option<Found<P>> {
        if shape.key.len() > SHAPE_BYTES_MAX {
            return None;
        }
        let hash = hash_of(&shape.key);
        let mut shard = self.shard(hash).lock();
        let shard = &mut *shard;
        let known = shard.entries.get_mut(&hash)?;
        if *known.shape != *shape.key {
            return None;
        }
        known.variants.retain(|variant| variant.epoch == epoch);
        let variant = known.variants.iter().find(|variant| {
            variant.setting == *setting
                && fixed(sql, shape, &known.is_free).eq(variant.fixed.iter().map(|one| &**one))
        })?;
        shard.clock += 1;
        known.used = shard.clock;
        Some(Found { plan: Arc::clone(&variant.plan), free: Arc::clone(&known.free) })
    }

    /// Which literals of a shape are none of its parameters; empty if nothing is known of it.
    pub(crate) fn which_stay(&self, shape: &Shape) -> Vec<bool> {
        let hash = hash_of(&shape.key);
        let shard = self.shard(hash).lock();
        let known = shard.entries.get(&hash).filter(|known| *known.shape == *shape.key);
        known.map_or_else(Vec::new, |known| known.is_free.iter().map(|is_free| !is_free).collect())
    }

    /// Keeps a plan; `free` says which literals are its parameters.
    pub(crate) fn keep(
        &self,
        sql: &[u8],
        shape: &Shape,
        free: Arc<[usize]>,
        setting: Setting,
        epoch: u64,
        plan: Arc<P>,
    ) {
        if shape.key.len() > SHAPE_BYTES_MAX {
            return;
        }
        let hash = hash_of(&shape.key);
        let is_free = mask(shape.literals.len(), &free);
        let fixed = fixed(sql, shape, &is_free).map(Box::from).collect();
        let variant = Variant { setting, fixed, epoch, plan };
        let mut shard = self.shard(hash).lock();
        let shard = &mut *shard;
        shard.clock += 1;
        let used = shard.clock;
        let plans: usize = shard.entries.values().map(|known| known.variants.len()).sum();
        if plans >= SHARD_PLANS_MAX {
            shard.forget_oldest();
        }
        if let Some(known) = shard.entries.get_mut(&hash)
            && *known.shape == *shape.key
            && known.free == free
        {
            known.used = used;
            known.variants.retain(|one| {
                one.epoch == epoch
                    && !(one.setting == variant.setting && one.fixed == variant.fixed)
            });
            if known.variants.len() >= VARIANTS_MAX {
                known.variants.remove(0);
            }
            known.variants.push(variant);
            return;
        }
        if shard.entries.len() >= SHARD_ENTRIES_MAX && !shard.entries.contains_key(&hash) {
            shard.forget_oldest();
        }
        let shape = Box::from(&shape.key[..]);
        shard.entries.insert(hash, Known { shape, free, is_free, variants: vec![variant], used });
    }

    /// How many plans are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard<P>>| -> usize {
            shard.lock().entries.values().map(|known| known.variants.len()).sum()
        };
        self.shards.iter().map(count).sum()
    }
}

fn hash_of(key: &[u8]) -> u64 {
    use std::hash::BuildHasher;
    foldhash::quality::FixedState::with_seed(0x6669_726e).hash_one(key)
}
