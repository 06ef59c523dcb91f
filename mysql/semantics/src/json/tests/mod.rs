//! Tests of the JSON type.

mod binary;
mod call;
mod cases;
mod convert;
mod generate;
mod oracle;
mod text;
