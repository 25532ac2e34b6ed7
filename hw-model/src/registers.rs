//! The register cells behind BAR0: health, settings, one bank a ring.
//!
//! Written and read by the engines of the card and, through `bar`, by the host. Cells only: what
//! a write sets going is decided in `control`. Settings and ring configurations are plain cells
//! that the host may write at any time; the card looks at them at ENABLE and RING_START only.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use abi::core::Settings;
use abi::host::limit::{PORT_VLANS_MAX, VECTORS_MAX};
use abi::host::register::RINGS;
use abi::host::status::{CardState, FailCode, RingState};

/// One 32-bit register.
#[derive(Debug, Default)]
pub(crate) struct Register(AtomicU32);

impl Register {
    /// Reads it.
    pub(crate) fn get(&self) -> u32 {
        // ORDERING: Acquire. Pairs with `set`: a host that reads a state or a position finds what
        // led to it done. No loom test: a bus access orders at least as much.
        self.0.load(Ordering::Acquire)
    }

    /// Writes it.
    pub(crate) fn set(&self, value: u32) {
        // ORDERING: Release. Pairs with `get`: what was done before the register tells of it is
        // visible to who reads it. No loom test: a bus access orders at least as much.
        self.0.store(value, Ordering::Release);
    }
}

/// Words of one MSI-X table entry (PCI Express Base Specification 5.0, 7.7.2).
const MSIX_ENTRY_WORDS: u32 = 4;
/// Words of the MSI-X table.
pub(crate) const MSIX_WORDS: usize = (VECTORS_MAX * MSIX_ENTRY_WORDS) as usize;

/// A ring's registers.
#[derive(Debug, Default)]
pub(crate) struct RingBank {
    pub(crate) base_low: Register,
    pub(crate) base_high: Register,
    pub(crate) completion_low: Register,
    pub(crate) completion_high: Register,
    pub(crate) slots_log2: Register,
    pub(crate) vector: Register,
    pub(crate) moderation_us: Register,
    pub(crate) state: Register,
    pub(crate) error: Register,
    pub(crate) fetched: Register,
    pub(crate) posted: Register,
    pub(crate) held: Register,
}

impl RingBank {
    /// Whether the ring is served.
    pub(crate) fn is_running(&self) -> bool {
        self.state.get() == RingState::RUNNING.0
    }

    /// Whether the ring was stopped by an error.
    pub(crate) fn is_failed(&self) -> bool {
        self.state.get() == RingState::FAILED.0
    }

    /// Stops the ring by an error.
    pub(crate) fn fail(&self, code: FailCode) {
        self.error.set(code.0);
        self.state.set(RingState::FAILED.0);
    }

    /// Back to stopped, positions 0; the configuration stays.
    pub(crate) fn reset(&self) {
        for register in [&self.state, &self.error, &self.fetched, &self.posted, &self.held] {
            register.set(0);
        }
    }
}

/// All register cells, on lines that hold nothing else: the card writes some all the time.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct RegisterFile {
    pub(crate) state: Register,
    pub(crate) fail_code: Register,
    pub(crate) fail_pc: Register,
    pub(crate) fail_cause: Register,
    pub(crate) heartbeat: Register,
    pub(crate) incarnation: Register,
    pub(crate) generation_seed: Register,
    pub(crate) grace_ms: Register,
    pub(crate) stale_ms: Register,
    pub(crate) port_vlan_count: Register,
    pub(crate) port_vlans: [Register; PORT_VLANS_MAX as usize],
    pub(crate) rings: [RingBank; RINGS as usize],
    pub(crate) msix: MsixTable,
    failing: Mutex<()>,
}

/// The MSI-X table: words that mean something only to who serves the card as a PCI function.
#[derive(Debug)]
pub(crate) struct MsixTable(pub(crate) [Register; MSIX_WORDS]);

impl Default for MsixTable {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Register::default()))
    }
}

impl RegisterFile {
    /// Whether the card is ready: it may fetch, write, send.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.get() == CardState::READY.0
    }

    /// Puts the card into *failed*. The first failure stays on record.
    pub(crate) fn fail(&self, code: FailCode, pc: u32, cause: u32) {
        let first = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state.get() != CardState::FAILED.0 {
            self.fail_code.set(code.0);
            self.fail_pc.set(pc);
            self.fail_cause.set(cause);
            self.state.set(CardState::FAILED.0);
        }
        drop(first);
    }

    /// What a reset clears: health and rings. Settings stay.
    pub(crate) fn reset(&self) {
        self.rings.iter().for_each(RingBank::reset);
        for register in [&self.fail_code, &self.fail_pc, &self.fail_cause, &self.heartbeat] {
            register.set(0);
        }
        self.state.set(CardState::RESET.0);
        self.incarnation.set(self.incarnation.get().wrapping_add(1));
    }

    /// The settings as they stand.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            generation_seed: self.generation_seed.get(),
            grace_ms: self.grace_ms.get(),
            stale_ms: self.stale_ms.get(),
            port_vlan_count: self.port_vlan_count.get().min(PORT_VLANS_MAX),
            port_vlans: std::array::from_fn(|i| self.port_vlans[i].get() as u16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_stays_on_record_until_a_reset() {
        let registers = RegisterFile::default();
        registers.fail(FailCode::FENCE, 0, 7);
        registers.fail(FailCode::BUS, 1, 2);
        assert_eq!(registers.fail_code.get(), FailCode::FENCE.0);
        assert_eq!(registers.fail_cause.get(), 7);
        registers.grace_ms.set(9);
        registers.reset();
        assert_eq!((registers.fail_code.get(), registers.incarnation.get()), (0, 1));
        assert_eq!(registers.settings().grace_ms, 9, "a reset keeps settings");
    }
}
