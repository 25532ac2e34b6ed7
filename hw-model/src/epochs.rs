//! The global epoch and the reader's announcement: two words, each on a cache line of its own.
//!
//! Between firmware (raises, waits) and `datapath::reader` (announces). Grace periods and fences
//! rest on these two words and nothing else.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | `GLOBAL` | firmware, `raise` | reader | Release | Acquire | every table store before the raise |
//! | `ANNOUNCED` | reader, `announce` | firmware, `announced` | Release | Acquire | that every frame resolved before has crossed the port |

use std::sync::atomic::{AtomicU32, Ordering};

use host_driver::memory::Words;

/// Word of the epoch that the firmware raised last.
pub const GLOBAL: usize = 0;
/// Word of the epoch that the reader announced last.
pub const ANNOUNCED: usize = 1;

/// A word alone on its cache line, so that the two sides do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(AtomicU32);

/// The two words.
#[derive(Debug, Default)]
pub struct Epochs {
    lines: [Line; 2],
}

impl Words for Epochs {
    fn len(&self) -> usize {
        self.lines.len()
    }
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. A side reading back the word that it wrote itself.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        self.lines[word].0.load(Ordering::Relaxed)
    }
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. Pairs with `store_release` of the other side; see the table above.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        self.lines[word].0.load(Ordering::Acquire)
    }
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. Reset only, while both sides stand still behind their locks.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        self.lines[word].0.store(value, Ordering::Relaxed);
    }
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with `load_acquire` of the other side; see the table above.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        self.lines[word].0.store(value, Ordering::Release);
    }
}
