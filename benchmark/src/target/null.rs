//! An engine that does nothing: what is left is the runner's own cost.

use firn_engine::Result;

use crate::engine::{Batch, Engine};

/// See the module.
#[derive(Debug)]
pub(crate) struct Null;

impl Engine for Null {
    type Value<'a> = &'static [u8];

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        std::hint::black_box((key, value));
        Ok(())
    }

    async fn put_batch(&self, batch: &Batch) -> Result<()> {
        std::hint::black_box(batch);
        Ok(())
    }

    async fn get<'a>(&'a self, key: &'a [u8]) -> Result<Option<&'static [u8]>> {
        std::hint::black_box(key);
        Ok(Some(&[]))
    }

    async fn scan<F>(&self, start: &[u8], limit: usize, each: F) -> Result<()>
    where
        F: FnMut(&[u8], &[u8]) + Send,
    {
        std::hint::black_box((start, limit, &each));
        Ok(())
    }
}
