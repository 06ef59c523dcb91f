//! What phases run on.

mod firn;
mod null;

pub use firn::{FirnTarget, Surroundings};
pub(crate) use null::Null;
