//! The barrier between the processor and a card.
//!
//! Below `ring` and everything that writes a doorbell. It moves no words and knows no ring. Order
//! within shared memory is that of its words: Release and Acquire of [`Words`](crate::memory::Words).
//! Two kinds of memory meet here: cached memory that the card reads and writes by DMA, and the
//! card's registers, mapped uncached. On x86-64 stores become visible in program order, loads
//! are carried out in program order, and an uncached store waits for every store before it, so a
//! fence has to hold back the compiler only: `std`'s Release and Acquire fences are no
//! instruction there. A doorbell page mapped write-combining would break this; none is.
//! The invariant: no bare fence anywhere else in the driver.

#[cfg(loom)]
use loom::sync::atomic::fence;
#[cfg(not(loom))]
use std::sync::atomic::fence;

use std::sync::atomic::Ordering;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the barriers towards a card are proved for x86-64 only; see each one's last line");

/// Memory before doorbell: everything written to shared memory before is visible to the card,
/// and everything read from it has been read, when the register written after reaches the card.
///
/// x86-64 orders an uncached store behind all earlier loads and stores, so the compiler is all
/// that has to be held back. On aarch64 this would be `dsb st` (`dsb sy` where loads count too):
/// device memory is not ordered with normal memory there.
#[inline]
pub fn mmio_wmb() {
    // ORDERING: Release. Pairs with the card's read of the doorbell, then of the slots.
    // The doorbell itself is a plain (volatile) store, so the order is the fence's alone.
    // Checked by `loom_ring::a_fetched_command_is_whole` and `a_transmit_descriptor_is_whole`.
    fence(Ordering::Release);
}
