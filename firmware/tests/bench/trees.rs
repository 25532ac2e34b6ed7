//! Slots for tests, straight from the contract, and a look at the tables by its layout.

use abi::core::table::{Control, alias, alias_private, connection, neighbor};
use abi::core::table::{neighbor_private, path};
use abi::host::command::{
    CLASSES, CommandHeader, Flag, NeighborVariables, Opcode, PathVariables, SELECTION, Selection,
    Slot, VARIABLES,
};
use abi::host::completion::ResultRecord;
use abi::host::handle::Handle;
use abi::host::limit::NEIGHBOR_ALIASES_MAX;
use abi::host::status::{Kind, Status};
use firmware::Firmware;

use super::Bench;

/// Where results go.
pub(crate) const RESULTS: u64 = 0x10_0000;
/// Units of the result buffer.
pub(crate) const UNITS: u16 = 64;

/// A slot that begins a block.
pub(crate) fn slot(opcode: Opcode, kind: Kind, flags: u16, handle: Handle) -> Slot {
    let mut words = [0; 16];
    let (opcode, kind, handle) = (opcode.0, kind.0, handle.0);
    CommandHeader { opcode, kind, flags, handle, ..Default::default() }.write(&mut words);
    words
}

/// Frames blocks as one tree.
pub(crate) fn tree(mut slots: Vec<Slot>) -> Vec<u32> {
    let first = slots.first_mut().expect("a tree has a block");
    let mut header = CommandHeader::read(first);
    header.flags |= Flag::FIRST.0;
    header.result = RESULTS;
    header.result_units = UNITS;
    header.write(first);
    let last = slots.last_mut().expect("a tree has a block");
    let mut header = CommandHeader::read(last);
    header.flags |= Flag::LAST.0;
    header.write(last);
    slots.concat()
}

/// A new neighbor and `paths` paths of it.
pub(crate) fn neighbor_with_paths(mac: u8, paths: u8) -> Vec<u32> {
    let mut root = slot(Opcode::INITIATE, Kind::NEIGHBOR, Flag::ROOT.0 | CLASSES, Handle::NULL);
    let state = NeighborVariables { destination: [2, 0, 0, 0, 0, mac], ..Default::default() };
    state.write(&mut root[VARIABLES / 4..]);
    let flags = Flag::CONST.0 | Flag::CACHED.0;
    let path = |number| {
        let mut words = slot(Opcode::INITIATE, Kind::PATH, flags, Handle::NULL);
        let mut state = PathVariables { mtu: 1500, ..Default::default() };
        state.destination[..4].copy_from_slice(&[10, 0, mac, number]);
        state.write(&mut words[VARIABLES / 4..]);
        words
    };
    tree([root].into_iter().chain((0..paths).map(path)).collect())
}

/// Moves all paths of `old` to `to`.
pub(crate) fn relink_all(to: Handle, old: Handle) -> Vec<u32> {
    let mut words = slot(Opcode::UPDATE, Kind::NEIGHBOR, Flag::ROOT.0 | Flag::ALL_OF.0, to);
    Selection { list: old.0, count: 0 }.write(&mut words[SELECTION / 4..]);
    tree(vec![words])
}

/// Moves one path to `to`.
pub(crate) fn relink(to: Handle, path: Handle) -> Vec<u32> {
    let root = slot(Opcode::UPDATE, Kind::NEIGHBOR, Flag::ROOT.0, to);
    tree(vec![root, slot(Opcode::UPDATE, Kind::PATH, 0, path)])
}

/// Names one object.
pub(crate) fn named(opcode: Opcode, handle: Handle) -> Vec<u32> {
    tree(vec![slot(opcode, handle.kind(), Flag::ROOT.0, handle)])
}

impl Bench {
    /// Runs a tree; gives the records of its first `blocks` blocks.
    pub(crate) fn answers(
        &mut self,
        firmware: &mut Firmware,
        words: &[u32],
        blocks: usize,
    ) -> Vec<ResultRecord> {
        self.run(firmware, words, &[]);
        self.records(blocks)
    }

    /// The records written last.
    pub(crate) fn records(&self, blocks: usize) -> Vec<ResultRecord> {
        let words = self.at(RESULTS, blocks * ResultRecord::BYTES / 4);
        words.chunks_exact(ResultRecord::BYTES / 4).map(ResultRecord::read).collect()
    }

    /// Runs an initiate that must succeed; gives the handles.
    pub(crate) fn handles(
        &mut self,
        firmware: &mut Firmware,
        words: &[u32],
        blocks: usize,
    ) -> Vec<Handle> {
        let records = self.answers(firmware, words, blocks);
        for record in &records {
            assert_eq!(Status(record.status), Status::SUCCESS, "{records:?}");
        }
        records.iter().map(|record| Handle(record.handle)).collect()
    }

    /// How many aliases lead to a neighbor.
    pub(crate) fn aliases_of(&self, neighbor: Handle) -> usize {
        let layout = self.layout();
        let at = |word: u32| self.table[word as usize];
        let first = layout.neighbor_private(neighbor.index()) + neighbor_private::ALIASES;
        let next = |&at_next: &u32| match at(at_next) {
            0 => None,
            alias => Some(layout.alias_private(alias - 1) + alias_private::NEXT),
        };
        std::iter::successors(Some(first), next).count() - 1
    }

    /// Holds the tables against each other: links, aliases, chains, counts.
    pub(crate) fn check_tables(&self) {
        let layout = self.layout();
        let at = |word: u32| self.table[word as usize];
        let is_live = |line: u32| at(line) & Control::LIVE.0 != 0;
        let mut on_alias = vec![0; self.capabilities.aliases as usize];
        let mut of_neighbor = vec![0; self.capabilities.neighbors as usize];
        let mut of_path = vec![0; self.capabilities.paths as usize];
        for index in 0..self.capabilities.connections {
            let line = layout.connection(index);
            if is_live(line + connection::CONTROL) {
                of_path[at(line + connection::PATH) as usize] += 1;
            }
        }
        for index in 0..self.capabilities.paths {
            let line = layout.path(index);
            if !is_live(line + path::CONTROL) {
                continue;
            }
            assert_eq!(at(line + path::CONNECTIONS), of_path[index as usize], "path {index}");
            let link = at(line + path::LINK);
            let via = at(layout.alias(link) + alias::VIA);
            assert!(
                is_live(layout.neighbor(via) + neighbor::CONTROL),
                "path {index} leads nowhere"
            );
            on_alias[link as usize] += 1;
            of_neighbor[via as usize] += 1;
        }
        for index in 0..self.capabilities.neighbors {
            if !is_live(layout.neighbor(index) + neighbor::CONTROL) {
                continue;
            }
            let own = layout.neighbor_private(index);
            let paths = at(own + neighbor_private::PATHS);
            assert_eq!(paths, of_neighbor[index as usize], "neighbor {index}");
            let (mut chain, mut next) = (Vec::new(), at(own + neighbor_private::ALIASES));
            while next != 0 {
                assert_eq!(at(layout.alias(next - 1) + alias::VIA), index, "alias {}", next - 1);
                let counted = at(layout.alias_private(next - 1) + alias_private::PATHS);
                assert_eq!(counted, on_alias[next as usize - 1], "alias {}", next - 1);
                chain.push(next - 1);
                next = at(layout.alias_private(next - 1) + alias_private::NEXT);
            }
            assert!(chain.len() <= NEIGHBOR_ALIASES_MAX as usize, "neighbor {index}: {chain:?}");
            assert!(chain.contains(&at(own + neighbor_private::HOME)), "neighbor {index}");
            let reached: u32 = chain.iter().map(|&alias| on_alias[alias as usize]).sum();
            assert_eq!(reached, paths, "neighbor {index}: a path hangs from a lost alias");
        }
    }
}
