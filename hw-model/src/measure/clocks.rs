//! What each operation takes as the host sees it: clocks from its doorbell to its completion.
//!
//! Beside the core's account: nothing behind the seam is looked at, so any card can be measured that
//! tells when its doorbell rang and when it wrote last. Each operation is done some times in its
//! steady state, with a host that answers after a fixed time; the lower median counts: a timer of the
//! card makes one slower, or finds the core awake for another.

use std::sync::Arc;

use abi::core::Capabilities;
use host_driver::backing::Backing;

use super::operations::{self, Watch};
use crate::body::Body;
use crate::card::ModelCard;
use crate::config::CardConfig;
use crate::conformance::{self, Needs, Rig, Unfit};
use crate::pcie::{FixedBus, HostBus};
use crate::port::CapturePort;

/// Frames that a port keeps; no operation sends one.
const CAPTURED_MAX: usize = 16;
/// Lists that are relinked.
const LISTS: [u32; 3] = [1, 128, 1_000];
/// Clocks after which nothing is under way any more: longer than a list takes behind its completion.
const SETTLE_CLOCKS: u64 = 4_000;

/// A card that tells its own time.
pub trait Stopwatch: Backing {
    /// Clocks since it was made.
    fn now(&self) -> u64;

    /// Clocks from the last doorbell of a command ring, but not from before `since`, to the last
    /// write that the host can see.
    fn clocks(&self, since: u64) -> u64;
}

/// One operation, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// What it is.
    pub name: String,
    /// Objects that it names.
    pub objects: u32,
    /// From doorbell to completion.
    pub clocks: u64,
}

/// Measures every operation on cards of `rig` with these sizes.
///
/// # Panics
/// When the card does not do what it is told: then there is nothing to be measured.
#[must_use]
pub fn clocks<R: Rig<Card: Stopwatch>>(rig: &R, capabilities: Capabilities) -> Vec<Clocks> {
    let mut needs = Needs::sized(|sizes| *sizes = capabilities);
    needs.config.generation_seed = Some(1);
    let mut timing = Timing::default();
    operations::run(rig, &needs, &LISTS, &mut timing);
    timing.done
}

/// Measures them on a timed model with this body behind such a bus.
#[must_use]
pub fn model_clocks(body: &Body, bus: FixedBus, capabilities: Capabilities) -> Vec<Clocks> {
    clocks(&FixedRig { body: body.clone(), bus }, capabilities)
}

/// Keeps the lower median of each operation.
#[derive(Debug, Default)]
struct Timing {
    done: Vec<Clocks>,
    turns: Vec<u64>,
    began: u64,
}

impl<B: Stopwatch> Watch<B> for Timing {
    fn begin(&mut self, _card: &B, name: &str, objects: u32) {
        self.done.push(Clocks { name: name.to_owned(), objects, clocks: 0 });
        self.turns.clear();
    }

    fn before(&mut self, card: &B) {
        self.began = card.now();
    }

    fn after(&mut self, card: &B) {
        self.turns.push(card.clocks(self.began));
    }

    fn settle(&mut self, card: &B) {
        let end = card.now() + SETTLE_CLOCKS;
        while card.now() < end {
            card.relax();
        }
    }

    fn end(&mut self, _card: &B) {
        self.turns.sort_unstable();
        if let (Some(last), Some(clocks)) =
            (self.done.last_mut(), self.turns.get(self.turns.len().saturating_sub(1) / 2))
        {
            last.clocks = *clocks;
        }
    }

    fn idle(&mut self, _card: &B) {}
}

impl Stopwatch for ModelCard {
    fn now(&self) -> u64 {
        self.cycles()
    }

    // The host takes no time: it rings when it begins, and has seen the answer when it ends.
    fn clocks(&self, since: u64) -> u64 {
        self.cycles() - since
    }
}

/// Timed models behind a fixed bus.
struct FixedRig {
    body: Body,
    bus: FixedBus,
}

impl Rig for FixedRig {
    type Card = ModelCard;

    fn power_on(&self, needs: &Needs) -> Result<conformance::Body<ModelCard>, Unfit> {
        let config = CardConfig {
            capabilities: needs.capabilities,
            bus: HostBus::Fixed(self.bus),
            body: self.body.clone(),
            ..CardConfig::default()
        };
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        let card: Arc<ModelCard> = ModelCard::timed(config, Box::new(port));
        Ok(conformance::Body { card, capture })
    }
}
