//! Any tree, built and parsed back by the contract's own descriptors, is the tree that was meant.
//!
//! The parser here is a second reading of the contract: framing, chains, parents by level,
//! variables where `abi` says they stand. It shares no code with the builders.

use std::net::IpAddr;

use abi::host::command::{
    CONTINUATION_VARIABLES, CommandHeader, ConnectionCached, ConnectionConst, ConnectionDelegated,
    FLAGS, Flag, NeighborVariables, Opcode, PathVariables, SELECTION, STATE_OFFSET, Selection,
    Slot, VARIABLES, continuations, level,
};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::{
    ConnectionState, Initiate, Invalidate, NeighborState, PathState, Query, Terminate, Tree, Update,
};
use proptest::prelude::*;

/// A block as the card reads it.
#[derive(Debug)]
struct Parsed {
    header: CommandHeader,
    /// Number of the parent's block.
    parent: Option<usize>,
    first: Slot,
    /// Variables in its continuation slots, one after another.
    rest: Vec<u32>,
    state_offset: u32,
}

impl Parsed {
    fn has(&self, flag: Flag) -> bool {
        flag.is_in(self.header.flags)
    }
    fn neighbor(&self) -> NeighborVariables {
        NeighborVariables::read(&self.first[VARIABLES / 4..])
    }
    fn path(&self) -> PathVariables {
        PathVariables::read(&self.first[VARIABLES / 4..])
    }
    fn selection(&self) -> Selection {
        Selection::read(&self.first[SELECTION / 4..])
    }
    fn connection(&self) -> ConnectionState {
        let delegated = &self.rest[ConnectionCached::BYTES / 4..];
        ConnectionState {
            constant: ConnectionConst::read(&self.first[VARIABLES / 4..]),
            cached: ConnectionCached::read(&self.rest),
            delegated: ConnectionDelegated::read(delegated),
        }
    }
}

/// Words of variables in each continuation slot of a block: cached first, then delegated halves.
fn continuation_words(flags: u16) -> Vec<usize> {
    let mut words = Vec::new();
    if Flag::CACHED.is_in(flags) {
        words.push(ConnectionCached::BYTES / 4);
    }
    if Flag::DELEGATED.is_in(flags) {
        words.extend([ConnectionDelegated::BYTES / 8; 2]);
    }
    words
}

/// Reads slots as the contract says a card has to, and panics where it would refuse.
fn parse(tree: &Tree, opcode: Opcode) -> Vec<Parsed> {
    let mut blocks: Vec<Parsed> = Vec::new();
    let mut open = [None; 3];
    let mut slots = tree.slots().iter().enumerate();
    while let Some((number, first)) = slots.next() {
        let header = CommandHeader::read(first);
        assert_eq!(header.opcode, opcode.0);
        assert_eq!(header.flags & !FLAGS, 0, "a flag without a meaning");
        assert_eq!((header.tag, header.result_units, header.result), (0, 0, 0), "the session's");
        assert_eq!(Flag::FIRST.is_in(header.flags), number == 0);
        assert!(!Flag::CONTINUATION.is_in(header.flags), "a continuation of nothing");
        let kind = Kind(header.kind);
        let chained = continuations(opcode, kind, header.flags) as usize;
        let mut last = (number, header.flags);
        let mut rest = Vec::new();
        for words in continuation_words(header.flags).into_iter().take(chained) {
            let (number, slot) = slots.next().expect("the chain goes on");
            let header = CommandHeader::read(slot);
            assert!(Flag::MORE.is_in(last.1), "the chain was announced");
            assert!(Flag::CONTINUATION.is_in(header.flags));
            assert_eq!((header.opcode, header.kind), (opcode.0, kind.0));
            let start = CONTINUATION_VARIABLES / 4;
            rest.extend_from_slice(&slot[start..start + words]);
            assert!(slot[start + words..].iter().all(|&word| word == 0), "hidden words");
            last = (number, header.flags);
        }
        assert!(!Flag::MORE.is_in(last.1), "the chain ends where it should");
        assert_eq!(Flag::LAST.is_in(last.1), last.0 + 1 == tree.slots().len());
        let level = level(kind) as usize;
        let parent = match (Flag::ROOT.is_in(header.flags), level) {
            (true, _) => None,
            (false, 0) => panic!("a neighbor hangs from nothing"),
            (false, _) => Some(open[level - 1].expect("a block one level up came before")),
        };
        open[level] = Some(blocks.len());
        open[level + 1..].fill(None);
        let state_offset = first[STATE_OFFSET / 4];
        blocks.push(Parsed { header, parent, first: *first, rest, state_offset });
    }
    assert_eq!(blocks.len(), tree.blocks());
    blocks
}

fn handles(kind: Kind) -> impl Strategy<Value = Handle> {
    (0..1_u32 << 30, 1..=u32::MAX)
        .prop_map(move |(index, generation)| Handle::new(kind, index, generation))
}

fn neighbor_state() -> impl Strategy<Value = NeighborState> {
    (any::<[u8; 6]>(), any::<[u8; 6]>(), any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
        |(destination, source, vlan, host_reachability_ms, card_reachability_ms)| NeighborState {
            destination,
            source,
            vlan,
            host_reachability_ms,
            card_reachability_ms,
        },
    )
}

fn path_state() -> impl Strategy<Value = PathState> {
    let ipv4 =
        (any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    let ipv6 = (any::<[u8; 16]>(), any::<[u8; 16]>())
        .prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b)));
    (prop_oneof![ipv4, ipv6], any::<u32>()).prop_map(|((source, destination), mtu)| PathState {
        source,
        destination,
        mtu,
    })
}

fn words<const N: usize>() -> impl Strategy<Value = [u32; N]> {
    any::<u64>().prop_map(|seed| {
        let mut value = seed | 1;
        std::array::from_fn(|_| {
            // xorshift64: any words will be parsed back, so only their variety counts.
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
            value as u32
        })
    })
}

fn connection_state() -> impl Strategy<Value = ConnectionState> {
    (words::<4>(), words::<8>(), words::<28>()).prop_map(|(constant, cached, delegated)| {
        ConnectionState {
            constant: ConnectionConst::read(&constant),
            cached: ConnectionCached::read(&cached),
            delegated: ConnectionDelegated::read(&delegated),
        }
    })
}

/// A path block and the connections under it; with a handle it is a linker.
type PathPlan = (Option<Handle>, PathState, Vec<ConnectionState>);
/// A neighbor block: a new one, a linker, or (neither) a placeholder; and the paths under it.
type NeighborPlan = (Option<Option<Handle>>, NeighborState, Vec<PathPlan>);

fn initiate_plan() -> impl Strategy<Value = Vec<NeighborPlan>> {
    let connections = prop::collection::vec(connection_state(), 0..3);
    let path = (prop::option::of(handles(Kind::PATH)), path_state(), connections);
    let which = prop::option::of(prop::option::of(handles(Kind::NEIGHBOR)));
    let neighbor = (which, neighbor_state(), prop::collection::vec(path, 0..5));
    prop::collection::vec(neighbor, 1..5)
}

fn build(plan: &[NeighborPlan]) -> Tree {
    let mut tree = Initiate::with_capacity(plan.len());
    for (which, state, paths) in plan {
        let mut neighbor = match which {
            None => tree.placeholder(),
            Some(None) => tree.neighbor(state),
            Some(Some(handle)) => tree.neighbor_linker(*handle),
        };
        for (linker, state, connections) in paths {
            let mut path = match linker {
                Some(handle) => neighbor.path_linker(*handle),
                None => neighbor.path(state),
            };
            for state in connections {
                path.connection(state);
            }
        }
    }
    tree.into()
}

fn check_neighbor(block: &Parsed, which: Option<Option<Handle>>, state: &NeighborState) {
    assert_eq!((block.header.kind, block.parent), (Kind::NEIGHBOR.0, None));
    assert_eq!(block.has(Flag::PLACEHOLDER), which.is_none());
    let is_new = which == Some(None);
    assert_eq!(block.header.handle, which.flatten().map_or(0, |handle| handle.0));
    for class in [Flag::CONST, Flag::CACHED, Flag::DELEGATED] {
        assert_eq!(block.has(class), is_new);
    }
    if is_new {
        let read = block.neighbor();
        let meant = NeighborVariables {
            destination: state.destination,
            source: state.source,
            vlan: state.vlan,
            reserved: 0,
            host_reachability: state.host_reachability_ms,
            card_reachability: state.card_reachability_ms,
        };
        assert_eq!(read, meant);
    }
}

fn check_path(block: &Parsed, linker: Option<Handle>, state: &PathState) {
    assert_eq!(block.header.kind, Kind::PATH.0);
    assert_eq!(block.header.handle, linker.map_or(0, |handle| handle.0));
    let is_new = linker.is_none();
    assert_eq!([block.has(Flag::CONST), block.has(Flag::CACHED)], [is_new; 2]);
    assert!(!block.has(Flag::DELEGATED), "a path has no delegated variables");
    if !is_new {
        return;
    }
    let read = block.path();
    assert_eq!(read.mtu, state.mtu);
    for (read, meant) in [(read.source, state.source), (read.destination, state.destination)] {
        match meant {
            IpAddr::V6(address) => assert_eq!(read, address.octets()),
            IpAddr::V4(address) => {
                assert_eq!(read[..4], address.octets());
                assert_eq!(read[4..], [0; 12]);
            }
        }
    }
    assert_eq!(block.has(Flag::IPV6), state.source.is_ipv6());
}

proptest! {
    #[test]
    fn initiate_trees_say_what_was_meant(plan in initiate_plan()) {
        let tree = build(&plan);
        let mut blocks = parse(&tree, Opcode::INITIATE).into_iter().enumerate();
        for (which, state, paths) in &plan {
            let (neighbor, block) = blocks.next().expect("a neighbor block");
            check_neighbor(&block, *which, state);
            for (linker, state, connections) in paths {
                let (path, block) = blocks.next().expect("a path block");
                prop_assert_eq!(block.parent, Some(neighbor));
                check_path(&block, *linker, state);
                for state in connections {
                    let (_, block) = blocks.next().expect("a connection block");
                    prop_assert_eq!(block.parent, Some(path));
                    prop_assert_eq!(block.connection(), *state);
                }
            }
        }
        prop_assert!(blocks.next().is_none());
    }

    #[test]
    fn update_trees_say_what_was_meant(
        neighbors in prop::collection::vec(
            (handles(Kind::NEIGHBOR), prop::option::of((any::<[u8; 6]>(), any::<u32>())),
             prop::collection::vec((handles(Kind::PATH), prop::option::of(any::<u32>())), 0..6),
             prop::option::of(handles(Kind::NEIGHBOR))), 1..5),
        mtus in prop::collection::vec((handles(Kind::PATH), any::<u32>()), 0..3),
        connections in prop::collection::vec((handles(Kind::CONNECTION), words::<8>()), 0..3),
    ) {
        let mut tree = Update::new();
        for (handle, set, paths, old) in &neighbors {
            let mut neighbor = tree.neighbor(*handle);
            if let Some((destination, age_ms)) = set {
                neighbor = neighbor.set(*destination, *age_ms);
            }
            match old {
                Some(old) => neighbor.relink_all_of(*old),
                None => for (path, mtu) in paths {
                    match mtu {
                        Some(mtu) => neighbor.relink_with_mtu(*path, *mtu),
                        None => neighbor.relink(*path),
                    };
                },
            }
        }
        for (path, mtu) in &mtus {
            tree.path_mtu(*path, *mtu);
        }
        for (connection, cached) in &connections {
            tree.connection(*connection, &ConnectionCached::read(cached));
        }
        let mut blocks = parse(&tree.into(), Opcode::UPDATE).into_iter().enumerate();
        for (handle, set, paths, old) in &neighbors {
            let (number, block) = blocks.next().expect("a neighbor block");
            prop_assert_eq!(block.header.named(), *handle);
            prop_assert_eq!(block.has(Flag::CACHED), set.is_some());
            let (destination, age_ms) = set.unwrap_or_default();
            prop_assert_eq!(block.neighbor().destination, destination);
            prop_assert_eq!(block.neighbor().host_reachability, age_ms);
            prop_assert_eq!(block.has(Flag::ALL_OF), old.is_some());
            prop_assert_eq!(block.selection().list, old.map_or(0, |old| old.0));
            if old.is_some() {
                continue;
            }
            for (path, mtu) in paths {
                let (_, block) = blocks.next().expect("a path block");
                prop_assert_eq!((block.header.named(), block.parent), (*path, Some(number)));
                prop_assert_eq!(block.has(Flag::CACHED), mtu.is_some());
                prop_assert_eq!(block.path().mtu, mtu.unwrap_or(0));
            }
        }
        for (path, mtu) in &mtus {
            let (_, block) = blocks.next().expect("a path block");
            prop_assert_eq!((block.header.named(), block.parent), (*path, None));
            prop_assert_eq!((block.has(Flag::CACHED), block.path().mtu), (true, *mtu));
        }
        for (connection, cached) in &connections {
            let (_, block) = blocks.next().expect("a connection block");
            prop_assert_eq!((block.header.named(), block.parent), (*connection, None));
            prop_assert_eq!(ConnectionCached::read(&block.rest), ConnectionCached::read(cached));
        }
    }

    #[test]
    fn named_objects_all_go_down_once(
        named in prop::collection::vec(
            (1..=3_u8).prop_flat_map(|kind| handles(Kind(kind))), 1..40),
    ) {
        let mut query = Query::new();
        let mut invalidate = Invalidate::new();
        let mut terminate = Terminate::new();
        for (number, &handle) in named.iter().enumerate() {
            for block in [query.object(handle.kind(), handle),
                          invalidate.object(handle.kind(), handle),
                          terminate.object(handle.kind(), handle)] {
                prop_assert_eq!(block, number, "blocks are numbered in the order of the calls");
            }
        }
        for (tree, opcode) in [(Tree::from(query), Opcode::QUERY),
                               (invalidate.into(), Opcode::INVALIDATE),
                               (terminate.into(), Opcode::TERMINATE)] {
            let blocks = parse(&tree, opcode);
            let mut sent: Vec<Handle> = blocks.iter().map(|block| block.header.named()).collect();
            if opcode == Opcode::TERMINATE {
                let levels = |pair: &[Handle]| level(pair[0].kind()) >= level(pair[1].kind());
                prop_assert!(sent.windows(2).all(levels), "children first");
            } else {
                prop_assert_eq!(&sent, &named);
            }
            let mut meant = named.clone();
            sent.sort();
            meant.sort();
            prop_assert_eq!(sent, meant);
            check_state_offsets(&blocks, opcode);
        }
    }
}

/// Every state record has a place of its own, aligned, behind the result records.
fn check_state_offsets(blocks: &[Parsed], opcode: Opcode) {
    let mut places: Vec<(u32, u32)> = Vec::new();
    for block in blocks {
        let bytes = match (opcode, Kind(block.header.kind)) {
            (Opcode::INVALIDATE, _) | (Opcode::TERMINATE, Kind::PATH) => 0,
            (_, Kind::CONNECTION) => abi::host::completion::CONNECTION_RECORD_BYTES,
            _ => abi::host::completion::STATE_RECORD_BYTES,
        };
        assert_eq!(block.state_offset == 0, bytes == 0);
        if bytes != 0 {
            places.push((block.state_offset, bytes));
        }
    }
    places.sort();
    let mut end = (blocks.len() * abi::host::completion::ResultRecord::BYTES) as u32;
    for (offset, bytes) in places {
        assert!(offset.is_multiple_of(abi::host::limit::DMA_ALIGN) && offset >= end, "{offset}");
        end = offset + bytes;
    }
}
