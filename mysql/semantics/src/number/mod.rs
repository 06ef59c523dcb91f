//! Numbers as MySQL reads, prints and bounds them: integers and doubles from
//! text, the texts of doubles and floats, ranges of the integer widths, hex and
//! bit literals, YEAR, and the numbers of ENUM and SET.

mod integer;
mod literal;
mod members;
mod parse;
mod print;
#[cfg(test)]
mod tests;
mod year;

pub use integer::{IntegerRange, double_to_i64, double_to_u64};
pub use literal::{
    bit_bytes, bit_literal, bit_width_mask, hex_literal, hex_literal_text, number_of_bytes,
};
pub use members::{
    ParsedSet, enum_by_number, set_from_parts, set_from_text, set_mask, write_set, write_set_with,
};
pub use parse::{
    IntegerPrefix, NumberStatus, Prefix, RoundedInteger, only_spaces, parse_double_prefix,
    parse_integer_prefix, parse_integer_rounded, skip_spaces,
};
pub use print::{
    ShortestDouble, write_double, write_double_fixed, write_double_short, write_double_within,
    write_float, write_float_fixed, write_float_short,
};
pub use year::{YEAR_MAX, YEAR_MIN, year_from_number, year_from_text, year_of_two_digits};
