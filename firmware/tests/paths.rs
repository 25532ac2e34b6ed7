//! The run of new paths does what the walk of trees does: the same tables, records, completions.
//!
//! Two cards get the same trees. On one every new path carries a flag more, which says nothing of a
//! path, and with which no block is part of a run.

mod bench;

use abi::core::Capabilities;
use abi::host::command::{
    CLASSES, CommandHeader, Flag, NeighborVariables, Opcode, PathVariables, STATE_OFFSET, Slot,
    VARIABLES,
};
use abi::host::completion::ResultRecord;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Kind, Status};
use bench::{Bench, capabilities, trees};
use firmware::Firmware;
use proptest::prelude::*;
use proptest::sample::Index;

/// Paths of the card: more than a run has, fewer than some scripts make.
const PATHS: u32 = 96;
/// Steps that a card gets while its readers lag: enough to come to where it has to wait.
const STEPS: usize = 40;

/// A block, or some alike.
#[derive(Clone, Debug)]
enum Part {
    /// New paths one after another.
    Paths {
        count: u32,
        is_ipv6: bool,
    },
    /// A new path that may be refused.
    Path {
        mtu: u32,
        flags: u16,
        state_offset: u32,
        tag: u16,
    },
    NewNeighbor,
    /// An object that may be there.
    Linker(Index),
    Placeholder(Kind),
}

/// What the cards get.
#[derive(Clone, Debug)]
enum Step {
    /// A tree, in pieces of so many slots, and so many units for its results.
    Tree { parts: Vec<Part>, piece: usize, units: u16 },
    /// Objects go: their slots are used again.
    Remove { opcode: Opcode, objects: Vec<Index> },
    /// From now on readers announce epochs late; or at once.
    Lag(bool),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_run_of_new_paths_and_the_walk_leave_the_same(
        steps in prop::collection::vec(step(), 1..24),
        refuses_every in prop_oneof![Just(0_u32), 2..9_u32],
        seed in prop_oneof![Just(1), Just(u32::MAX - 1)],
    ) {
        let (mut run, mut walk) = (Card::new(seed, refuses_every), Card::new(seed, refuses_every));
        let mut objects = vec![STALE];
        for (time, step) in (0..).zip(&steps) {
            (run.bench.now_ms, walk.bench.now_ms) = (time, time);
            match step {
                Step::Tree { parts, piece, units } => {
                    let slots: Vec<_> = parts.iter().flat_map(|part| part.slots(&objects)).collect();
                    run.carry_out(framed(slots.clone(), *units), *piece);
                    walk.carry_out(framed(slots.into_iter().map(walked).collect(), *units), *piece);
                }
                Step::Remove { opcode, objects: gone } => {
                    let root = |object: &Index| {
                        let handle = *object.get(&objects);
                        trees::slot(*opcode, handle.kind(), Flag::ROOT.0, handle)
                    };
                    let slots: Vec<_> = gone.iter().map(root).collect();
                    run.carry_out(framed(slots.clone(), trees::UNITS), slots.len());
                    walk.carry_out(framed(slots.clone(), trees::UNITS), slots.len());
                }
                Step::Lag(lags) => {
                    (run.bench.readers_lag, walk.bench.readers_lag) = (*lags, *lags);
                }
            }
            prop_assert_eq!(&run.bench.completions, &walk.bench.completions);
            prop_assert_eq!(&run.bench.written, &walk.bench.written);
            prop_assert_eq!(&run.bench.table, &walk.bench.table);
            prop_assert_eq!(&run.bench.counts, &walk.bench.counts);
            prop_assert_eq!((run.bench.unsettled(), walk.bench.unsettled()), (0, 0));
            run.bench.check_tables();
            objects.extend(run.made());
        }
    }
}

/// A handle that names nothing on the card.
const STALE: Handle = Handle(0x4000_0000_u64 | 99 << 32);

struct Card {
    bench: Bench,
    firmware: Firmware,
}

impl Card {
    fn new(seed: u32, refuses_every: u32) -> Self {
        let capabilities = Capabilities { paths: PATHS, ..capabilities() };
        let (mut bench, firmware) = Bench::of(capabilities, seed, 0);
        bench.refuses_every = refuses_every;
        Self { bench, firmware }
    }

    /// Lets the card work on a tree that comes in pieces, until nothing is left.
    fn carry_out(&mut self, slots: Vec<Slot>, piece: usize) {
        self.bench.written.clear();
        self.bench.completions.clear();
        for slots in slots.chunks(piece) {
            self.bench.push(slots.as_flattened());
            self.bench.work(&mut self.firmware, 1);
        }
        self.bench.work(&mut self.firmware, STEPS);
        // Readers that lag catch up as often as it takes.
        while self.bench.completions.is_empty() {
            self.bench.announce();
            self.bench.work(&mut self.firmware, STEPS);
        }
        self.bench.announce();
        self.bench.rest(&mut self.firmware);
    }

    /// Handles that the last tree gave out.
    fn made(&self) -> Vec<Handle> {
        let records = self.bench.records(self.bench.written.len() * 4 / ResultRecord::BYTES);
        let done = records.iter().filter(|record| Status(record.status).is_done());
        done.map(|record| Handle(record.handle)).filter(|handle| !handle.is_null()).collect()
    }
}

impl Part {
    fn slots(&self, objects: &[Handle]) -> Vec<Slot> {
        const STATE: u16 = Flag::CONST.0 | Flag::CACHED.0;
        let new = |kind, flags| trees::slot(Opcode::INITIATE, kind, flags, Handle::NULL);
        let path = |number: u32, flags: u16, mtu: u32| {
            let mut words = new(Kind::PATH, flags);
            let [source, destination] = [number as u8 | 0x80, number as u8].map(|byte| [byte; 16]);
            PathVariables { source, destination, mtu }.write(&mut words[VARIABLES / 4..]);
            words
        };
        match *self {
            Self::Paths { count, is_ipv6 } => {
                let family = if is_ipv6 { Flag::IPV6.0 } else { 0 };
                (0..count).map(|number| path(number, STATE | family, limit::MTU_MAX)).collect()
            }
            Self::Path { mtu, flags, state_offset, tag } => {
                let mut words = path(7, flags, mtu);
                CommandHeader { tag, ..CommandHeader::read(&words) }.write(&mut words);
                words[STATE_OFFSET / 4] = state_offset;
                vec![words]
            }
            Self::NewNeighbor => {
                let mut words = new(Kind::NEIGHBOR, Flag::ROOT.0 | CLASSES);
                let destination = [2, 0, 0, 0, 0, 9];
                let state = NeighborVariables { destination, ..Default::default() };
                state.write(&mut words[VARIABLES / 4..]);
                vec![words]
            }
            Self::Linker(ref object) => {
                let handle = *object.get(objects);
                let root = if handle.kind() == Kind::NEIGHBOR { Flag::ROOT.0 } else { 0 };
                vec![trees::slot(Opcode::INITIATE, handle.kind(), root, handle)]
            }
            Self::Placeholder(kind) => {
                let root = if kind == Kind::NEIGHBOR { Flag::ROOT.0 } else { 0 };
                vec![new(kind, root | Flag::PLACEHOLDER.0)]
            }
        }
    }
}

/// The slots as one tree, with so many units for its results.
fn framed(slots: Vec<Slot>, units: u16) -> Vec<Slot> {
    let words = trees::tree(slots);
    let (slots, _) = words.as_chunks();
    let mut slots = slots.to_vec();
    let header = CommandHeader::read(&slots[0]);
    CommandHeader { result_units: units, ..header }.write(&mut slots[0]);
    slots
}

/// The same block, and no part of a run.
fn walked(mut slot: Slot) -> Slot {
    let mut header = CommandHeader::read(&slot);
    if Kind(header.kind) == Kind::PATH && Flag::CONST.is_in(header.flags) {
        header.flags |= Flag::DELEGATED.0;
        header.write(&mut slot);
    }
    slot
}

fn step() -> impl Strategy<Value = Step> {
    // Paths stand mostly under a neighbor that is there.
    let parts = prop::collection::vec(part(), 1..6);
    let tree = (parts, 1..80_usize, prop_oneof![4 => Just(trees::UNITS), 1 => 1..4_u16]);
    let opcode = prop_oneof![4 => Just(Opcode::TERMINATE), 1 => Just(Opcode::INVALIDATE)];
    let objects = prop::collection::vec(any::<Index>(), 1..60);
    prop_oneof![
        4 => tree.prop_map(|(parts, piece, units)| Step::Tree { parts, piece, units }),
        2 => (opcode, objects).prop_map(|(opcode, objects)| Step::Remove { opcode, objects }),
        1 => any::<bool>().prop_map(Step::Lag),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    let state = Flag::CONST.0 | Flag::CACHED.0;
    let flags = prop_oneof![
        4 => Just(state),
        2 => Just(state | Flag::IPV6.0),
        1 => Just(Flag::CONST.0),
        1 => Just(state | Flag::ROOT.0),
        1 => Just(state | Flag::MORE.0),
    ];
    let mtu = prop_oneof![Just(67), Just(68), Just(1279), Just(1280), Just(limit::MTU_MAX + 1)];
    let state_offset = prop_oneof![4 => Just(0), 1 => Just(limit::DMA_ALIGN), 1 => Just(4)];
    let tag = prop_oneof![6 => Just(0), 1 => Just(1_u16)];
    let path = (mtu, flags, state_offset, tag);
    prop_oneof![
        4 => (1..50_u32, any::<bool>()).prop_map(|(count, is_ipv6)| Part::Paths { count, is_ipv6 }),
        2 => path.prop_map(|(mtu, flags, state_offset, tag)| {
            Part::Path { mtu, flags, state_offset, tag }
        }),
        2 => Just(Part::NewNeighbor),
        3 => any::<Index>().prop_map(Part::Linker),
        1 => prop_oneof![Just(Kind::NEIGHBOR), Just(Kind::PATH)].prop_map(Part::Placeholder),
    ]
}
