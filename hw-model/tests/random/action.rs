//! What a random command stream is made of.
//!
//! Objects are picked by number among those that exist when the action is played, so that a
//! stream stays meaningful while proptest makes it smaller. Values lie around every limit.

use proptest::collection::vec;
use proptest::prelude::*;

/// Which object an action names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    /// Counted around the objects that qualify.
    pub(crate) number: u8,
    /// One that was terminated will do as well.
    pub(crate) may_be_stale: bool,
    /// One of another kind will do as well.
    pub(crate) may_be_of_any_kind: bool,
}

/// A neighbor's variables, by small numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeighborSpec {
    pub(crate) mac: u8,
    /// 0 is the port's own.
    pub(crate) source: u8,
    pub(crate) vlan: u16,
}

/// A path's variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathSpec {
    pub(crate) mtu: u32,
    pub(crate) is_ipv6: bool,
}

/// A connection's variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionSpec {
    pub(crate) state: u8,
    pub(crate) priority: u8,
    pub(crate) fill: u32,
}

/// A block with what hangs from it.
#[derive(Clone, Debug)]
pub(crate) enum PathNode {
    New(PathSpec, Vec<ConnectionSpec>),
    Linker(Pick, Vec<ConnectionSpec>),
}

#[derive(Clone, Debug)]
pub(crate) enum Root {
    New(NeighborSpec, Vec<PathNode>),
    Linker(Pick, Vec<PathNode>),
    Placeholder(Vec<PathNode>),
    Path(Pick, Vec<ConnectionSpec>),
}

#[derive(Clone, Debug)]
pub(crate) enum UpdateRoot {
    Blocks { to: Pick, set: Option<u8>, paths: Vec<Pick> },
    AllOf { to: Pick, set: Option<u8>, old: Pick },
    Mtu(Pick, u32),
    Connection(Pick, ConnectionSpec),
}

/// Kind that a block says, as 1 to 3.
pub(crate) type Level = u8;

/// One step of a stream.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Initiate(Vec<Root>),
    Update(Vec<UpdateRoot>),
    List { to: Pick, paths: Vec<Pick> },
    Query(Vec<(Level, Pick)>),
    Invalidate(Vec<(Level, Pick)>),
    Terminate(Vec<(Level, Pick)>),
    Send { owner: Pick, is_connection: bool, bytes: u16, count: u8 },
    Reset,
}

/// A whole stream, and the VLANs of the interface it is played on.
pub(crate) fn streams(actions: usize) -> impl Strategy<Value = (bool, Vec<Action>)> {
    (any::<bool>(), vec(action(), 1..actions))
}

fn action() -> impl Strategy<Value = Action> {
    let named = || vec((1..=3_u8, pick()), 1..5);
    prop_oneof![
        6 => vec(root(), 1..4).prop_map(Action::Initiate),
        6 => vec(update(), 1..4).prop_map(Action::Update),
        3 => (pick(), vec(pick(), 0..12)).prop_map(|(to, paths)| Action::List { to, paths }),
        2 => named().prop_map(Action::Query),
        2 => named().prop_map(Action::Invalidate),
        3 => named().prop_map(Action::Terminate),
        6 => send(),
        1 => prop::bool::weighted(0.3).prop_map(|is| if is { Action::Reset } else { Action::Query(Vec::new()) }),
    ]
}

fn send() -> impl Strategy<Value = Action> {
    let bytes = prop_oneof![4 => Just(100_u16), 1 => 60..1600_u16];
    (pick(), any::<bool>(), bytes, 1..6_u8).prop_map(|(owner, is_connection, bytes, count)| {
        Action::Send { owner, is_connection, bytes, count }
    })
}

fn pick() -> impl Strategy<Value = Pick> {
    (any::<u8>(), prop::bool::weighted(0.1), prop::bool::weighted(0.05)).prop_map(
        |(number, may_be_stale, may_be_of_any_kind)| Pick {
            number,
            may_be_stale,
            may_be_of_any_kind,
        },
    )
}

fn root() -> impl Strategy<Value = Root> {
    let paths = || vec(path(), 0..4);
    prop_oneof![
        4 => (neighbor(), paths()).prop_map(|(state, paths)| Root::New(state, paths)),
        4 => (pick(), paths()).prop_map(|(of, paths)| Root::Linker(of, paths)),
        1 => paths().prop_map(Root::Placeholder),
        2 => (pick(), vec(connection(), 0..3)).prop_map(|(of, connections)| Root::Path(of, connections)),
    ]
}

fn path() -> impl Strategy<Value = PathNode> {
    let connections = || vec(connection(), 0..3);
    let mtu = prop_oneof![
        6 => Just(1500_u32),
        1 => prop::sample::select(vec![0, 67, 68, 1279, 1280, 9216, 9217, u32::MAX]),
    ];
    let state = (mtu, any::<bool>()).prop_map(|(mtu, is_ipv6)| PathSpec { mtu, is_ipv6 });
    prop_oneof![
        4 => (state, connections()).prop_map(|(state, below)| PathNode::New(state, below)),
        1 => (pick(), connections()).prop_map(|(of, below)| PathNode::Linker(of, below)),
    ]
}

fn neighbor() -> impl Strategy<Value = NeighborSpec> {
    let vlan =
        prop_oneof![4 => Just(0_u16), 4 => prop::sample::select(vec![10, 20, 30, 4094, 4095])];
    (any::<u8>(), 0..4_u8, vlan).prop_map(|(mac, source, vlan)| NeighborSpec { mac, source, vlan })
}

fn connection() -> impl Strategy<Value = ConnectionSpec> {
    let state = prop_oneof![6 => Just(4_u8), 1 => 0..12_u8];
    (state, 0..3_u8, any::<u32>()).prop_map(|(state, priority, fill)| ConnectionSpec {
        state,
        priority,
        fill,
    })
}

fn update() -> impl Strategy<Value = UpdateRoot> {
    let set = || prop::option::weighted(0.3, any::<u8>());
    let mtu = prop::sample::select(vec![67_u32, 68, 100, 1279, 1280, 1500, 9216, 9217]);
    prop_oneof![
        4 => (pick(), set(), vec(pick(), 0..5))
            .prop_map(|(to, set, paths)| UpdateRoot::Blocks { to, set, paths }),
        3 => (pick(), set(), pick()).prop_map(|(to, set, old)| UpdateRoot::AllOf { to, set, old }),
        2 => (pick(), mtu).prop_map(|(of, mtu)| UpdateRoot::Mtu(of, mtu)),
        1 => (pick(), connection()).prop_map(|(of, state)| UpdateRoot::Connection(of, state)),
    ]
}
