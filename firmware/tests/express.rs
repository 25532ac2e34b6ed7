//! The express lane does what the walk of trees does: the same records, the same tables.

mod bench;

use abi::host::command::{Flag, Opcode, Slot};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use bench::{Bench, trees};
use firmware::Firmware;
use proptest::prelude::*;

const NEIGHBORS: u8 = 5;

proptest! {
    #[test]
    fn the_express_lane_and_the_walk_leave_the_same(
        paths in prop::collection::vec(0_u8..4, NEIGHBORS as usize),
        relinks in prop::collection::vec((0..NEIGHBORS + 1, 0..NEIGHBORS + 1, any::<bool>()), 1..40),
    ) {
        let ((mut express, mut quick), handles) = card(&paths);
        let ((mut walk, mut slow), others) = card(&paths);
        prop_assert_eq!(&handles, &others);
        let at = |number: u8| handles.get(number as usize).copied().unwrap_or(STALE);
        for (to, from, invalidates) in relinks {
            if invalidates {
                let words = trees::named(Opcode::INVALIDATE, at(to));
                express.run(&mut quick, &words, &[]);
                walk.run(&mut slow, &words, &[]);
            }
            let alone = trees::relink_all(at(to), at(from));
            let with_another = with_placeholder(&alone);
            let records = express.answers(&mut quick, &alone, 1);
            prop_assert_eq!(records, walk.answers(&mut slow, &with_another, 1));
            prop_assert_eq!(&express.table, &walk.table);
            express.check_tables();
        }
    }
}

/// A handle that names nothing on the card.
const STALE: Handle = Handle(0x4000_0000_u64 | 99 << 32);

/// A card with neighbors of so many paths each.
fn card(paths: &[u8]) -> ((Bench, Firmware), Vec<Handle>) {
    let (mut bench, mut firmware) = Bench::new(1);
    let mut neighbors = Vec::new();
    for (mac, paths) in (1..).zip(paths) {
        let words = trees::neighbor_with_paths(mac, *paths);
        let handles = bench.handles(&mut firmware, &words, usize::from(*paths) + 1);
        neighbors.extend(handles.first());
    }
    ((bench, firmware), neighbors)
}

/// The same tree with one more block that does nothing: no tree for the express lane.
fn with_placeholder(words: &[u32]) -> Vec<u32> {
    let mut first = Slot::try_from(words).expect("one slot");
    first[0] &= !(u32::from(Flag::LAST.0) << 16);
    let flags = Flag::ROOT.0 | Flag::PLACEHOLDER.0 | Flag::LAST.0;
    let last = trees::slot(Opcode::UPDATE, Kind::NEIGHBOR, flags, Handle::NULL);
    [first, last].concat()
}
