//! A card around the firmware that is only memory: a `Hal` that a test can look into and upset.
//!
//! Chunks of lists are there when asked for; an epoch is announced at once unless readers are told to lag;
//! the outbox takes everything unless it is told to refuse. It checks the firmware's accounting
//! of slots; it records what the firmware writes, by host address, and counts.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod trees;

use std::collections::{BTreeMap, VecDeque};

use abi::core::mmio::LIST_BUFFERS;
use abi::core::table::TableLayout;
use abi::core::{
    Capabilities, Fetched, Hal, LinkAnswer, LinkOrder, LinkTable, LinkWalk, Notice, Settings,
};
use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::register::{COUNTERS, Counter};
use abi::host::status::FailCode;
use abi::host::trace::TraceKind;
use firmware::{Activity, Firmware};

/// Where lists begin.
pub(crate) const LIST_AT: u64 = 0x20_0000;
/// Steps in which any tree of this test is carried out.
const STEPS_MAX: usize = 10_000;

/// The memory-only card.
pub(crate) struct Bench {
    pub(crate) table: Vec<u32>,
    pub(crate) capabilities: Capabilities,
    seed: u32,
    epoch: u32,
    announced: u32,
    /// Readers do not announce what is raised until they are told to.
    pub(crate) readers_lag: bool,
    /// The outbox refuses every so many-th write; 0 for none.
    pub(crate) refuses_every: u32,
    writes: u32,
    mailbox: VecDeque<Slot>,
    /// What host memory holds from [`LIST_AT`] on, and everywhere else, again and again.
    list: Vec<Handle>,
    /// The list buffers.
    buffers: [Vec<Handle>; LIST_BUFFERS as usize],
    /// Slots taken and not yet settled.
    unsettled: u32,
    /// There is a link engine.
    pub(crate) has_link_engine: bool,
    /// What it was ordered, carried out.
    pub(crate) walks: Vec<LinkWalk>,
    /// Card time in ms.
    pub(crate) now_ms: u32,
    /// What was counted, by counter.
    pub(crate) counts: [u32; COUNTERS],
    /// Events posted.
    pub(crate) events: Vec<[u32; 4]>,
    /// What the datapath has to say.
    pub(crate) notices: VecDeque<Notice>,
    /// Words that the firmware wrote to host memory, by address.
    pub(crate) written: BTreeMap<u64, u32>,
    /// Completions, in order.
    pub(crate) completions: Vec<[u32; 4]>,
}

impl Bench {
    /// A small card whose handles start at generation `seed`.
    pub(crate) fn new(seed: u32) -> (Self, Firmware) {
        Self::at_epoch(seed, 0)
    }

    /// The same, with the epoch where a long life has brought it.
    pub(crate) fn at_epoch(seed: u32, epoch: u32) -> (Self, Firmware) {
        Self::of(capabilities(), seed, epoch)
    }

    /// A card that offers something else.
    pub(crate) fn of(capabilities: Capabilities, seed: u32, epoch: u32) -> (Self, Firmware) {
        let words = TableLayout::new(&capabilities).expect("small tables").words as usize;
        let mut bench = Self {
            table: vec![0; words],
            capabilities,
            seed,
            epoch,
            announced: epoch,
            readers_lag: false,
            refuses_every: 0,
            writes: 0,
            mailbox: VecDeque::new(),
            list: Vec::new(),
            buffers: Default::default(),
            unsettled: 0,
            has_link_engine: false,
            walks: Vec::new(),
            now_ms: 0,
            counts: [0; COUNTERS],
            events: Vec::new(),
            notices: VecDeque::new(),
            written: BTreeMap::new(),
            completions: Vec::new(),
        };
        let mut firmware = Firmware::new();
        assert!(firmware.start(&mut bench), "capabilities that fit together");
        (bench, firmware)
    }

    /// Gives the firmware a tree and a list, and lets it work until nothing is left.
    pub(crate) fn run(&mut self, firmware: &mut Firmware, words: &[u32], list: &[Handle]) {
        self.written.clear();
        self.list = list.to_vec();
        self.push(words);
        self.rest(firmware);
    }

    /// Gives the firmware slots.
    pub(crate) fn push(&mut self, words: &[u32]) {
        self.mailbox.extend(
            words.chunks_exact(16).map(|slot| Slot::try_from(slot).expect("sixteen words")),
        );
    }

    /// Lets the firmware work until nothing is left to do.
    pub(crate) fn rest(&mut self, firmware: &mut Firmware) {
        let is_idle = |firmware: &mut Firmware, bench: &mut Self| {
            firmware.step(bench) == Activity::Idle && bench.mailbox.is_empty()
        };
        assert!(
            (0..STEPS_MAX).any(|_| is_idle(firmware, self)),
            "the firmware does not come to rest"
        );
    }

    /// Lets the firmware work for a while.
    pub(crate) fn work(&mut self, firmware: &mut Firmware, steps: usize) {
        for _ in 0..steps {
            firmware.step(self);
        }
    }

    /// Sets the handles that every list consists of, the first one at [`LIST_AT`].
    pub(crate) fn set_list(&mut self, list: &[Handle]) {
        self.list = list.to_vec();
    }

    /// Slots taken and not yet settled.
    pub(crate) const fn unsettled(&self) -> u32 {
        self.unsettled
    }

    /// Readers announce all that was raised.
    pub(crate) fn announce(&mut self) {
        self.announced = self.epoch;
    }

    /// How often `counter` was counted.
    pub(crate) fn counted(&self, counter: Counter) -> u32 {
        self.counts[counter.0 as usize]
    }

    /// Where what lies in the tables.
    pub(crate) fn layout(&self) -> TableLayout {
        TableLayout::new(&self.capabilities).expect("small tables")
    }

    /// Words written from `address` on, zero where nothing was.
    pub(crate) fn at(&self, address: u64, words: usize) -> Vec<u32> {
        let word = |i| self.written.get(&(address + 4 * i)).copied().unwrap_or(0);
        (0..words as u64).map(word).collect()
    }
}

/// What the memory-only card offers.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        neighbors: 8,
        paths: 16,
        connections: 8,
        aliases: 16,
        source_macs: 4,
        vlans: 4,
        state_memory: 8 * abi::core::table::STATE_BYTES,
        command_rings: 1,
        transmit_rings: 1,
        ring_slots: 64,
        vectors: 1,
        held_per_path: 16,
        held_total: 64,
        clock_khz: 250_000,
        port_mac: [0x02, 0, 0, 0, 0, 0xfe],
    }
}

/// Table memory, for the link engine.
struct Table<'a>(&'a mut Vec<u32>);

impl LinkTable for Table<'_> {
    fn load(&self, word: u32) -> u32 {
        self.0[word as usize]
    }
    fn link(&mut self, stamp: (u32, u32), link: (u32, u32)) {
        for (word, value) in [stamp, link] {
            self.0[word as usize] = value;
        }
    }
}

impl Hal for Bench {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
    fn settings(&self) -> Settings {
        Settings { generation_seed: self.seed, ..Settings::default() }
    }
    fn load(&self, word: u32) -> u32 {
        self.table[word as usize]
    }
    fn store(&mut self, word: u32, value: u32) {
        self.table[word as usize] = value;
    }
    fn publish(&mut self, word: u32, value: u32) {
        self.store(word, value);
    }
    fn observe(&self, word: u32) -> u32 {
        self.load(word)
    }
    fn pending(&self) -> u32 {
        u32::from(!self.mailbox.is_empty())
    }
    fn waiting(&self, _: u32) -> u32 {
        self.mailbox.len() as u32
    }
    fn place(&self, _: u32, ahead: u32) -> u32 {
        ahead
    }
    fn peek(&self, place: u32, word: u32) -> u32 {
        self.mailbox[place as usize][word as usize]
    }
    fn skip(&mut self, _: u32) {
        self.mailbox.pop_front().expect("the firmware looked first");
        self.unsettled += 1;
    }
    fn consume(&mut self, _: u32) {
        self.unsettled = self.unsettled.checked_sub(1).expect("a slot was taken");
    }
    fn complete(&mut self, _: u32, completion: [u32; 4]) -> bool {
        self.unsettled = self.unsettled.checked_sub(1).expect("a slot was taken");
        self.completions.push(completion);
        true
    }
    fn is_stopped(&self, _: u32) -> bool {
        false
    }
    fn write(&mut self, _: u32, iova: u64, words: &[u32]) -> bool {
        self.writes += 1;
        if self.refuses_every != 0 && self.writes.is_multiple_of(self.refuses_every) {
            return false;
        }
        self.written.extend((0..).map(|i| iova + 4 * i).zip(words.iter().copied()));
        true
    }
    fn fetch_list(&mut self, _: u32, buffer: u32, iova: u64, count: u32) {
        let (size, first) = (self.list.len() as u64, iova.wrapping_sub(LIST_AT) / 8);
        let entry = |number| self.list[((first + number) % size) as usize];
        self.buffers[buffer as usize] = (0..u64::from(count)).map(entry).collect();
    }
    fn list_state(&self, _: u32) -> Fetched {
        Fetched::Ready
    }
    fn list_entry(&self, _: u32, buffer: u32, entry: u32) -> Handle {
        self.buffers[buffer as usize][entry as usize]
    }
    fn has_link_engine(&self) -> bool {
        self.has_link_engine
    }
    fn order_links(&mut self, order: &LinkOrder) {
        let layout = self.layout();
        let list = |entry| self.buffers[order.buffer as usize][entry as usize];
        let mut table = Table(&mut self.table);
        let walk = LinkWalk::run(order, &layout, self.capabilities.paths, list, &mut table);
        self.walks.push(walk);
    }
    fn links_ended(&mut self) -> Option<LinkAnswer> {
        self.walks.last().map(LinkWalk::answer)
    }
    fn refused_entries(&self, word: u32) -> u32 {
        self.walks.last().expect("an order").refused[word as usize]
    }
    fn left_alias(&self, place: u32) -> (u32, u32) {
        self.walks.last().expect("an order").left[place as usize]
    }
    fn raise(&mut self, epoch: u32) {
        self.epoch = epoch;
        if !self.readers_lag {
            self.announced = epoch;
        }
    }
    fn announced(&self) -> u32 {
        self.announced
    }
    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }
    fn event(&mut self, event: [u32; 4]) -> bool {
        self.events.push(event);
        true
    }
    fn now_ms(&self) -> u32 {
        self.now_ms
    }
    fn heartbeat(&mut self) {}
    fn trace(&mut self, _: TraceKind, _: u32, _: u32, _: u32) {}
    fn count(&mut self, counter: Counter, amount: u32) {
        self.counts[counter.0 as usize] += amount;
    }
    fn fail(&mut self, code: FailCode, cause: u32) {
        panic!("the firmware failed the card: {code:?}, cause {cause}");
    }
}
