//! The firmware on bare table memory: no rings, no frames, no card around it.
//!
//! For who wants the writer's half of the protocol alone: the stress test, and benches that need
//! one thread that relinks at full rate while another resolves. The firmware is the product's own,
//! this only carries commands to it and takes what comes back. It has no time worth the name.
//! Invariant: with [`Guard::GracePeriod`] the readers find what they would find on a card.
//!
//! ```
//! use hw_model::CardConfig;
//! use hw_model::bare::{Bare, BareCore, Guard};
//! use hw_model::datapath::reader::Reader;
//! use hw_model::datapath::resolver::Verdict;
//! use host_driver::{Initiate, NeighborState, PathState, Tree};
//!
//! let bare = Bare::new(CardConfig::default().capabilities, 1).expect("memory for the tables");
//! let mut core = BareCore::start(bare.clone(), Guard::TakenAway);
//! let mut tree = Initiate::new();
//! let neighbor = NeighborState { destination: [2, 0, 0, 0, 0, 1], ..NeighborState::default() };
//! let [source, destination] = [1, 2].map(|last| [10, 0, 0, last].into());
//! tree.neighbor(&neighbor).path(&PathState { source, destination, mtu: 1500 });
//! core.run(&[Tree::from(tree).slots()]);
//! let path = core.result(0, 1);
//! // A reader, on a thread of its own: one announcement before each batch.
//! let mut reader = Reader::default();
//! reader.begin(bare.epochs(0), |_| {});
//! assert!(matches!(bare.resolver().resolve(path), Verdict::Send(_)));
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use abi::core::mmio::LIST_BUFFERS;
use abi::core::table::TableLayout;
use abi::core::{Capabilities, Fetched, Hal, Notice, Settings};
use abi::host::command::{CommandHeader, Flag, Opcode, SELECTION, STATE_OFFSET, Selection, Slot};
use abi::host::completion::{Completion, ResultRecord};
use abi::host::handle::Handle;
use abi::host::limit::{DMA_ALIGN, RESULT_UNIT};
use abi::host::register::Counter;
use abi::host::status::{FailCode, Kind, Status};
use abi::host::trace::TraceKind;
use firmware::{Activity, Firmware};
use host_driver::memory::Words;

use crate::datapath::resolver::Resolver;
use crate::epochs::{ANNOUNCED, Epochs, GLOBAL};
use crate::table_memory::TableMemory;

/// Trees that one call of [`BareCore::run`] takes.
pub const TREES_MAX: usize = 8;
/// Paths in one list: as many as have a status byte in a tree's part of the result buffer.
pub const LIST_MAX: u32 = RESULT_BYTES - DMA_ALIGN;

/// Bytes of the result buffer that each tree gets.
const RESULT_BYTES: u32 = 0x1_0000;
/// IOVAs of the result buffer and of the list.
const RESULTS_AT: u64 = 0x1_0000;
const LIST_AT: u64 = 0x1000_0000;
/// Bytes of a list's entry.
const ENTRY_BYTES: u64 = size_of::<Handle>() as u64;
/// Steps of the firmware that count as a millisecond: no busy machine makes its clock run ahead
/// of the readers.
const STEPS_A_MS: u32 = 1 << 20;

/// Whether the firmware waits for the readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It waits until every reader has announced the epoch.
    GracePeriod,
    /// It takes every epoch for announced: what a control does, or who has no reader.
    TakenAway,
}

/// What the firmware and the readers share.
#[derive(Debug)]
pub struct Bare {
    table: Arc<TableMemory>,
    layout: TableLayout,
    capabilities: Capabilities,
    /// One pair of epoch words a reader.
    epochs: Vec<Epochs>,
}

impl Bare {
    /// Empty tables for such a card, and so many readers; `None` when the tables do not fit.
    #[must_use]
    pub fn new(capabilities: Capabilities, readers: usize) -> Option<Arc<Self>> {
        let layout = TableLayout::new(&capabilities)?;
        let table = TableMemory::new(layout.words)?;
        let epochs = (0..readers).map(|_| Epochs::default()).collect();
        Some(Arc::new(Self { table, layout, capabilities, epochs }))
    }

    /// The tables.
    #[must_use]
    pub fn table(&self) -> &TableMemory {
        &self.table
    }

    /// What lies where in them.
    #[must_use]
    pub fn layout(&self) -> &TableLayout {
        &self.layout
    }

    /// What the card would offer.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Resolves frames from these tables.
    #[must_use]
    pub fn resolver(&self) -> Resolver<'_, TableMemory> {
        Resolver::new(&*self.table, &self.layout, &self.capabilities)
    }

    /// The epoch words of reader `reader`, for [`crate::datapath::reader::Reader::begin`].
    ///
    /// # Panics
    /// When there is no such reader.
    #[must_use]
    pub fn epochs(&self, reader: usize) -> &Epochs {
        &self.epochs[reader]
    }
}

/// The firmware, and what it is given and gives back.
pub struct BareCore {
    firmware: Firmware,
    hal: BareHal,
}

impl std::fmt::Debug for BareCore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BareCore").field("bare", &self.hal.bare).finish_non_exhaustive()
    }
}

impl BareCore {
    /// Starts the firmware on empty tables.
    ///
    /// # Panics
    /// When the capabilities do not fit together.
    #[must_use]
    pub fn start(bare: Arc<Bare>, guard: Guard) -> Self {
        let mut firmware = Firmware::new();
        let mut hal = BareHal::new(bare, guard);
        assert!(firmware.start(&mut hal), "the capabilities fit together");
        Self { firmware, hal }
    }

    /// From now on the firmware waits for readers, or does not.
    pub fn set_guard(&mut self, guard: Guard) {
        self.hal.guard = guard;
    }

    /// Gives the firmware trees one behind the other and steps it until all are answered. While
    /// it waits for readers the processor is given away.
    ///
    /// # Panics
    /// When they are more than [`TREES_MAX`], or one is not carried out.
    pub fn run(&mut self, trees: &[&[Slot]]) {
        assert!(trees.len() <= TREES_MAX, "{} trees at a time", trees.len());
        for (number, slots) in trees.iter().enumerate() {
            let result = RESULTS_AT + number as u64 * u64::from(RESULT_BYTES);
            let result_units = (RESULT_BYTES / RESULT_UNIT) as u16;
            let mut first = slots[0];
            CommandHeader { result, result_units, ..CommandHeader::read(&first) }.write(&mut first);
            self.hal.mailbox.push_back(first);
            self.hal.mailbox.extend(&slots[1..]);
        }
        self.hal.completions.clear();
        while self.hal.completions.len() < trees.len() {
            if self.firmware.step(&mut self.hal) != Activity::Busy {
                std::thread::yield_now();
            }
        }
        for (number, words) in self.hal.completions.iter().enumerate() {
            let status = Status(Completion::read(words).status);
            assert_eq!(status, Status::SUCCESS, "tree {number} of {}", trees.len());
        }
    }

    /// The handle that block `block` of tree `tree` of the last run was given.
    #[must_use]
    pub fn result(&self, tree: usize, block: usize) -> Handle {
        let at = tree * RESULT_BYTES as usize + block * ResultRecord::BYTES;
        Handle(ResultRecord::read(&self.hal.results[at / 4..]).handle)
    }

    /// Lays down the handles that [`Self::relink`] takes its paths from.
    pub fn set_list(&mut self, handles: Vec<Handle>) {
        self.hal.list = handles;
    }

    /// The one slot of a relink to `neighbor` of `count` paths of the list, from `first` on.
    ///
    /// # Panics
    /// When they are more than [`LIST_MAX`].
    #[must_use]
    pub fn relink(&self, neighbor: Handle, first: usize, count: u32) -> Slot {
        assert!(count <= LIST_MAX, "{count} paths in one list");
        let mut slot = [0; 16];
        CommandHeader {
            opcode: Opcode::UPDATE.0,
            kind: Kind::NEIGHBOR.0,
            flags: Flag::FIRST.0 | Flag::LAST.0 | Flag::ROOT.0 | Flag::LIST.0,
            handle: neighbor.0,
            ..CommandHeader::default()
        }
        .write(&mut slot);
        let list = LIST_AT + first as u64 * ENTRY_BYTES;
        Selection { list, count }.write(&mut slot[SELECTION / 4..]);
        // The status bytes stand behind the one result record.
        slot[STATE_OFFSET / 4] = if count == 0 { 0 } else { DMA_ALIGN };
        slot
    }
}

/// The card around the firmware, as far as there is one.
struct BareHal {
    bare: Arc<Bare>,
    guard: Guard,
    raised: u32,
    mailbox: VecDeque<Slot>,
    list: Vec<Handle>,
    /// Entry of the list at which the one asked for last begins.
    fetched: [usize; LIST_BUFFERS as usize],
    /// The result buffer, as the host finds it.
    results: Vec<u32>,
    completions: Vec<[u32; 4]>,
    steps: u32,
}

impl BareHal {
    fn new(bare: Arc<Bare>, guard: Guard) -> Self {
        Self {
            bare,
            guard,
            raised: 0,
            mailbox: VecDeque::new(),
            list: Vec::new(),
            fetched: [0; LIST_BUFFERS as usize],
            results: vec![0; TREES_MAX * RESULT_BYTES as usize / 4],
            completions: Vec::with_capacity(TREES_MAX),
            steps: 0,
        }
    }
}

impl Hal for BareHal {
    fn capabilities(&self) -> Capabilities {
        self.bare.capabilities
    }
    fn settings(&self) -> Settings {
        Settings { generation_seed: 1, ..Settings::default() }
    }
    #[inline]
    fn load(&self, word: u32) -> u32 {
        self.bare.table.load_relaxed(word as usize)
    }
    #[inline]
    fn store(&mut self, word: u32, value: u32) {
        self.bare.table.store_relaxed(word as usize, value);
    }
    #[inline]
    fn publish(&mut self, word: u32, value: u32) {
        self.bare.table.store_release(word as usize, value);
    }
    #[inline]
    fn observe(&self, word: u32) -> u32 {
        self.bare.table.load_acquire(word as usize)
    }
    fn pending(&self) -> u32 {
        u32::from(!self.mailbox.is_empty())
    }
    fn waiting(&self, _ring: u32) -> u32 {
        self.mailbox.len() as u32
    }
    fn place(&self, _ring: u32, ahead: u32) -> u32 {
        ahead
    }
    fn peek(&self, place: u32, word: u32) -> u32 {
        self.mailbox[place as usize][word as usize]
    }
    fn skip(&mut self, _ring: u32) {
        self.mailbox.pop_front();
    }
    fn consume(&mut self, _ring: u32) {}
    fn complete(&mut self, _ring: u32, completion: [u32; 4]) -> bool {
        self.completions.push(completion);
        true
    }
    fn is_stopped(&self, _ring: u32) -> bool {
        false
    }
    fn write(&mut self, _ring: u32, iova: u64, words: &[u32]) -> bool {
        let at = (iova - RESULTS_AT) as usize / 4;
        self.results[at..at + words.len()].copy_from_slice(words);
        true
    }
    fn fetch_list(&mut self, _ring: u32, buffer: u32, iova: u64, _entries: u32) {
        self.fetched[buffer as usize] = ((iova - LIST_AT) / ENTRY_BYTES) as usize;
    }
    fn list_state(&self, _ring: u32) -> Fetched {
        Fetched::Ready
    }
    #[inline]
    fn list_entry(&self, _ring: u32, buffer: u32, entry: u32) -> Handle {
        self.list[self.fetched[buffer as usize] + entry as usize]
    }
    fn raise(&mut self, epoch: u32) {
        self.raised = epoch;
        for epochs in &self.bare.epochs {
            epochs.store_release(GLOBAL, epoch);
        }
    }
    fn announced(&self) -> u32 {
        if self.guard == Guard::TakenAway {
            return self.raised;
        }
        let behind = |announced: u32| self.raised.wrapping_sub(announced);
        let announced = self.bare.epochs.iter().map(|epochs| epochs.load_acquire(ANNOUNCED));
        announced.max_by_key(|announced| behind(*announced)).unwrap_or(self.raised)
    }
    fn notice(&mut self) -> Option<Notice> {
        None
    }
    fn event(&mut self, _event: [u32; 4]) -> bool {
        true
    }
    fn now_ms(&self) -> u32 {
        self.steps / STEPS_A_MS
    }
    fn heartbeat(&mut self) {
        self.steps = self.steps.wrapping_add(1);
    }
    fn trace(&mut self, _: TraceKind, _: u32, _: u32, _: u32) {}
    fn count(&mut self, _counter: Counter, _amount: u32) {}
    fn fail(&mut self, code: FailCode, cause: u32) {
        panic!("the firmware failed the card: {code}, cause {cause}");
    }
}
