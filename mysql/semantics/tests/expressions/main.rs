//! Expressions against a real MySQL server, live and recorded.

mod answer;
mod client;
mod generate;
mod oracle;
mod recorded;
