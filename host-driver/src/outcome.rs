//! What came back of a tree: a result a block, states, list statuses; all checked before use.
//!
//! From `session`, to the caller. It holds a copy of the result buffer, so nothing the card does
//! later changes it. Of a tree it checks the status; of each block and list, when `session` comes
//! to it (`Outcome::answer`, `Outcome::check_list`) and before it follows it.

use abi::host::command::{
    CommandHeader, ConnectionCached, ConnectionConst, ConnectionDelegated, Flag, NeighborVariables,
    PathVariables, Slot, VARIABLES,
};
use abi::host::completion::{
    CONNECTION_RECORD_CACHED, CONNECTION_RECORD_DELEGATED, Completion, ResultRecord, StateHeader,
};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Kind, Status};

use zerocopy::IntoBytes;

use crate::body::{Place, PlacedList, ResultLayout};
use crate::dma::HandleList;
use crate::error::Refused;
use crate::spare::Spare;
use crate::state::{ConnectionState, NeighborState, ObjectHead, ObjectState, PathState};
use crate::tree::Tree;

/// Words of a result record.
const RECORD_WORDS: usize = ResultRecord::BYTES / 4;

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

impl From<ResultRecord> for BlockResult {
    #[inline]
    fn from(record: ResultRecord) -> Self {
        Self {
            handle: Handle(record.handle),
            status: Status(record.status),
            old_status: Status(record.old_status),
            detail: record.detail,
        }
    }
}

/// What became of a tree.
#[derive(Debug)]
pub struct Outcome {
    body: Spare,
}

impl Outcome {
    /// A tree that is over, with what came back; the reason, if its own status makes no sense.
    /// Blocks and lists are not checked yet.
    pub(crate) fn new(tree: Tree) -> Result<Self, String> {
        let status = Status(tree.body.completion.status);
        if !is_answer(status) {
            return Err(format!("the tree has status {}", status.0));
        }
        Ok(Self { body: tree.body })
    }

    /// What a tree gets that a reset overtook.
    pub(crate) fn reset(tree: Tree) -> Self {
        let mut outcome = Self { body: tree.body };
        let body = &mut *outcome.body;
        let (failed, status) = (body.blocks, Status::RESET.0);
        body.completion = Completion { failed, status, ..Completion::default() };
        body.layout = ResultLayout::Records;
        body.words.resize(body.result_bytes as usize / 4, 0);
        let record = ResultRecord { status, ..ResultRecord::default() };
        for chunk in body.words.chunks_exact_mut(RECORD_WORDS).take(failed as usize) {
            record.write(chunk);
        }
        for placed in &body.lists {
            statuses_mut(&mut body.words, placed).fill(status);
        }
        outcome
    }

    /// The slots that were sent, until [`Outcome::shed_slots`].
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.body.slots
    }

    /// Passes the slots on: nothing here needs them any more.
    pub(crate) fn shed_slots(&mut self) {
        self.body.shed_slots();
    }

    /// Status of the tree: success when all blocks were done, failure when none was.
    #[must_use]
    pub fn status(&self) -> Status {
        Status(self.body.completion.status)
    }

    /// Why the tree as a whole could not be carried out.
    #[must_use]
    pub fn detail(&self) -> Detail {
        Detail(self.body.completion.detail)
    }

    /// Blocks and list entries that were carried out.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.body.completion.done
    }

    /// Blocks and list entries that were not.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.body.completion.failed
    }

    /// Blocks in the tree.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.body.blocks as usize
    }

    /// The card's answer for block `block`.
    ///
    /// # Panics
    /// When the tree had no such block.
    #[must_use]
    pub fn block(&self, block: usize) -> BlockResult {
        assert!(block < self.blocks(), "the tree has {} blocks, not {}", self.blocks(), block + 1);
        self.by_record(self.place(block).record as usize)
    }

    /// The card's answers, block by block in their order.
    pub fn results(&self) -> impl Iterator<Item = BlockResult> {
        let (in_order, places) = match &self.body.layout {
            ResultLayout::Records => (self.blocks(), &[][..]),
            ResultLayout::States(places) => (0, places.as_slice()),
        };
        let in_order = self.records(0).take(in_order).map(BlockResult::from);
        in_order.chain(places.iter().map(|place| self.by_record(place.record as usize)))
    }

    /// The state that came back for block `block`, of a query or terminate that succeeded.
    #[must_use]
    pub fn state(&self, block: usize) -> Option<ObjectState> {
        if block >= self.blocks() || !self.block(block).status.is_done() {
            return None;
        }
        let at = self.place(block).state as usize;
        let words = if at == 0 { None } else { self.body.words.get(at / 4..) }?;
        decode(words, self.block(block).handle.kind())
    }

    /// The status of every entry of the list that block `block` named; empty for any other.
    #[must_use]
    pub fn list_status(&self, block: usize) -> &[u8] {
        self.placed(block).map_or(&[], |placed| self.statuses(placed))
    }

    /// The list that block `block` named.
    #[must_use]
    pub fn list(&self, block: usize) -> Option<&HandleList> {
        self.placed(block).map(|placed| &placed.list)
    }

    /// Gives the lists back for reuse, in the order of their blocks.
    #[must_use]
    pub fn into_lists(mut self) -> Vec<HandleList> {
        std::mem::take(&mut self.body.lists).into_iter().map(|placed| placed.list).collect()
    }

    /// The first block that was not carried out, as an error.
    ///
    /// # Errors
    /// When there is one.
    pub fn all_done(&self) -> Result<(), Refused> {
        for block in 0..self.blocks() {
            let result = self.block(block);
            if result.status != Status::SUCCESS {
                let detail = Detail(result.detail);
                return Err(Refused { block, status: result.status, detail });
            }
        }
        Ok(())
    }

    /// The card's answer by its record, which is the order of the slots.
    #[inline]
    fn by_record(&self, record: usize) -> BlockResult {
        BlockResult::from(self.record(record))
    }

    fn place(&self, block: usize) -> Place {
        match &self.body.layout {
            ResultLayout::Records => Place { record: block as u32, state: 0 },
            ResultLayout::States(places) => places[block],
        }
    }

    #[inline]
    fn record(&self, record: usize) -> ResultRecord {
        let (records, _) = self.body.words.as_chunks::<RECORD_WORDS>();
        match records.get(record) {
            Some(words) => ResultRecord::read(words),
            None => ResultRecord::default(),
        }
    }

    /// The records from `first` on, not checked; past the last one comes what is no record.
    #[inline]
    pub(crate) fn records(&self, first: usize) -> impl Iterator<Item = ResultRecord> {
        let (records, _) = self.body.words.as_chunks::<RECORD_WORDS>();
        let records = records.get(first..).unwrap_or_default();
        records.iter().map(|words| ResultRecord::read(words))
    }

    /// The answer for the block that `head` began, held against what was sent: it has a known
    /// status, and when it was done it names an object of its kind. Else the reason.
    #[inline]
    pub(crate) fn answer(
        &self,
        record: usize,
        head: &CommandHeader,
    ) -> Result<BlockResult, String> {
        let result = self.by_record(record);
        let is_cut_short = result.status == Status::NONE && self.detail() != Detail::NONE;
        let is_named = !Flag::PLACEHOLDER.is_in(head.flags);
        let is_expected = head.handle == 0 || head.handle == result.handle.0;
        let is_right = is_expected && result.handle.kind() == Kind(head.kind);
        let is_wrong = result.status.is_done() && is_named && !is_right;
        // A tree that was cut short says so.
        if is_cut_short || is_answer(result.status) && !is_wrong {
            return Ok(result);
        }
        Err(nonsense(record, result.status, result.handle))
    }

    /// Looks at the statuses of the list that block `block` named, if it did: whether all are
    /// success. Those of a block that failed before its list was looked at become failure:
    /// nothing of it was tried. `Err`: one has none.
    pub(crate) fn check_list(&mut self, block: usize) -> Result<bool, String> {
        let is_done = self.by_record(block).status.is_done();
        let body = &mut *self.body;
        let Ok(at) = body.lists.binary_search_by_key(&(block as u32), |placed| placed.block) else {
            return Ok(false);
        };
        let statuses = statuses_mut(&mut body.words, &body.lists[at]);
        if is_all_success(statuses) {
            return Ok(true);
        }
        for status in statuses.iter_mut().filter(|status| **status == Status::NONE.0) {
            *status = Status::FAILURE.0;
            if is_done {
                return Err("an entry of the list has no status".to_owned());
            }
        }
        Ok(false)
    }

    fn placed(&self, block: usize) -> Option<&PlacedList> {
        let at = self.body.lists.binary_search_by_key(&block, |placed| placed.block as usize);
        self.body.lists.get(at.ok()?)
    }

    fn statuses(&self, placed: &PlacedList) -> &[u8] {
        let first = placed.statuses as usize;
        &self.body.words.as_bytes()[first..first + placed.list.len()]
    }
}

/// Where the statuses of a list stand: the tree that placed them gave the results their length.
fn statuses_mut<'a>(words: &'a mut [u32], placed: &PlacedList) -> &'a mut [u8] {
    let first = placed.statuses as usize;
    &mut words.as_mut_bytes()[first..first + placed.list.len()]
}

/// Whether every status of a list is success, sixty-four at a time.
fn is_all_success(statuses: &[u8]) -> bool {
    let differs = |statuses: &[u8]| {
        statuses.iter().fold(0, |differs, status| differs | status ^ Status::SUCCESS.0) != 0
    };
    let (chunks, rest) = statuses.as_chunks::<64>();
    !chunks.iter().any(|chunk| differs(chunk)) && !differs(rest)
}

/// What is wrong with a block's answer.
#[cold]
fn nonsense(record: usize, status: Status, handle: Handle) -> String {
    if is_answer(status) {
        return format!("block {record} came back with handle {handle}");
    }
    format!("block {record} has status {}", status.0)
}

/// Whether a card may answer with this status.
fn is_answer(status: Status) -> bool {
    status == Status::SUCCESS || status != Status::NONE && Status::ALL.contains(&status)
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
