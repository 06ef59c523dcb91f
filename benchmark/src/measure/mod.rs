//! What is measured, and how.

mod counters;
pub mod cpu;
mod disk;
mod fsync;
mod latency;
mod machine;
mod parts;
mod store;

pub use counters::{Counters, Requests};
#[cfg(feature = "peers")]
pub(crate) use disk::dir_bytes;
pub use disk::{DiskIo, disk_io, disk_io_of};
pub use fsync::fsync_p50_us;
pub use latency::{Latency, Op, Recorded, Recorder};
pub use machine::Machine;
pub use parts::PartTimes;
pub use store::{Meter, Metered};
