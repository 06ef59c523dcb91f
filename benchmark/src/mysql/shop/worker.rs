//! One connection's share: one statement after the other, all as often.

use firn_mysql_protocol::command::ParameterValue;

use super::Shop;
use super::statements::{Asked, Shape, shapes};
use crate::generate::Rng;
use crate::mysql::config::{Distribution, Kind};
use crate::mysql::connection::{Connection, Failure};
use crate::mysql::keys::Keys;

/// See the module.
pub(crate) struct Worker {
    shapes: &'static [Shape],
    shop: Shop,
    distribution: Distribution,
    rng: Rng,
    next: usize,
    values: Vec<Asked>,
}

impl Worker {
    pub(crate) fn new(kind: Kind, shop: Shop, distribution: Distribution, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let shapes = shapes(kind);
        // Not all connections ask the same at once.
        let next = rng.below(shapes.len() as u64) as usize;
        Self { shapes, shop, distribution, rng, next, values: Vec::new() }
    }

    /// What comes next.
    pub(crate) fn label(&self) -> &'static str {
        self.shapes[self.next].name
    }

    /// Values for the statement that comes next, and its number; the one behind it is next then.
    pub(super) fn choose(&mut self) -> usize {
        let at = self.next;
        self.next = (at + 1) % self.shapes.len();
        self.values.clear();
        let keys = |rows: u32| Keys::new(self.distribution, rows.into());
        for of in self.shapes[at].values {
            of.choose(&self.shop, keys, &mut self.rng, &mut self.values);
        }
        at
    }

    /// The values that were chosen.
    pub(super) fn values(&self) -> Vec<ParameterValue<'_>> {
        let value = |one| match one {
            &Asked::Number(number) => ParameterValue::Int(number),
            Asked::Text(text) => ParameterValue::Bytes(text.as_bytes()),
        };
        self.values.iter().map(value).collect()
    }

    pub(crate) async fn event(&mut self, on: &mut Connection) -> Result<(), Failure> {
        let statement = self.choose();
        on.run(statement, &self.values()).await.map(drop)
    }
}
