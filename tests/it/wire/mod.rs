//! `firn up` as clients meet it: started, stopped, killed, moved.

mod crash;
mod history;
mod idle;
mod large;
mod logic;
mod online;
pub(crate) mod server;
mod tpcc;
mod up;

pub(crate) use server::Server;
