//! Clients and servers of the contracts in `proto/firn/v1/*.proto`, as generated.
//! There is no logic here; frames for serving and calling are in `firn-services`.

/// Version 1 of the contracts.
pub mod v1 {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/firn.v1.rs"));
}

/// The contracts' descriptors as a `FileDescriptorSet`: what reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/firn.v1.bin"));
