//! A card without a driver: registers, one command ring, raw slots.
//!
//! For claims about what no honest driver says. It brings the card up by the contract, then lets
//! the claim write any slot, any doorbell and any register. It checks nothing that it is given.

use std::sync::Arc;
use std::time::Instant;

use abi::core::hal::Settings;
use abi::host::command::{
    CommandHeader, Flag, NeighborVariables, Opcode, PathVariables, SELECTION, STATE_OFFSET,
    Selection, Slot, VARIABLES,
};
use abi::host::completion::{Completion, PHASE_WORD, ResultRecord, phase_of};
use abi::host::handle::Handle;
use abi::host::limit::DMA_ALIGN;
use abi::host::position::RingSize;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, FailCode, Kind, RingState, Status};
use abi::layout::Reg;
use host_driver::backing::{Backing, Reachable};
use host_driver::memory::{Memory, Words};

use super::scene::{WAIT_NS, WAIT_WALL};
use super::{Needs, Rig, Unfit};
use crate::port::Capture;

/// Slots of the raw ring.
pub(super) const SLOTS: u32 = 64;
/// Where things lie in the shared memory, in bytes.
const COMPLETIONS_AT: usize = 0x1_0000;
const RESULTS_AT: usize = 0x2_0000;
const LIST_AT: usize = 0x4_0000;
const MEMORY_BYTES: usize = 0x8_0000;
/// What is zeroed of the result buffer.
const PAGE: usize = 4_096;
/// Bytes of the result buffer, which ends where the list begins.
const RESULT_BYTES: usize = LIST_AT - RESULTS_AT;

/// A card brought up by hand.
pub struct RawCard<B: Backing> {
    /// The card.
    pub card: Arc<B>,
    /// Frames that crossed its port.
    pub capture: Capture,
    memory: Memory,
    iova: u64,
    tail: u32,
    reaped: u32,
}

impl<B: Backing> Drop for RawCard<B> {
    fn drop(&mut self) {
        // Without the bus the card reaches nothing; where that cannot be had, memory stays its.
        if self.card.bus_master(false).is_ok() {
            self.card.release(Reachable { memory: self.memory.clone(), iova: self.iova });
        }
    }
}

impl<B: Backing> RawCard<B> {
    /// Powers a card on and starts its first command ring.
    ///
    /// # Errors
    /// [`Unfit`] when the body cannot be given what is needed.
    ///
    /// # Panics
    /// When the card does not come up.
    pub fn open<R: Rig<Card = B>>(rig: &R, needs: &Needs) -> Result<Self, Unfit> {
        let body = rig.power_on(needs)?;
        let Reachable { memory, iova } = body.card.allocate(MEMORY_BYTES).expect("DMA memory");
        let mut raw =
            Self { card: body.card, capture: body.capture, memory, iova, tail: 0, reaped: 0 };
        raw.bring_up(&Settings { generation_seed: 1, ..Settings::default() });
        Ok(raw)
    }

    /// Resets the card, gives it the bus, enables it and starts the ring.
    ///
    /// # Panics
    /// When the card does not come up.
    pub fn bring_up(&mut self, settings: &Settings) {
        let incarnation = self.read(register::INCARNATION);
        self.write(register::RESET, 1);
        self.until("the reset to be acknowledged", |raw| {
            raw.read(register::INCARNATION) != incarnation && raw.state() == CardState::RESET
        });
        self.card.bus_master(true).expect("the bus is there");
        self.enable(settings);
    }

    /// Enables a card that is in reset, and starts the ring.
    ///
    /// # Panics
    /// When the card does not come up.
    pub fn enable(&mut self, settings: &Settings) {
        self.write(register::GENERATION_SEED, settings.generation_seed);
        self.write(register::GRACE_MS, settings.grace_ms);
        self.write(register::STALE_MS, settings.stale_ms);
        self.write(register::PORT_VLANS, 0);
        self.write(register::ENABLE, 1);
        self.until("the card to be ready", |raw| raw.state() == CardState::READY);
        // What the card has not written yet must not be taken for its answer.
        for (start, bytes) in
            [(COMPLETIONS_AT, SLOTS as usize * Completion::BYTES), (RESULTS_AT, PAGE)]
        {
            for word in start / 4..(start + bytes) / 4 {
                self.memory.store_relaxed(word, 0);
            }
        }
        self.start_ring(0, 0);
        assert_eq!(self.ring_state(0), RingState::RUNNING);
    }

    /// Starts command ring `ring` `offset` bytes into the memory.
    pub fn start_ring(&mut self, ring: u32, offset: u64) {
        self.start_ring_at(ring, self.iova + offset);
    }

    /// Starts command ring `ring` at an IOVA, with its completions as far behind it as in the memory.
    pub fn start_ring_at(&mut self, ring: u32, slots: u64) {
        let completions = slots + COMPLETIONS_AT as u64;
        self.write_bank(register::RING_BASE_LOW, ring, slots as u32);
        self.write_bank(register::RING_BASE_HIGH, ring, (slots >> 32) as u32);
        self.write_bank(register::RING_COMPLETION_LOW, ring, completions as u32);
        self.write_bank(register::RING_COMPLETION_HIGH, ring, (completions >> 32) as u32);
        self.write_bank(register::RING_SLOTS_LOG2, ring, SLOTS.trailing_zeros());
        self.write_bank(register::RING_VECTOR, ring, register::VECTOR_NONE);
        self.write_bank(register::RING_MODERATION_US, ring, 0);
        self.write_bank(register::RING_START, ring, 1);
        if ring == 0 {
            (self.tail, self.reaped) = (0, 0);
        }
    }

    /// IOVA of the result buffer.
    pub fn results(&self) -> u64 {
        self.iova + RESULTS_AT as u64
    }

    /// IOVA of the list.
    pub fn list(&self) -> u64 {
        self.iova + LIST_AT as u64
    }

    /// An IOVA that nothing is mapped at.
    pub fn unmapped(&self) -> u64 {
        0x7fff_0000_0000
    }

    /// Writes handles where [`RawCard::list`] points.
    pub fn write_list(&self, handles: &[Handle]) {
        self.write_list_at(0, handles);
    }

    /// Writes handles `offset` bytes behind where [`RawCard::list`] points.
    pub fn write_list_at(&self, offset: usize, handles: &[Handle]) {
        for (entry, handle) in handles.iter().enumerate() {
            self.memory.copy_in(LIST_AT + offset + entry * 8, &handle.0.to_le_bytes());
        }
    }

    /// All words of the memory.
    pub fn words(&self) -> Vec<u32> {
        (0..self.memory.len()).map(|word| self.memory.load_relaxed(word)).collect()
    }

    /// Overwrites the result buffer from byte `start` on with `bytes` bytes of one value.
    pub fn fill_results(&self, start: usize, bytes: usize, value: u8) {
        self.memory.copy_in(RESULTS_AT + start, &vec![value; bytes]);
    }

    /// Bytes of the result buffer from byte `start` on.
    pub fn result_bytes(&self, start: usize, bytes: usize) -> Vec<u8> {
        let mut copy = vec![0; bytes];
        self.memory.copy_out(RESULTS_AT + start, &mut copy);
        copy
    }

    /// Puts a slot into the ring without telling the card.
    pub fn put(&mut self, slot: Slot) {
        let at = self.tail % SLOTS * abi::host::limit::SLOT_BYTES;
        for (word, value) in slot.iter().enumerate() {
            self.memory.store_relaxed(at as usize / 4 + word, *value);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    /// Rings the doorbell for all that was put.
    pub fn ring(&self) {
        self.write_doorbell(register::DOORBELL_TAIL, 0, self.tail);
    }

    /// Puts slots, rings, and waits for the completion of the tree that they are.
    pub fn run(&mut self, slots: &[Slot]) -> Completion {
        for slot in slots {
            self.put(*slot);
        }
        self.ring();
        self.wait_completion()
    }

    /// Waits for the next completion.
    pub fn wait_completion(&mut self) -> Completion {
        let mut found = None;
        self.until("a completion", |raw| {
            found = raw.completion();
            found.is_some()
        });
        found.expect("the wait ended with one")
    }

    /// Takes the next completion when there is one.
    pub fn completion(&mut self) -> Option<Completion> {
        let size = RingSize::new(SLOTS).expect("a power of two");
        let at = (COMPLETIONS_AT + (self.reaped % SLOTS) as usize * Completion::BYTES) / 4;
        let last = self.memory.load_acquire(at + PHASE_WORD);
        let words = [
            self.memory.load_relaxed(at),
            self.memory.load_relaxed(at + 1),
            self.memory.load_relaxed(at + 2),
            last,
        ];
        if phase_of(&words) != size.phase(self.reaped) {
            return None;
        }
        self.reaped = self.reaped.wrapping_add(1);
        self.write_doorbell(register::DOORBELL_REAPED, 0, self.reaped);
        Some(Completion::read(&words))
    }

    /// The result of block `block` of the tree that ran last.
    pub fn result(&self, block: usize) -> ResultRecord {
        let mut bytes = [0; ResultRecord::BYTES];
        self.memory.copy_out(RESULTS_AT + block * ResultRecord::BYTES, &mut bytes);
        let mut words = [0; ResultRecord::BYTES / 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(chunk.try_into().expect("chunks are of four"));
        }
        ResultRecord::read(&words)
    }

    /// Header of a tree's first slot: flags `FIRST`, `ROOT` and what is given, the result buffer set.
    pub fn header(&self, opcode: Opcode, kind: Kind, flags: u16) -> CommandHeader {
        CommandHeader {
            opcode: opcode.0,
            kind: kind.0,
            flags: flags | Flag::FIRST.0 | Flag::ROOT.0,
            tag: 7,
            result_units: (RESULT_BYTES / abi::host::limit::RESULT_UNIT as usize) as u16,
            handle: 0,
            result: self.results(),
        }
    }

    /// Offloads neighbor `n` by hand.
    pub fn neighbor(&mut self, n: u8) -> Handle {
        let header = self.header(
            Opcode::INITIATE,
            Kind::NEIGHBOR,
            Flag::LAST.0 | abi::host::command::CLASSES,
        );
        let mut slot = slot_of(&header);
        let mac = super::scene::mac(n);
        NeighborVariables { destination: mac, ..Default::default() }
            .write(&mut slot[VARIABLES / 4..]);
        let completion = self.run(&[slot]);
        assert_eq!(Status(completion.status), Status::SUCCESS);
        Handle(self.result(0).handle)
    }

    /// Offloads an IPv4 path behind a neighbor by hand.
    pub fn path(&mut self, neighbor: Handle) -> Handle {
        let header = self.header(Opcode::INITIATE, Kind::NEIGHBOR, 0);
        let path = path_slot(CommandHeader {
            opcode: Opcode::INITIATE.0,
            kind: Kind::PATH.0,
            flags: Flag::CONST.0 | Flag::CACHED.0 | Flag::LAST.0,
            ..CommandHeader::default()
        });
        let completion =
            self.run(&[slot_of(&CommandHeader { handle: neighbor.0, ..header }), path]);
        assert_eq!(Status(completion.status), Status::SUCCESS);
        Handle(self.result(1).handle)
    }

    /// An update that relinks a list of `count` handles at `iova` to `to`; an entry's status lies
    /// right behind the block's own.
    pub fn list_slot(&self, to: Handle, iova: u64, count: u32) -> Slot {
        let header = self.header(Opcode::UPDATE, Kind::NEIGHBOR, Flag::LAST.0 | Flag::LIST.0);
        let mut slot = slot_of(&CommandHeader { handle: to.0, ..header });
        Selection { list: iova, count }.write(&mut slot[SELECTION / 4..]);
        with_state_offset(slot, DMA_ALIGN)
    }

    /// After a reset the card is as new, whatever came before.
    pub fn recovers(&mut self) {
        self.bring_up(&Settings { generation_seed: 77, ..Settings::default() });
        assert!(self.is_alive(), "the card is whole after a reset");
    }

    /// Whether the card still carries out an honest command on the ring that runs.
    pub fn is_alive(&mut self) -> bool {
        let neighbor = self.neighbor(0xee);
        let header = self.header(Opcode::TERMINATE, Kind::NEIGHBOR, Flag::LAST.0);
        let completion = self.run(&[slot_of(&CommandHeader { handle: neighbor.0, ..header })]);
        Status(completion.status) == Status::SUCCESS
    }

    /// Reads a register.
    pub fn read<A>(&self, register: Reg<A>) -> u32 {
        self.card.read(register.offset)
    }

    /// Writes a register.
    pub fn write<A>(&self, register: Reg<A>, value: u32) {
        self.card.write(register.offset, value);
    }

    /// Writes a register of a ring's bank.
    pub fn write_bank<A>(&self, register: Reg<A>, ring: u32, value: u32) {
        self.card.write(register.bank(ring, register::RING_STRIDE).offset, value);
    }

    /// Writes a doorbell.
    pub fn write_doorbell<A>(&self, register: Reg<A>, ring: u32, value: u32) {
        self.card.write(register.bank(ring, register::DOORBELL_STRIDE).offset, value);
    }

    /// State of the card.
    pub fn state(&self) -> CardState {
        CardState(self.read(register::STATE))
    }

    /// State of a ring.
    pub fn ring_state(&self, ring: u32) -> RingState {
        RingState(self.card.read(register::RING_STATE.bank(ring, register::RING_STRIDE).offset))
    }

    /// Why a ring failed.
    pub fn ring_error(&self, ring: u32) -> u32 {
        self.card.read(register::RING_ERROR.bank(ring, register::RING_STRIDE).offset)
    }

    /// Low word of a counter.
    pub fn counter(&self, counter: Counter) -> u32 {
        self.card.read(counter.offset())
    }

    /// Position up to which slots were put.
    pub fn tail(&self) -> u32 {
        self.tail
    }

    /// Waits until `is_so` says so.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let (card_ns, wall) = (self.card.clock_ns() + WAIT_NS, Instant::now() + WAIT_WALL);
        while !is_so(self) {
            if self.card.clock_ns() >= card_ns || Instant::now() >= wall {
                let (state, code) = (self.state(), FailCode(self.read(register::FAIL_CODE)));
                let (ring, error) = (self.ring_state(0), FailCode(self.ring_error(0)));
                panic!(
                    "waited too long for {what}: the card is {state} ({code}), ring 0 is {ring} ({error})"
                );
            }
            self.card.relax();
        }
    }

    /// Lets card time pass.
    pub fn rest_ms(&mut self, ms: u64) {
        let end = self.card.clock_ns() + ms * 1_000_000;
        self.until("card time to pass", |raw| raw.card.clock_ns() >= end);
    }
}

/// A slot that carries a header and nothing else.
pub(super) fn slot_of(header: &CommandHeader) -> Slot {
    let mut slot = [0; 16];
    header.write(&mut slot);
    slot
}

/// A new IPv4 path.
pub(super) fn path_slot(header: CommandHeader) -> Slot {
    let mut slot = slot_of(&header);
    PathVariables { mtu: 1500, ..Default::default() }.write(&mut slot[VARIABLES / 4..]);
    slot
}

/// Sets the state offset of a block.
pub(super) fn with_state_offset(mut slot: Slot, offset: u32) -> Slot {
    slot[STATE_OFFSET / 4] = offset;
    slot
}
