//! Accounts, roles and privileges.
//!
//! * [`Directory`] is all of them at one moment: which account a client is
//!   ([`Directory::lookup`]), and what the statements about accounts do to it.
//! * [`Accounts`] are those of a server: they are changed one statement at a time, and
//!   stored before anybody sees the change. [`AccountStore`] is where.
//! * [`Access`] is what a session may do, with its active roles.

mod access;
mod account;
mod directory;
mod grant;
mod host;
mod login;
mod passwords;
mod privilege;
mod root;
mod settings;
mod show;
mod statement;
mod store;
mod users;
mod uses;
mod wanted;

pub use access::Access;
pub use account::{AccountName, Grants, Lifetime, Record, Require, RequireCurrent, TableGrant};
pub use directory::Directory;
pub use host::ClientHost;
pub use login::{LoginFacts, LoginState, must_change_password};
pub use privilege::{DYNAMIC, Privileges};
pub use root::RootLogin;
pub use statement::{AccountContext, Objects, RandomPassword};
pub use store::{AccountStore, Accounts, Row, RowChange, StoreFuture};
pub use uses::{Command, TableUse};
