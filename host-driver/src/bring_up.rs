//! Bring-up: from a BAR that may be anything to a card that is ready.
//!
//! Called by `session` at attach and after a reset. The order of the contract: identity,
//! version, hash; capabilities; reset; settings; enable; rings. Every wait is bounded on the
//! backing's clock, with a wall-clock backstop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use abi::core::Capabilities;
use abi::host::limit;
use abi::host::position::RingSize;
use abi::host::register::{self, IDENTITY_VALUE};
use abi::host::status::CardState;
use abi::layout::{Readable, Reg, Writable};

use crate::backing::{Backing, Registers};
use crate::error::AttachError;
use crate::session::Config;

/// However slow a simulated card's clock is, no wait takes longer than this on the wall.
pub(crate) const WALL_BACKSTOP: Duration = Duration::from_secs(120);

/// Reads a register that may be read.
pub(crate) fn read<A: Readable>(registers: &(impl Registers + ?Sized), register: Reg<A>) -> u32 {
    registers.read(register.offset)
}

/// Writes a register that may be written.
pub(crate) fn write<A: Writable>(
    registers: &(impl Registers + ?Sized),
    register: Reg<A>,
    value: u32,
) {
    registers.write(register.offset, value);
}

/// Checks that this is a card that this driver can talk to.
pub(crate) fn identify(backing: &dyn Backing) -> Result<(), AttachError> {
    let card = backing.describe();
    let found = read(backing, register::IDENTITY);
    if found != IDENTITY_VALUE {
        return Err(AttachError::NotACard { card, found, expected: IDENTITY_VALUE });
    }
    let card_version = read(backing, register::VERSION);
    let driver_version = abi::VERSION;
    if card_version >> 16 != abi::VERSION_MAJOR {
        return Err(AttachError::Version { card, card_version, driver_version });
    }
    let card_hash = read(backing, register::ABI_HASH);
    if card_version == driver_version && card_hash != abi::ABI_HASH {
        return Err(AttachError::AbiHash { card, card_hash, driver_hash: abi::ABI_HASH });
    }
    Ok(())
}

/// Reads the capabilities, and refuses what no card can mean.
pub(crate) fn capabilities(backing: &dyn Backing) -> Result<Capabilities, AttachError> {
    const INDEX_MAX: u32 = 1 << 30;
    let bounded = |register, name, least, most| {
        let value = read(backing, register);
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(AttachError::Capability { card: backing.describe(), name, value })
        }
    };
    let [a, b, c, d] = read(backing, register::PORT_MAC_LOW).to_le_bytes();
    let [e, f, ..] = read(backing, register::PORT_MAC_HIGH).to_le_bytes();
    let any = u32::MAX - 1;
    Ok(Capabilities {
        neighbors: bounded(register::NEIGHBORS, "NEIGHBORS", 1, INDEX_MAX)?,
        paths: bounded(register::PATHS, "PATHS", 1, INDEX_MAX)?,
        connections: bounded(register::CONNECTIONS, "CONNECTIONS", 0, INDEX_MAX)?,
        aliases: bounded(register::ALIASES, "ALIASES", 2, any)?,
        source_macs: bounded(register::SOURCE_MACS, "SOURCE_MACS", 0, any)?,
        vlans: bounded(register::VLANS, "VLANS", 0, any)?,
        state_memory: bounded(register::STATE_MEMORY, "STATE_MEMORY", 0, any)?,
        command_rings: bounded(
            register::COMMAND_RINGS,
            "COMMAND_RINGS",
            1,
            limit::COMMAND_RINGS_MAX,
        )?,
        transmit_rings: bounded(
            register::TRANSMIT_RINGS,
            "TRANSMIT_RINGS",
            0,
            limit::TRANSMIT_RINGS_MAX,
        )?,
        ring_slots: bounded(
            register::RING_SLOTS,
            "RING_SLOTS",
            limit::RING_SLOTS_MIN,
            limit::RING_SLOTS_MAX,
        )?,
        vectors: bounded(register::VECTORS, "VECTORS", 0, limit::VECTORS_MAX)?,
        held_per_path: bounded(register::HELD_PER_PATH, "HELD_PER_PATH", 0, any)?,
        held_total: bounded(register::HELD_TOTAL, "HELD_TOTAL", 0, any)?,
        clock_khz: bounded(register::CLOCK_KHZ, "CLOCK_KHZ", 1, any)?,
        port_mac: [a, b, c, d, e, f],
    })
}

/// Resets the card and waits until it says so: afterwards it does no DMA.
pub(crate) fn reset(backing: &dyn Backing) -> Result<(), AttachError> {
    let before = read(backing, register::INCARNATION);
    write(backing, register::RESET, 1);
    wait_for(backing, "acknowledge the reset", limit::RESET_DEADLINE_MS, |state| {
        // All ones: gone between the two reads; the next look says so.
        let incarnation = read(backing, register::INCARNATION);
        state == CardState::RESET && ![before, u32::MAX].contains(&incarnation)
    })
}

/// Leaves the card quiet: reset, and without the bus even if it does not answer.
pub(crate) fn quiesce(backing: &dyn Backing) -> Result<(), AttachError> {
    let reset = reset(backing);
    let quiet = bus_master(backing, false);
    reset.and(quiet)
}

fn bus_master(backing: &dyn Backing, on: bool) -> Result<(), AttachError> {
    backing.bus_master(on).map_err(|source| AttachError::System {
        card: backing.describe(),
        what: "bus mastering",
        source: Arc::new(source),
    })
}

/// Gives the card the bus and its settings, and makes it ready.
pub(crate) fn enable(
    backing: &dyn Backing,
    config: &Config,
    generation_seed: u32,
) -> Result<(), AttachError> {
    let vlans = config.port_vlans.len() as u32;
    if vlans > limit::PORT_VLANS_MAX {
        return Err(AttachError::Offered {
            card: backing.describe(),
            what: "interface VLANs:",
            asked: vlans,
            offered: limit::PORT_VLANS_MAX,
        });
    }
    bus_master(backing, true)?;
    write(backing, register::GENERATION_SEED, generation_seed);
    write(backing, register::GRACE_MS, config.grace_ms);
    write(backing, register::STALE_MS, config.stale_ms);
    write(backing, register::PORT_VLANS, vlans);
    for (number, vlan) in (0..).zip(&config.port_vlans) {
        write(backing, register::PORT_VLAN.bank(number, 4), u32::from(*vlan));
    }
    write(backing, register::ENABLE, 1);
    wait_for(backing, "become ready", limit::RESET_DEADLINE_MS, |state| state == CardState::READY)
}

/// Configures and starts one ring.
pub(crate) fn start_ring(
    backing: &dyn Backing,
    ring: u32,
    base: u64,
    completions: u64,
    size: RingSize,
    vector: u32,
) {
    let bank = |register: Reg<abi::layout::Rw>| register.bank(ring, register::RING_STRIDE);
    write(backing, bank(register::RING_BASE_LOW), base as u32);
    write(backing, bank(register::RING_BASE_HIGH), (base >> 32) as u32);
    write(backing, bank(register::RING_COMPLETION_LOW), completions as u32);
    write(backing, bank(register::RING_COMPLETION_HIGH), (completions >> 32) as u32);
    write(backing, bank(register::RING_SLOTS_LOG2), size.slots().ilog2());
    write(backing, bank(register::RING_VECTOR), vector);
    write(backing, bank(register::RING_MODERATION_US), 0);
    write(backing, register::RING_START.bank(ring, register::RING_STRIDE), 1);
}

fn wait_for(
    backing: &dyn Backing,
    what: &'static str,
    deadline_ms: u32,
    is_there: impl Fn(CardState) -> bool,
) -> Result<(), AttachError> {
    let (start_ns, start) = (backing.clock_ns(), Instant::now());
    loop {
        let state = CardState(read(backing, register::STATE));
        // What is gone stays gone: nobody waits for it.
        if state.0 == u32::MAX {
            return Err(AttachError::Vanished { card: backing.describe() });
        }
        if is_there(state) {
            return Ok(());
        }
        let waited_ms = backing.clock_ns().saturating_sub(start_ns) / 1_000_000;
        if waited_ms > u64::from(deadline_ms) || start.elapsed() > WALL_BACKSTOP {
            return Err(AttachError::TimedOut { card: backing.describe(), what, waited_ms, state });
        }
        backing.relax();
    }
}
