//! What the host's control registers set going: reset, enable, start of a ring.
//!
//! From `bar`, to the engines, which the caller owns while this runs: nothing fetches, steps or
//! sends meanwhile, so a reset is quiet by construction. Taking the engines away from their
//! threads, within a bound, is the matter of `free_running`.

use std::sync::Arc;

use abi::host::register::TRANSMIT_RING_FIRST;
use abi::host::status::{CardState, FailCode, RingState};
use host_driver::memory::Words;

use crate::command_core::CommandCore;
use crate::datapath::Datapath;
use crate::epochs::{ANNOUNCED, GLOBAL};
use crate::meter::Meter;
use crate::rings::{RingConfig, RingUse};
use crate::shared::Shared;
use crate::table_memory::TableMemory;

/// What a register write asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// RESET: forget everything.
    Reset,
    /// ENABLE: take the settings, start the firmware.
    Enable,
    /// RING_START of this ring.
    StartRing(u32),
}

/// Carries out `order` at `now`.
pub(crate) fn carry_out<M: Meter>(
    order: Order,
    shared: &Shared,
    core: &mut CommandCore<M>,
    datapath: &mut Datapath,
    now: u64,
) {
    match order {
        Order::Reset => reset(shared, core, datapath),
        Order::Enable => enable(shared, core, datapath, now),
        Order::StartRing(ring) => start_ring(ring, shared, core, datapath),
    }
}

/// Table memory for this card; none at all when it cannot be had, which ENABLE finds out.
pub(crate) fn fresh_table(shared: &Shared) -> Arc<TableMemory> {
    let words = shared.layout.map_or(0, |layout| layout.words);
    TableMemory::new(words).unwrap_or_else(TableMemory::none)
}

fn reset<M: Meter>(shared: &Shared, core: &mut CommandCore<M>, datapath: &mut Datapath) {
    // The old table goes before the new one comes: a full-sized card does not need both.
    core.reset(TableMemory::none());
    datapath.reset(TableMemory::none());
    let table = fresh_table(shared);
    core.reset(Arc::clone(&table));
    datapath.reset(table);
    for word in [GLOBAL, ANNOUNCED] {
        // ORDERING: Relaxed. Both sides stand still; the engines' locks order this.
        // No loom test: no second thread is there.
        shared.epochs.store_relaxed(word, 0);
    }
    for word in 0..shared.slot.doorbells.len() {
        // ORDERING: Relaxed. INCARNATION, written below with Release, publishes the cleared page.
        // No loom test: the host reads it after that register.
        shared.slot.doorbells.store_relaxed(word, 0);
    }
    shared.slot.interrupts.reset();
    shared.trace.reset();
    shared.registers.reset();
}

fn enable<M: Meter>(shared: &Shared, core: &mut CommandCore<M>, datapath: &mut Datapath, now: u64) {
    if shared.registers.state.get() != CardState::RESET.0 {
        return;
    }
    datapath.enable(shared.registers.stale_ms.get());
    if core.enable(now) {
        shared.registers.state.set(CardState::READY.0);
    } else {
        shared.registers.fail(FailCode::TABLE, 0, 0);
    }
}

fn start_ring<M: Meter>(
    number: u32,
    shared: &Shared,
    core: &mut CommandCore<M>,
    datapath: &mut Datapath,
) {
    let Some(bank) = shared.registers.rings.get(number as usize) else {
        return;
    };
    if !shared.registers.is_ready() || bank.state.get() != RingState::STOPPED.0 {
        return;
    }
    let card = &shared.config.capabilities;
    let purpose = RingUse::of(number, card);
    let config = purpose.and_then(|purpose| RingConfig::take(bank, purpose, card));
    let (Some(purpose), Some(config)) = (purpose, config) else {
        bank.fail(FailCode::RING_CONFIG);
        return;
    };
    match purpose {
        RingUse::Command => core.start_command_ring(number, config),
        RingUse::Transmit => datapath.start_ring((number - TRANSMIT_RING_FIRST) as usize, config),
        RingUse::Event => core.start_event_ring(&config),
    }
    bank.state.set(RingState::RUNNING.0);
}
