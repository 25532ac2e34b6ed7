//! What the scripted card does with its rings: fetch, take, answer, post.

use std::collections::BTreeMap;

use abi::host::command::{CommandHeader, Flag, Opcode, SELECTION, STATE_OFFSET, Selection, Slot};
use abi::host::completion::{Completion, PHASE_WORD, ResultRecord, with_phase};
use abi::host::handle::Handle;
use abi::host::position::RingSize;
use abi::host::register::RINGS;
use abi::host::status::{Kind, Status};
use abi::host::transmit::{TransmitCompletion, TransmitDescriptor};
use host_driver::memory::{Memory, Words};

/// A tree as it came down.
pub struct Seen {
    pub ring: u32,
    pub slots: Vec<Slot>,
    /// Headers of its blocks.
    pub heads: Vec<CommandHeader>,
    pub list: Vec<Handle>,
}

/// What the card is about to say of a tree.
pub struct Answer {
    pub records: Vec<ResultRecord>,
    /// A status byte an entry of the list.
    pub statuses: Vec<u8>,
    pub completion: Completion,
    /// Of the wrong lap: the host must not see it.
    pub has_wrong_phase: bool,
    /// `false`: never answered.
    pub is_posted: bool,
}

pub(super) type Script = Box<dyn FnMut(&Seen, &mut Answer) + Send>;
pub(super) type TransmitScript =
    Box<dyn FnMut(&TransmitDescriptor) -> Option<TransmitCompletion> + Send>;

/// A started ring.
pub(super) struct Ring {
    pub(super) base: u64,
    pub(super) completions: u64,
    pub(super) size: RingSize,
    pub(super) fetched: u32,
    pub(super) posted: u32,
    pub(super) open: Vec<Slot>,
}

/// What the card does of itself.
pub(super) struct Inner {
    pub(super) is_gone: bool,
    /// Bus mastering: without it no DMA.
    pub(super) is_master: bool,
    pub(super) trims: u32,
    pub(super) mapped: BTreeMap<u64, Memory>,
    pub(super) next_iova: u64,
    pub(super) rings: [Option<Ring>; RINGS as usize],
    pub(super) script: Script,
    pub(super) transmit: TransmitScript,
    pub(super) is_paused: bool,
    pub(super) is_quick: bool,
    pub(super) step_slots: u32,
    pub(super) ignores_reset: bool,
    pub(super) next_index: u32,
    pub(super) resets: u32,
    pub(super) trees: usize,
}

impl Inner {
    /// The memory at `iova`, and the word in it.
    fn at(&self, iova: u64) -> (&Memory, usize) {
        let (start, memory) = self.mapped.range(..=iova).next_back().expect("it is mapped");
        let offset = (iova - start) as usize;
        assert!(offset < memory.bytes(), "{iova:#x} is not mapped for the card");
        (memory, offset / 4)
    }

    fn write(&self, iova: u64, words: &[u32]) {
        let (memory, first) = self.at(iova);
        for (i, &word) in words.iter().enumerate() {
            memory.store_relaxed(first + i, word);
        }
    }

    pub(super) fn fetch(&mut self, ring: u32, tail: u32, words: usize) -> Option<Slot> {
        let state = self.rings[ring as usize].as_ref().filter(|state| state.fetched != tail)?;
        let bytes = words as u64 * 4;
        let (memory, first) =
            self.at(state.base + u64::from(state.size.slot(state.fetched)) * bytes);
        let mut slot = [0; 16];
        for (i, word) in slot[..words].iter_mut().enumerate() {
            *word = memory.load_relaxed(first + i);
        }
        self.rings[ring as usize].as_mut()?.fetched += 1;
        Some(slot)
    }

    pub(super) fn post(&mut self, ring: u32, entry: [u32; 4], has_wrong_phase: bool) {
        let Some(state) = self.rings[ring as usize].as_mut() else { return };
        let phase = state.size.phase(state.posted) ^ u32::from(has_wrong_phase);
        let iova = state.completions + u64::from(state.size.slot(state.posted)) * 16;
        state.posted = state.posted.wrapping_add(1);
        let entry = with_phase(entry, phase);
        self.write(iova, &entry[..PHASE_WORD]);
        let (memory, first) = self.at(iova);
        memory.store_release(first + PHASE_WORD, entry[PHASE_WORD]);
    }

    /// Takes one slot, and answers when the tree is whole.
    pub(super) fn take(&mut self, ring: u32, slot: Slot, seed: u32) {
        let Some(state) = self.rings[ring as usize].as_mut() else { return };
        state.open.push(slot);
        if !Flag::LAST.is_in(CommandHeader::read(&slot).flags) {
            return;
        }
        let slots = std::mem::take(&mut state.open);
        let is_head = |head: &CommandHeader| !Flag::CONTINUATION.is_in(head.flags);
        let heads = slots.iter().map(|slot| CommandHeader::read(slot)).filter(is_head).collect();
        let list = self.list(&slots);
        let seen = Seen { ring, slots, heads, list };
        self.trees += 1;
        let mut answer = self.honest(&seen, seed);
        (self.script)(&seen, &mut answer);
        if answer.is_posted {
            self.give(&seen, &answer);
        }
    }

    fn list(&self, slots: &[Slot]) -> Vec<Handle> {
        let named = slots.iter().find(|slot| Flag::LIST.is_in(CommandHeader::read(*slot).flags));
        let Some(slot) = named else { return Vec::new() };
        let selection = Selection::read(&slot[SELECTION / 4..]);
        let (memory, first) = self.at(selection.list);
        let handle = |entry: usize| {
            let word = |half| u64::from(memory.load_relaxed(first + entry * 2 + half));
            Handle(word(1) << 32 | word(0))
        };
        (0..selection.count as usize).map(handle).collect()
    }

    fn honest(&mut self, seen: &Seen, seed: u32) -> Answer {
        let mut records = Vec::new();
        for head in &seen.heads {
            let is_new = head.opcode == Opcode::INITIATE.0
                && head.handle == 0
                && !Flag::PLACEHOLDER.is_in(head.flags);
            let mut record = ResultRecord {
                handle: head.handle,
                status: Status::SUCCESS.0,
                ..Default::default()
            };
            if is_new {
                record.handle = Handle::new(Kind(head.kind), self.next_index, seed).0;
                self.next_index += 1;
            }
            if Flag::ALL_OF.is_in(head.flags) {
                record.old_status = Status::SUCCESS.0;
            }
            records.push(record);
        }
        let completion = Completion {
            done: (records.len() + seen.list.len()) as u32,
            tag: seen.heads[0].tag,
            status: Status::SUCCESS.0,
            ..Completion::default()
        };
        let statuses = vec![Status::SUCCESS.0; seen.list.len()];
        Answer { records, statuses, completion, has_wrong_phase: false, is_posted: true }
    }

    fn give(&mut self, seen: &Seen, answer: &Answer) {
        let results = seen.heads[0].result;
        for (number, record) in answer.records.iter().enumerate() {
            let mut words = [0; ResultRecord::BYTES / 4];
            record.write(&mut words);
            self.write(results + (number * ResultRecord::BYTES) as u64, &words);
        }
        let listed =
            seen.slots.iter().find(|slot| Flag::LIST.is_in(CommandHeader::read(*slot).flags));
        if let Some(slot) = listed {
            let offset = slot[STATE_OFFSET / 4];
            let (memory, first) = self.at(results + u64::from(offset));
            memory.copy_in(first * 4, &answer.statuses);
        }
        let mut words = [0; 4];
        answer.completion.write(&mut words);
        self.post(seen.ring, words, answer.has_wrong_phase);
    }
}
