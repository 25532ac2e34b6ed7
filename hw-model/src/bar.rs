//! BAR0 as the host reaches it: which cell an offset names, and who may read or write it.
//!
//! Between the host's accesses and the cells of `registers`, `counters` and the doorbell page.
//! Every access is answered: a wrong width, alignment or direction reads as zero or is ignored,
//! and is counted. Offsets come from `abi` only. What a write sets going is returned as an
//! [`Order`]; nothing is carried out here.

use abi::host::limit::{BAR_BYTES, PORT_VLANS_MAX};
use abi::host::register::{self as reg, Counter};
use abi::host::trace::{TRACE, TRACE_FILLED, TRACE_PAGE, TRACE_WRITERS};
use abi::layout::Reg;
use host_driver::memory::Words;

use crate::body::Body;
use crate::control::Order;
use crate::registers::{MSIX_WORDS, Register, RingBank};
use crate::shared::Shared;

/// Bytes of a register.
const WORD: u32 = 4;
/// An offset that names nothing the host may touch in that direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Denied;

impl Shared {
    /// Reads the register at `offset`; zero, and counted, when there is none.
    pub(crate) fn read_register(&self, offset: u32) -> u32 {
        self.look_up(offset).unwrap_or_else(|Denied| {
            self.counters.add(Counter::BAD_ACCESSES, 1);
            0
        })
    }

    /// Writes the register at `offset`; ignored, and counted, when there is none. Returns what
    /// the write asks for.
    pub(crate) fn write_register(&self, offset: u32, value: u32) -> Option<Order> {
        self.put(offset, value).unwrap_or_else(|Denied| {
            self.counters.add(Counter::BAD_ACCESSES, 1);
            None
        })
    }

    /// An access of any offset, width and direction. Returns what a write asks for.
    pub(crate) fn access(&self, offset: u64, bytes: &mut [u8], write: bool) -> Option<Order> {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let is_counter = in_page(offset, reg::COUNTER_PAGE, reg::DOORBELL_PAGE);
        match *bytes {
            [a, b, c, d] if offset.is_multiple_of(WORD) && write => {
                return self.write_register(offset, u32::from_le_bytes([a, b, c, d]));
            }
            [_, _, _, _] if offset.is_multiple_of(WORD) => {
                bytes.copy_from_slice(&self.read_register(offset).to_le_bytes());
            }
            // A counter may be read whole: its two words are one value.
            [_, _, _, _, _, _, _, _] if offset.is_multiple_of(8) && is_counter && !write => {
                let number = (offset - reg::COUNTER_PAGE) / 8;
                bytes.copy_from_slice(&self.counter(number).unwrap_or(0).to_le_bytes());
            }
            _ => {
                self.counters.add(Counter::BAD_ACCESSES, 1);
                if !write {
                    bytes.fill(0);
                }
            }
        }
        None
    }

    fn look_up(&self, offset: u32) -> Result<u32, Denied> {
        if !offset.is_multiple_of(WORD) || offset >= BAR_BYTES {
            return Err(Denied);
        }
        // First, because a host that follows the trace reads hardly anything else.
        if let Some(at) = offset.checked_sub(TRACE_PAGE) {
            return self.trace.read(at).ok_or(Denied);
        }
        if in_page(offset, reg::COUNTER_PAGE, reg::DOORBELL_PAGE) {
            let at = offset - reg::COUNTER_PAGE;
            let value = self.counter(at / 8).ok_or(Denied)?;
            return Ok(if at.is_multiple_of(8) { value as u32 } else { (value >> 32) as u32 });
        }
        if let Some(word) = doorbell(offset) {
            return Ok(self.slot.doorbells.load_acquire(word));
        }
        if let Some((bank, of)) = self.ring_cell(offset) {
            return ring_register(bank, of)
                .filter(|(_, access)| *access != Access::Write)
                .map(|(register, _)| register.get())
                .ok_or(Denied);
        }
        if let Some(register) = self.setting(offset).or_else(|| self.msix(offset)) {
            return Ok(register.get());
        }
        if in_page(offset, reg::MSIX_PENDING, reg::MSIX_PENDING + 8) {
            let is_first = offset == reg::MSIX_PENDING;
            return Ok(if is_first { self.slot.interrupts.pending() } else { 0 });
        }
        self.constant(offset)
            .or_else(|| self.health(offset))
            .or_else(|| self.traced(offset))
            .ok_or(Denied)
    }

    fn put(&self, offset: u32, value: u32) -> Result<Option<Order>, Denied> {
        if !offset.is_multiple_of(WORD) || offset >= BAR_BYTES {
            return Err(Denied);
        }
        if let Some(word) = doorbell(offset) {
            self.slot.doorbells.store_release(word, value);
            self.core_sleeper.wake();
            self.datapath_sleeper.wake();
            return Ok(None);
        }
        if let Some((bank, of)) = self.ring_cell(offset) {
            if of == within_bank(reg::RING_START) {
                let ring = (offset - reg::RING_BASE_LOW.offset) / reg::RING_STRIDE;
                return Ok((value == 1).then_some(Order::StartRing(ring)));
            }
            return match ring_register(bank, of) {
                Some((register, Access::ReadWrite)) => {
                    register.set(value);
                    Ok(None)
                }
                _ => Err(Denied),
            };
        }
        if let Some(register) = self.setting(offset).or_else(|| self.msix(offset)) {
            register.set(value);
            return Ok(None);
        }
        if offset == TRACE.offset {
            self.trace.set_control(value);
            return Ok(None);
        }
        if offset == reg::RESET.offset {
            return Ok((value == 1).then_some(Order::Reset));
        }
        if offset == reg::ENABLE.offset {
            return Ok((value == 1).then_some(Order::Enable));
        }
        Err(Denied)
    }

    fn counter(&self, number: u32) -> Option<u64> {
        if number == Counter::DMA_REFUSED.0 {
            return Some(self.slot.iommu.refused());
        }
        self.counters.get(number)
    }

    fn ring_cell(&self, offset: u32) -> Option<(&RingBank, u32)> {
        let at = offset.checked_sub(reg::RING_BASE_LOW.offset)?;
        let bank = self.registers.rings.get((at / reg::RING_STRIDE) as usize)?;
        Some((bank, at % reg::RING_STRIDE))
    }

    fn setting(&self, offset: u32) -> Option<&Register> {
        let registers = &self.registers;
        let settings = [
            (reg::GENERATION_SEED, &registers.generation_seed),
            (reg::GRACE_MS, &registers.grace_ms),
            (reg::STALE_MS, &registers.stale_ms),
            (reg::PORT_VLANS, &registers.port_vlan_count),
        ];
        if let Some((_, register)) = settings.iter().find(|(at, _)| at.offset == offset) {
            return Some(register);
        }
        let vlan = offset.checked_sub(reg::PORT_VLAN.offset)? / WORD;
        registers.port_vlans.get(vlan as usize).filter(|_| vlan < PORT_VLANS_MAX)
    }

    fn msix(&self, offset: u32) -> Option<&Register> {
        let word = offset.checked_sub(reg::MSIX_TABLE)? / WORD;
        self.registers.msix.0.get(word as usize).filter(|_| (word as usize) < MSIX_WORDS)
    }

    fn constant(&self, offset: u32) -> Option<u32> {
        let card = &self.config.capabilities;
        let [a, b, c, d, e, f] = card.port_mac;
        let constants = [
            (reg::IDENTITY, reg::IDENTITY_VALUE),
            (reg::VERSION, abi::VERSION),
            (reg::ABI_HASH, abi::ABI_HASH),
            (reg::IMAGE_HASH, image_hash(&self.config.body)),
            (reg::FEATURES, 0),
            (reg::NEIGHBORS, card.neighbors),
            (reg::PATHS, card.paths),
            (reg::CONNECTIONS, card.connections),
            (reg::ALIASES, card.aliases),
            (reg::SOURCE_MACS, card.source_macs),
            (reg::VLANS, card.vlans),
            (reg::STATE_MEMORY, card.state_memory),
            (reg::COMMAND_RINGS, card.command_rings),
            (reg::TRANSMIT_RINGS, card.transmit_rings),
            (reg::RING_SLOTS, card.ring_slots),
            (reg::VECTORS, card.vectors),
            (reg::HELD_PER_PATH, card.held_per_path),
            (reg::HELD_TOTAL, card.held_total),
            (reg::CLOCK_KHZ, card.clock_khz),
            (reg::PORT_MAC_LOW, u32::from_le_bytes([a, b, c, d])),
            (reg::PORT_MAC_HIGH, u32::from_le_bytes([e, f, 0, 0])),
        ];
        constants.iter().find(|(at, _)| at.offset == offset).map(|(_, value)| *value)
    }

    fn health(&self, offset: u32) -> Option<u32> {
        let registers = &self.registers;
        let cells = [
            (reg::STATE, &registers.state),
            (reg::FAIL_CODE, &registers.fail_code),
            (reg::FAIL_PC, &registers.fail_pc),
            (reg::FAIL_CAUSE, &registers.fail_cause),
            (reg::HEARTBEAT, &registers.heartbeat),
            (reg::INCARNATION, &registers.incarnation),
        ];
        if let Some((_, register)) = cells.iter().find(|(at, _)| at.offset == offset) {
            return Some(register.get());
        }
        let cycles = self.clock.cycles();
        match offset {
            at if at == reg::TIME_MS.offset => Some(self.clock.ms_at(cycles)),
            at if at == reg::CYCLES_LOW.offset => Some(cycles as u32),
            at if at == reg::CYCLES_HIGH.offset => Some((cycles >> 32) as u32),
            _ => None,
        }
    }

    /// The registers of the trace.
    fn traced(&self, offset: u32) -> Option<u32> {
        if offset == TRACE.offset {
            return Some(self.trace.control());
        }
        let writer = offset.checked_sub(TRACE_FILLED.offset)? / WORD;
        self.trace.filled(writer).filter(|_| writer < TRACE_WRITERS)
    }
}

/// What tells firmware images apart; 0 where the firmware is linked in and there is none.
fn image_hash(body: &Body) -> u32 {
    match body {
        Body::Native => 0,
        Body::Riscv(image) => image.hash(),
    }
}

fn in_page(offset: u32, start: u32, end: u32) -> bool {
    (start..end).contains(&offset)
}

/// The word of the doorbell page that `offset` names.
fn doorbell(offset: u32) -> Option<usize> {
    let at = offset.checked_sub(reg::DOORBELL_PAGE)?;
    (at < reg::DOORBELL_PAGE_BYTES).then_some((at / WORD) as usize)
}

/// Who may touch a register of a ring bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    ReadWrite,
    Write,
}

/// Byte offset of a register within its bank.
const fn within_bank<A>(register: Reg<A>) -> u32 {
    register.offset - reg::RING_BASE_LOW.offset
}

fn ring_register(bank: &RingBank, of: u32) -> Option<(&Register, Access)> {
    let cells = [
        (within_bank(reg::RING_BASE_LOW), &bank.base_low, Access::ReadWrite),
        (within_bank(reg::RING_BASE_HIGH), &bank.base_high, Access::ReadWrite),
        (within_bank(reg::RING_COMPLETION_LOW), &bank.completion_low, Access::ReadWrite),
        (within_bank(reg::RING_COMPLETION_HIGH), &bank.completion_high, Access::ReadWrite),
        (within_bank(reg::RING_SLOTS_LOG2), &bank.slots_log2, Access::ReadWrite),
        (within_bank(reg::RING_VECTOR), &bank.vector, Access::ReadWrite),
        (within_bank(reg::RING_MODERATION_US), &bank.moderation_us, Access::ReadWrite),
        (within_bank(reg::RING_START), &bank.state, Access::Write),
        (within_bank(reg::RING_STATE), &bank.state, Access::Read),
        (within_bank(reg::RING_ERROR), &bank.error, Access::Read),
        (within_bank(reg::RING_FETCHED), &bank.fetched, Access::Read),
        (within_bank(reg::RING_POSTED), &bank.posted, Access::Read),
        (within_bank(reg::RING_HELD), &bank.held, Access::Read),
    ];
    let found = cells.into_iter().find(|(at, ..)| *at == of)?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use abi::host::trace;

    use super::*;
    use crate::clock::Clock;
    use crate::config::CardConfig;
    use crate::slot::Slot;

    fn card() -> std::sync::Arc<Shared> {
        Shared::new(Slot::new(), CardConfig::default(), Clock::counted(250_000))
    }

    fn bad(shared: &Shared) -> u64 {
        shared.counters.get(Counter::BAD_ACCESSES.0).unwrap()
    }

    #[test]
    fn every_register_answers_as_its_row_says() {
        let shared = card();
        let of_trace = [trace::TRACE_REGISTERS, trace::TRACE_BANK];
        let others = [reg::REGISTERS, reg::RING_BANK, reg::PORT_VLAN_BANK, reg::DOORBELL_BANK];
        for table in others.into_iter().chain(of_trace) {
            for row in table.rows {
                let offset = row.offset as u32;
                let before = bad(&shared);
                shared.read_register(offset);
                let readable = bad(&shared) == before;
                assert_eq!(readable, !row.doc.starts_with("Wo."), "read {}", row.name);
                let before = bad(&shared);
                shared.write_register(offset, 0);
                let writable = bad(&shared) == before;
                assert_eq!(writable, !row.doc.starts_with("Ro."), "write {}", row.name);
            }
        }
    }

    #[test]
    fn odd_widths_alignments_and_offsets_are_counted_and_answer_zero() {
        let shared = card();
        let mut wrong = 0;
        for offset in [0, 1, 2, 3, 0x7f, 0x1001, 0x2002, 0xffff, u64::from(BAR_BYTES), u64::MAX] {
            for width in [0, 1, 2, 3, 5, 8, 16] {
                let mut bytes = vec![0xaa; width];
                assert_eq!(shared.access(offset, &mut bytes, false), None);
                assert!(bytes.iter().all(|byte| *byte == 0));
                assert_eq!(shared.access(offset, &mut bytes, true), None);
                wrong += 2;
            }
        }
        assert_eq!(bad(&shared), wrong);
    }

    #[test]
    fn a_counter_reads_whole_or_by_halves() {
        let shared = card();
        shared.counters.add(Counter::BYTES_LEFT, 0x1_2345_6789);
        let offset = Counter::BYTES_LEFT.offset();
        assert_eq!(shared.read_register(offset), 0x2345_6789);
        assert_eq!(shared.read_register(offset + 4), 1);
        let mut bytes = [0; 8];
        shared.access(u64::from(offset), &mut bytes, false);
        assert_eq!(u64::from_le_bytes(bytes), 0x1_2345_6789);
        assert_eq!(bad(&shared), 0);
    }

    #[test]
    fn only_a_one_sets_something_going() {
        let shared = card();
        assert_eq!(shared.write_register(reg::RESET.offset, 1), Some(Order::Reset));
        assert_eq!(shared.write_register(reg::RESET.offset, 2), None);
        let start = reg::RING_START.bank(9, reg::RING_STRIDE).offset;
        assert_eq!(shared.write_register(start, 1), Some(Order::StartRing(9)));
        assert_eq!(shared.write_register(start, 0), None);
    }
}
