//! System variables.
//!
//! [`GlobalVariables`] are the server's, [`SessionVariables`] a session's: the globals
//! as they were when it began, and what it changed. A [`VarId`] is a variable,
//! [`id`] has one for each name, [`VarId::by_name`] finds it.
//!
//! * Reading: [`SessionVariables::hot`] for what statements look at,
//!   [`SessionVariables::setting`] for the rest, [`SessionVariables::get`] for `@@name`.
//! * SET: [`SessionVariables::check`] each assignment, then
//!   [`SessionVariables::apply`] all of them.
//!
//! Not every variable has an effect: those that only restoring a dump or a client's
//! greeting needs are kept and shown.

mod assign;
mod charsets;
mod commands;
mod definition;
mod flags;
mod globals;
mod gtid;
mod hot;
mod own;
mod session;
mod set;
mod setting;
mod show;
mod sql_mode;
mod status;
mod table;
#[cfg(test)]
mod tests;

pub use assign::NewValue;
pub use commands::counter_of;
pub use definition::{Age, Definition, Reach, Shape, VarId};
pub use globals::{GlobalVariables, Settings};
pub use hot::Hot;
pub use own::Facts;
pub use session::SessionVariables;
pub use set::{Assignment, Change, Names, Place, SetContext};
pub use setting::Setting;
pub use show::is_like;
pub use sql_mode::SqlMode;
pub use status::{Counter, ServerCounters, SessionCounters, StatusFacts, show_status};
pub use table::id;
