//! A card around the firmware that is nothing but memory: the table, a mailbox, epochs.
//!
//! The writer's half of the protocol under test is the firmware's own; this only carries it.
//! With the guard taken away every epoch counts as announced at once: the control.

use std::collections::VecDeque;
use std::sync::Arc;

use abi::core::{Capabilities, Fetched, Hal, Notice, Settings};
use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::TraceKind;
use host_driver::memory::Words;
use hw_model::epochs::{ANNOUNCED, GLOBAL};

use super::{Shared, capabilities};

/// Whether the firmware waits for the readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// It waits until every reader has announced the epoch.
    GracePeriod,
    /// It takes every epoch for announced: what the control does.
    TakenAway,
}

/// The card around the firmware.
pub(crate) struct StressHal {
    pub(crate) shared: Arc<Shared>,
    guard: Guard,
    raised: u32,
    pub(crate) mailbox: VecDeque<Slot>,
    pub(crate) list: Vec<Handle>,
    fetched: usize,
    /// Result buffer, as the host finds it.
    pub(crate) results: Vec<u32>,
    pub(crate) completions: Vec<[u32; 4]>,
    steps: u32,
}

/// IOVAs of the result buffer and of the list.
pub(crate) const RESULTS_AT: u64 = 0x1_0000;
pub(crate) const LIST_AT: u64 = 0x8_0000;
/// Steps of the firmware that count as a millisecond.
const STEPS_A_MS: u32 = 1 << 20;
/// Words of the result buffer.
const RESULT_WORDS: usize = 0x4000;
/// Bytes of it that each of several trees gets.
pub(crate) const RESULT_BYTES: u64 = 0x2000;

impl StressHal {
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        Self {
            shared,
            guard,
            raised: 0,
            mailbox: VecDeque::new(),
            list: Vec::new(),
            fetched: 0,
            results: vec![0; RESULT_WORDS],
            completions: Vec::new(),
            steps: 0,
        }
    }
}

impl Hal for StressHal {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }
    fn settings(&self) -> Settings {
        Settings { generation_seed: 1, ..Settings::default() }
    }
    fn load(&self, word: u32) -> u32 {
        self.shared.table.load_relaxed(word as usize)
    }
    fn store(&mut self, word: u32, value: u32) {
        self.shared.table.store_relaxed(word as usize, value);
    }
    fn publish(&mut self, word: u32, value: u32) {
        self.shared.table.store_release(word as usize, value);
    }
    fn observe(&self, word: u32) -> u32 {
        self.shared.table.load_acquire(word as usize)
    }
    fn pending(&self) -> u32 {
        u32::from(!self.mailbox.is_empty())
    }
    fn front(&self, _ring: u32) -> Option<u32> {
        (!self.mailbox.is_empty()).then_some(0)
    }
    fn peek(&self, _place: u32, word: u32) -> u32 {
        self.mailbox[0][word as usize]
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
    fn fetch_list(&mut self, _ring: u32, iova: u64, _entries: u32) {
        self.fetched = (iova - LIST_AT) as usize / 8;
    }
    fn list_state(&self, _ring: u32) -> Fetched {
        Fetched::Ready
    }
    fn list_entry(&self, _ring: u32, entry: u32) -> Handle {
        self.list[self.fetched + entry as usize]
    }
    fn raise(&mut self, epoch: u32) {
        self.raised = epoch;
        for epochs in &self.shared.epochs {
            epochs.store_release(GLOBAL, epoch);
        }
    }
    fn announced(&self) -> u32 {
        if self.guard == Guard::TakenAway {
            return self.raised;
        }
        let behind = |announced: u32| self.raised.wrapping_sub(announced);
        let announced = self.shared.epochs.iter().map(|epochs| epochs.load_acquire(ANNOUNCED));
        announced.max_by_key(|announced| behind(*announced)).unwrap_or(self.raised)
    }
    fn notice(&mut self) -> Option<Notice> {
        None
    }
    fn event(&mut self, _event: [u32; 4]) -> bool {
        true
    }
    fn now_ms(&self) -> u32 {
        // A clock that no busy machine can make run ahead of the readers.
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
