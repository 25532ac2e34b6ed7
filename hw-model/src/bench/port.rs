//! A port that shows every frame that crosses it in the mirror.
//!
//! Between the datapath and the port that a card was given. What that port refuses did not cross
//! and is not shown; what it takes is taken, whether the mirror has room or not.

use std::sync::Arc;

use host_driver::memory::Memory;

use super::mirror::MirrorWriter;
use crate::port::Port;

/// Passes frames on and mirrors those that crossed.
pub(super) struct MirrorPort {
    pub(super) inner: Box<dyn Port>,
    pub(super) memory: Memory,
    pub(super) writer: MirrorWriter,
    /// Tells the bench that its mirror has a writer, as long as this lives.
    pub(super) _lease: Arc<()>,
}

impl Port for MirrorPort {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        let has_crossed = self.inner.send(frame, at_ns);
        if has_crossed {
            self.writer.write(&self.memory, frame, at_ns);
        }
        has_crossed
    }

    fn flush(&mut self) {
        self.inner.flush();
    }
}
