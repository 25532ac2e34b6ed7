//! The `Hal` of the native body: the card around the linked firmware, for one step.
//!
//! Between `firmware` and `peripherals`. Each call of the firmware is charged what the RISC-V image
//! needs for it, and each mark what the firmware does up to it; see `charge`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use abi::core::mmio::RESULT_WORDS;
use abi::core::{Capabilities, Fetched, Hal, LinkAnswer, LinkOrder, LinkWalk, Notice, Settings};
use abi::host::command::{Flag, Slot};
use abi::host::handle::Handle;
use abi::host::limit::COMMAND_RINGS_MAX;
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::{TraceKind, TraceWriter};
use host_driver::memory::prefetch;

use super::lists::{HANDLE_WORDS, Lists};
use crate::charge::Charge;
use crate::iommu::Window;
use crate::meter::Meter;
use crate::peripherals::Peripherals;
use crate::trace::Happening;

/// The card around the firmware, for one step.
pub(super) struct NativeHal<'a, M> {
    pub(super) side: &'a mut Peripherals,
    /// Table memory: every word that the firmware has stands in here.
    pub(super) table: &'a [AtomicU32],
    pub(super) lists: &'a mut Lists,
    pub(super) walk: &'a mut Option<(LinkWalk, u64)>,
    /// The trace was on when the step began.
    pub(super) traces: bool,
    /// Something was stored into table memory.
    pub(super) has_stored: bool,
    /// The way to host memory, for what is due at once.
    pub(super) window: &'a Window<'a>,
    /// Lets a reader on this thread announce what was raised: it is between two batches.
    pub(super) announce: &'a mut dyn FnMut() -> bool,
    pub(super) meter: &'a M,
    pub(super) head: &'a Cell<u32>,
    pub(super) before: &'a Cell<Option<Charge>>,
}

impl<M: Meter> NativeHal<'_, M> {
    /// Card time of what happens now.
    fn at(&self) -> u64 {
        self.side.now + self.meter.spent()
    }

    /// Whether what goes to the host is written at once: everything is due, and nobody has to be told
    /// first that it goes. An outbox is empty when a step begins, so nothing is overtaken.
    #[inline(always)]
    fn is_direct(&self) -> bool {
        !M::COUNTS && !self.traces
    }

    /// Stands still until stores have arrived, as a fence does.
    #[inline(always)]
    fn fence(&self) {
        if M::COUNTS {
            self.meter.stall(self.side.table_port.fence(self.at()));
        }
    }

    /// Sends words to host memory; `false` when the outbox is full.
    #[inline(always)]
    fn send(&mut self, ring: u32, iova: u64, words: &[u32]) -> bool {
        if self.is_direct() {
            self.side.result_now(self.window, ring, iova, words);
            return true;
        }
        let has_room = !self.side.outbox.is_full();
        if has_room {
            self.side.result(self.at(), ring, iova, words);
        }
        has_room
    }

    /// Lets a list arrive that came since the step began, as a core would see it.
    #[inline(always)]
    fn take_lists(&mut self) {
        if M::COUNTS {
            self.side.take_lists(self.window, self.at());
        }
    }

    #[inline(always)]
    fn charge_load(&self, charge: Charge, word: u32) {
        if M::COUNTS {
            self.meter.charge(charge, 1);
            self.meter.stall(self.side.table_port.load(word));
        }
    }

    /// A store of this step goes to the table. Of what is not counted nobody asks whether it was
    /// work.
    #[inline(always)]
    fn note_store(&mut self) {
        if M::COUNTS {
            self.has_stored = true;
            self.side.table_port.store(self.at());
        }
    }

    /// Notes the slot with which a block begins, whose marks are charged by what it says.
    #[inline(always)]
    fn note_head(&self, word: u32) {
        if M::COUNTS && !Flag::CONTINUATION.is_in((word >> 16) as u16) {
            self.head.set(word);
        }
    }
}

impl<M: Meter> Hal for NativeHal<'_, M> {
    fn capabilities(&self) -> Capabilities {
        self.side.shared.config.capabilities
    }

    fn settings(&self) -> Settings {
        self.side.settings
    }

    #[inline(always)]
    fn load(&self, word: u32) -> u32 {
        self.charge_load(Charge::LOAD, word);
        // ORDERING: Relaxed. A word that only the firmware writes.
        // Checked by `loom_header::a_header_is_whole`.
        self.table[word as usize].load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn store(&mut self, word: u32, value: u32) {
        self.meter.charge(Charge::STORE, 1);
        self.note_store();
        // ORDERING: Relaxed. A private word, or one that a later `publish` makes visible.
        // Checked by `loom_header::a_header_is_whole`.
        self.table[word as usize].store(value, Ordering::Relaxed);
    }

    #[inline(always)]
    fn publish(&mut self, word: u32, value: u32) {
        self.meter.charge(Charge::PUBLISH, 1);
        self.fence();
        self.note_store();
        // ORDERING: Release. Pairs with the Acquire of the datapath: publishes everything stored
        // before. Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.table[word as usize].store(value, Ordering::Release);
    }

    #[inline(always)]
    fn store_all(&mut self, first: u32, values: &[u32]) {
        self.meter.charge(Charge::STORE, values.len() as u32);
        self.note_store();
        let cells = &self.table[first as usize..][..values.len()];
        for (cell, value) in cells.iter().zip(values) {
            // ORDERING: Relaxed. As in `store`.
            cell.store(*value, Ordering::Relaxed);
        }
    }

    #[inline]
    fn observe(&self, word: u32) -> u32 {
        self.charge_load(Charge::OBSERVE, word);
        // ORDERING: Acquire. Pairs with the Release of the datapath's ages.
        // Checked by `loom_header::an_age_belongs_to_its_generation`.
        let value = self.table[word as usize].load(Ordering::Acquire);
        self.fence();
        value
    }

    fn pending(&self) -> u32 {
        self.meter.charge(Charge::REGISTER, 1);
        self.side.pending()
    }

    fn front(&self, ring: u32) -> Option<u32> {
        self.meter.charge(Charge::FRONT, 1);
        self.side.front(ring).map(|_| ring)
    }

    fn waiting(&self, ring: u32) -> u32 {
        self.meter.charge(Charge::FRONT, 1);
        self.side.waiting(ring)
    }

    #[inline(always)]
    fn place(&self, ring: u32, ahead: u32) -> u32 {
        ahead * COMMAND_RINGS_MAX + ring
    }

    /// A place is a ring, and behind how many slots of it: `front` gives those behind none.
    #[inline(always)]
    fn peek(&self, place: u32, word: u32) -> u32 {
        self.meter.charge(Charge::PEEK, 1);
        let (ring, ahead) = (place % COMMAND_RINGS_MAX, place / COMMAND_RINGS_MAX);
        let value = self.side.mail_word(ring, ahead, word);
        if word == 0 {
            self.note_head(value);
        }
        value
    }

    #[inline]
    fn take(&mut self, ring: u32, slot: &mut Slot) -> bool {
        self.meter.charge(Charge::FRONT, 1);
        let Some(words) = self.side.front(ring) else { return false };
        *slot = *words;
        self.meter.charge(Charge::PEEK, slot.len() as u32);
        self.note_head(slot[0]);
        self.skip(ring);
        true
    }

    fn skip(&mut self, ring: u32) {
        self.meter.charge(Charge::SKIP, 1);
        self.side.skip(ring, 1);
    }

    fn consume(&mut self, ring: u32) {
        self.meter.charge(Charge::CONSUME, 1);
        self.side.settle(ring, 1);
    }

    #[inline(always)]
    fn consume_next(&mut self, ring: u32, slots: u32) {
        self.meter.charge(Charge::SKIP, 1);
        self.meter.charge(Charge::CONSUME, 1);
        self.side.skip(ring, slots);
        self.side.settle(ring, slots);
    }

    fn complete(&mut self, ring: u32, completion: [u32; 4]) -> bool {
        self.meter.charge(Charge::COMPLETE, 1);
        if self.is_direct() {
            self.side.complete_now(self.window, ring, completion);
            return true;
        }
        let has_room = !self.side.outbox.is_full();
        if has_room {
            self.side.complete(self.at(), ring, completion);
        }
        has_room
    }

    fn is_stopped(&self, ring: u32) -> bool {
        self.meter.charge(Charge::REGISTER, 1);
        self.side.is_stopped(ring)
    }

    fn write(&mut self, ring: u32, iova: u64, words: &[u32]) -> bool {
        self.meter.charge(Charge::WRITE, 1);
        self.meter.charge(Charge::WRITE_WORD, words.len() as u32);
        self.take_lists();
        self.send(ring, iova, words)
    }

    fn fill(&mut self, ring: u32, iova: u64, words: u32, value: u32) -> bool {
        self.meter.charge(Charge::FILL, 1);
        self.take_lists();
        let line = [value; RESULT_WORDS as usize];
        self.send(ring, iova, line.get(..words as usize).unwrap_or(&line))
    }

    fn fetch_list(&mut self, ring: u32, buffer: u32, iova: u64, entries: u32) {
        self.meter.charge(Charge::FETCH_LIST, 1);
        if M::COUNTS {
            return self.side.fetch_list(self.at(), ring, buffer, iova, entries);
        }
        self.lists.fetch(self.window, ring, buffer, iova, entries);
        self.side.note_list(ring, entries);
    }

    #[inline]
    fn expect_list(&self, iova: u64, entries: u32) {
        if !M::COUNTS {
            self.window.expect_reads(iova, entries as usize * HANDLE_WORDS);
        }
    }

    #[inline]
    fn expect_listed(&self, ring: u32, buffer: u32, entries: u32, first: u32, words: u32) {
        if M::COUNTS {
            return;
        }
        let handles = self.lists.handles(ring, buffer, entries);
        let index = |[low, _]: &[u32; HANDLE_WORDS]| Handle(u64::from(*low)).index();
        // Objects that follow one another are brought in by the processor itself.
        let span =
            handles.first().zip(handles.last()).map(|(a, b)| index(b).wrapping_sub(index(a)));
        if span == Some(entries.wrapping_sub(1)) {
            return;
        }
        for handle in handles {
            let word = first.wrapping_add(index(handle).wrapping_mul(words));
            if let Some(word) = self.table.get(word as usize) {
                prefetch(word);
            }
        }
    }

    fn list_state(&self, ring: u32) -> Fetched {
        self.meter.charge(Charge::REGISTER, 1);
        if M::COUNTS { self.side.list_state(ring) } else { self.lists.state(ring) }
    }

    #[inline]
    fn list_entry(&self, ring: u32, buffer: u32, entry: u32) -> Handle {
        self.meter.charge(Charge::LIST_ENTRY, 1);
        if M::COUNTS {
            return match self.side.rings.get(ring as usize) {
                Some(Some(ring)) => ring.list.entry(buffer, entry),
                _ => Handle::NULL,
            };
        }
        self.lists.entry(ring, buffer, entry)
    }

    #[inline(always)]
    fn has_link_engine(&self) -> bool {
        M::COUNTS && self.side.has_link_engine()
    }

    fn order_links(&mut self, order: &LinkOrder) {
        self.meter.charge(Charge::LINK_ORDER, 1);
        let (walk, cycles) = self.side.order_links(order);
        self.has_stored = true;
        *self.walk = Some((walk, self.at() + u64::from(cycles)));
    }

    fn links_ended(&mut self) -> Option<LinkAnswer> {
        self.meter.charge(Charge::LINK_ENDED, 1);
        let (walk, ended_at) = self.walk.as_ref()?;
        let left = ended_at.saturating_sub(self.at());
        self.meter.stall(u32::try_from(left).unwrap_or(u32::MAX));
        let answer = walk.answer();
        self.take_lists();
        Some(answer)
    }

    fn refused_entries(&self, word: u32) -> u32 {
        self.meter.charge(Charge::REGISTER, 1);
        let words = self.walk.as_ref().map_or(&[][..], |(walk, _)| &walk.refused);
        words.get(word as usize).copied().unwrap_or(0)
    }

    fn left_alias(&self, place: u32) -> (u32, u32) {
        self.meter.charge(Charge::LINK_LEFT, 1);
        let left = self.walk.as_ref().map_or(&[][..], |(walk, _)| &walk.left);
        left.get(place as usize).copied().unwrap_or((0, 0))
    }

    fn raise(&mut self, epoch: u32) {
        self.meter.charge(Charge::RAISE, 1);
        self.fence();
        self.side.raise(self.at(), epoch);
        (self.announce)();
    }

    fn announced(&self) -> u32 {
        self.meter.charge(Charge::REGISTER, 1);
        let epoch = self.side.announced(self.at());
        self.fence();
        epoch
    }

    fn notice(&mut self) -> Option<Notice> {
        let notice = self.side.notice();
        self.meter.charge(if notice.is_some() { Charge::NOTICE } else { Charge::REGISTER }, 1);
        notice
    }

    fn event(&mut self, event: [u32; 4]) -> bool {
        self.meter.charge(Charge::EVENT, 1);
        let has_room = !self.side.outbox.is_full() && self.side.event_room() > 0;
        if has_room && self.is_direct() {
            self.side.event_now(self.window, event);
        } else if has_room {
            self.side.event(self.at(), event);
        }
        has_room
    }

    fn now_ms(&self) -> u32 {
        self.meter.charge(Charge::REGISTER, 1);
        self.side.now_ms
    }

    fn heartbeat(&mut self) {
        let beats = self.side.shared.registers.heartbeat.get();
        self.side.beat(beats.wrapping_add(1));
    }

    #[inline]
    fn trace(&mut self, kind: TraceKind, ring: u32, detail: u32, value: u32) {
        self.take_lists();
        if M::COUNTS
            && let Some(mark) = Charge::of_mark(kind, detail, self.head.get())
        {
            let mark = mark.behind(self.before.get());
            self.meter.charge(mark, 1);
            if matches!(kind, TraceKind::TREE_BEGUN | TraceKind::BLOCK) {
                self.before.set(Some(mark));
            }
        }
        if self.traces {
            let happening = Happening { kind, ring, detail, value };
            self.side.shared.note(TraceWriter::FIRMWARE, self.at(), happening);
        }
    }

    fn count(&mut self, counter: Counter, amount: u32) {
        self.take_lists();
        self.meter.charge(Charge::COUNT, 1);
        self.side.shared.counters.add_own(counter, u64::from(amount));
    }

    fn fail(&mut self, code: FailCode, cause: u32) {
        self.side.shared.registers.fail(code, 0, cause);
    }
}
