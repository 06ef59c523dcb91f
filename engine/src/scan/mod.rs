//! Walking many sorted sources as one.
//!
//! [`merge`] puts sources together, version by version; [`visible`] keeps what
//! a snapshot sees. Stepping is synchronous within a block; only entering
//! another block may wait.

pub(crate) mod level;
pub(crate) mod merge;
pub(crate) mod visible;
