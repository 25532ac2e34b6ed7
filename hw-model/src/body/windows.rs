//! Positions and window memory of the card towards its core: what the address map needs to remember.
//!
//! Under `bus`, over `peripherals`. The core says by a position what it has taken, filled or asked
//! for; here that becomes the primitive operations. A position that makes no sense is a bus fault:
//! only broken firmware stores one.

use abi::core::mmio::{
    LINK_ALIASES, LINK_ANSWER, LINK_ENDED, LINK_LEFT_ALIAS, LINK_REFUSED, LINK_REFUSED_WORDS,
    LIST_BUFFERS, NOTICE_SLOTS, NoticeKind, OUTBOX_ENTRIES, OUTBOX_STRIDE, OutboxKind,
    RESULT_WORDS, link_answer, notice, of_link_range, outbox_entry,
};
use abi::core::{Fetched, LinkOrder, LinkWalk, Notice};
use abi::host::limit::{COMMAND_RINGS_MAX, LIST_CHUNK};
use rv32::Fault;

use crate::peripherals::Peripherals;

const RINGS: usize = COMMAND_RINGS_MAX as usize;
/// Words of an outbox entry, and of all of them.
const ENTRY_WORDS: usize = OUTBOX_STRIDE as usize / 4;
const OUTBOX_WORDS: usize = OUTBOX_ENTRIES as usize * ENTRY_WORDS;
const NOTICE_WORDS: usize = notice::WORDS as usize;
/// Words of a completion or an event.
const RING_ENTRY_WORDS: u32 = 4;

/// Positions of one command ring, and the list that it asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RingWindow {
    pub(super) taken: u32,
    settled: u32,
    asked: u32,
    pub(super) list_low: u32,
    pub(super) list_high: u32,
    pub(super) list_entries: u32,
}

/// Orders of the link engine.
#[derive(Debug, Default)]
pub(super) struct LinkWindow {
    pub(super) to: u32,
    pub(super) home: u32,
    pub(super) now_ms: u32,
    pub(super) range: u32,
    ordered: u32,
    /// The cycle from which the core sees that the last order ended.
    ended_at: u64,
    /// The core has looked since.
    is_waited_for: bool,
    walk: Option<LinkWalk>,
}

/// What the card remembers for its core between ENABLE and reset.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) wake: u32,
    /// A list was asked for: what comes of that is to be seen in this very step.
    pub(super) has_asked: bool,
    pub(super) rings: [RingWindow; RINGS],
    outbox: Box<[u32]>,
    filled: u32,
    notices: [u32; NOTICE_SLOTS as usize * NOTICE_WORDS],
    notices_left: u32,
    notices_taken: u32,
    pub(super) link: LinkWindow,
    /// Events posted.
    events: u32,
    pub(super) fail_pc: u32,
    pub(super) fail_cause: u32,
}

impl Windows {
    /// All positions 0.
    pub(super) fn new() -> Self {
        Self {
            wake: 0,
            has_asked: false,
            rings: [RingWindow::default(); RINGS],
            outbox: vec![0; OUTBOX_WORDS].into_boxed_slice(),
            filled: 0,
            notices: [0; NOTICE_SLOTS as usize * NOTICE_WORDS],
            notices_left: 0,
            notices_taken: 0,
            link: LinkWindow::default(),
            events: 0,
            fail_pc: 0,
            fail_cause: 0,
        }
    }

    /// MAIL_FILLED of a ring; a ring that is not served has nothing in its mailbox.
    pub(super) fn mail_filled(&self, side: &Peripherals, ring: u32) -> u32 {
        self.rings[ring as usize].taken.wrapping_add(side.waiting(ring))
    }

    /// A word of a ring's mailbox; zero where no slot lies.
    pub(super) fn mail_word(&self, side: &Peripherals, ring: u32, place: u32, word: u32) -> u32 {
        use abi::core::mmio::MAILBOX_SLOTS;
        let taken = self.rings[ring as usize].taken;
        let ahead = place.wrapping_sub(taken) % MAILBOX_SLOTS;
        let slot = side.ring(ring).and_then(|ring| ring.mailbox.get(ahead));
        slot.and_then(|slot| slot.get(word as usize)).copied().unwrap_or(0)
    }

    /// The core has taken slots up to `position`.
    pub(super) fn take(
        &mut self,
        side: &mut Peripherals,
        ring: u32,
        position: u32,
    ) -> Result<(), Fault> {
        let taken = &mut self.rings[ring as usize].taken;
        let count = position.wrapping_sub(*taken);
        if side.ring(ring).is_some_and(|ring| count > ring.mailbox.len()) {
            return Err(Fault);
        }
        *taken = position;
        side.skip(ring, count);
        Ok(())
    }

    /// The core has settled slots up to `position`, without completions.
    pub(super) fn settle(
        &mut self,
        side: &mut Peripherals,
        ring: u32,
        position: u32,
    ) -> Result<(), Fault> {
        let settled = &mut self.rings[ring as usize].settled;
        let count = position.wrapping_sub(*settled);
        if count > abi::core::mmio::MAILBOX_SLOTS {
            return Err(Fault);
        }
        *settled = position;
        side.settle(ring, count);
        Ok(())
    }

    /// The core asks for a list chunk; every ask has a number of its own.
    pub(super) fn ask(&mut self, side: &mut Peripherals, at: u64, ring: u32, number: u32) {
        let window = &mut self.rings[ring as usize];
        window.asked = number;
        self.has_asked = true;
        let iova = u64::from(window.list_high) << 32 | u64::from(window.list_low);
        let (buffer, entries) = (window.list_entries >> 16 & 1, window.list_entries & 0xffff);
        side.fetch_list(at, ring, buffer, iova, entries);
    }

    /// The core orders the link engine.
    pub(super) fn order(&mut self, side: &mut Peripherals, at: u64, number: u32) {
        let link = &mut self.link;
        let (place, first, end) = of_link_range(link.range);
        let (ring, buffer) = (place / LIST_BUFFERS, place % LIST_BUFFERS);
        let end = end.min(LIST_CHUNK);
        let (to, home, now_ms) = (link.to, link.home, link.now_ms);
        let (walk, cycles) =
            side.order_links(&LinkOrder { ring, buffer, first, end, to, home, now_ms });
        (link.ordered, link.ended_at) = (number, at + u64::from(cycles));
        link.walk = Some(walk);
        link.is_waited_for = false;
    }

    /// The core looks at LINK_ENDED. Returns the cycles for which it will go on doing so.
    pub(super) fn wait_for_links(&mut self, at: u64) -> u64 {
        let is_first = !self.link.is_waited_for;
        self.link.is_waited_for = true;
        if is_first { self.link.ended_at.saturating_sub(at) } else { 0 }
    }

    /// A register that the link engine answers in; `None` where there is none.
    pub(super) fn link_register(&self, at: u64, offset: u32) -> Option<u32> {
        let link = &self.link;
        let walk = link.walk.as_ref();
        if offset == LINK_ENDED.offset {
            return Some(link.ordered.wrapping_sub(u32::from(at < link.ended_at)));
        }
        if offset == LINK_ANSWER.offset {
            return Some(walk.map_or(0, |walk| link_answer(walk.answer())));
        }
        let word = offset.wrapping_sub(LINK_REFUSED.offset) / 4;
        if word < LINK_REFUSED_WORDS {
            return Some(walk.map_or(0, |walk| walk.refused[word as usize]));
        }
        let (place, of) = (offset.wrapping_sub(LINK_LEFT_ALIAS.offset) / 8, offset % 8);
        if place >= LINK_ALIASES {
            return None;
        }
        let (alias, paths) = walk.map_or((0, 0), |walk| walk.left[place as usize]);
        Some(if of == LINK_LEFT_ALIAS.offset % 8 { alias } else { paths })
    }

    /// LIST_ANSWERED of a ring.
    pub(super) fn answered(&self, side: &Peripherals, ring: u32) -> u32 {
        let asked = self.rings[ring as usize].asked;
        let is_pending = asked != 0 && side.list_state(ring) == Fetched::Pending;
        if is_pending { asked.wrapping_sub(1) } else { asked }
    }

    /// OUTBOX_TAKEN: entries still under way are not taken.
    pub(super) fn outbox_taken(&self, side: &Peripherals) -> u32 {
        self.filled.wrapping_sub(side.outbox.len())
    }

    /// A word of the outbox.
    pub(super) fn outbox_word(&self, word: u32) -> u32 {
        self.outbox.get(word as usize).copied().unwrap_or(0)
    }

    /// Stores a word of the outbox.
    pub(super) fn set_outbox_word(&mut self, word: u32, value: u32) {
        if let Some(place) = self.outbox.get_mut(word as usize) {
            *place = value;
        }
    }

    /// The core has filled outbox entries up to `position`: they are the card's.
    pub(super) fn fill(
        &mut self,
        side: &mut Peripherals,
        at: u64,
        position: u32,
    ) -> Result<(), Fault> {
        let count = position.wrapping_sub(self.filled);
        if count > OUTBOX_ENTRIES - side.outbox.len() {
            return Err(Fault);
        }
        for _ in 0..count {
            self.send(side, at)?;
            self.filled = self.filled.wrapping_add(1);
        }
        Ok(())
    }

    /// Sends the entry at `filled`.
    fn send(&mut self, side: &mut Peripherals, at: u64) -> Result<(), Fault> {
        let first = (self.filled % OUTBOX_ENTRIES) as usize * ENTRY_WORDS;
        let entry = self.outbox.get(first..first + ENTRY_WORDS).ok_or(Fault)?;
        let word = |word: u32| entry.get(word as usize).copied().ok_or(Fault);
        let head = word(outbox_entry::HEAD)?;
        let (kind, ring, count) = (OutboxKind(head & 0xff), head >> 8 & 0xff, head >> 16);
        let words = entry.get(outbox_entry::WORDS_FIRST as usize..).ok_or(Fault)?;
        let words = words.get(..count as usize).filter(|_| count <= RESULT_WORDS).ok_or(Fault)?;
        let is_result = kind == OutboxKind::RESULT || kind == OutboxKind::FILL;
        if !is_result && count != RING_ENTRY_WORDS {
            return Err(Fault);
        }
        let four = || <[u32; RING_ENTRY_WORDS as usize]>::try_from(words).map_err(|_| Fault);
        match kind {
            OutboxKind::RESULT | OutboxKind::FILL => {
                let low = u64::from(word(outbox_entry::ADDRESS_LOW)?);
                let high = u64::from(word(outbox_entry::ADDRESS_HIGH)?);
                let fill = [word(outbox_entry::WORDS_FIRST)?; RESULT_WORDS as usize];
                let words = if kind == OutboxKind::FILL { &fill[..count as usize] } else { words };
                side.result(at, ring, high << 32 | low, words);
            }
            OutboxKind::COMPLETION => side.complete(at, ring, four()?),
            OutboxKind::EVENT if side.event_room() > 0 => {
                self.events = self.events.wrapping_add(1);
                side.event(at, four()?);
            }
            _ => return Err(Fault),
        }
        Ok(())
    }

    /// EVENT_LIMIT.
    pub(super) fn event_limit(&self, side: &Peripherals) -> u32 {
        self.events.wrapping_add(side.event_room())
    }

    /// NOTICE_LEFT: an empty window is filled anew.
    pub(super) fn notices_left(&mut self, side: &mut Peripherals) -> u32 {
        if self.notices_left == self.notices_taken {
            for _ in 0..NOTICE_SLOTS {
                let Some(notice) = side.notice() else { break };
                self.leave(notice);
            }
        }
        self.notices_left
    }

    fn leave(&mut self, left: Notice) {
        let (kind, handle) = match left {
            Notice::Held(handle) => (NoticeKind::HELD, handle.0),
            Notice::Stale(handle) => (NoticeKind::STALE, handle.0),
            Notice::Drained => (NoticeKind::DRAINED, 0),
        };
        let first = (self.notices_left % NOTICE_SLOTS) as usize * NOTICE_WORDS;
        let place = &mut self.notices[first..first + NOTICE_WORDS];
        place[notice::KIND as usize] = kind.0;
        place[notice::HANDLE_LOW as usize] = handle as u32;
        place[notice::HANDLE_HIGH as usize] = (handle >> 32) as u32;
        self.notices_left = self.notices_left.wrapping_add(1);
    }

    /// A word of the notices.
    pub(super) fn notice_word(&self, word: u32) -> u32 {
        self.notices.get(word as usize).copied().unwrap_or(0)
    }

    /// The core has taken notices up to `position`.
    pub(super) fn take_notices(&mut self, position: u32) -> Result<(), Fault> {
        let waiting = self.notices_left.wrapping_sub(self.notices_taken);
        if position.wrapping_sub(self.notices_taken) > waiting {
            return Err(Fault);
        }
        self.notices_taken = position;
        Ok(())
    }
}
