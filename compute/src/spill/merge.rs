//! Sorted segments as one.

use std::cmp::Ordering;
use std::sync::Arc;

use firn_mysql_semantics::error::SqlError;

use super::file::{Segment, SegmentReader};

/// Reads sorted segments in the order of their keys; records of the same key in the order of
/// the segments.
#[derive(Debug)]
pub(crate) struct Merge {
    readers: Vec<SegmentReader>,
    /// Those that have a record, a heap: the one that comes first is at the top.
    heap: Vec<usize>,
    descending: bool,
    begun: bool,
}

impl Merge {
    /// Of segments whose keys ascend, or descend.
    pub(crate) fn new(segments: &[Arc<Segment>], descending: bool) -> Self {
        let readers = segments.iter().map(|one| SegmentReader::new(Arc::clone(one))).collect();
        Self { readers, heap: Vec::with_capacity(segments.len()), descending, begun: false }
    }

    fn precedes(&self, one: usize, other: usize) -> bool {
        let order = self.readers[one].key().cmp(self.readers[other].key());
        let order = if self.descending { order.reverse() } else { order };
        order.then(one.cmp(&other)) == Ordering::Less
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len() && self.precedes(self.heap[child], self.heap[least]) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    /// Goes to the next record; `None` if there is none. Where it is, are its key and
    /// payload.
    ///
    /// # Errors
    /// As reading the segments.
    pub(crate) fn advance(&mut self) -> Result<Option<&SegmentReader>, SqlError> {
        if !self.begun {
            self.begun = true;
            for at in 0..self.readers.len() {
                if self.readers[at].advance()? {
                    self.heap.push(at);
                }
            }
            for at in (0..self.heap.len() / 2).rev() {
                self.sink(at);
            }
        } else if let Some(&top) = self.heap.first() {
            if !self.readers[top].advance()? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        Ok(self.heap.first().map(|top| &self.readers[*top]))
    }
}
