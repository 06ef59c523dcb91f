//! How the memory of a process is shared out.

use crate::bytes::ByteSize;

const MIB: u64 = 1 << 20;

/// What the process itself needs: its code and tables, the buffers of files on their way,
/// the allocator's.
const FIXED: u64 = 96 * MIB;

/// The parts of `memory_bytes_max` that are given to those who can keep to them. What is
/// left is for the process itself, merges and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryShares {
    /// Memtables and caches, in bytes.
    pub engine: u64,
    /// What statements and transactions keep, all together, in bytes.
    pub statements: u64,
}

impl MemoryShares {
    /// The shares of so much.
    ///
    /// A quarter is for statements; an eighth and 96 MiB are kept free.
    #[must_use]
    pub fn of(limit: ByteSize) -> Self {
        let statements = limit.0 / 4;
        let free = FIXED + limit.0 / 8;
        let engine = limit.0.saturating_sub(statements + free).max(16 * MIB);
        Self { engine, statements }
    }
}

/// What a storage service gives to blocks. The rest is for the states of branches, calls, and
/// the process itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShares {
    /// Blocks that are kept, in bytes.
    pub cache: u64,
    /// Blocks on their way to callers, in bytes.
    pub answers: u64,
}

impl BlockShares {
    /// The shares of so much: half of what the process itself leaves, and a sixteenth.
    #[must_use]
    pub fn of(limit: ByteSize) -> Self {
        let cache = (limit.0.saturating_sub(FIXED) / 2).max(16 * MIB);
        Self { cache, answers: (limit.0 / 16).max(16 * MIB) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_leave_room_for_the_process() {
        for mib in [256, 512, 1024, 8192, 65_536] {
            let limit = mib * MIB;
            let shares = MemoryShares::of(ByteSize(limit));
            assert!(shares.engine >= 32 * MIB, "{shares:?}");
            assert!(shares.statements >= 64 * MIB, "{shares:?}");
            let free = limit - shares.engine - shares.statements;
            assert!(free >= FIXED + limit / 8, "{mib} MiB: {free} free");
        }
        // Less than may be configured: what is there at least.
        assert_eq!(MemoryShares::of(ByteSize(64 * MIB)).engine, 16 * MIB);
    }

    #[test]
    fn blocks_leave_a_storage_service_room_for_states() {
        for mib in [256, 1024, 65_536] {
            let limit = mib * MIB;
            let shares = BlockShares::of(ByteSize(limit));
            assert!(shares.cache >= 64 * MIB, "{shares:?}");
            let free = limit - shares.cache - shares.answers;
            assert!(free >= FIXED + limit / 8, "{mib} MiB: {free} free");
        }
    }
}
