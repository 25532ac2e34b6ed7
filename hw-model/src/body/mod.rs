//! The core's body: what runs the firmware, and what that costs.
//!
//! Called by `command_core`, one step at a time; reaches the card through `peripherals`. `native` is
//! the firmware library linked in, `riscv` the firmware image on a simulated hart behind `bus`.
//! Same commands, same answers; only the way in which cycles are counted differs.

mod bus;
mod hal;
mod lists;
mod native;
mod riscv;
mod windows;

use std::sync::Arc;

pub(crate) use native::NativeBody;
pub(crate) use riscv::RiscvBody;

use crate::image::Image;
use crate::iommu::Window;
use crate::meter::{Meter, Tally};
use crate::peripherals::Peripherals;

/// What runs the firmware.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// The firmware library, linked into the model; cycles by a table of costs.
    #[default]
    Native,
    /// A firmware image on a simulated RISC-V hart; cycles counted an instruction.
    Riscv(Arc<Image>),
}

impl Body {
    /// As a card with this body is called.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Native => "model",
            Self::Riscv(_) => "riscv",
        }
    }
}

/// What one step took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    /// There may be more to do at once.
    pub(crate) is_busy: bool,
    /// Nothing is under way: the next command, or a notice, is what it needs. A simulated hart does
    /// not tell.
    pub(crate) is_at_rest: bool,
    /// It was cut where something arrives, and goes on in the next.
    pub(crate) is_cut: bool,
    /// Cycles until the core is free again.
    pub(crate) cycles: u64,
    /// Instructions retired; none on a native body.
    pub(crate) instructions: u64,
    /// Cycles among `cycles` in which the core waited for table memory.
    pub(crate) stalls: u64,
}

impl Step {
    /// It and the one that went on behind it.
    pub(crate) fn and(self, next: Self) -> Self {
        Self {
            cycles: self.cycles + next.cycles,
            instructions: self.instructions + next.instructions,
            stalls: self.stalls + next.stalls,
            ..next
        }
    }
}

/// A body at work. `M` counts for the native one.
pub(crate) enum Core<M> {
    Native(NativeBody<M>),
    Riscv(Box<RiscvBody>),
}

impl<M: Meter> Core<M> {
    /// A core in reset.
    pub(crate) fn new(body: &Body) -> Self {
        match body {
            Body::Native => Self::Native(NativeBody::default()),
            Body::Riscv(image) => Self::Riscv(Box::new(RiscvBody::new(Arc::clone(image)))),
        }
    }

    /// Stops the firmware and forgets it.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Native(body) => body.reset(),
            Self::Riscv(body) => body.reset(),
        }
    }

    /// Starts the firmware. Returns whether it accepts the card.
    pub(crate) fn enable(&mut self, side: &mut Peripherals) -> bool {
        match self {
            Self::Native(body) => body.enable(side),
            Self::Riscv(body) => body.enable(side),
        }
    }

    /// One step of the firmware. `announce` asks a reader on this thread to announce what was
    /// raised; a native body asks at once. What arrives at `until` is to be seen from there on: a
    /// simulated hart stops there.
    pub(crate) fn step(
        &mut self,
        side: &mut Peripherals,
        window: &Window<'_>,
        until: Option<u64>,
        announce: &mut dyn FnMut() -> bool,
    ) -> Step {
        match self {
            Self::Native(body) => body.step(side, window, announce),
            Self::Riscv(body) => body.step(side, until),
        }
    }

    /// Adds what the last step met to a tally.
    pub(crate) fn add_to(&self, tally: &mut Tally) {
        if let Self::Native(body) = self {
            body.add_to(tally);
        }
    }

    /// Where a simulated hart stands.
    pub(crate) fn pc(&self) -> Option<u32> {
        match self {
            Self::Native(_) => None,
            Self::Riscv(body) => body.pc(),
        }
    }

    /// Puts bytes into a simulated hart's RAM. Returns whether there is one, and they lie in it.
    pub(crate) fn plant(&mut self, address: u32, bytes: &[u8]) -> bool {
        match self {
            Self::Native(_) => false,
            Self::Riscv(body) => body.plant(address, bytes),
        }
    }
}
