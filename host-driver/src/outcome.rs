//! What came back of a tree: a result a block, states, list statuses; all checked before use.
//!
//! From `session`, to the caller. It holds a copy of the result buffer, so nothing the card does
//! later changes it.

use abi::host::command::{
    CommandHeader, ConnectionCached, ConnectionConst, ConnectionDelegated, Flag, NeighborVariables,
    PathVariables, VARIABLES,
};
use abi::host::completion::{
    CONNECTION_RECORD_CACHED, CONNECTION_RECORD_DELEGATED, Completion, ResultRecord, StateHeader,
};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Kind, Status};

use crate::dma::HandleList;
use crate::error::Refused;
use crate::state::{ConnectionState, NeighborState, ObjectHead, ObjectState, PathState};
use crate::tree::{Place, PlacedList, ResultLayout, Tree};

/// The card's answer for one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockResult {
    /// The object's handle; null when initiate failed.
    pub handle: Handle,
    /// Its status.
    pub status: Status,
    /// Of a relink of all paths: the old neighbor's status. Else `NONE`.
    pub old_status: Status,
    /// After success: paths moved. Else see [`Detail`].
    pub detail: u32,
}

/// What became of a tree.
#[derive(Debug)]
pub struct Outcome {
    completion: Completion,
    words: Vec<u32>,
    layout: ResultLayout,
    blocks: usize,
    lists: Vec<AnsweredList>,
}

/// A list with the status of every entry.
#[derive(Debug)]
struct AnsweredList {
    block: usize,
    list: HandleList,
    statuses: Vec<u8>,
}

impl Outcome {
    /// Takes the results apart; the reason, if they cannot be.
    pub(crate) fn new(
        tree: Tree,
        completion: Completion,
        words: Vec<u32>,
    ) -> Result<(Self, Vec<abi::host::command::Slot>), String> {
        let mut outcome = Self {
            completion,
            words,
            layout: tree.layout,
            blocks: tree.blocks as usize,
            lists: Vec::new(),
        };
        outcome.check(&tree.slots)?;
        for placed in tree.lists {
            let list = outcome.answered(placed)?;
            outcome.lists.push(list);
        }
        Ok((outcome, tree.slots))
    }

    /// What a tree gets that a reset overtook.
    pub(crate) fn reset(tree: Tree) -> Self {
        let completion =
            Completion { failed: tree.blocks, status: Status::RESET.0, ..Completion::default() };
        let record = ResultRecord { status: Status::RESET.0, ..ResultRecord::default() };
        let mut words = vec![0; tree.blocks as usize * ResultRecord::BYTES / 4];
        for chunk in words.chunks_exact_mut(ResultRecord::BYTES / 4) {
            record.write(chunk);
        }
        let lists = tree.lists.into_iter().map(|placed| AnsweredList {
            block: placed.block as usize,
            statuses: vec![Status::RESET.0; placed.list.len()],
            list: placed.list,
        });
        let lists = lists.collect();
        let blocks = tree.blocks as usize;
        Self { completion, words, layout: ResultLayout::Records, blocks, lists }
    }

    /// Status of the tree: success when all blocks were done, failure when none was.
    #[must_use]
    pub const fn status(&self) -> Status {
        Status(self.completion.status)
    }

    /// Why the tree as a whole could not be carried out.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        Detail(self.completion.detail)
    }

    /// Blocks and list entries that were carried out.
    #[must_use]
    pub const fn done(&self) -> u32 {
        self.completion.done
    }

    /// Blocks and list entries that were not.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.completion.failed
    }

    /// Blocks in the tree.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// The card's answer for block `block`.
    ///
    /// # Panics
    /// When the tree had no such block.
    #[must_use]
    pub fn block(&self, block: usize) -> BlockResult {
        assert!(block < self.blocks, "the tree has {} blocks, not {}", self.blocks, block + 1);
        self.by_record(self.place(block).record as usize)
    }

    /// The state that came back for block `block`, of a query or terminate that succeeded.
    #[must_use]
    pub fn state(&self, block: usize) -> Option<ObjectState> {
        if block >= self.blocks || !self.block(block).status.is_done() {
            return None;
        }
        let at = self.place(block).state as usize;
        let words = if at == 0 { None } else { self.words.get(at / 4..) }?;
        decode(words, self.block(block).handle.kind())
    }

    /// The status of every entry of the list that block `block` named; empty for any other.
    #[must_use]
    pub fn list_status(&self, block: usize) -> &[u8] {
        self.lists.iter().find(|list| list.block == block).map_or(&[], |list| &list.statuses)
    }

    /// The list that block `block` named.
    #[must_use]
    pub fn list(&self, block: usize) -> Option<&HandleList> {
        self.lists.iter().find(|list| list.block == block).map(|list| &list.list)
    }

    /// Gives the lists back for reuse, in the order of their blocks.
    #[must_use]
    pub fn into_lists(self) -> Vec<HandleList> {
        self.lists.into_iter().map(|list| list.list).collect()
    }

    /// The first block that was not carried out, as an error.
    ///
    /// # Errors
    /// When there is one.
    pub fn all_done(&self) -> Result<(), Refused> {
        for block in 0..self.blocks {
            let result = self.block(block);
            if result.status != Status::SUCCESS {
                let detail = Detail(result.detail);
                return Err(Refused { block, status: result.status, detail });
            }
        }
        Ok(())
    }

    /// The card's answer by its record, which is the order of the slots.
    pub(crate) fn by_record(&self, record: usize) -> BlockResult {
        let record = self.record(record);
        BlockResult {
            handle: Handle(record.handle),
            status: Status(record.status),
            old_status: Status(record.old_status),
            detail: record.detail,
        }
    }

    fn place(&self, block: usize) -> Place {
        match &self.layout {
            ResultLayout::Records => Place { record: block as u32, state: 0 },
            ResultLayout::States(places) => places[block],
        }
    }

    fn record(&self, record: usize) -> ResultRecord {
        const WORDS: usize = ResultRecord::BYTES / 4;
        match self.words.get(record * WORDS..(record + 1) * WORDS) {
            Some(words) => ResultRecord::read(words),
            None => ResultRecord::default(),
        }
    }

    /// Holds the answer against what was sent: the tree and every block have a known status, and
    /// a block that was done names an object of its kind.
    fn check(&self, slots: &[abi::host::command::Slot]) -> Result<(), String> {
        if self.status() == Status::NONE || self.status().word() == "unknown" {
            return Err(format!("the tree has status {}", self.completion.status));
        }
        let heads = slots.iter().map(|slot| CommandHeader::read(slot));
        let heads = heads.filter(|head| !Flag::CONTINUATION.is_in(head.flags));
        for (number, head) in heads.enumerate() {
            let record = self.record(number);
            let status = Status(record.status);
            if status == Status::NONE && self.detail() != Detail::NONE {
                continue; // The tree was cut short, and says so.
            }
            if status == Status::NONE || status.word() == "unknown" {
                return Err(format!("block {number} has status {}", record.status));
            }
            let handle = Handle(record.handle);
            let is_named = !Flag::PLACEHOLDER.is_in(head.flags);
            let is_expected = head.handle == 0 || head.handle == record.handle;
            if status.is_done() && is_named && (!is_expected || handle.kind() != Kind(head.kind)) {
                return Err(format!("block {number} came back with handle {handle}"));
            }
        }
        Ok(())
    }

    /// The statuses of a list's entries.
    fn answered(&self, placed: PlacedList) -> Result<AnsweredList, String> {
        let block = placed.block as usize;
        let mut statuses = self.bytes(placed.statuses as usize, placed.list.len())?;
        let is_done = self.by_record(block).status.is_done();
        for status in statuses.iter_mut().filter(|status| **status == Status::NONE.0) {
            // The block failed before its list was looked at: nothing of it was tried.
            *status = Status::FAILURE.0;
            if is_done {
                return Err("an entry of the list has no status".to_owned());
            }
        }
        Ok(AnsweredList { block, list: placed.list, statuses })
    }

    fn bytes(&self, first: usize, count: usize) -> Result<Vec<u8>, String> {
        let words = self.words.get(first / 4..first / 4 + count.div_ceil(4));
        let words = words.ok_or("the status bytes lie outside the result buffer")?;
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(count);
        Ok(bytes)
    }
}

/// A state record; `None` when it is not of the kind that was asked for.
fn decode(words: &[u32], kind: Kind) -> Option<ObjectState> {
    let header = StateHeader::read(words.get(..StateHeader::BYTES / 4)?);
    if Kind(header.kind) != kind {
        return None;
    }
    let head = ObjectHead {
        invalid: header.invalid != 0,
        dependents: header.dependents,
        parent: Handle(header.parent),
    };
    let variables = words.get(VARIABLES / 4..16)?;
    match Kind(header.kind) {
        Kind::NEIGHBOR => {
            let state = NeighborState::from_variables(&NeighborVariables::read(variables));
            Some(ObjectState::Neighbor(state, head))
        }
        Kind::PATH => {
            let is_ipv6 = Flag::IPV6.is_in(header.flags);
            let state = PathState::from_variables(&PathVariables::read(variables), is_ipv6);
            Some(ObjectState::Path(state, head))
        }
        Kind::CONNECTION => {
            let at = |offset: u32| words.get(offset as usize / 4..);
            let cached = at(CONNECTION_RECORD_CACHED)?.get(..ConnectionCached::BYTES / 4)?;
            let delegated = at(CONNECTION_RECORD_DELEGATED)?;
            let delegated = delegated.get(..ConnectionDelegated::BYTES / 4)?;
            let state = ConnectionState {
                constant: ConnectionConst::read(variables),
                cached: ConnectionCached::read(cached),
                delegated: ConnectionDelegated::read(delegated),
            };
            Some(ObjectState::Connection(Box::new(state), head))
        }
        _ => None,
    }
}
