//! Tests of the JSON type.

mod binary;
mod call;
mod cases;
mod generate;
mod oracle;
mod text;
