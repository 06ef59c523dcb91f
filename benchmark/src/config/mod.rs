//! A workload as its YAML file describes it.
//!
//! Unknown keys are errors. Whatever is wrong is said on one line with file,
//! line and key, before anything is started.

mod check;
pub(crate) mod file;
mod goal;
pub(crate) mod locate;
mod phase;
mod topology;
pub(crate) mod units;

use std::path::Path;

use firn_engine::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

pub use goal::{Goal, Measure};
pub use phase::{Kind, Mix, Phase, Rate, RateOf, Verify};
pub use topology::{
    Addresses, Blocks, Caches, Journal, Memtables, ObjectStoreAt, Storage, Switch, Topology,
};

use crate::generate::ValueStyle;
use crate::report::Prices;

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names the report's files.
    pub name: String,
    /// What question the workload answers.
    #[serde(default)]
    pub about: String,
    /// Everything random follows from it.
    #[serde(default = "one")]
    pub seed: u64,
    /// The parts.
    #[serde(default)]
    pub topology: Topology,
    /// The keys and values.
    #[serde(default)]
    pub data: Data,
    /// What is done, in order.
    pub phases: Vec<Phase>,
    /// Which peers run the same.
    #[serde(default)]
    pub compare_with: Vec<Peer>,
    /// Firn of other parts, which runs the same.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// How often everything is done, target after target; of each phase the
    /// middle result counts.
    #[serde(default = "Config::rounds_default")]
    pub rounds: u32,
    /// What should be reached.
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What things cost.
    #[serde(default)]
    pub prices: Prices,
}

fn one() -> u64 {
    1
}

/// Keys and values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// How many keys there are.
    #[serde(default = "Data::keys_default", deserialize_with = "units::count")]
    pub keys: u64,
    /// Length of a key; at least 8.
    #[serde(default = "Data::key_bytes_default")]
    pub key_bytes: usize,
    /// Length of a value.
    #[serde(default = "Data::value_bytes_default")]
    pub value_bytes: usize,
    /// How many times smaller LZ4 makes values; 1 for not at all.
    #[serde(default = "Data::compressibility_default")]
    pub compressibility: f64,
    /// Values are nothing but zeroes.
    #[serde(default)]
    pub zeros: bool,
}

impl Data {
    fn keys_default() -> u64 {
        1_000_000
    }

    fn key_bytes_default() -> usize {
        16
    }

    fn value_bytes_default() -> usize {
        100
    }

    fn compressibility_default() -> f64 {
        2.0
    }

    /// What values look like.
    #[must_use]
    pub fn style(&self) -> ValueStyle {
        if self.zeros {
            ValueStyle::Zeros
        } else {
            ValueStyle::Random { ratio: self.compressibility }
        }
    }

    /// Bytes of one key and its value.
    #[must_use]
    pub fn entry_bytes(&self) -> u64 {
        (self.key_bytes + self.value_bytes) as u64
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            keys: Self::keys_default(),
            key_bytes: Self::key_bytes_default(),
            value_bytes: Self::value_bytes_default(),
            compressibility: Self::compressibility_default(),
            zeros: false,
        }
    }
}

/// Firn of other parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// In reports and goals.
    pub name: String,
    /// Its parts. Nothing is taken over from the workload's own.
    pub topology: Topology,
}

/// Something to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// RocksDB, embedded.
    Rocksdb,
    /// SlateDB, embedded.
    Slatedb,
}

impl Peer {
    /// As in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rocksdb => "rocksdb",
            Self::Slatedb => "slatedb",
        }
    }
}

impl Config {
    fn rounds_default() -> u32 {
        1
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `BadRequest`, with file, line and key, if it is not a workload that can be run.
    pub fn read(path: &Path) -> Result<(Self, String)> {
        let text = file::text_of(path)?;
        let config = Self::parse(&text, &path.display().to_string())?;
        Ok((config, text))
    }

    /// Reads text; `source` stands for the file's name in errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let mut config: Self = file::from_yaml(text, source)?;
        for phase in &mut config.phases {
            if phase.name.is_empty() {
                phase.name = phase.kind.as_str().to_owned();
            }
        }
        check::check(&config).map_err(|fault| {
            let path: Vec<&str> = fault.path.iter().map(String::as_str).collect();
            let line = locate::line_of(text, &path);
            let message = format!("{source}:{line}: {}: {}", path.join("."), fault.why);
            Error::new(ErrorKind::BadRequest, message)
        })?;
        Ok(config)
    }

    /// The phase of that name, and its place.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<(usize, &Phase)> {
        self.phases.iter().enumerate().find(|(_, p)| p.name == name)
    }
}

#[cfg(test)]
mod tests;
