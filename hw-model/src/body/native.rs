//! The native body: the firmware library linked in.
//!
//! Between `firmware` and `hal`, through which it reaches the card. A step costs what its calls and
//! marks are charged; see `charge`. It judges no command.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use abi::core::LinkWalk;
use abi::host::status::FailCode;
use firmware::{Activity, Firmware};

use super::Step;
use super::hal::NativeHal;
use super::lists::Lists;
use crate::charge::Charge;
use crate::iommu::Window;
use crate::meter::{Meter, Tally};
use crate::peripherals::Peripherals;
use crate::table_memory::TableMemory;

/// The linked firmware, once it was started.
#[derive(Default)]
pub(crate) struct NativeBody<M> {
    firmware: Option<Box<Firmware>>,
    /// The last step ended asleep.
    is_asleep: bool,
    /// First word of the slot with which the last block began.
    head: Cell<u32>,
    /// The mark of the last block.
    before: Cell<Option<Charge>>,
    meter: M,
    /// Chunks of lists, where they are due at once.
    lists: Lists,
    /// What the link engine was ordered last, carried out, and the cycle in which it ends.
    walk: Option<(LinkWalk, u64)>,
    /// Table memory, from ENABLE to reset.
    table: Option<Arc<TableMemory>>,
}

impl<M: Meter> NativeBody<M> {
    pub(super) fn reset(&mut self) {
        self.firmware = None;
        self.is_asleep = false;
        self.table = None;
    }

    pub(super) fn enable(&mut self, side: &mut Peripherals) -> bool {
        self.reset();
        self.table = Some(Arc::clone(&side.table));
        let mut firmware = Box::new(Firmware::new());
        let shared = Arc::clone(&side.shared);
        let is_started =
            firmware.start(&mut self.hal(side, &shared.slot.iommu.window(), &mut || false));
        self.firmware = is_started.then_some(firmware);
        is_started
    }

    pub(super) fn step(
        &mut self,
        side: &mut Peripherals,
        window: &Window<'_>,
        announce: &mut dyn FnMut() -> bool,
    ) -> Step {
        self.meter.restart();
        self.meter.charge(Charge::STEP, 1);
        self.meter.charge(Charge::WAKE, u32::from(self.is_asleep));
        let mut activity = Activity::Idle;
        if let Some(mut firmware) = self.firmware.take() {
            // A panic of the firmware is this body's trap: the card fails, its host goes on.
            let mut hal = self.hal(side, window, announce);
            let step = AssertUnwindSafe(|| firmware.step(&mut hal));
            let outcome = catch_unwind(step);
            let has_stored = hal.has_stored;
            side.has_acted |= has_stored;
            match outcome {
                Ok(found) => {
                    activity = found;
                    self.firmware = Some(firmware);
                }
                Err(_) => side.shared.registers.fail(FailCode::TRAP, 0, 0),
            }
        }
        self.is_asleep = activity != Activity::Busy;
        Step {
            is_cut: false,
            is_busy: !self.is_asleep,
            is_at_rest: activity == Activity::Idle,
            cycles: self.meter.spent(),
            instructions: 0,
            stalls: self.meter.stalled(),
        }
    }

    pub(super) fn add_to(&self, tally: &mut Tally) {
        self.meter.add_to(tally);
    }

    fn hal<'a>(
        &'a mut self,
        side: &'a mut Peripherals,
        window: &'a Window<'a>,
        announce: &'a mut dyn FnMut() -> bool,
    ) -> NativeHal<'a, M> {
        NativeHal {
            table: self.table.as_deref().map_or(&[], TableMemory::cells),
            lists: &mut self.lists,
            walk: &mut self.walk,
            traces: side.shared.trace.is_on(),
            has_stored: false,
            side,
            window,
            announce,
            meter: &self.meter,
            head: &self.head,
            before: &self.before,
        }
    }
}
