//! A card that answers from a can: whatever is asked, it writes the words it was given.
//!
//! It is enough of a card for bring-up and for rings, and has no objects. Time goes on by a
//! microsecond in every wait, and everything happens there, on the caller's thread.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use abi::host::command::{CommandHeader, Flag};
use abi::host::completion::Completion;
use abi::host::limit::SLOT_BYTES;
use abi::host::position::RingSize;
use abi::host::register;
use abi::host::status::{CardState, RingState};
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use vmm_sys_util::eventfd::EventFd;

/// Distance of two mappings; also the page that an IOVA is aligned to.
const MAPPING: u64 = 1 << 32;
const CAPABILITY: u32 = 16;
const RING_SLOTS: u32 = 64;

/// What the card will say.
#[derive(Default)]
struct Can {
    registers: BTreeMap<u32, u32>,
    mapped: Vec<Memory>,
    results: Vec<u32>,
    completion: Completion,
    served: u32,
    completed: u32,
    now_us: u64,
}

/// The card.
#[derive(Default)]
pub(crate) struct Canned(Mutex<Can>);

impl Canned {
    /// A card with no answer yet.
    pub(crate) fn new() -> Arc<Self> {
        let card = Self::default();
        let constant = [
            (register::IDENTITY, register::IDENTITY_VALUE),
            (register::VERSION, abi::VERSION),
            (register::ABI_HASH, abi::ABI_HASH),
            (register::COMMAND_RINGS, 1),
            (register::TRANSMIT_RINGS, 1),
            (register::RING_SLOTS, RING_SLOTS),
            (register::CLOCK_KHZ, 1000),
        ];
        for table in
            [register::NEIGHBORS, register::PATHS, register::CONNECTIONS, register::ALIASES]
        {
            card.can().registers.insert(table.offset, CAPABILITY);
        }
        card.can().registers.extend(constant.map(|(register, value)| (register.offset, value)));
        Arc::new(card)
    }

    /// What every tree from now on is answered with; tag and phase are made to fit.
    pub(crate) fn answer(&self, results: &[u32], completion: Completion) {
        let mut can = self.can();
        (can.results, can.completion) = (results.to_vec(), completion);
    }

    /// Writes `entry` of the completions (events) of `ring`, whose phase is that of the entry.
    pub(crate) fn post(&self, ring: u32, entry: u32, words: &[u32]) {
        let can = self.can();
        let base = can.wide(register::RING_COMPLETION_LOW, register::RING_COMPLETION_HIGH, ring);
        can.write(base + u64::from(entry) * 16, words);
    }

    /// Words of `entry` of the slots of `ring`, each of which has as many as are asked for.
    pub(crate) fn slot(&self, ring: u32, entry: u32, words: usize) -> Vec<u32> {
        let can = self.can();
        let base = can.wide(register::RING_BASE_LOW, register::RING_BASE_HIGH, ring);
        can.words(base + u64::from(entry) * 4 * words as u64, words)
    }

    fn can(&self) -> MutexGuard<'_, Can> {
        self.0.lock().expect("no holder panicked")
    }
}

impl Can {
    fn wide<A>(&self, low: abi::layout::Reg<A>, high: abi::layout::Reg<A>, ring: u32) -> u64 {
        let read = |register: abi::layout::Reg<A>| {
            let offset = register.bank(ring, register::RING_STRIDE).offset;
            u64::from(self.registers.get(&offset).copied().unwrap_or(0))
        };
        read(low) | read(high) << 32
    }

    fn place(&self, iova: u64) -> (&Memory, usize) {
        let mapping = (iova / MAPPING) as usize - 1;
        (&self.mapped[mapping], (iova % MAPPING) as usize / 4)
    }

    fn words(&self, iova: u64, words: usize) -> Vec<u32> {
        let (memory, first) = self.place(iova);
        (first..first + words).map(|word| memory.load_acquire(word)).collect()
    }

    fn write(&self, iova: u64, words: &[u32]) {
        let (memory, first) = self.place(iova);
        for (word, value) in (first..).zip(words) {
            memory.store_release(word, *value);
        }
    }

    /// Answers every tree that the doorbell of ring 0 announces.
    fn serve(&mut self) {
        let tail = self.registers.get(&register::DOORBELL_TAIL.offset).copied().unwrap_or(0);
        let base = self.wide(register::RING_BASE_LOW, register::RING_BASE_HIGH, 0);
        let completions =
            self.wide(register::RING_COMPLETION_LOW, register::RING_COMPLETION_HIGH, 0);
        let size = RingSize::new(RING_SLOTS).expect("a ring size");
        while self.served != tail {
            let at = base + u64::from(size.slot(self.served) * SLOT_BYTES);
            let header = CommandHeader::read(&self.words(at, CommandHeader::BYTES / 4));
            self.served = self.served.wrapping_add(1);
            self.registers.insert(register::RING_FETCHED.offset, self.served);
            if Flag::FIRST.is_in(header.flags) {
                self.write(header.result, &self.results);
                self.completion.tag = header.tag;
            }
            if Flag::LAST.is_in(header.flags) {
                self.completion.phase = size.phase(self.completed) as u8;
                let mut words = [0; 4];
                self.completion.write(&mut words);
                self.write(completions + u64::from(size.slot(self.completed) * 16), &words);
                self.completed = self.completed.wrapping_add(1);
            }
        }
    }
}

impl Registers for Canned {
    fn read(&self, offset: u32) -> u32 {
        self.can().registers.get(&offset).copied().unwrap_or(0)
    }
    fn write(&self, offset: u32, value: u32) {
        let mut can = self.can();
        can.registers.insert(offset, value);
        if offset == register::RESET.offset {
            *can.registers.entry(register::INCARNATION.offset).or_insert(0) += 1;
            can.registers.insert(register::STATE.offset, CardState::RESET.0);
            (can.served, can.completed) = (0, 0);
        } else if offset == register::ENABLE.offset {
            can.registers.insert(register::STATE.offset, CardState::READY.0);
        } else if let Some(bank) = offset.checked_sub(register::RING_START.offset)
            && bank.is_multiple_of(register::RING_STRIDE)
            && bank / register::RING_STRIDE < register::RINGS
        {
            can.registers.insert(register::RING_STATE.offset + bank, RingState::RUNNING.0);
        }
    }
}

impl Backing for Canned {
    fn describe(&self) -> String {
        "canned".into()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let memory = Memory::new(bytes)?;
        let mut can = self.can();
        can.mapped.push(memory.clone());
        Ok(Reachable { memory, iova: can.mapped.len() as u64 * MAPPING })
    }
    fn release(&self, _: Reachable) {}
    fn trim(&self) {}
    fn bus_master(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
    fn interrupt(&self, _: u32) -> io::Result<EventFd> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn clock_ns(&self) -> u64 {
        self.can().now_us * 1000
    }
    fn relax(&self) {
        let mut can = self.can();
        can.now_us += 1;
        can.serve();
    }
    fn reset_function(&self) -> io::Result<()> {
        Ok(())
    }
}
