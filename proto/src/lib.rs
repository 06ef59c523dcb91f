//! The contracts between Firn's parts and the stored form of its manifests,
//! compiled from `proto/firn/v1/*.proto`, where every field is documented.
//! There is no logic here.

/// Version 1 of the contracts.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/firn.v1.rs"));
}
