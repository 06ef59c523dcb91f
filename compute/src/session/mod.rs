//! What a connection has, and how it answers commands.

pub mod set;
mod user_variables;
pub mod values;

pub use user_variables::{USER_VARIABLES_MAX_BYTES, UserVariables};
