//! What tests share.

pub mod datadriven;
