//! Transactions over keys: snapshots, locks, savepoints, commit.
