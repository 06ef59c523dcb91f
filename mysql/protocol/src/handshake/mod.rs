//! The first packets of a connection.

mod attributes;
mod greeting;
mod login;

pub use attributes::{ATTRIBUTES_MAX, ATTRIBUTES_MAX_BYTES, Attributes};
pub use greeting::Greeting;
pub use login::{ChangeUser, HandshakeResponse, SSL_REQUEST_BYTES};

/// Bytes of the random string that passwords are hashed with.
pub const NONCE_BYTES: usize = 20;
