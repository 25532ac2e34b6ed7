//! A host of a few lines: one command ring, one transmit ring, polled.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::{Arc, Mutex};

use abi::host::command::Slot;
use abi::host::completion::{Completion, ResultRecord, phase_of};
use abi::host::handle::Handle;
use abi::host::position::RingSize;
use abi::host::register::{
    self as reg, Counter, DOORBELL_STRIDE, RING_STRIDE, TRANSMIT_RING_FIRST,
};
use abi::host::status::{CardState, Status, TransmitStatus};
use abi::host::transmit::{TransmitCompletion, TransmitDescriptor};
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use hw_model::port::Port;
use hw_model::{CardConfig, ModelCard};

use super::support::{RESULT_UNITS, tree};

/// Slots of both rings.
pub(crate) const SLOTS: u32 = 64;
const COMMANDS: usize = 0;
const COMPLETIONS: usize = 0x1000;
const RESULTS: usize = 0x2000;
const DESCRIPTORS: usize = 0x3000;
const TRANSMIT_COMPLETIONS: usize = 0x4000;
const PACKETS: usize = 0x5000;
const BYTES: usize = 0x10_0000;
/// Looks at a condition before a test gives up.
const PATIENCE: u32 = 20_000_000;

/// Frames that crossed, for all to see.
pub(crate) type Frames = Arc<Mutex<Vec<Vec<u8>>>>;

struct Recorder(Frames);

impl Port for Recorder {
    fn send(&mut self, frame: &[u8], _at_ns: u64) -> bool {
        self.0.lock().unwrap().push(frame.to_vec());
        true
    }
}

pub(crate) struct Host {
    pub(crate) card: Arc<ModelCard>,
    pub(crate) frames: Frames,
    pub(crate) memory: Memory,
    pub(crate) iova: u64,
    size: RingSize,
    tail: u32,
    reaped: u32,
    transmit_tail: u32,
    transmit_reaped: u32,
    pub(crate) done: Vec<TransmitCompletion>,
}

impl Host {
    /// Attaches to a card of either way and starts its rings.
    pub(crate) fn attach(timed: bool, config: CardConfig) -> Self {
        let frames = Frames::default();
        let port = Box::new(Recorder(Arc::clone(&frames)));
        let card = if timed {
            ModelCard::timed(config, port)
        } else {
            ModelCard::free_running(config, port)
        };
        let Reachable { memory, iova } = card.allocate(BYTES).unwrap();
        let size = RingSize::new(SLOTS).unwrap();
        let mut host = Self {
            card,
            frames,
            memory,
            iova,
            size,
            tail: 0,
            reaped: 0,
            transmit_tail: 0,
            transmit_reaped: 0,
            done: Vec::new(),
        };
        host.start();
        host
    }

    /// Reset, enable, rings.
    pub(crate) fn start(&mut self) {
        self.card.write(reg::RESET.offset, 1);
        self.wait("reset", |host| host.card.read(reg::STATE.offset) == CardState::RESET.0);
        (self.tail, self.reaped, self.transmit_tail, self.transmit_reaped) = (0, 0, 0, 0);
        for word in 0..self.memory.len() {
            self.memory.store_relaxed(word, 0);
        }
        self.card.bus_master(true).unwrap();
        self.card.write(reg::ENABLE.offset, 1);
        self.wait("ready", |host| host.card.read(reg::STATE.offset) == CardState::READY.0);
        self.start_ring(0, COMMANDS, COMPLETIONS);
        self.start_ring(TRANSMIT_RING_FIRST, DESCRIPTORS, TRANSMIT_COMPLETIONS);
    }

    pub(crate) fn start_ring(&self, ring: u32, base: usize, completion: usize) {
        let put = |register: u32, value: u32| {
            self.card.write(register + ring * RING_STRIDE, value);
        };
        let (base, completion) = (self.iova + base as u64, self.iova + completion as u64);
        put(reg::RING_BASE_LOW.offset, base as u32);
        put(reg::RING_BASE_HIGH.offset, (base >> 32) as u32);
        put(reg::RING_COMPLETION_LOW.offset, completion as u32);
        put(reg::RING_COMPLETION_HIGH.offset, (completion >> 32) as u32);
        put(reg::RING_SLOTS_LOG2.offset, SLOTS.ilog2());
        put(reg::RING_VECTOR.offset, reg::VECTOR_NONE);
        put(reg::RING_START.offset, 1);
    }

    /// Waits on the card's own time.
    pub(crate) fn wait(&self, what: &str, is_over: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE {
            if is_over(self) {
                return;
            }
            self.card.relax();
        }
        panic!("{what} did not come, state {}", self.card.read(reg::STATE.offset));
    }

    pub(crate) fn ring_doorbell(&self, ring: u32, tail: u32) {
        self.card.write(reg::DOORBELL_TAIL.bank(ring, DOORBELL_STRIDE).offset, tail);
    }

    /// Publishes slots as they are.
    pub(crate) fn publish(&mut self, slots: &[Slot]) {
        for slot in slots {
            let at = COMMANDS / 4 + self.size.slot(self.tail) as usize * slot.len();
            for (i, word) in slot.iter().enumerate() {
                self.memory.store_relaxed(at + i, *word);
            }
            self.tail = self.tail.wrapping_add(1);
        }
        self.ring_doorbell(0, self.tail);
    }

    fn completion(&self) -> Option<Completion> {
        let at = COMPLETIONS / 4 + self.size.slot(self.reaped) as usize * 4;
        let last = self.memory.load_acquire(at + 3);
        let mut words = [0, 0, 0, last];
        (phase_of(&words) == self.size.phase(self.reaped)).then(|| {
            for (i, word) in words[..3].iter_mut().enumerate() {
                *word = self.memory.load_relaxed(at + i);
            }
            Completion::read(&words)
        })
    }

    /// Runs one tree to its end: its status and its results.
    pub(crate) fn run(&mut self, blocks: Vec<Slot>) -> (Status, Vec<ResultRecord>) {
        let count = blocks.len();
        for word in 0..usize::from(RESULT_UNITS) * 128 {
            self.memory.store_relaxed(RESULTS / 4 + word, 0);
        }
        self.publish(&tree(blocks, 7, self.iova + RESULTS as u64));
        self.wait("completion", |host| host.completion().is_some());
        let completion = self.completion().unwrap();
        assert_eq!(completion.tag, 7);
        self.reaped = self.reaped.wrapping_add(1);
        let reaped = reg::DOORBELL_REAPED.bank(0, DOORBELL_STRIDE).offset;
        self.card.write(reaped, self.reaped);
        let result = |i: usize| {
            let mut words = [0; 4];
            for (at, word) in words.iter_mut().enumerate() {
                *word = self.memory.load_relaxed(RESULTS / 4 + i * 4 + at);
            }
            ResultRecord::read(&words)
        };
        (Status(completion.status), (0..count).map(result).collect())
    }

    /// Runs a tree that must succeed and gives its handles.
    pub(crate) fn must(&mut self, blocks: Vec<Slot>) -> Vec<Handle> {
        let (status, results) = self.run(blocks);
        assert_eq!(status, Status::SUCCESS, "{results:?}");
        results.iter().map(|result| Handle(result.handle)).collect()
    }

    /// Posts a packet of `bytes` bytes that carries `tag`; [`Host::ring`] publishes it.
    pub(crate) fn post(&mut self, handle: Handle, tag: u32, bytes: u32) {
        let slot = self.size.slot(self.transmit_tail) as usize;
        let buffer = PACKETS + slot * 0x2800;
        self.memory.store_relaxed(buffer / 4, tag);
        let descriptor = TransmitDescriptor {
            handle: handle.0,
            buffer: self.iova + buffer as u64,
            bytes,
            tag,
            ..Default::default()
        };
        let mut words = [0; TransmitDescriptor::BYTES / 4];
        descriptor.write(&mut words);
        for (i, word) in words.iter().enumerate() {
            self.memory.store_relaxed(DESCRIPTORS / 4 + slot * words.len() + i, *word);
        }
        self.transmit_tail = self.transmit_tail.wrapping_add(1);
    }

    /// Publishes what was posted.
    pub(crate) fn ring(&self) {
        self.ring_doorbell(TRANSMIT_RING_FIRST, self.transmit_tail);
    }

    /// Reaps transmit completions that are there.
    pub(crate) fn reap(&mut self) -> usize {
        let before = self.done.len();
        loop {
            let at = TRANSMIT_COMPLETIONS / 4 + self.size.slot(self.transmit_reaped) as usize * 4;
            let last = self.memory.load_acquire(at + 3);
            let words: [u32; 4] =
                std::array::from_fn(
                    |i| {
                        if i == 3 { last } else { self.memory.load_relaxed(at + i) }
                    },
                );
            if phase_of(&words) != self.size.phase(self.transmit_reaped) {
                break;
            }
            self.done.push(TransmitCompletion::read(&words));
            self.transmit_reaped = self.transmit_reaped.wrapping_add(1);
        }
        let reaped = reg::DOORBELL_REAPED.bank(TRANSMIT_RING_FIRST, DOORBELL_STRIDE).offset;
        self.card.write(reaped, self.transmit_reaped);
        self.done.len() - before
    }

    pub(crate) fn held(&self) -> u32 {
        self.card.read(reg::RING_HELD.bank(TRANSMIT_RING_FIRST, RING_STRIDE).offset)
    }

    /// Waits until every posted frame is completed or held.
    pub(crate) fn settle(&mut self) {
        for _ in 0..PATIENCE {
            self.reap();
            if self.transmit_reaped.wrapping_add(self.held()) == self.transmit_tail {
                return;
            }
            self.card.relax();
        }
        panic!("traffic did not settle: {} held", self.held());
    }

    pub(crate) fn statuses(&self) -> Vec<TransmitStatus> {
        self.done.iter().map(|done| TransmitStatus(done.status)).collect()
    }

    pub(crate) fn counter(&self, counter: Counter) -> u64 {
        let mut bytes = [0; 8];
        self.card.bar_access(u64::from(counter.offset()), &mut bytes, false);
        u64::from_le_bytes(bytes)
    }

    /// Last MAC byte, VLAN tag bytes present, and tag of each frame that crossed.
    pub(crate) fn crossed(&self) -> Vec<(u8, u32)> {
        let frames = self.frames.lock().unwrap();
        let tag = |frame: &Vec<u8>| {
            let header = if frame[12..14] == [0x81, 0] { 18 } else { 14 };
            u32::from_le_bytes(frame[header..header + 4].try_into().unwrap())
        };
        frames.iter().map(|frame| (frame[5], tag(frame))).collect()
    }
}
