//! A card's registers in a mapped BAR.
//!
//! Below a backing that maps a BAR of real hardware. It knows offsets only; what a register
//! means, and every order between registers and memory, is for those above (`barrier`).
//! The mapping is held as a raw pointer; a cell for one register is formed at a time, used once
//! and dropped, so that no reference ever spans more than the register that is accessed.
//! A card simulated in this process keeps its registers in `memory::Memory` instead.

#![expect(unsafe_code, reason = "register cells are formed from the pointer of a mapping")]

use memmap2::MmapRaw;
use volatile_register::RW;

use crate::backing::Registers;

/// Bytes of a register.
const REGISTER_BYTES: usize = size_of::<u32>();

/// BAR registers over a mapping.
#[derive(Debug)]
pub struct MappedBar {
    mapping: MmapRaw,
}

impl MappedBar {
    /// Takes the registers that lie in `mapping`, offset 0 at its start.
    #[must_use]
    pub fn new(mapping: MmapRaw) -> Self {
        Self { mapping }
    }

    /// Bytes mapped.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.mapping.len()
    }

    #[inline]
    fn register(&self, offset: u32) -> &RW<u32> {
        let bytes = offset as usize;
        assert!(
            bytes.is_multiple_of(REGISTER_BYTES),
            "register offset {offset:#x} is not a multiple of 4"
        );
        assert!(
            bytes + REGISTER_BYTES <= self.mapping.len(),
            "register offset {offset:#x} is past the end of a BAR of {:#x} bytes",
            self.mapping.len()
        );
        let base = self.mapping.as_mut_ptr().cast::<RW<u32>>();
        // SAFETY: the register is inside the mapping, as the assertion above has shown.
        let cell = unsafe { base.add(bytes / REGISTER_BYTES) };
        // SAFETY: a mapping starts on a page and the offset is a multiple of 4, so the cell is
        // aligned; the mapping lives as long as `self`; `RW` has interior mutability and nothing
        // else is ever formed from this mapping.
        unsafe { &*cell }
    }
}

impl Registers for MappedBar {
    /// # Panics
    /// When `offset` is not a multiple of 4 or lies past the end: the caller's mistake.
    #[inline]
    fn read(&self, offset: u32) -> u32 {
        self.register(offset).read()
    }

    /// # Panics
    /// When `offset` is not a multiple of 4 or lies past the end: the caller's mistake.
    #[inline]
    fn write(&self, offset: u32, value: u32) {
        // SAFETY: what a write sets off is contained by the card: it reaches only memory that
        // the backing has mapped for it.
        unsafe { self.register(offset).write(value) }
    }
}

#[cfg(test)]
mod tests {
    use memmap2::MmapMut;

    use super::*;

    const PAGE: usize = 4096;

    fn bar() -> MappedBar {
        MappedBar::new(MmapMut::map_anon(PAGE).unwrap().into())
    }

    #[test]
    fn a_register_keeps_what_was_written_and_its_neighbors_too() {
        let bar = bar();
        bar.write(8, 0x1234_5678);
        bar.write(PAGE as u32 - 4, u32::MAX);
        assert_eq!([4, 8, 12].map(|offset| bar.read(offset)), [0, 0x1234_5678, 0]);
        assert_eq!(bar.read(PAGE as u32 - 4), u32::MAX);
        assert_eq!(bar.bytes(), PAGE);
    }

    #[test]
    fn registers_are_little_endian_words_of_the_mapping() {
        let mut memory = MmapMut::map_anon(PAGE).unwrap();
        memory[4..8].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(MappedBar::new(memory.into()).read(4), 0x0403_0201);
    }

    #[test]
    #[should_panic(expected = "register offset 0x1000 is past the end")]
    fn a_read_past_the_end_names_its_offset() {
        bar().read(PAGE as u32);
    }

    #[test]
    #[should_panic(expected = "register offset 0xfffffffc is past the end")]
    fn a_write_at_the_end_of_the_address_space_is_past_the_end() {
        bar().write(u32::MAX - 3, 0);
    }

    #[test]
    #[should_panic(expected = "register offset 0x6 is not a multiple of 4")]
    fn a_misaligned_read_names_its_offset() {
        bar().read(6);
    }
}
