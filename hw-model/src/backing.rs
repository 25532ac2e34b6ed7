//! The model behind the driver's seam: registers, mappings, interrupts, time.
//!
//! Between `host_driver::backing` and [`ModelCard`]. It adds no behaviour; every method is one
//! call into the part that owns the matter.

use std::io;

use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::Memory;
use vmm_sys_util::eventfd::EventFd;

use crate::card::{ModelCard, Way};
use crate::control::Order;

impl Registers for ModelCard {
    fn read(&self, offset: u32) -> u32 {
        self.shared.read_register(offset)
    }

    fn write(&self, offset: u32, value: u32) {
        let order = self.shared.write_register(offset, value);
        self.control(order);
    }
}

impl Backing for ModelCard {
    fn describe(&self) -> String {
        self.shared.config.body.word().to_owned()
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let memory = Memory::new(bytes)?;
        let iova = self.shared.slot.iommu.map(&memory)?;
        Ok(Reachable { memory, iova })
    }

    fn release(&self, Reachable { memory, iova }: Reachable) {
        self.shared.slot.iommu.unmap(iova, iova + (memory.bytes() as u64 - 1));
    }

    // What is given back is taken away at once.
    fn trim(&self) {}

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.shared.slot.iommu.set_master(on);
        Ok(())
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.shared.slot.interrupts.eventfd(vector)
    }

    fn clock_ns(&self) -> u64 {
        self.shared.clock.ns_at(self.cycles())
    }

    fn relax(&self) {
        match &self.way {
            Way::Free(_) => std::thread::yield_now(),
            Way::Timed(timed) => timed.relax(),
        }
    }

    fn reset_function(&self) -> io::Result<()> {
        self.control(Some(Order::Reset));
        self.bus_master(false)
    }
}
