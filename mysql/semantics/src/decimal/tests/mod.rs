mod against_bigdecimal;
mod examples;
mod limbs;
