//! What the image may cost, instruction by instruction.
//!
//! The hart is stepped one instruction at a time, on memory in which an epoch is announced when
//! the test says so. Counted is what a command costs from the load that finds its slot to the
//! store that posts its completion; the waiting for the fence is apart, and so is the loop around
//! it all, which runs whether or not there is a command. `flue bench card` has whole steps.
#![cfg(feature = "image")]

mod bare;
mod image;

use abi::core::mmio::{
    ANNOUNCED, CONTROL, CORE_COUNT, CORE_FEATURES, CoreFeature, LIST_ANSWERED, LIST_ASKED,
    LIST_ENTRIES, LIST_LOW, MAIL_FILLED, OUTBOX_FILLED, OUTBOX_TAKEN, PENDING, RAISED, REGISTERS,
    WAKE, list_address,
};
use abi::host::handle::Handle;
use abi::host::limit::LIST_CHUNK;
use abi::host::register::Counter;
use abi::host::status::Kind;
use bare::Memory;
use bare::commands::{Command, LIST_AT, Load, slots};
use image::image;
use rv32::{Access, Bus, Fault, Hart, Stop, Stored, Width};

/// Relink of all paths of a neighbor, from fetch to posted completion.
const RELINK_ALL_MAX: u64 = 400;
/// Relink of a path in a list, one more of many.
const RELINK_LISTED_MAX: f64 = 32.0;

#[test]
fn relink_all_is_cheap_whatever_it_moves() {
    let counts = [0, 1, 3, 30].map(|paths| {
        let mut core = Core::start(&[Command::Initiate(1, paths), Command::Initiate(2, 0)]);
        let relink = |to, from| [Command::RelinkAll(to, from)];
        // There and back: what it costs does not depend on what was before.
        [(1, 0), (0, 1)].map(|(to, from)| core.count(&relink(to, from)))
    });
    println!("relink all of 0, 1, 3 and 30 paths: {counts:?} instructions");
    let moved: Vec<_> = counts[1..].iter().flatten().collect();
    assert!(moved.iter().all(|count| *count == moved[0]), "{counts:?}");
    assert!(*moved[0] <= RELINK_ALL_MAX, "{counts:?}");
    assert!(counts[0][0] < *moved[0], "nothing to move costs less");
}

#[test]
fn a_fence_that_is_late_costs_no_more() {
    let offload = [Command::Initiate(1, 3), Command::Initiate(2, 0)];
    let relink = [Command::RelinkAll(1, 0)];
    let at_once = Core::start(&offload).count(&relink);
    let mut core = Core::start(&offload);
    core.bus.is_lagging = true;
    core.push(&relink);
    let until_parked = core.rest();
    core.bus.announce();
    let after_the_fence = core.rest();
    println!("relink all: {at_once}, or {until_parked} and {after_the_fence} instructions");
    assert!(after_the_fence > 0, "the completion waited for the fence");
    assert!(until_parked + after_the_fence <= RELINK_ALL_MAX);
}

#[test]
fn a_listed_path_is_cheap() {
    let entries = |chunks: u32| chunks * LIST_CHUNK;
    let steps = |chunks: u32| {
        let mut core = Core::start(&[Command::Initiate(1, 0), Command::Initiate(2, 0)]);
        for _ in 0..entries(chunks).div_ceil(32) {
            core.count(&[Command::Extend(0, 32)]);
        }
        core.steps = 0;
        core.count(&[Command::List(1, entries(chunks))]);
        assert_eq!(core.bus.relinked, entries(chunks), "every path was moved");
        core.steps
    };
    let (few, many) = (steps(1), steps(3));
    let each = (many - few) as f64 / f64::from(entries(3) - entries(1));
    println!("relink of one more listed path: {each:.2} instructions, loop and all");
    assert!(each <= RELINK_LISTED_MAX, "{each}");
}

#[test]
fn an_idle_core_sleeps() {
    let mut core = Core::start(&[]);
    let before = core.hart.instructions();
    for _ in 0..1_000 {
        assert_eq!(core.hart.run(&mut core.bus, u64::MAX), Stop::Waiting);
    }
    assert_eq!(core.hart.instructions(), before, "it slept");
}

/// A core with a card that is nothing but memory.
struct Core {
    hart: Hart,
    bus: Card,
    fetched: u32,
    /// Instructions since the start, sleep apart.
    steps: u64,
}

impl Core {
    /// A core that has carried out `commands`.
    fn start(commands: &[Command]) -> Self {
        let mut memory = Load::empty().memory();
        memory.set(REGISTERS + PENDING.offset, 1);
        let bus =
            Card { memory, is_lagging: false, raised: 0, relinked: 0, line: true, event: None };
        let mut core = Self { hart: image().hart(), bus, fetched: 0, steps: 0 };
        core.rest();
        core.push(commands);
        core.rest();
        core.steps = 0;
        core
    }

    /// Puts commands into the mailbox of ring 0.
    fn push(&mut self, commands: &[Command]) {
        for slot in commands.iter().flat_map(slots) {
            self.bus.memory.fill_slot(0, self.fetched, &slot);
            self.fetched += 1;
        }
        self.bus.memory.set(REGISTERS + MAIL_FILLED.offset, self.fetched);
    }

    /// What one command costs.
    fn count(&mut self, command: &[Command]) -> u64 {
        self.push(command);
        self.rest()
    }

    /// Runs until the core sleeps; gives the instructions between a look and its effect.
    fn rest(&mut self) -> u64 {
        self.bus.line = true;
        let (mut looked, mut counted) = (0, 0);
        loop {
            let now = self.hart.instructions();
            let cycle = self.hart.cycles();
            let stop = self.hart.run(&mut self.bus, cycle + 1);
            self.steps += self.hart.instructions() - now;
            match self.bus.event.take() {
                Some(Event::Look) if looked == 0 => looked = now,
                Some(Event::Effect) if looked != 0 => {
                    counted += self.hart.instructions() - looked;
                    looked = self.hart.instructions();
                }
                // What follows the last effect is the loop.
                Some(Event::Loop) => looked = 0,
                _ => {}
            }
            if stop == Stop::Waiting {
                return counted;
            }
        }
    }
}

/// What an access means for the count.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The core looks whether there is a slot, or whether the fence has passed.
    Look,
    /// It has done something that lasts.
    Effect,
    /// It is at the top of its loop.
    Loop,
}

/// Memory that answers: lists are there when asked for, epochs are announced, the outbox drains.
struct Card {
    memory: Memory,
    /// Readers do not announce.
    is_lagging: bool,
    raised: u32,
    /// Paths that were moved one by one.
    relinked: u32,
    /// The wake line.
    line: bool,
    event: Option<Event>,
}

impl Card {
    /// Readers announce what was raised, from now on at once.
    fn announce(&mut self) {
        self.is_lagging = false;
        self.memory.set(REGISTERS + ANNOUNCED.offset, self.raised);
    }

    /// Puts the chunk that was asked for into the list buffer: paths by number.
    fn fill_list(&mut self) {
        let low = self.memory.word(REGISTERS + LIST_LOW.offset);
        let first = (low - LIST_AT as u32) / 8;
        let asked = self.memory.word(REGISTERS + LIST_ENTRIES.offset);
        for entry in 0..asked & 0xffff {
            let handle = Handle::new(Kind::PATH, first + entry, 1).0;
            let at = list_address(0, asked >> 16, entry);
            self.memory.set(at, handle as u32);
            self.memory.set(at + 4, (handle >> 32) as u32);
        }
    }
}

impl Bus for Card {
    fn load(&mut self, at: u64, address: u32, width: Width) -> Result<Access, Fault> {
        if address == CONTROL + CORE_FEATURES.offset {
            return Ok(Access { value: CoreFeature::CARD.0, stall: 0 });
        }
        if [MAIL_FILLED.offset, ANNOUNCED.offset]
            .map(|offset| REGISTERS + offset)
            .contains(&address)
        {
            self.event = Some(Event::Look);
        }
        self.memory.load(at, address, width)
    }

    fn store(&mut self, at: u64, address: u32, width: Width, value: u32) -> Result<Stored, Fault> {
        let answer = self.memory.store(at, address, width, value)?;
        let mut echo = |offset| self.memory.set(REGISTERS + offset, value);
        match address.wrapping_sub(REGISTERS) {
            offset if offset == WAKE.offset => {
                self.line = value != 0;
                self.event = Some(Event::Loop);
            }
            offset if offset == CORE_COUNT.bank(Counter::PATHS_RELINKED.0, 4).offset => {
                self.relinked += value;
            }
            offset if offset == RAISED.offset => {
                self.raised = value;
                if !self.is_lagging {
                    echo(ANNOUNCED.offset);
                }
                self.event = Some(Event::Effect);
            }
            offset if offset == OUTBOX_FILLED.offset => {
                echo(OUTBOX_TAKEN.offset);
                self.event = Some(Event::Effect);
            }
            offset if offset == LIST_ASKED.offset => {
                echo(LIST_ANSWERED.offset);
                self.fill_list();
                self.line = true;
            }
            _ => {}
        }
        Ok(answer)
    }

    fn fence(&mut self, _at: u64) -> u32 {
        0
    }

    fn wakes(&mut self) -> bool {
        self.line
    }
}
