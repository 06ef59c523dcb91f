//! The global variables of a server.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::charsets;
use super::definition::VarId;
use super::hot::Hot;
use super::id;
use super::setting::Setting;

/// Settings are copied in pieces of this many when one of them changes.
const PIECE: usize = 32;

/// Where Firn's own defaults are other than MySQL's: it has no binary log, no
/// scheduler of events, no performance schema of its own.
const OWN: &[(VarId, &str)] = &[
    (id::enforce_gtid_consistency, "OFF"),
    (id::event_scheduler, "OFF"),
    (id::gtid_mode, "OFF"),
    (id::have_dynamic_loading, "NO"),
    (id::have_geometry, "NO"),
    (id::have_profiling, "NO"),
    (id::have_rtree_keys, "NO"),
    (id::license, "Apache-2.0"),
    (id::log_bin, "OFF"),
    (id::log_replica_updates, "OFF"),
    (id::performance_schema, "OFF"),
    (id::secure_file_priv, "NULL"),
    (id::version_compile_machine, std::env::consts::ARCH),
    (id::version_compile_os, "Linux"),
];

/// All settings at one moment. A copy shares what has not changed.
#[derive(Debug, Clone)]
pub struct Settings {
    pieces: Vec<Arc<[Setting]>>,
    hot: Arc<Hot>,
}

impl Settings {
    fn new(defaults: Vec<Setting>) -> Settings {
        let mut hot = Hot::empty();
        for (id, setting) in VarId::all().zip(&defaults) {
            hot.refresh(id, setting);
        }
        let pieces = defaults.chunks(PIECE).map(Arc::from).collect();
        Settings { pieces, hot: Arc::new(hot) }
    }

    /// The setting of a variable.
    pub fn get(&self, id: VarId) -> &Setting {
        let at = usize::from(id.0);
        &self.pieces[at / PIECE][at % PIECE]
    }

    /// Those that statements look at.
    pub fn hot(&self) -> &Hot {
        &self.hot
    }

    fn set(&mut self, id: VarId, setting: Setting) {
        let mut hot = Hot::clone(&self.hot);
        hot.refresh(id, &setting);
        self.hot = Arc::new(hot);
        let at = usize::from(id.0);
        let mut piece = self.pieces[at / PIECE].to_vec();
        piece[at % PIECE] = setting;
        self.pieces[at / PIECE] = piece.into();
    }
}

/// The global variables. Reading takes no lock; sessions keep those they began with.
#[derive(Debug)]
pub struct GlobalVariables {
    now: ArcSwap<Settings>,
    /// What DEFAULT gives.
    defaults: Settings,
    writer: Mutex<()>,
}

impl GlobalVariables {
    /// MySQL's defaults with Firn's departures, and over them what this server is:
    /// its version, names, port and so on, as texts.
    pub fn new(own: &[(VarId, &str)]) -> GlobalVariables {
        let mut defaults: Vec<Setting> = VarId::all()
            .map(|id| Setting::of_default(id.definition(), id.definition().default))
            .collect();
        for (id, text) in OWN.iter().chain(own) {
            let text = (*id != id::secure_file_priv || *text != "NULL").then_some(*text);
            defaults[usize::from(id.0)] = Setting::of_default(id.definition(), text);
        }
        let defaults = Settings::new(defaults);
        let now = ArcSwap::from_pointee(defaults.clone());
        GlobalVariables { now, defaults, writer: Mutex::new(()) }
    }

    /// All of them as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.now.load_full()
    }

    /// One of them as it is now.
    pub fn get(&self, id: VarId) -> Setting {
        self.now.load().get(id).clone()
    }

    /// What DEFAULT gives.
    pub fn default_of(&self, id: VarId) -> &Setting {
        self.defaults.get(id)
    }

    /// Sets one that has been checked, and what goes with it. Sessions that began
    /// before keep what they have.
    pub(crate) fn set(&self, id: VarId, setting: Setting) {
        let _one_at_a_time = self.writer.lock();
        let mut next = Settings::clone(&self.now.load());
        if let Some(partner) = charsets::partner(id) {
            let utf8mb4 = next.get(id::default_collation_for_utf8mb4).clone();
            next.set(partner, charsets::of_partner(id, &setting, &utf8mb4));
        }
        next.set(id, setting);
        self.now.store(Arc::new(next));
    }
}
