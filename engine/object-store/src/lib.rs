//! The object stores that Firn keeps its data in.
//!
//! Each is a [`firn_engine::object::Backend`]: single requests, without
//! repeating or hiding anything.

mod folder;

pub use folder::FolderStore;
