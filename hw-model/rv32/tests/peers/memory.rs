//! Memory for the simulators that the hart is compared with: one window, nothing around it.
//!
//! Used by the differential tests and by the bench, so that both run the same peers. An access
//! outside the window is an error, which is how a program that is done stops them.

use ckb_vm::{Bytes, Error};

/// Where the window begins.
pub(crate) const BASE: u32 = 0x8000_0000;

/// Bytes from [`BASE`].
pub(crate) struct Window(pub(crate) Vec<u8>);

impl Window {
    fn get<const BYTES: usize>(&self, address: u32) -> Option<[u8; BYTES]> {
        let offset = address.wrapping_sub(BASE) as usize;
        self.0.get(offset..offset + BYTES)?.try_into().ok()
    }

    fn set(&mut self, address: u32, bytes: &[u8]) -> Option<()> {
        let offset = address.wrapping_sub(BASE) as usize;
        self.0.get_mut(offset..offset + bytes.len())?.copy_from_slice(bytes);
        Some(())
    }
}

impl rvsim::Memory for Window {
    fn access<T: Copy>(&mut self, address: u32, access: rvsim::MemoryAccess<T>) -> bool {
        rvsim::Memory::access(&mut self.0[..], address.wrapping_sub(BASE), access)
    }
}

/// What an instruction asks for is here; pages, flags and reservations are not.
impl ckb_vm::Memory for Window {
    type REG = u32;

    fn new() -> Self {
        Self(Vec::new())
    }

    fn new_with_memory(bytes: usize) -> Self {
        Self(vec![0; bytes])
    }

    fn memory_size(&self) -> usize {
        u32::MAX as usize
    }

    fn execute_load16(&mut self, address: u64) -> Result<u16, Error> {
        self.get(address as u32).map(u16::from_le_bytes).ok_or(Error::MemOutOfBound)
    }

    fn execute_load32(&mut self, address: u64) -> Result<u32, Error> {
        self.get(address as u32).map(u32::from_le_bytes).ok_or(Error::MemOutOfBound)
    }

    fn load8(&mut self, address: &u32) -> Result<u32, Error> {
        self.get(*address).map(u8::from_le_bytes).map(u32::from).ok_or(Error::MemOutOfBound)
    }

    fn load16(&mut self, address: &u32) -> Result<u32, Error> {
        self.get(*address).map(u16::from_le_bytes).map(u32::from).ok_or(Error::MemOutOfBound)
    }

    fn load32(&mut self, address: &u32) -> Result<u32, Error> {
        self.get(*address).map(u32::from_le_bytes).ok_or(Error::MemOutOfBound)
    }

    fn store8(&mut self, address: &u32, value: &u32) -> Result<(), Error> {
        self.set(*address, &value.to_le_bytes()[..1]).ok_or(Error::MemOutOfBound)
    }

    fn store16(&mut self, address: &u32, value: &u32) -> Result<(), Error> {
        self.set(*address, &value.to_le_bytes()[..2]).ok_or(Error::MemOutOfBound)
    }

    fn store32(&mut self, address: &u32, value: &u32) -> Result<(), Error> {
        self.set(*address, &value.to_le_bytes()).ok_or(Error::MemOutOfBound)
    }

    fn init_pages(&mut self, _: u64, _: u64, _: u8, _: Option<Bytes>, _: u64) -> Result<(), Error> {
        Err(Error::MemOutOfBound)
    }

    fn fetch_flag(&mut self, _: u64) -> Result<u8, Error> {
        Ok(0)
    }

    fn set_flag(&mut self, _: u64, _: u8) -> Result<(), Error> {
        Ok(())
    }

    fn clear_flag(&mut self, _: u64, _: u8) -> Result<(), Error> {
        Ok(())
    }

    fn store_byte(&mut self, _: u64, _: u64, _: u8) -> Result<(), Error> {
        Err(Error::MemOutOfBound)
    }

    fn store_bytes(&mut self, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(Error::MemOutOfBound)
    }

    fn load_bytes(&mut self, _: u64, _: u64) -> Result<Bytes, Error> {
        Err(Error::MemOutOfBound)
    }

    fn load64(&mut self, _: &u32) -> Result<u32, Error> {
        Err(Error::MemOutOfBound)
    }

    fn store64(&mut self, _: &u32, _: &u32) -> Result<(), Error> {
        Err(Error::MemOutOfBound)
    }

    fn lr(&self) -> &u32 {
        &u32::MAX
    }

    fn set_lr(&mut self, _: &u32) {}
}
