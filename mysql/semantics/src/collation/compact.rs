//! The compact form of the embedded tables, and what it unfolds to at first use.
//!
//! A *map* is a number for each code point from 0 to 0x10FFFF: runs of equal steps,
//! each a varint of the zigzag step shifted left by one, whose lowest bit says that a
//! varint of the run's length minus two follows. *Weights* are such a map of the code
//! points with one weight or none, then those with several (count; gap, length, steps
//! against the weights before), then ranges with computed weights (count; gap, length,
//! base, and the subtrahend unless the base is 0, which means Hangul syllables). *Changes*
//! are what some code points weigh instead (count; gap, number of weights, weights), one
//! such list after the other.
//!
//! The tables are written by `tools/text_tables.py` and proven by the fixture test.
//! Reading past the end gives zeros, so that a damaged table gives wrong weights, which
//! the tests see, and no panic.

/// One past the last code point.
pub(crate) const CODES: usize = 0x11_0000;

/// Reads varints.
pub(crate) struct Reader(pub(crate) &'static [u8]);

impl Reader {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> &'static [u8] {
        let (head, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        head
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn number(&mut self) -> usize {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 || shift > 28 {
                return value;
            }
        }
    }

    fn step(&mut self) -> u32 {
        unzigzag(self.number())
    }

    /// Calls `each` with every code point of a map and its number.
    pub(crate) fn map(&mut self, mut each: impl FnMut(usize, u32)) {
        let (mut code, mut value) = (0, 0u32);
        while code < CODES {
            let token = self.number();
            let step = unzigzag(token >> 1);
            let run = if token & 1 == 1 { self.number() + 2 } else { 1 };
            for code in code..(code + run).min(CODES) {
                value = value.wrapping_add(step);
                each(code, value);
            }
            code += run;
        }
    }
}

fn unzigzag(n: usize) -> u32 {
    let half = (n >> 1) as u32;
    if n & 1 == 0 { half } else { !half }
}

/// A cell for each code point, in pages of 256 of which equal ones are kept once.
pub(crate) struct Pages {
    index: Box<[u16; CODES >> 8]>,
    cells: Vec<u32>,
}

impl Pages {
    pub(crate) fn new(all: &[u32]) -> Self {
        let mut index = Box::new([0; CODES >> 8]);
        let mut cells: Vec<u32> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        for (page, slot) in all.chunks_exact(256).zip(index.iter_mut()) {
            *slot = *seen.entry(page).or_insert_with(|| {
                cells.extend_from_slice(page);
                (cells.len() / 256 - 1) as u16
            });
        }
        Self { index, cells }
    }

    /// The cell of a code point; of what is none, 0.
    #[inline]
    pub(crate) fn get(&self, code: u32) -> u32 {
        match self.index.get((code >> 8) as usize) {
            Some(page) => {
                let at = usize::from(*page) << 8 | (code & 0xFF) as usize;
                self.cells.get(at).copied().unwrap_or(0)
            }
            None => 0,
        }
    }
}

/// What a cell of a level's table means; the bits above the lowest 16.
pub(super) mod cell {
    /// Several weights: 20 bits of offset into the pool, 5 bits of length above them.
    pub(in crate::collation) const SEVERAL: u32 = 0x8000_0000;
    /// A pair of weights computed from the code point: the base in the low 16 bits, above
    /// them which offset is subtracted first.
    pub(in crate::collation) const IMPLICIT: u32 = 0x4000_0000;
    /// A Hangul syllable: the weights of its letters.
    pub(in crate::collation) const HANGUL: u32 = 0x2000_0000;
}

/// The weights of one level.
pub(super) struct Level {
    /// Weights of ASCII; none of them has several.
    pub(super) ascii: [u16; 128],
    pub(super) pages: Pages,
    pub(super) pool: Vec<u16>,
    /// What computed weights subtract from the code point.
    pub(super) offsets: Vec<u32>,
    /// Whether a weight of zero is one as others; else it is none.
    pub(super) counts_zeros: bool,
}

impl Level {
    fn new(cells: &[u32], pool: Vec<u16>, offsets: Vec<u32>) -> Self {
        let mut ascii = [0; 128];
        for (weight, cell) in ascii.iter_mut().zip(cells) {
            *weight = *cell as u16;
        }
        Self { ascii, pages: Pages::new(cells), pool, offsets, counts_zeros: false }
    }

    /// From the compact form of weights.
    pub(super) fn unfold(data: &'static [u8]) -> Self {
        let (cells, pool, offsets) = Self::cells(data);
        Self::new(&cells, pool, offsets)
    }

    /// The same weights, changed by each of `count` lists of changes.
    pub(super) fn unfold_changes(
        data: &'static [u8],
        changes: &'static [u8],
        count: usize,
    ) -> Vec<Self> {
        let (unchanged, pool, offsets) = Self::cells(data);
        let mut from = Reader(changes);
        let list = |_| {
            let (mut cells, mut pool) = (unchanged.clone(), pool.clone());
            let mut code = 0;
            for _ in 0..from.number() {
                code += from.number();
                let len = from.number();
                let weights: Vec<u16> = (0..len).map(|_| from.number() as u16).collect();
                let Some(cell) = cells.get_mut(code) else { continue };
                *cell = match weights[..] {
                    [] => 0,
                    [one] => u32::from(one),
                    _ => cell::SEVERAL | (len as u32) << 20 | pool.len() as u32,
                };
                if len > 1 {
                    pool.extend_from_slice(&weights);
                }
            }
            Self::new(&cells, pool, offsets.clone())
        };
        (0..count).map(list).collect()
    }

    /// A cell for each code point, weights of those that have several, and what computed
    /// ones subtract.
    fn cells(data: &'static [u8]) -> (Vec<u32>, Vec<u16>, Vec<u32>) {
        let mut from = Reader(data);
        let mut cells = vec![0; CODES];
        from.map(|code, value| cells[code] = value & 0xFFFF);
        let mut pool = Vec::new();
        let (mut code, mut before) = (0, Vec::new());
        for _ in 0..from.number() {
            code += from.number();
            let len = from.number();
            let weights: Vec<u16> = (0..len)
                .map(|i| before.get(i).copied().unwrap_or(0u16).wrapping_add(from.step() as u16))
                .collect();
            if let Some(cell) = cells.get_mut(code) {
                *cell = cell::SEVERAL | (len as u32) << 20 | pool.len() as u32;
            }
            pool.extend_from_slice(&weights);
            before = weights;
        }
        let (mut offsets, mut end) = (Vec::new(), 0);
        for _ in 0..from.number() {
            let start = end + from.number();
            end = start + from.number();
            let base = from.number() as u32;
            let value = if base == 0 {
                cell::HANGUL
            } else {
                let offset = from.number() as u32;
                let known = offsets.iter().position(|o| *o == offset).unwrap_or_else(|| {
                    offsets.push(offset);
                    offsets.len() - 1
                });
                cell::IMPLICIT | (known as u32) << 16 | base
            };
            if let Some(range) = cells.get_mut(start..end) {
                range.fill(value);
            }
        }
        (cells, pool, offsets)
    }

    /// The second and the third level: a map of indexes, and a list of pairs of sequences.
    pub(super) fn unfold_tails(data: &'static [u8]) -> [Self; 2] {
        let mut from = Reader(data);
        let mut indexes = vec![0u32; CODES];
        from.map(|code, value| indexes[code] = value);
        let count = from.number();
        let mut tables: [(Vec<u32>, Vec<u16>); 2] = Default::default();
        for _ in 0..count {
            for (cells, pool) in &mut tables {
                let len = from.number();
                let weights: Vec<u16> = (0..len).map(|_| from.number() as u16).collect();
                cells.push(match weights[..] {
                    [] => 0,
                    [one] => u32::from(one),
                    _ => cell::SEVERAL | (len as u32) << 20 | pool.len() as u32,
                });
                if len > 1 {
                    pool.extend_from_slice(&weights);
                }
            }
        }
        tables.map(|(patterns, pool)| {
            let cells: Vec<u32> =
                indexes.iter().map(|i| patterns.get(*i as usize).copied().unwrap_or(0)).collect();
            Self::new(&cells, pool, Vec::new())
        })
    }
}
