//! What a statement keeps in memory: within its own bound, and out of what all statements
//! together may have.

use firn_mysql_semantics::error::{SqlError, code};

use super::Result;
use super::view::View;
use crate::memory::Charge;

/// What is gathered where nobody said how much it may be, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// What goes to files when there is no more memory may have so much all the same, in bytes.
const LEAST_BYTES: usize = 64 << 10;

/// Memory that something gathered needs. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Gathered {
    charge: Option<Charge>,
    bytes: usize,
    bytes_max: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { charge: None, bytes: 0, bytes_max: BYTES_MAX }
    }
}

impl Gathered {
    /// Of a statement, nothing yet.
    pub(crate) fn of(view: &View<'_>) -> Self {
        Self::part_of(view, 1)
    }

    /// The same, for one of so many parts that may be gathered at once.
    pub(crate) fn part_of(view: &View<'_>, parts: usize) -> Self {
        let bytes_max = (view.gathered_bytes_max() / parts).max(LEAST_BYTES);
        Self { charge: Some(Charge::new(view.memory())), bytes: 0, bytes_max }
    }

    /// It is so many bytes now.
    ///
    /// # Errors
    /// 1038 if there are too many.
    #[inline]
    pub(crate) fn set(&mut self, bytes: usize) -> Result<()> {
        let fits = bytes <= self.bytes_max
            && self.charge.as_mut().is_none_or(|charge| charge.set(bytes).is_ok());
        if !fits {
            return Err(too_much());
        }
        self.bytes = bytes;
        Ok(())
    }

    /// It is so many bytes now; whether that is all right. If not, it goes to a file at once.
    #[inline]
    pub(crate) fn fits(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.bytes_max
            && self.charge.as_mut().is_none_or(|charge| charge.set(bytes).is_ok());
        if fits {
            self.bytes = bytes;
        } else if bytes <= LEAST_BYTES {
            self.needs(bytes);
            return true;
        }
        fits
    }

    /// It is so many bytes now, whether they are left or not: they are needed.
    pub(crate) fn needs(&mut self, bytes: usize) {
        if let Some(charge) = &mut self.charge {
            match bytes.checked_sub(charge.bytes()) {
                Some(more) => charge.grow_anyway(more),
                None => charge.shrink(charge.bytes() - bytes),
            }
        }
        self.bytes = bytes;
    }

    /// Bytes that it is.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The most that it may be, in bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }
}

/// 1038
pub(crate) fn too_much() -> SqlError {
    SqlError::new(code::ER_OUT_OF_SORTMEMORY, &[])
}
