//! Expressions whose answers a server gave once.
