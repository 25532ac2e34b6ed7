//! What lies in the mailboxes: trees of every kind, good ones, stale ones, garbage.

use abi::core::Capabilities;
use abi::core::mmio::{
    self, CORE_ALIASES, CORE_COMMAND_RINGS, CORE_CONNECTIONS, CORE_GENERATION_SEED, CORE_NEIGHBORS,
    CORE_PATHS, CORE_SOURCE_MACS, CORE_STATE_MEMORY, CORE_VLANS, EVENT_LIMIT, LIST_ANSWERED,
    MAIL_FILLED, MAILBOX_SLOTS, NOTICE_LEFT, NoticeKind, PENDING, REGISTERS, notice,
};
use abi::core::table::{STATE_BYTES, TableLayout};
use abi::host::command::{
    CLASSES, CommandHeader, Flag, NeighborVariables, Opcode, PathVariables, SELECTION,
    STATE_OFFSET, Selection, Slot, VARIABLES,
};
use abi::host::handle::Handle;
use abi::host::limit::{COMMAND_RINGS_MAX, LIST_CHUNK};
use abi::host::status::Kind;
use proptest::prelude::*;

use super::Memory;

const NEIGHBORS: u32 = 6;
/// Paths that commands name.
const PATHS: u32 = 24;
/// Paths that the table takes.
const PATH_ENTRIES: u32 = 2_048;
const RINGS: u32 = COMMAND_RINGS_MAX;
/// Where the lists lie.
pub(crate) const LIST_AT: u64 = 0x10_0000;
/// Where results would go; no card takes them there.
const RESULTS: u64 = 0x1_0000_0000;

/// One tree.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// A new neighbor with so many paths.
    Initiate(u8, u8),
    /// So many more paths of a neighbor.
    Extend(u32, u8),
    /// All paths of the second go through the first.
    RelinkAll(u32, u32),
    /// One path goes through a neighbor.
    Relink(u32, u32),
    /// A change of MAC.
    Change(u32),
    /// One of the three operations that name an object.
    Named(Opcode, Handle),
    /// So many paths of the ring's list buffer, again and again, go through a neighbor.
    List(u32, u32),
    /// A slot of any bytes.
    Garbage(Slot),
}

/// Commands of each ring, and how long the list is that each ends with.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    rings: Vec<(Vec<Command>, u32)>,
}

/// Any load.
pub(crate) fn load() -> impl Strategy<Value = Load> {
    let ring = (prop::collection::vec(command(), 0..14), 0..=LIST_CHUNK);
    prop::collection::vec(ring, RINGS as usize).prop_map(|rings| Load { rings })
}

fn command() -> impl Strategy<Value = Command> {
    let handle = prop_oneof![
        (0..NEIGHBORS + 1, 1_u32..3).prop_map(|(i, g)| Handle::new(Kind::NEIGHBOR, i, g)),
        (0..PATHS + 1, 1_u32..3).prop_map(|(i, g)| Handle::new(Kind::PATH, i, g)),
        Just(Handle::new(Kind::CONNECTION, 0, 1)),
    ];
    let opcode =
        prop_oneof![Just(Opcode::QUERY), Just(Opcode::INVALIDATE), Just(Opcode::TERMINATE)];
    prop_oneof![
        3 => (any::<u8>(), 0_u8..4).prop_map(|(mac, paths)| Command::Initiate(mac, paths)),
        3 => (0..NEIGHBORS, 0..NEIGHBORS).prop_map(|(to, from)| Command::RelinkAll(to, from)),
        3 => (0..NEIGHBORS, 0..PATHS).prop_map(|(to, path)| Command::Relink(to, path)),
        1 => (0..NEIGHBORS).prop_map(Command::Change),
        3 => (opcode, handle).prop_map(|(opcode, handle)| Command::Named(opcode, handle)),
        1 => any::<Slot>().prop_map(Command::Garbage),
    ]
}

impl Load {
    /// Nothing to do on any ring.
    pub(crate) fn empty() -> Self {
        Self { rings: Vec::new() }
    }

    /// One that does a little of everything.
    pub(crate) fn sample() -> Self {
        let neighbor = |index| Handle::new(Kind::NEIGHBOR, index, 1);
        let commands = vec![
            Command::Initiate(1, 3),
            Command::Initiate(2, 2),
            Command::RelinkAll(1, 0),
            Command::Relink(0, 1),
            Command::Change(1),
            Command::Named(Opcode::QUERY, neighbor(1)),
            Command::Named(Opcode::INVALIDATE, neighbor(0)),
            Command::Named(Opcode::TERMINATE, Handle::new(Kind::PATH, 0, 1)),
            Command::Garbage([u32::MAX; 16]),
        ];
        Self { rings: vec![(commands, 5)] }
    }

    /// Trees, or slots outside of one, on all rings.
    pub(crate) fn trees(&self) -> u32 {
        self.rings.iter().map(|(commands, _)| commands.len() as u32 + 1).sum()
    }

    /// Slots in the mailbox of a ring.
    pub(crate) fn slots_of(&self, ring: usize) -> u32 {
        self.slots(ring).len() as u32
    }

    fn slots(&self, ring: usize) -> Vec<Slot> {
        let (commands, entries) = &self.rings[ring];
        let mut slots: Vec<Slot> = commands.iter().flat_map(slots).collect();
        slots.extend(list(ring as u32 % NEIGHBORS, *entries));
        slots.truncate(MAILBOX_SLOTS as usize);
        slots
    }

    /// The memory in which the run begins.
    pub(crate) fn memory(&self) -> Memory {
        let card = capabilities();
        let mut memory = Memory::new(TableLayout::new(&card).expect("small tables").words);
        let mut register = |offset, value| memory.set(REGISTERS + offset, value);
        register(CORE_NEIGHBORS.offset, card.neighbors);
        register(CORE_PATHS.offset, card.paths);
        register(CORE_CONNECTIONS.offset, card.connections);
        register(CORE_ALIASES.offset, card.aliases);
        register(CORE_SOURCE_MACS.offset, card.source_macs);
        register(CORE_VLANS.offset, card.vlans);
        register(CORE_STATE_MEMORY.offset, card.state_memory);
        register(CORE_COMMAND_RINGS.offset, card.command_rings);
        register(CORE_GENERATION_SEED.offset, 1);
        register(EVENT_LIMIT.offset, 4);
        // Plain memory does not follow: every ring is always worth a look.
        register(PENDING.offset, (1 << RINGS) - 1);
        for (ring, _) in (0..).zip(&self.rings) {
            self.fill_ring(&mut memory, ring);
        }
        memory.set(mmio::notice_address(0) + notice::KIND * 4, NoticeKind::DRAINED.0);
        memory.set(REGISTERS + NOTICE_LEFT.offset, 1);
        memory
    }

    fn fill_ring(&self, memory: &mut Memory, ring: u32) {
        let slots = self.slots(ring as usize);
        for (position, slot) in (0..).zip(&slots) {
            memory.fill_slot(ring, position, slot);
        }
        let bank = ring * mmio::CORE_RING_STRIDE;
        memory.set(REGISTERS + MAIL_FILLED.offset + bank, slots.len() as u32);
        // The first list that is asked for is there already.
        memory.set(REGISTERS + LIST_ANSWERED.offset + bank, 1);
        for entry in 0..LIST_CHUNK {
            let handle = Handle::new(Kind::PATH, entry * 7 % (PATHS + 2), 1).0;
            let at = mmio::list_address(ring, 0, entry);
            memory.set(at, handle as u32);
            memory.set(at + 4, (handle >> 32) as u32);
        }
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        neighbors: NEIGHBORS,
        paths: PATH_ENTRIES,
        connections: 4,
        aliases: 2 * NEIGHBORS,
        source_macs: 4,
        vlans: 8,
        state_memory: 4 * STATE_BYTES,
        command_rings: RINGS,
        ..Capabilities::NONE
    }
}

/// The slots of a command.
pub(crate) fn slots(command: &Command) -> Vec<Slot> {
    let neighbor = |index| Handle::new(Kind::NEIGHBOR, index, 1);
    match command {
        Command::Initiate(mac, paths) => {
            let mut root =
                block(Opcode::INITIATE, Flag::ROOT.0 | CLASSES, Kind::NEIGHBOR, Handle::NULL);
            let state =
                NeighborVariables { destination: [2, 0, 0, 0, 0, *mac], ..Default::default() };
            state.write(&mut root[VARIABLES / 4..]);
            tree([root].into_iter().chain((0..*paths).map(|number| path(*mac, number))).collect())
        }
        Command::Extend(index, paths) => {
            let root = block(Opcode::INITIATE, Flag::ROOT.0, Kind::NEIGHBOR, neighbor(*index));
            tree([root].into_iter().chain((0..*paths).map(|number| path(0, number))).collect())
        }
        Command::RelinkAll(to, from) => {
            let flags = Flag::ROOT.0 | Flag::ALL_OF.0;
            let mut words = block(Opcode::UPDATE, flags, Kind::NEIGHBOR, neighbor(*to));
            Selection { list: neighbor(*from).0, count: 0 }.write(&mut words[SELECTION / 4..]);
            tree(vec![words])
        }
        Command::Relink(to, path) => tree(vec![
            block(Opcode::UPDATE, Flag::ROOT.0, Kind::NEIGHBOR, neighbor(*to)),
            block(Opcode::UPDATE, 0, Kind::PATH, Handle::new(Kind::PATH, *path, 1)),
        ]),
        Command::Change(index) => {
            let flags = Flag::ROOT.0 | Flag::CACHED.0;
            let mut words = block(Opcode::UPDATE, flags, Kind::NEIGHBOR, neighbor(*index));
            let state = NeighborVariables { destination: [2, 9, 9, 9, 9, 9], ..Default::default() };
            state.write(&mut words[VARIABLES / 4..]);
            tree(vec![words])
        }
        Command::Named(opcode, handle) => {
            let mut words = block(*opcode, Flag::ROOT.0, handle.kind(), *handle);
            words[STATE_OFFSET / 4] = 64;
            tree(vec![words])
        }
        Command::List(to, entries) => list(*to, *entries),
        Command::Garbage(slot) => vec![*slot],
    }
}

/// A new path.
fn path(mac: u8, number: u8) -> Slot {
    let flags = Flag::CONST.0 | Flag::CACHED.0;
    let mut words = block(Opcode::INITIATE, flags, Kind::PATH, Handle::NULL);
    let mut state = PathVariables { mtu: 1500, ..Default::default() };
    state.destination[..4].copy_from_slice(&[10, 0, mac, number]);
    state.write(&mut words[VARIABLES / 4..]);
    words
}

/// Relinks the ring's list of so many entries.
fn list(to: u32, entries: u32) -> Vec<Slot> {
    let handle = Handle::new(Kind::NEIGHBOR, to, 1);
    let mut words = block(Opcode::UPDATE, Flag::ROOT.0 | Flag::LIST.0, Kind::NEIGHBOR, handle);
    Selection { list: LIST_AT, count: entries }.write(&mut words[SELECTION / 4..]);
    words[STATE_OFFSET / 4] = 64;
    tree(vec![words])
}

fn block(opcode: Opcode, flags: u16, kind: Kind, handle: Handle) -> Slot {
    let mut words = [0; 16];
    let (opcode, kind, handle) = (opcode.0, kind.0, handle.0);
    CommandHeader { opcode, kind, flags, handle, ..Default::default() }.write(&mut words);
    words
}

/// Frames blocks as one tree.
fn tree(mut slots: Vec<Slot>) -> Vec<Slot> {
    let last = slots.len() - 1;
    for (number, slot) in slots.iter_mut().enumerate() {
        let mut header = CommandHeader::read(slot);
        if number == 0 {
            header.flags |= Flag::FIRST.0;
            (header.tag, header.result, header.result_units) = (7, RESULTS, 8);
        }
        if number == last {
            header.flags |= Flag::LAST.0;
        }
        header.write(slot);
    }
    slots
}
