//! What a server is told of itself, and shows in its variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firn_engine::{Error, ErrorKind};
use firn_mysql_protocol::server::default_version;

use crate::spill::SpillArea;
use crate::variables::{GlobalVariables, id};

/// Where a server runs.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Name of the machine.
    pub hostname: String,
    /// The data folder.
    pub data_dir: String,
    /// Where statements may read and write files of the server: `None` nowhere, an
    /// empty text anywhere, else below this folder.
    pub secure_file_priv: Option<String>,
    /// All temporary files of statements together, in bytes.
    pub spill_bytes_max: Option<u64>,
    /// What `max_connections` is, unless it is set; MySQL's 151 if nobody says.
    pub max_connections: Option<u64>,
}

impl Site {
    /// Where statements have their temporary files, if that is below the data folder.
    pub(super) fn temporary_folder(&self) -> Option<PathBuf> {
        (!self.data_dir.is_empty()).then(|| Path::new(&self.data_dir).join("spill"))
    }

    /// The same, made and empty.
    pub(super) fn area(&self) -> firn_engine::Result<Arc<SpillArea>> {
        let Some(folder) = self.temporary_folder() else { return Ok(Arc::default()) };
        SpillArea::open(&folder, self.spill_bytes_max).map_err(|error| {
            let what = format!("temporary files in {}", folder.display());
            Error::with_source(ErrorKind::Unavailable, what, error)
        })
    }

    /// The global variables of a server that is so.
    pub(super) fn variables(&self) -> GlobalVariables {
        let version = default_version();
        let mut own = vec![
            (id::version, &*version),
            (id::innodb_version, &*version),
            (id::version_comment, "Firn"),
            (id::hostname, &*self.hostname),
            (id::datadir, &*self.data_dir),
        ];
        let temporary = self.temporary_folder().map(|folder| folder.display().to_string());
        if let Some(folder) = &temporary {
            own.push((id::tmpdir, &**folder));
        }
        let max_connections = self.max_connections.map(|most| most.to_string());
        if let Some(most) = &max_connections {
            own.push((id::max_connections, &**most));
        }
        // As MySQL shows folders.
        let folder = self.secure_file_priv.as_deref().map(|folder| match folder {
            "" => String::new(),
            folder => format!("{}/", folder.trim_end_matches('/')),
        });
        if let Some(folder) = &folder {
            own.push((id::secure_file_priv, &**folder));
        }
        GlobalVariables::new(&own)
    }
}
