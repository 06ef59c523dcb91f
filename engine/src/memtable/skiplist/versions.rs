//! The versions of one key: a chain from the newest, which stands in the list, to the
//! oldest.
//!
//! A new version takes its predecessor's place in the list, with a tower of the same
//! height, and points to it. What was replaced keeps its tower as it was. So a reader that
//! stands there goes on as if it had come before the replacement, and misses only what was
//! added after it: every key that it passes was in the list at some time after it began,
//! so what had been added by then it finds. Nobody reads at a seq that is still being added.
//!
//! Behind its tower each version but the first has a [`Jump`], a second pointer farther
//! back, so that an old snapshot finds its version of a key that was written a million
//! times since in about 40 steps (Myers, "An applicative random-access stack", 1983).

use super::{SkipList, TOWER};
use crate::types::Seq;

/// A way to much older versions.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Jump {
    /// An older version; the first version jumps to itself.
    to: u32,
    /// Versions before this one.
    depth: u32,
}

/// Bytes of a [`Jump`].
pub(super) const JUMP_LEN: usize = std::mem::size_of::<Jump>();

impl SkipList {
    fn jump(&self, offset: u32) -> Jump {
        let node = self.node(offset);
        if node.older == 0 {
            return Jump { to: offset, depth: 0 };
        }
        // SAFETY: a node with an older version has a jump behind its tower, aligned to 4,
        // written before the node was published and never after.
        unsafe {
            let at = self.arena.at(offset).add(TOWER + 4 * usize::from(node.height));
            at.cast::<Jump>().read()
        }
    }

    /// The jump of a new version in front of `older`.
    pub(super) fn jump_past(&self, older: u32) -> Jump {
        let one = self.jump(older);
        let two = self.jump(one.to);
        let three = self.jump(two.to);
        // Two jumps of one length become one of twice that length and one step.
        let to = if one.depth - two.depth == two.depth - three.depth { two.to } else { older };
        Jump { to, depth: one.depth + 1 }
    }

    /// The newest version at or before `at` of the key that stands at `head`; 0 if all are
    /// newer.
    #[inline]
    pub(super) fn newest(&self, head: u32, at: Seq) -> u32 {
        if self.node(head).seq <= at.0 { head } else { self.newest_counted(head, at, &mut 0) }
    }

    /// As [`Self::newest`], and counts the versions looked at.
    pub(super) fn newest_counted(&self, head: u32, at: Seq, steps: &mut u32) -> u32 {
        let mut offset = head;
        while self.node(offset).seq > at.0 {
            *steps += 1;
            let older = self.node(offset).older;
            if older == 0 {
                return 0;
            }
            let far = self.jump(offset).to;
            offset = if self.node(far).seq > at.0 { far } else { older };
        }
        offset
    }
}
