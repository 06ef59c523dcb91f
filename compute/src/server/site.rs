//! What a server is told of itself, and shows in its variables.

use firn_mysql_protocol::server::default_version;

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
}

impl Site {
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
