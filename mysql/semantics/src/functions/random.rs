//! RAND with MySQL's generator.

use super::Function;
use crate::expr::{Call, Cx, Result, Site};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::new("rand", (0, 1), rand_type, rand, "A number from 0 to below 1").changing()];

/// The modulus of MySQL's generator.
const MODULUS: u64 = 0x3FFF_FFFF;

/// MySQL's linear congruential generator of two 30-bit numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generator {
    first: u64,
    second: u64,
}

impl Generator {
    pub(crate) fn new(first: u32, second: u32) -> Generator {
        Generator { first: u64::from(first) % MODULUS, second: u64::from(second) % MODULUS }
    }

    /// That of RAND(seed).
    fn seeded(seed: u32) -> Generator {
        let first = seed.wrapping_mul(0x10001).wrapping_add(55_555_555);
        Generator::new(first, seed.wrapping_mul(0x1000_0001))
    }

    fn next(&mut self) -> f64 {
        self.first = (self.first * 3 + self.second) % MODULUS;
        self.second = (self.first + self.second + 33) % MODULUS;
        self.first as f64 / MODULUS as f64
    }
}

fn rand_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    site.extra = site.next_generator();
    Ok(SqlType::double())
}

fn rand(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let slot = call.extra() as usize;
    if slot >= 4096 {
        return Ok(Value::Null);
    }
    let kept = cx.random.get(slot).copied().flatten();
    // A seed that is a constant starts the row of numbers once; another, each time.
    let constant = call.arg(0).is_none_or(|seed| seed.is_constant());
    let mut generator = match (kept, call.arg(0)) {
        (Some(kept), _) if constant => kept,
        (_, Some(_)) => Generator::seeded(call.int(0, cx)?.unwrap_or(0) as u32),
        (_, None) => {
            let (first, second) = cx.session.random_seeds();
            Generator::new(first, second)
        }
    };
    let value = generator.next();
    if cx.random.len() <= slot {
        cx.random.resize(slot + 1, None);
    }
    if let Some(place) = cx.random.get_mut(slot) {
        *place = Some(generator);
    }
    Ok(Value::Double(value))
}
