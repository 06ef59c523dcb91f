//! Memory that is only ever added to, and freed all at once.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Alignment of every allocation: that of the largest thing kept inside, a `u64`.
const ALIGN: usize = 8;

/// A fixed piece of memory, handed out from front to back.
///
/// Positions are `u32` offsets, half the size of pointers. Offset 0 is never
/// handed out, so that it can stand for "none". The memory starts as zeroes and
/// takes no physical pages before it is touched.
pub(super) struct Arena {
    base: NonNull<u8>,
    capacity: usize,
    used: AtomicUsize,
}

// SAFETY: the arena is plain memory without thread affinity. Concurrent use of
// the *contents* is the business of the `unsafe` callers of `at`.
unsafe impl Send for Arena {}
// SAFETY: as above; `used` is atomic and `base` never changes.
unsafe impl Sync for Arena {}

impl Arena {
    /// An arena of `capacity` bytes, less than 4 GiB.
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(ALIGN).max(ALIGN);
        assert!(u32::try_from(capacity).is_ok(), "arena of {capacity} bytes");
        let layout = Self::layout(capacity);
        // SAFETY: the layout's size is not zero.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        Self { base, capacity, used: AtomicUsize::new(ALIGN) }
    }

    fn layout(capacity: usize) -> Layout {
        Layout::from_size_align(capacity, ALIGN).expect("below 4 GiB")
    }

    /// Takes `len` bytes, aligned to 8; `None` if there is no room.
    pub(super) fn alloc(&self, len: usize) -> Option<u32> {
        let len = len.next_multiple_of(ALIGN);
        let take = |used: usize| used.checked_add(len).filter(|end| *end <= self.capacity);
        // Relaxed: the bytes are published by whoever links to them.
        let start = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        u32::try_from(start).ok()
    }

    /// Bytes handed out.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes still to hand out.
    pub(super) fn free(&self) -> usize {
        self.capacity - self.used()
    }

    /// The memory at `offset`.
    ///
    /// # Safety
    /// `offset` came from [`Self::alloc`] of this arena. The pointer is good for
    /// the length asked there, and as long as the arena lives.
    #[inline]
    pub(super) unsafe fn at(&self, offset: u32) -> *mut u8 {
        debug_assert!((offset as usize) < self.used());
        // SAFETY: `alloc` gives out offsets inside the allocation only.
        unsafe { self.base.as_ptr().add(offset as usize) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, freed only here.
        unsafe { dealloc(self.base.as_ptr(), Self::layout(self.capacity)) }
    }
}
