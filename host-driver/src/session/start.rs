//! Starting a session, and starting it again after a reset.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use abi::core::Capabilities;
use abi::host::completion::Event;
use abi::host::position::RingSize;
use abi::host::register;
use crossbeam_queue::ArrayQueue;

use super::config::Config;
use super::engine::{Engine, EventLane, overtaken};
use super::interrupts::Interrupts;
use super::lane::{Lane, zero};
use super::shared::Shared;
use crate::backing::Backing;
use crate::bring_up;
use crate::dma::{DmaRegion, ResultBuffers};
use crate::error::{AttachError, Error};
use crate::ring::Consumer;
use crate::shadow::{Lost, Shadow};
use crate::transmit::Wire;

/// Most trees under way: tags are 16 bits.
const IN_FLIGHT_MAX: usize = 16_384;

pub(super) fn start<B: Backing>(
    backing: Arc<B>,
    config: &Config,
) -> Result<Shared<B>, AttachError> {
    let surroundings: Arc<dyn Backing> = backing.clone();
    bring_up::identify(&*surroundings)?;
    let capabilities = bring_up::capabilities(&*surroundings)?;
    let sizes = Sizes::new(&*surroundings, config, &capabilities)?;
    bring_up::reset(&*surroundings)?;
    bring_up::enable(&*surroundings, config, config.generation_seed.unwrap_or_else(drawn_seed))?;
    let system = |what| {
        let card = surroundings.describe();
        move |source| AttachError::System { card, what, source: Arc::new(source) }
    };
    let interrupts = if config.interrupts && capabilities.vectors > 0 {
        let interrupts = Interrupts::new(&*backing, capabilities.vectors);
        Some(interrupts.map_err(system("interrupts"))?)
    } else {
        None
    };
    let wires = (0..config.transmit_rings).map(|ring| {
        let number = register::TRANSMIT_RING_FIRST + ring;
        Ok(Arc::new(Mutex::new(Wire::new(
            &surroundings,
            number,
            sizes.transmit,
            config.packet_bytes,
        )?)))
    });
    let wires = wires.collect::<io::Result<Vec<_>>>().map_err(system("transmit rings"))?;
    let engine = engine(&surroundings, config, &capabilities, sizes);
    let mut engine = engine.map_err(system("rings"))?;
    start_rings(&mut engine, &wires, interrupts.is_some(), capabilities.vectors);
    Ok(Shared {
        backing,
        config: config.clone(),
        capabilities,
        queue: ArrayQueue::new(config.in_flight.clamp(1, IN_FLIGHT_MAX)),
        engine: Mutex::new(engine),
        wires,
        interrupts,
    })
}

/// Resets the card under a running session.
pub(super) fn restart<B: Backing>(shared: &Shared<B>) -> Result<Vec<Lost>, Error> {
    let mut engine = shared.engine();
    let backing = Arc::clone(&engine.backing);
    let reset = bring_up::reset(&*backing);
    let drained = engine.drain();
    engine.events.waiting.clear();
    // A handle of before must never name an object of after.
    let seed = engine.shadow.highest_generation().checked_add(1);
    let lost = engine.shadow.clear();
    let enable = |seed| bring_up::enable(&*backing, &shared.config, seed).map_err(Error::Attach);
    let spent = || Error::GenerationsSpent { card: backing.describe() };
    let ready = reset.map_err(Error::Attach).and_then(|()| seed.ok_or_else(spent)).and_then(enable);
    match &ready {
        Ok(()) => {
            engine.fault = None;
            let interrupts = shared.interrupts.is_some();
            start_rings(&mut engine, &shared.wires, interrupts, shared.capabilities.vectors);
        }
        Err(error) => engine.fault = Some(error.clone()),
    }
    drop(engine);
    overtaken(drained).deliver();
    ready?;
    Ok(lost)
}

/// Ring sizes, checked against the card.
#[derive(Clone, Copy)]
struct Sizes {
    command: RingSize,
    transmit: RingSize,
    events: RingSize,
}

impl Sizes {
    fn new(
        backing: &dyn Backing,
        config: &Config,
        capabilities: &Capabilities,
    ) -> Result<Self, AttachError> {
        let offered = |what, asked, offered| {
            if asked <= offered {
                return Ok(());
            }
            Err(AttachError::Offered { card: backing.describe(), what, asked, offered })
        };
        offered("command rings:", config.command_rings, capabilities.command_rings)?;
        offered("transmit rings:", config.transmit_rings, capabilities.transmit_rings)?;
        let size = |what, slots| {
            offered(what, slots, capabilities.ring_slots)?;
            RingSize::new(slots).ok_or(AttachError::Offered {
                card: backing.describe(),
                what: "ring slots (a power of two from 2 on):",
                asked: slots,
                offered: capabilities.ring_slots,
            })
        };
        Ok(Self {
            command: size("command ring slots:", config.ring_slots)?,
            transmit: size("transmit ring slots:", config.transmit_slots)?,
            events: size("event ring slots:", config.event_slots)?,
        })
    }
}

fn engine(
    backing: &Arc<dyn Backing>,
    config: &Config,
    capabilities: &Capabilities,
    sizes: Sizes,
) -> io::Result<Engine> {
    let lanes = (0..config.command_rings).map(|ring| Lane::new(backing, ring, sizes.command));
    let lanes = lanes.collect::<io::Result<Vec<_>>>()?;
    let events = EventLane {
        size: sizes.events,
        region: DmaRegion::new(backing, sizes.events.slots() as usize * Event::BYTES)?,
        consumer: Consumer::new(sizes.events),
        waiting: VecDeque::new(),
    };
    Ok(Engine {
        backing: Arc::clone(backing),
        waiting: lanes.iter().map(|_| VecDeque::new()).collect(),
        lanes,
        events,
        buffers: ResultBuffers::new(Arc::clone(backing)),
        shadow: Shadow::new(capabilities),
        fault: None,
        outstanding: 0,
        in_flight: config.in_flight,
        timeout_ms: config.command_timeout_ms,
        idle_turns: 0,
    })
}

/// Starts every ring, positions from 0, each with a vector of its own as far as there are any.
fn start_rings(engine: &mut Engine, wires: &[Arc<Mutex<Wire>>], interrupts: bool, vectors: u32) {
    let mut next = 0;
    let mut vector = || {
        if !interrupts || vectors == 0 {
            return register::VECTOR_NONE;
        }
        next += 1;
        (next - 1) % vectors
    };
    for lane in &mut engine.lanes {
        lane.start(vector());
    }
    for wire in wires {
        wire.lock().unwrap_or_else(PoisonError::into_inner).start(vector());
    }
    let vector = vector();
    let events = &mut engine.events;
    zero(events.region.memory());
    events.consumer = Consumer::new(events.size);
    let (iova, ring) = (events.region.iova(), register::EVENT_RING);
    bring_up::start_ring(&*engine.backing, ring, iova, iova, events.size, vector);
}

/// A seed that differs from attach to attach, with half of all generations still to come.
fn drawn_seed() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_micros() as u32 & 0x7fff_ffff).max(1)
}
