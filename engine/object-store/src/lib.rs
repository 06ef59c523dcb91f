//! The object stores that Firn keeps its data in, opened by URL: S3 and what
//! speaks like it, a folder, memory.
//!
//! Each is a [`firn_engine::object::Backend`], that is single requests without
//! repeating or hiding anything; what [`open`] returns is one of them behind
//! [`firn_engine::object::RetryingStore`].

mod folder;
mod open;
mod s3;
mod settings;

pub use folder::FolderStore;
pub use open::{open, open_with};
pub use s3::S3Store;
pub use settings::S3Settings;
