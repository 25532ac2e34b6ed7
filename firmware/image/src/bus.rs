//! The core's loads and stores: one aligned 32-bit word each, never merged or left out.
//!
//! Under `firmware::mmio`, on the address map of `abi::core::mmio`. The two barriers are named by
//! what they are for; a language fence would order memory, but not memory before registers.
#![expect(unsafe_code, reason = "memory-mapped words and barriers")]

use core::arch::asm;
use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

use firmware::mmio::Bus;

/// The bus of the one core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreBus;

impl Bus for CoreBus {
    #[inline(always)]
    fn load(&self, address: u32) -> u32 {
        let word = with_exposed_provenance(address as usize);
        // SAFETY: the address map gives registers, windows and tables to the core; no Rust object
        // lies there, and the library computes aligned addresses from checked indices.
        unsafe { read_volatile(word) }
    }

    #[inline(always)]
    fn store(&mut self, address: u32, value: u32) {
        let word = with_exposed_provenance_mut(address as usize);
        // SAFETY: as in `load`.
        unsafe { write_volatile(word, value) }
    }

    #[inline(always)]
    fn release(&mut self) {
        // SAFETY: a barrier touches nothing. Memory and registers written before come before
        // memory and registers written after.
        unsafe { asm!("fence ow, ow", options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn acquire(&self) {
        // SAFETY: a barrier touches nothing. What was read before comes before what is read after.
        unsafe { asm!("fence ir, ir", options(nostack, preserves_flags)) };
    }
}
