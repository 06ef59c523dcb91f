//! What was computed of strings that an array has more than once.
//!
//! Equal views of one array are equal strings: short ones are in their views, and longer ones
//! that come from one entry of a dictionary are at one place. Columns with few different
//! strings are read so, and what a collation says of each is worked out once.

/// Results are kept for so many strings, as powers of two.
const BITS: u32 = 8;

/// Results by view: of one array, the last ones that were asked for.
#[derive(Debug)]
pub struct ByView<T> {
    slots: Box<[(u128, Option<T>)]>,
}

impl<T: Copy> Default for ByView<T> {
    fn default() -> Self {
        Self { slots: vec![(0, None); 1 << BITS].into() }
    }
}

impl<T: Copy> ByView<T> {
    /// What is known of a string by its view, or else what `compute` makes of it.
    ///
    /// # Errors
    /// Those of `compute`.
    #[inline]
    pub fn get_or<E>(
        &mut self,
        view: u128,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mixed = (view as u64) ^ (view >> 64) as u64;
        let at = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - BITS);
        let slot = &mut self.slots[at as usize];
        match *slot {
            (known, Some(result)) if known == view => Ok(result),
            _ => {
                let result = compute()?;
                *slot = (view, Some(result));
                Ok(result)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use arrow_array::BinaryViewArray;

    use super::*;

    #[test]
    fn each_string_has_its_own_result_however_many_there_are() {
        let words: Vec<String> = (0..5000)
            .map(|n| format!("{}{}", n % 700, if n % 3 == 0 { " and a long tail" } else { "" }))
            .collect();
        let array = BinaryViewArray::from_iter_values(&words);
        let (mut known, mut computed) = (ByView::default(), 0);
        for (view, word) in array.views().iter().zip(&words) {
            let length = known.get_or(*view, || {
                computed += 1;
                Ok::<_, Infallible>(word.len())
            });
            assert_eq!(length, Ok(word.len()));
        }
        assert!(computed > 256, "{computed} of {}", words.len());
        let few = BinaryViewArray::from_iter_values((0..5000).map(|n| format!("{}", n % 5)));
        let (mut known, mut computed) = (ByView::default(), 0);
        for view in few.views().iter() {
            let _ = known.get_or(*view, || {
                computed += 1;
                Ok::<_, Infallible>(())
            });
        }
        assert!(computed < 20, "{computed} of five");
    }
}
