//! The core's bus: the address map of `abi::core::mmio`, answered.
//!
//! Between the simulated hart and `peripherals`; positions and window memory are in `windows`.
//! Aligned 32-bit words only. What is not in the map, or not in that direction, faults.
//! Registers and windows answer in a fixed time, table memory as `memory` says.

use abi::core::Fetched;
use abi::core::mmio::{
    self, ANNOUNCED, CORE_COUNT, CORE_CYCLES, CORE_FAIL, CORE_FAIL_CAUSE, CORE_FAIL_PC,
    CORE_FEATURES, CORE_HEARTBEAT, CORE_PORT_VLAN, CORE_RING_STRIDE, CORE_TIME_MS,
    CORE_TRACE_FILLED, CORE_TRACE_ON, CoreFeature, EVENT_LIMIT, FINISH, LINK_ENDED, LINK_HOME,
    LINK_MS, LINK_ORDERED, LINK_RANGE, LINK_TO, LIST_ANSWERED, LIST_ASKED, LIST_ENTRIES, LIST_HIGH,
    LIST_LOW, LIST_REFUSED, LISTS, MAIL_FILLED, MAIL_TAKEN, MAILBOXES, NOTICE_LEFT, NOTICE_TAKEN,
    NOTICES, OUTBOX, OUTBOX_FILLED, OUTBOX_TAKEN, PENDING, RAISED, REGISTERS, SETTLED, STOPPED,
    TABLES, TRACE, WAKE,
};
use abi::host::limit::{COMMAND_RINGS_MAX, PORT_VLANS_MAX, SLOT_BYTES};
use abi::host::register::{COUNTERS, Counter};
use abi::host::status::FailCode;
use abi::host::trace::TRACE_RECORDS;
use abi::layout::Reg;
use host_driver::memory::Words;
use rv32::{Access, Bus, Fault, Stored, Width};

use super::windows::Windows;
use crate::costs::REGISTER_LOAD_STALL;
use crate::peripherals::Peripherals;

/// Where the windows end.
const REGISTERS_LAST: u32 = REGISTERS + mmio::REGISTERS_BYTES - 1;
const MAILBOXES_LAST: u32 = MAILBOXES + COMMAND_RINGS_MAX * mmio::MAILBOX_STRIDE - 1;
const OUTBOX_LAST: u32 = OUTBOX + mmio::OUTBOX_ENTRIES * mmio::OUTBOX_STRIDE - 1;
const LISTS_LAST: u32 = LISTS + COMMAND_RINGS_MAX * mmio::LIST_BUFFERS * mmio::LIST_STRIDE - 1;
const NOTICES_LAST: u32 = NOTICES + mmio::NOTICE_SLOTS * mmio::notice::WORDS * 4 - 1;
const TRACE_LAST: u32 = TRACE + TRACE_RECORDS * 16 - 1;
/// Registers of a ring's bank begin here.
const RING_BANKS: u32 = MAIL_FILLED.offset;
/// Behind them, those of the link engine.
const LINK_REGISTERS: u32 = LINK_TO.offset;

/// The card, for one run of the hart.
pub(super) struct CoreBus<'a> {
    pub(super) side: &'a mut Peripherals,
    pub(super) windows: &'a mut Windows,
    /// Cycles for which table memory kept the hart waiting.
    pub(super) stalls: u64,
}

impl Bus for CoreBus<'_> {
    #[inline]
    fn load(&mut self, at: u64, address: u32, width: Width) -> Result<Access, Fault> {
        if width != Width::Word {
            return Err(Fault);
        }
        if let Some(offset) = address.checked_sub(TABLES) {
            let word = offset / 4;
            if word as usize >= self.side.table.len() {
                return Err(Fault);
            }
            let stall = self.side.table_port.load(word);
            self.stalls += u64::from(stall);
            return Ok(Access { value: self.side.table.load_acquire(word as usize), stall });
        }
        let value = self.load_beside(at, address)?;
        Ok(Access { value, stall: REGISTER_LOAD_STALL })
    }

    #[inline]
    fn store(&mut self, at: u64, address: u32, width: Width, value: u32) -> Result<Stored, Fault> {
        if width != Width::Word {
            return Err(Fault);
        }
        if let Some(offset) = address.checked_sub(TABLES) {
            let word = offset / 4;
            if word as usize >= self.side.table.len() {
                return Err(Fault);
            }
            self.side.has_acted = true;
            self.side.table_port.store(at);
            self.side.table.store_release(word as usize, value);
            return Ok(Stored::default());
        }
        let is_boundary = self.store_beside(at, address, value)?;
        Ok(Stored { stall: 0, is_boundary })
    }

    fn fence(&mut self, at: u64) -> u32 {
        let stall = self.side.table_port.fence(at);
        self.stalls += u64::from(stall);
        stall
    }

    fn wakes(&mut self) -> bool {
        self.windows.wake != 0
    }
}

impl CoreBus<'_> {
    /// Loads from what is not table memory.
    fn load_beside(&mut self, at: u64, address: u32) -> Result<u32, Fault> {
        let Self { side, windows, .. } = self;
        Ok(match address {
            REGISTERS..=REGISTERS_LAST => return self.register(at, address - REGISTERS),
            MAILBOXES..=MAILBOXES_LAST => {
                let (ring, offset) = split(address - MAILBOXES, mmio::MAILBOX_STRIDE);
                windows.mail_word(side, ring, offset / SLOT_BYTES, offset % SLOT_BYTES / 4)
            }
            LISTS..=LISTS_LAST => {
                let (place, offset) = split(address - LISTS, mmio::LIST_STRIDE);
                let (ring, buffer) = split(place, mmio::LIST_BUFFERS);
                let handle = match side.rings.get(ring as usize) {
                    Some(Some(ring)) => ring.list.entry(buffer, offset / 8).0,
                    _ => 0,
                };
                if offset.is_multiple_of(8) { handle as u32 } else { (handle >> 32) as u32 }
            }
            NOTICES..=NOTICES_LAST => windows.notice_word((address - NOTICES) / 4),
            OUTBOX..=OUTBOX_LAST => windows.outbox_word((address - OUTBOX) / 4),
            TRACE..=TRACE_LAST => {
                side.shared.trace.load_word((address - TRACE) / 4).ok_or(Fault)?
            }
            _ if address == mmio::CONTROL + CORE_FEATURES.offset => {
                let link = if side.has_link_engine() { CoreFeature::LINK_ENGINE.0 } else { 0 };
                CoreFeature::CARD.0 | link
            }
            _ => return Err(Fault),
        })
    }

    /// Stores to what is not table memory. Returns whether the hart's run ends here.
    fn store_beside(&mut self, at: u64, address: u32, value: u32) -> Result<bool, Fault> {
        match address {
            REGISTERS..=REGISTERS_LAST => return self.set_register(at, address - REGISTERS, value),
            OUTBOX..=OUTBOX_LAST => self.windows.set_outbox_word((address - OUTBOX) / 4, value),
            TRACE..=TRACE_LAST => self.side.shared.trace.store_word((address - TRACE) / 4, value),
            // A card has no run to end: what the image says here is for who has none.
            _ if address == mmio::CONTROL + FINISH.offset => {}
            _ => return Err(Fault),
        }
        Ok(false)
    }

    fn register(&mut self, at: u64, offset: u32) -> Result<u32, Fault> {
        let Self { side, windows, .. } = self;
        if offset >= LINK_REGISTERS && side.has_link_engine() {
            if is(LINK_ENDED, offset) {
                self.stalls += windows.wait_for_links(at);
            }
            return windows.link_register(at, offset).ok_or(Fault);
        }
        if offset >= RING_BANKS {
            return self.ring_register(offset - RING_BANKS);
        }
        Ok(match offset {
            _ if is(PENDING, offset) => side.pending(),
            _ if is(NOTICE_LEFT, offset) => windows.notices_left(side),
            _ if is(CORE_TRACE_ON, offset) => side.shared.trace.control(),
            _ if is(STOPPED, offset) => side.stopped(),
            _ if is(OUTBOX_TAKEN, offset) => windows.outbox_taken(side),
            _ if is(CORE_TIME_MS, offset) => side.now_ms,
            _ if is(ANNOUNCED, offset) => side.announced(at),
            _ if is(EVENT_LIMIT, offset) => windows.event_limit(side),
            _ if is(WAKE, offset) => windows.wake,
            _ if is(CORE_CYCLES, offset) && side.shared.clock.is_counted() => at as u32,
            _ if is(CORE_CYCLES, offset) => side.shared.clock.cycles() as u32,
            _ => constant(side, offset).ok_or(Fault)?,
        })
    }

    fn ring_register(&self, offset: u32) -> Result<u32, Fault> {
        let (ring, of) = split(offset, CORE_RING_STRIDE);
        if ring >= COMMAND_RINGS_MAX {
            return Err(Fault);
        }
        Ok(match of + RING_BANKS {
            at if is(MAIL_FILLED, at) => self.windows.mail_filled(self.side, ring),
            at if is(LIST_ANSWERED, at) => self.windows.answered(self.side, ring),
            at if is(LIST_REFUSED, at) => u32::from(self.side.list_state(ring) == Fetched::Failed),
            _ => return Err(Fault),
        })
    }

    fn set_register(&mut self, at: u64, offset: u32, value: u32) -> Result<bool, Fault> {
        let Self { side, windows, .. } = self;
        if offset >= LINK_REGISTERS && side.has_link_engine() {
            return self.set_link_register(at, offset, value).map(|()| false);
        }
        if offset >= RING_BANKS {
            return self.set_ring_register(at, offset - RING_BANKS, value);
        }
        match offset {
            _ if is(WAKE, offset) => {
                windows.wake = value;
                return Ok(value == 0);
            }
            _ if is(CORE_HEARTBEAT, offset) => side.beat(value),
            _ if is(OUTBOX_FILLED, offset) => windows.fill(side, at, value)?,
            _ if is(RAISED, offset) => side.raise(at, value),
            _ if is(NOTICE_TAKEN, offset) => windows.take_notices(value)?,
            _ if is(CORE_TRACE_FILLED, offset) => side.shared.trace.set_filled(value),
            _ if is(CORE_FAIL_PC, offset) => windows.fail_pc = value,
            _ if is(CORE_FAIL_CAUSE, offset) => windows.fail_cause = value,
            _ if is(CORE_FAIL, offset) => {
                let code = FailCode(value);
                side.shared.registers.fail(code, windows.fail_pc, windows.fail_cause);
                return Ok(true);
            }
            _ => {
                let number = offset.checked_sub(CORE_COUNT.offset).ok_or(Fault)? / 4;
                if number as usize >= COUNTERS {
                    return Err(Fault);
                }
                side.shared.counters.add(Counter(number), u64::from(value));
            }
        }
        Ok(false)
    }

    fn set_link_register(&mut self, at: u64, offset: u32, value: u32) -> Result<(), Fault> {
        let Self { side, windows, .. } = self;
        match offset {
            _ if is(LINK_TO, offset) => windows.link.to = value,
            _ if is(LINK_HOME, offset) => windows.link.home = value,
            _ if is(LINK_MS, offset) => windows.link.now_ms = value,
            _ if is(LINK_RANGE, offset) => windows.link.range = value,
            _ if is(LINK_ORDERED, offset) => windows.order(side, at, value),
            _ => return Err(Fault),
        }
        Ok(())
    }

    /// Returns whether the hart's run ends here: behind what asks for something that will arrive.
    fn set_ring_register(&mut self, at: u64, offset: u32, value: u32) -> Result<bool, Fault> {
        let Self { side, windows, .. } = self;
        let (ring, of) = split(offset, CORE_RING_STRIDE);
        let window = windows.rings.get_mut(ring as usize).ok_or(Fault)?;
        match of + RING_BANKS {
            at if is(MAIL_TAKEN, at) => windows.take(side, ring, value)?,
            at if is(SETTLED, at) => windows.settle(side, ring, value)?,
            at if is(LIST_LOW, at) => window.list_low = value,
            at if is(LIST_HIGH, at) => window.list_high = value,
            at if is(LIST_ENTRIES, at) => window.list_entries = value,
            number if is(LIST_ASKED, number) => {
                windows.ask(side, at, ring, value);
                return Ok(side.shared.clock.is_counted());
            }
            _ => return Err(Fault),
        }
        Ok(false)
    }
}

/// Which of windows `stride` apart, and where in it.
const fn split(offset: u32, stride: u32) -> (u32, u32) {
    (offset / stride, offset % stride)
}

#[inline(always)]
const fn is<A>(register: Reg<A>, offset: u32) -> bool {
    register.offset == offset
}

/// What does not change while the firmware runs: capabilities and settings.
fn constant(side: &Peripherals, offset: u32) -> Option<u32> {
    let card = &side.shared.config.capabilities;
    let settings = &side.settings;
    let [a, b, c, d, e, f] = card.port_mac;
    let vlan = offset.wrapping_sub(CORE_PORT_VLAN.offset) / 4;
    if vlan < PORT_VLANS_MAX {
        return settings.port_vlans.get(vlan as usize).map(|vlan| u32::from(*vlan));
    }
    let constants = [
        (mmio::CORE_NEIGHBORS, card.neighbors),
        (mmio::CORE_PATHS, card.paths),
        (mmio::CORE_CONNECTIONS, card.connections),
        (mmio::CORE_ALIASES, card.aliases),
        (mmio::CORE_SOURCE_MACS, card.source_macs),
        (mmio::CORE_VLANS, card.vlans),
        (mmio::CORE_STATE_MEMORY, card.state_memory),
        (mmio::CORE_COMMAND_RINGS, card.command_rings),
        (mmio::CORE_TRANSMIT_RINGS, card.transmit_rings),
        (mmio::CORE_RING_SLOTS, card.ring_slots),
        (mmio::CORE_VECTORS, card.vectors),
        (mmio::CORE_HELD_PER_PATH, card.held_per_path),
        (mmio::CORE_HELD_TOTAL, card.held_total),
        (mmio::CORE_CLOCK_KHZ, card.clock_khz),
        (mmio::CORE_PORT_MAC_LOW, u32::from_le_bytes([a, b, c, d])),
        (mmio::CORE_PORT_MAC_HIGH, u32::from_le_bytes([e, f, 0, 0])),
        (mmio::CORE_GENERATION_SEED, settings.generation_seed),
        (mmio::CORE_GRACE_MS, settings.grace_ms),
        (mmio::CORE_STALE_MS, settings.stale_ms),
        (mmio::CORE_PORT_VLANS, settings.port_vlan_count),
    ];
    constants.iter().find(|(at, _)| at.offset == offset).map(|(_, value)| *value)
}
