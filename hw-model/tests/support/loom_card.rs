//! A card of a few words under loom: the real firmware writes, the real resolver reads.
//!
//! Words that the datapath reads are loom's atomics; the firmware's private words, and its own
//! reads of what it wrote itself, are plain, which keeps the number of interleavings small.
//! Nothing here decides an ordering: stores go through `Hal`, loads through `Words`.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::VecDeque;

use abi::core::table::{TableLayout, age, alias, connection, neighbor, path};
use abi::core::{Capabilities, Fetched, Hal, Notice, Settings};
use abi::host::command::Slot;
use abi::host::completion::{Completion, ResultRecord};
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{FailCode, Status};
use abi::host::trace::TraceKind;
use firmware::Firmware;
use host_driver::memory::Words;
use hw_model::datapath::reader::Reader;
use hw_model::datapath::region::{Indexed, Table};
use hw_model::datapath::resolver::{Resolver, Route, Verdict};
use hw_model::epochs::{ANNOUNCED, GLOBAL};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::JoinHandle;

use super::support::tree;

/// Steps after which the firmware of these tests gives up waiting; far more than it needs.
const STEPS_MAX: usize = 64;

/// IOVA of the result buffer, and its length in words.
const RESULT: u64 = 0x1000;
const RESULT_WORDS: usize = 512;
/// Stack of a thread under loom, in words: the firmware is a few kilobytes, loom's default as much.
const STACK_WORDS: usize = 0x1_0000;

/// Checks `body` in every interleaving with at most `preemptions` of them forced.
pub(crate) fn check(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let body = std::sync::Arc::new(body);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let body = std::sync::Arc::clone(&body);
        spawn(move || body()).join().unwrap();
    });
}

/// Starts a thread that has room for the firmware.
pub(crate) fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let thread = loom::thread::Builder::new().stack_size(STACK_WORDS);
    thread.spawn(body).unwrap()
}

/// Lets the other thread run here. Loom looks for other orders of two accesses only from the last
/// access of each word, and misses the long detour of a writer that completes while a frame is
/// in flight (the controls of these tests show it); so that moment is marked by hand.
pub(crate) fn pause() {
    loom::thread::yield_now();
}

/// Words under loom: only those the datapath reads exist.
pub(crate) struct LoomWords {
    cells: Vec<Option<AtomicU32>>,
}

impl LoomWords {
    fn cell(&self, word: usize) -> &AtomicU32 {
        self.cells[word].as_ref().expect("the datapath reads shared words only")
    }
}

impl Words for LoomWords {
    fn len(&self) -> usize {
        self.cells.len()
    }
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. What `Words` promises; the verbs of the product are under test here.
        self.cell(word).load(Ordering::Relaxed)
    }
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. Pairs with `store_release` of the other thread, as `Words` promises.
        self.cell(word).load(Ordering::Acquire)
    }
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. As in `load_relaxed`.
        self.cell(word).store(value, Ordering::Relaxed);
    }
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with `load_acquire`.
        self.cell(word).store(value, Ordering::Release);
    }
}

impl Table for LoomWords {
    type Region<'a, const N: usize> = Indexed<'a, Self, N>;

    fn region<const N: usize>(&self, first: u32, entries: u32) -> Indexed<'_, Self, N> {
        Indexed::new(self, first, entries)
    }
}

/// What both sides share.
pub(crate) struct Card {
    pub(crate) capabilities: Capabilities,
    pub(crate) layout: TableLayout,
    pub(crate) table: LoomWords,
    pub(crate) epochs: LoomWords,
    /// What the host has seen completed: written with Release when a completion is posted.
    pub(crate) completed: AtomicU32,
}

impl Card {
    fn new() -> Arc<Self> {
        let capabilities = Capabilities {
            neighbors: 3,
            paths: 2,
            connections: 1,
            aliases: 6,
            source_macs: 4,
            vlans: 4,
            state_memory: 4096,
            command_rings: 1,
            transmit_rings: 1,
            ring_slots: 16,
            vectors: 1,
            held_per_path: 4,
            held_total: 4,
            clock_khz: 1000,
            port_mac: [2, 0, 0, 0, 0, 0xfe],
        };
        let layout = TableLayout::new(&capabilities).unwrap();
        let mut cells: Vec<_> = (0..layout.words).map(|_| None).collect();
        let mut share = |start: u32, count: u32| {
            (start..start + count).for_each(|word| cells[word as usize] = Some(AtomicU32::new(0)));
        };
        for i in 0..capabilities.neighbors {
            share(layout.neighbor(i), neighbor::CARD_CONFIRMED + 1);
            share(layout.age(i), age::WORDS);
        }
        (0..capabilities.paths).for_each(|i| share(layout.path(i), path::LINKED_MS + 1));
        share(layout.connection(0), connection::PRIORITY + 1);
        (0..capabilities.aliases).for_each(|i| share(layout.alias(i), alias::WORDS));
        let epochs = LoomWords { cells: (0..2).map(|_| Some(AtomicU32::new(0))).collect() };
        Arc::new(Self {
            capabilities,
            layout,
            table: LoomWords { cells },
            epochs,
            completed: AtomicU32::new(0),
        })
    }

    /// Resolves one handle as a batch of one frame would.
    pub(crate) fn resolve(&self, handle: Handle) -> Verdict {
        let [verdict] = self.resolve_all([handle]);
        verdict
    }

    /// Resolves handles as a batch of so many frames would.
    pub(crate) fn resolve_all<const N: usize>(&self, handles: [Handle; N]) -> [Verdict; N] {
        let resolver = Resolver::new(&self.table, &self.layout, &self.capabilities);
        let mut routes = [Route::NONE; N];
        resolver.routes(&handles, &mut routes);
        std::array::from_fn(|i| match routes[i] {
            route if route.is_none() => resolver.resolve(handles[i]),
            route => Verdict::Send(route),
        })
    }

    /// What the host has seen completed.
    pub(crate) fn completed(&self) -> u32 {
        // ORDERING: Acquire. Pairs with the Release in `complete`: the host that sees a completion.
        self.completed.load(Ordering::Acquire)
    }
}

/// The firmware with its side of the card.
pub(crate) struct Writer {
    firmware: Firmware,
    hal: LoomHal,
}

/// The `Hal` of these tests.
struct LoomHal {
    card: Arc<Card>,
    private: Vec<u32>,
    mailbox: VecDeque<Slot>,
    answers: Vec<Completion>,
    /// The result buffer, as the firmware has written it.
    results: Vec<u32>,
}

impl Writer {
    /// A card with an idle firmware, and its reader.
    pub(crate) fn new() -> (Arc<Card>, Self, Reader) {
        let card = Card::new();
        let mut hal = LoomHal {
            private: vec![0; card.layout.words as usize],
            card: Arc::clone(&card),
            mailbox: VecDeque::new(),
            answers: Vec::new(),
            results: vec![0; RESULT_WORDS],
        };
        let mut firmware = Firmware::new();
        assert!(firmware.start(&mut hal), "the capabilities fit together");
        (card, Self { firmware, hal }, Reader::default())
    }

    /// Runs a tree to its end while the reader follows, before any second thread is there.
    pub(crate) fn must(&mut self, reader: &mut Reader, blocks: Vec<Slot>) -> Vec<Handle> {
        let count = blocks.len();
        self.submit(blocks);
        for _ in 0..STEPS_MAX {
            if let Some(status) = self.step() {
                assert_eq!(status, Status::SUCCESS);
                self.rest(reader);
                let records = self.hal.results.chunks_exact(ResultRecord::BYTES / 4);
                return records
                    .take(count)
                    .map(|at| Handle(ResultRecord::read(at).handle))
                    .collect();
            }
            reader.begin(&self.hal.card.epochs, |_| {});
        }
        panic!("no completion");
    }

    /// Lets every epoch of what is done pass, so that the next command waits for its own only.
    fn rest(&mut self, reader: &mut Reader) {
        for _ in 0..4 {
            self.firmware.step(&mut self.hal);
            reader.begin(&self.hal.card.epochs, |_| {});
        }
    }

    /// Gives a tree to the firmware.
    pub(crate) fn submit(&mut self, blocks: Vec<Slot>) {
        self.hal.mailbox.extend(tree(blocks, 1, RESULT));
    }

    /// One step; the status of a tree that ended in it.
    pub(crate) fn step(&mut self) -> Option<Status> {
        self.firmware.step(&mut self.hal);
        self.hal.answers.pop().map(|answer| Status(answer.status))
    }

    /// Steps at most `limit` times, until `trees` trees have ended. Returns how many have.
    ///
    /// A limit in place of a wait: what is claimed must hold whether the fence passes or not.
    /// It does not yield, because loom runs a thread that yields only when no other can run.
    pub(crate) fn steps(&mut self, limit: usize, trees: u32) -> u32 {
        let mut ended = 0;
        for _ in 0..limit {
            if let Some(status) = self.step() {
                assert_eq!(status, Status::SUCCESS);
                ended += 1;
                if ended == trees {
                    break;
                }
            }
        }
        ended
    }
}

/// The route of a frame that can leave.
pub(crate) fn route(verdict: Verdict) -> Route {
    match verdict {
        Verdict::Send(route) => route,
        other => panic!("not sendable: {other:?}"),
    }
}

/// The last byte of the destination MAC, after a check that the header is all of one piece:
/// these tests put the same number into each of its words.
pub(crate) fn whole(route: &Route) -> u8 {
    let [destination, addresses, source, _] = route.header;
    let mac = (destination >> 24) as u8;
    assert_eq!((addresses >> 8) as u8, mac, "torn: {:x?}", route.header);
    assert_eq!(source.to_le_bytes()[..3], [0, 0, 0x0a], "torn: {:x?}", route.header);
    mac
}

impl Hal for LoomHal {
    fn capabilities(&self) -> Capabilities {
        self.card.capabilities
    }
    fn settings(&self) -> Settings {
        Settings { generation_seed: 1, ..Settings::default() }
    }
    fn load(&self, word: u32) -> u32 {
        self.private[word as usize]
    }
    fn store(&mut self, word: u32, value: u32) {
        self.private[word as usize] = value;
        if self.card.table.cells[word as usize].is_some() {
            self.card.table.store_relaxed(word as usize, value);
        }
    }
    fn publish(&mut self, word: u32, value: u32) {
        self.private[word as usize] = value;
        self.card.table.store_release(word as usize, value);
    }
    fn observe(&self, word: u32) -> u32 {
        self.card.table.load_acquire(word as usize)
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
        self.answers.push(Completion::read(&completion));
        // ORDERING: Relaxed. The only writer reads its own word back.
        let before = self.card.completed.load(Ordering::Relaxed);
        // ORDERING: Release. Pairs with the Acquire in `completed`: as a completion ring's phase.
        self.card.completed.store(before + 1, Ordering::Release);
        true
    }
    fn is_stopped(&self, _ring: u32) -> bool {
        false
    }
    fn write(&mut self, _ring: u32, iova: u64, words: &[u32]) -> bool {
        let at = ((iova - RESULT) / 4) as usize;
        self.results[at..at + words.len()].copy_from_slice(words);
        true
    }
    fn fetch_list(&mut self, _ring: u32, _buffer: u32, _iova: u64, _entries: u32) {}
    fn list_state(&self, _ring: u32) -> Fetched {
        Fetched::Failed
    }
    fn list_entry(&self, _ring: u32, _buffer: u32, _entry: u32) -> Handle {
        Handle::NULL
    }
    fn raise(&mut self, epoch: u32) {
        self.card.epochs.store_release(GLOBAL, epoch);
    }
    fn announced(&self) -> u32 {
        self.card.epochs.load_acquire(ANNOUNCED)
    }
    fn notice(&mut self) -> Option<Notice> {
        None
    }
    fn event(&mut self, _event: [u32; 4]) -> bool {
        true
    }
    fn now_ms(&self) -> u32 {
        1
    }
    fn heartbeat(&mut self) {}
    fn trace(&mut self, _: TraceKind, _: u32, _: u32, _: u32) {}
    fn count(&mut self, _counter: Counter, _amount: u32) {}
    fn fail(&mut self, code: FailCode, cause: u32) {
        panic!("the firmware fails the card: {code:?} {cause}");
    }
}
