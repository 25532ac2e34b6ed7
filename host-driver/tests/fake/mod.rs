//! A scripted card: real rings in real memory, answers by rules that a test can bend.
//!
//! It goes on only in [`Backing::relax`], a few slots a time, and its clock moves only there, so
//! a test decides what the card has seen. It knows no objects: a block is answered with success
//! and, at initiate, with the next free handle, unless the test's script says otherwise.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

mod inner;

pub use inner::{Answer, Seen};

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use abi::host::command::Slot;
use abi::host::completion::{Completion, Event};
use abi::host::limit::BAR_BYTES;
use abi::host::position::RingSize;
use abi::host::register::{self, RINGS, TRANSMIT_RING_FIRST};
use abi::host::status::{CardState, FailCode, RingState, TransmitStatus};
use abi::host::transmit::{TransmitCompletion, TransmitDescriptor};
use abi::layout::Reg;
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use inner::{Inner, Ring};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// Slots that the card takes from a ring in one step.
const STEP_SLOTS: u32 = 16;
/// What one step takes on the card's clock.
pub const STEP_NS: u64 = 10_000;
/// Vectors of the card.
const VECTORS: u32 = 16;

/// The card and its surroundings.
pub struct FakeCard {
    bar: Memory,
    clock_ns: AtomicU64,
    inner: Mutex<Inner>,
}

impl FakeCard {
    /// A card with the default capabilities, honest until told otherwise.
    pub fn new() -> Arc<Self> {
        let left = |descriptor: &TransmitDescriptor| {
            let status = TransmitStatus::LEFT.0;
            Some(TransmitCompletion {
                tag: descriptor.tag,
                status,
                ..TransmitCompletion::default()
            })
        };
        let card = Self {
            bar: Memory::new(BAR_BYTES as usize).expect("there is memory"),
            clock_ns: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                is_gone: false,
                is_master: false,
                trims: 0,
                mapped: BTreeMap::new(),
                next_iova: 0x10_0000,
                rings: [const { None }; RINGS as usize],
                script: Box::new(|_, _| {}),
                transmit: Box::new(left),
                is_paused: false,
                is_quick: false,
                step_slots: STEP_SLOTS,
                ignores_reset: false,
                next_index: 0,
                resets: 0,
                trees: 0,
            }),
        };
        card.set(register::IDENTITY, register::IDENTITY_VALUE);
        card.set(register::VERSION, abi::VERSION);
        card.set(register::ABI_HASH, abi::ABI_HASH);
        card.set(register::NEIGHBORS, 1 << 16);
        card.set(register::PATHS, 1 << 20);
        card.set(register::CONNECTIONS, 64);
        card.set(register::ALIASES, 128);
        card.set(register::COMMAND_RINGS, 8);
        card.set(register::TRANSMIT_RINGS, 8);
        card.set(register::RING_SLOTS, 4096);
        card.set(register::VECTORS, VECTORS);
        card.set(register::CLOCK_KHZ, 250_000);
        Arc::new(card)
    }

    /// Sets a register as the card would.
    pub fn set<A>(&self, register: Reg<A>, value: u32) {
        self.bar.store_release(register.offset as usize / 4, value);
    }

    pub fn get<A>(&self, register: Reg<A>) -> u32 {
        self.bar.load_acquire(register.offset as usize / 4)
    }

    /// From now on every answer goes through `script` before it is written.
    pub fn answer_by(&self, script: impl FnMut(&Seen, &mut Answer) + Send + 'static) {
        self.inner().script = Box::new(script);
    }

    /// From now on `script` answers transmit descriptors; `None` holds the frame for ever.
    pub fn transmit_by(
        &self,
        script: impl FnMut(&TransmitDescriptor) -> Option<TransmitCompletion> + Send + 'static,
    ) {
        self.inner().transmit = Box::new(script);
    }

    /// Fetches and answers nothing while paused; its clock goes on.
    pub fn pause(&self, is_paused: bool) {
        self.inner().is_paused = is_paused;
    }

    /// Takes one step although paused, `slots` slots of every ring.
    pub fn step_once(&self, slots: u32) {
        let before = self.inner().step_slots;
        self.inner().step_slots = slots;
        self.pause(false);
        self.step();
        self.pause(true);
        self.inner().step_slots = before;
    }

    pub fn ignore_reset(&self, ignores_reset: bool) {
        self.inner().ignores_reset = ignores_reset;
    }

    /// Reads as all ones from now on, and does nothing more.
    pub fn vanish(&self) {
        self.inner().is_gone = true;
    }

    /// Goes to *failed*.
    pub fn fail(&self, code: FailCode, pc: u32, cause: u32) {
        self.set(register::FAIL_CODE, code.0);
        self.set(register::FAIL_PC, pc);
        self.set(register::FAIL_CAUSE, cause);
        self.set(register::STATE, CardState::FAILED.0);
        self.inner().rings.fill_with(|| None);
    }

    /// Stops one ring with an error.
    pub fn stop_ring(&self, ring: u32, code: FailCode) {
        self.inner().rings[ring as usize] = None;
        self.set(register::RING_ERROR.bank(ring, register::RING_STRIDE), code.0);
        self.set(register::RING_STATE.bank(ring, register::RING_STRIDE), RingState::FAILED.0);
    }

    /// Posts a completion that no tree has asked for.
    pub fn post_unasked(&self, ring: u32, completion: Completion) {
        let mut words = [0; 4];
        completion.write(&mut words);
        self.inner().post(ring, words, false);
    }

    /// Posts a transmit completion that says the packet with `tag` has left.
    pub fn post_transmitted(&self, ring: u32, tag: u32) {
        let status = TransmitStatus::LEFT.0;
        let mut words = [0; 4];
        TransmitCompletion { tag, status, ..TransmitCompletion::default() }.write(&mut words);
        self.inner().post(ring, words, false);
    }

    /// Posts an event.
    pub fn post_event(&self, event: Event) {
        let mut words = [0; 4];
        event.write(&mut words);
        self.inner().post(register::EVENT_RING, words, false);
    }

    /// From now on it answers while its doorbell is being written, not only in waits.
    pub fn be_quick(&self) {
        self.inner().is_quick = true;
    }

    /// Regions mapped for the card now.
    pub fn mapped(&self) -> usize {
        self.inner().mapped.len()
    }

    pub fn resets(&self) -> u32 {
        self.inner().resets
    }

    /// Trees seen whole.
    pub fn trees(&self) -> usize {
        self.inner().trees
    }

    /// How often memory that was given back was taken away.
    pub fn trims(&self) -> u32 {
        self.inner().trims
    }

    /// Whether the card may master the bus.
    pub fn is_master(&self) -> bool {
        self.inner().is_master
    }

    /// Rings that are started.
    pub fn running(&self) -> usize {
        self.inner().rings.iter().flatten().count()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics while it holds the card")
    }

    fn reset(&self) {
        let mut inner = self.inner();
        if inner.ignores_reset {
            return;
        }
        inner.rings.fill_with(|| None);
        inner.is_paused = false;
        inner.next_index = 0;
        inner.resets += 1;
        for ring in 0..RINGS {
            let stride = register::RING_STRIDE;
            self.set(register::RING_STATE.bank(ring, stride), RingState::STOPPED.0);
            self.set(register::RING_FETCHED.bank(ring, stride), 0);
            self.set(register::RING_HELD.bank(ring, stride), 0);
            self.set(register::DOORBELL_TAIL.bank(ring, register::DOORBELL_STRIDE), 0);
            self.set(register::DOORBELL_REAPED.bank(ring, register::DOORBELL_STRIDE), 0);
        }
        self.set(register::STATE, CardState::RESET.0);
        self.set(register::INCARNATION, self.get(register::INCARNATION) + 1);
    }

    fn start(&self, ring: u32) {
        let of =
            |register: Reg<abi::layout::Rw>| self.get(register.bank(ring, register::RING_STRIDE));
        let wide = |low, high| u64::from(of(high)) << 32 | u64::from(of(low));
        self.inner().rings[ring as usize] = Some(Ring {
            base: wide(register::RING_BASE_LOW, register::RING_BASE_HIGH),
            completions: wide(register::RING_COMPLETION_LOW, register::RING_COMPLETION_HIGH),
            size: RingSize::new(1 << of(register::RING_SLOTS_LOG2)).expect("a ring size"),
            fetched: 0,
            posted: 0,
            open: Vec::new(),
        });
        self.set(register::RING_STATE.bank(ring, register::RING_STRIDE), RingState::RUNNING.0);
    }

    /// One step of the card: a few slots of every ring.
    fn step(&self) {
        let mut inner = self.inner();
        if inner.is_paused || inner.is_gone || !inner.is_master {
            return;
        }
        for ring in 0..register::EVENT_RING {
            let doorbell = register::DOORBELL_TAIL.bank(ring, register::DOORBELL_STRIDE);
            let tail = self.get(doorbell);
            for _ in 0..inner.step_slots {
                let words = if ring < TRANSMIT_RING_FIRST { 16 } else { 8 };
                let Some(slot) = inner.fetch(ring, tail, words) else { break };
                if ring >= TRANSMIT_RING_FIRST {
                    self.transmit(&mut inner, ring, &slot);
                } else {
                    let seed = self.get(register::GENERATION_SEED).max(1);
                    inner.take(ring, slot, seed);
                }
                if let Some(state) = &inner.rings[ring as usize] {
                    let fetched = register::RING_FETCHED.bank(ring, register::RING_STRIDE);
                    self.set(fetched, state.fetched);
                }
            }
        }
    }

    fn transmit(&self, inner: &mut Inner, ring: u32, slot: &Slot) {
        let descriptor = TransmitDescriptor::read(slot);
        let Some(completion) = (inner.transmit)(&descriptor) else {
            let held = register::RING_HELD.bank(ring, register::RING_STRIDE);
            self.set(held, self.get(held) + 1);
            return;
        };
        let mut words = [0; 4];
        completion.write(&mut words);
        inner.post(ring, words, false);
    }
}

impl Registers for FakeCard {
    fn read(&self, offset: u32) -> u32 {
        if self.inner().is_gone {
            return u32::MAX;
        }
        self.bar.load_acquire(offset as usize / 4)
    }

    fn write(&self, offset: u32, value: u32) {
        if self.inner().is_gone {
            return;
        }
        let start = register::RING_START.offset;
        let is_start = offset >= start
            && (offset - start).is_multiple_of(register::RING_STRIDE)
            && (offset - start) / register::RING_STRIDE < RINGS;
        if offset == register::RESET.offset {
            self.reset();
        } else if offset == register::ENABLE.offset {
            self.set(register::STATE, CardState::READY.0);
        } else if is_start && value == 1 {
            self.start((offset - start) / register::RING_STRIDE);
        } else {
            self.bar.store_release(offset as usize / 4, value);
        }
        if self.inner().is_quick {
            self.step();
        }
    }
}

impl Backing for FakeCard {
    fn describe(&self) -> String {
        "fake".to_string()
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let memory = Memory::new(bytes)?;
        let mut inner = self.inner();
        let iova = inner.next_iova;
        // A page between regions, so that a run past an end is noticed.
        inner.next_iova += (bytes as u64).next_multiple_of(4096) + 4096;
        inner.mapped.insert(iova, memory.clone());
        Ok(Reachable { memory, iova })
    }

    fn release(&self, reachable: Reachable) {
        self.inner().mapped.remove(&reachable.iova).expect("it was allocated");
    }

    fn trim(&self) {
        self.inner().trims += 1;
    }

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.inner().is_master = on;
        Ok(())
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        assert!(vector < VECTORS);
        EventFd::new(EFD_NONBLOCK)
    }

    fn clock_ns(&self) -> u64 {
        // ORDERING: Relaxed. A clock that is only compared with itself; it publishes nothing.
        self.clock_ns.load(Ordering::Relaxed)
    }

    fn relax(&self) {
        // ORDERING: Relaxed. As in `clock_ns`.
        self.clock_ns.fetch_add(STEP_NS, Ordering::Relaxed);
        self.step();
    }

    fn reset_function(&self) -> io::Result<()> {
        self.reset();
        Ok(())
    }
}
