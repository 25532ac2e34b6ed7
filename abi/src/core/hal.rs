//! The firmware's only way out: table memory, command mailbox, outbox, lists, fence, events, time.
//!
//! Every body of the card implements [`Hal`]: the model with function calls, the RISC-V image
//! with memory-mapped registers. All calls return at once; what takes time is asked for and
//! looked at again in a later step. The firmware is the only writer of table memory except for
//! the reachability ages, which the datapath writes.

use super::super::host::command::Slot;
use super::super::host::handle::Handle;
use super::super::host::limit;
use super::super::host::register::Counter;
use super::super::host::status::FailCode;
use super::super::host::trace::TraceKind;
#[cfg(doc)]
use super::link::LinkWalk;
use super::link::{LinkAnswer, LinkOrder};
#[cfg(doc)]
use super::mmio::LIST_BUFFERS;

/// What this card offers. Constant from power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Entries of the neighbor table.
    pub neighbors: u32,
    /// Entries of the path table.
    pub paths: u32,
    /// Entries of the connection table.
    pub connections: u32,
    /// Aliases; at least one more than `neighbors`.
    pub aliases: u32,
    /// Distinct source MAC addresses besides the port's own.
    pub source_macs: u32,
    /// Distinct VLANs.
    pub vlans: u32,
    /// Card memory for connection state, in bytes.
    pub state_memory: u32,
    /// Command rings, at most [`limit::COMMAND_RINGS_MAX`].
    pub command_rings: u32,
    /// Transmit rings, at most [`limit::TRANSMIT_RINGS_MAX`].
    pub transmit_rings: u32,
    /// Largest ring, in slots.
    pub ring_slots: u32,
    /// MSI-X vectors.
    pub vectors: u32,
    /// Frames that can be held for one path.
    pub held_per_path: u32,
    /// Frames that can be held on the card.
    pub held_total: u32,
    /// Card clock in kHz.
    pub clock_khz: u32,
    /// The port's own MAC address.
    pub port_mac: [u8; 6],
}

impl Capabilities {
    /// A card without anything.
    pub const NONE: Self = Self {
        neighbors: 0,
        paths: 0,
        connections: 0,
        aliases: 0,
        source_macs: 0,
        vlans: 0,
        state_memory: 0,
        command_rings: 0,
        transmit_rings: 0,
        ring_slots: 0,
        vectors: 0,
        held_per_path: 0,
        held_total: 0,
        clock_khz: 0,
        port_mac: [0; 6],
    };
}

/// What the host set before ENABLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Settings {
    /// First generation of every slot; 0 counts as 1.
    pub generation_seed: u32,
    /// Grace time of upload requests in ms.
    pub grace_ms: u32,
    /// Age at which a neighbor's reachability is stale, in ms; 0 never asks.
    pub stale_ms: u32,
    /// Interface VLANs in use: the first `port_vlan_count` of `port_vlans`.
    pub port_vlan_count: u32,
    /// Interface VLANs.
    pub port_vlans: [u16; limit::PORT_VLANS_MAX as usize],
}

impl Settings {
    /// Nothing set.
    pub const NONE: Self = Self {
        generation_seed: 0,
        grace_ms: 0,
        stale_ms: 0,
        port_vlan_count: 0,
        port_vlans: [0; limit::PORT_VLANS_MAX as usize],
    };
}

/// What the datapath leaves for the firmware. Losing one is harmless: the datapath says it again
/// at the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A frame of this connection was held because something it depends on is invalid.
    Held(Handle),
    /// A frame left through this neighbor while both its ages were past the stale time.
    Stale(Handle),
    /// The last held frame has left, or was given back.
    Drained,
}

/// How a list that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fetched {
    /// Not here yet.
    #[default]
    Pending,
    /// Every entry asked for can be read.
    Ready,
    /// The address was not mapped for the card.
    Failed,
}

/// The card around the firmware.
///
/// `word` arguments are word offsets into table memory, as [`super::table::TableLayout`] gives
/// them. Table memory reads as zero when the firmware starts. Ring numbers are those of the
/// command rings.
pub trait Hal {
    /// What this card offers.
    fn capabilities(&self) -> Capabilities;
    /// What the host set before ENABLE.
    fn settings(&self) -> Settings;

    /// Reads a word that only the firmware writes. No ordering.
    fn load(&self, word: u32) -> u32;
    /// Writes a word without ordering: one that only the firmware reads, or one that a later
    /// [`Hal::publish`] makes visible.
    fn store(&mut self, word: u32, value: u32);
    /// Writes a word that the datapath reads; everything stored before is visible to a reader
    /// that sees this value (Release).
    fn publish(&mut self, word: u32, value: u32);
    /// [`Hal::store`]s `values` into the words from `first` on.
    #[inline(always)]
    fn store_all(&mut self, first: u32, values: &[u32]) {
        for (word, value) in (first..).zip(values) {
            self.store(word, *value);
        }
    }
    /// Reads a word that the datapath writes (Acquire).
    fn observe(&self, word: u32) -> u32;

    /// One bit a ring that is to be looked at: slots wait in its mailbox, or it was stopped.
    fn pending(&self) -> u32;
    /// Where the next command slot of `ring` lies in its mailbox; `None` when there is none.
    #[inline(always)]
    fn front(&self, ring: u32) -> Option<u32> {
        (self.waiting(ring) > 0).then(|| self.place(ring, 0))
    }
    /// Command slots of `ring` that wait in its mailbox.
    fn waiting(&self, ring: u32) -> u32;
    /// Where the one of them lies that has `ahead` before it.
    fn place(&self, ring: u32, ahead: u32) -> u32;
    /// Word `word` of the slot at `place`, which [`Hal::front`] or [`Hal::place`] gave and which
    /// was not taken yet.
    fn peek(&self, place: u32, word: u32) -> u32;
    /// Takes the next command slot of `ring` out of its mailbox; there is one. For every slot
    /// taken the firmware owes exactly one of [`Hal::consume`] and [`Hal::complete`].
    fn skip(&mut self, ring: u32);
    /// Takes the next command slot of `ring` with its words; `false` when there is none.
    #[inline(always)]
    fn take(&mut self, ring: u32, slot: &mut Slot) -> bool {
        let Some(place) = self.front(ring) else { return false };
        for (word, value) in (0..).zip(slot) {
            *value = self.peek(place, word);
        }
        self.skip(ring);
        true
    }
    /// Settles one taken slot that gets no completion of its own.
    fn consume(&mut self, ring: u32);
    /// Takes the next `slots` slots of `ring`, which are there, and settles each of them so.
    #[inline(always)]
    fn consume_next(&mut self, ring: u32, slots: u32) {
        for _ in 0..slots {
            self.skip(ring);
            self.consume(ring);
        }
    }
    /// Settles one taken slot with the tree's completion (phase aside). Posted after all earlier
    /// writes of this ring, then the interrupt. The completion ring has room: it was reserved at
    /// fetch. `false` when the outbox is full: nothing was settled, try again in a later step.
    fn complete(&mut self, ring: u32, completion: [u32; 4]) -> bool;
    /// Whether `ring` was stopped by an error; its open tree is to be forgotten, nothing settled.
    fn is_stopped(&self, ring: u32) -> bool;

    /// Writes up to 16 words to host memory on behalf of `ring`, in order. `false` when the
    /// outbox is full: nothing was taken, try again in a later step.
    fn write(&mut self, ring: u32, iova: u64, words: &[u32]) -> bool;
    /// Writes `words` words (up to 16), each of them `value`, as [`Hal::write`] does.
    #[inline]
    fn fill(&mut self, ring: u32, iova: u64, words: u32, value: u32) -> bool {
        let line = [value; 16];
        self.write(ring, iova, line.get(..words as usize).unwrap_or(&line))
    }
    /// Asks for `entries` handles (at most [`limit::LIST_CHUNK`]) at `iova` into one of the
    /// [`LIST_BUFFERS`] list buffers of `ring`; one at a time a ring. What lies in the others stays.
    fn fetch_list(&mut self, ring: u32, buffer: u32, iova: u64, entries: u32);
    /// Says that `entries` handles at `iova` will be asked for soon. Nothing comes of it but time:
    /// who reads through a cache has them at hand by then.
    #[inline(always)]
    fn expect_list(&self, iova: u64, entries: u32) {
        let _ = (iova, entries);
    }
    /// How the list asked for last stands.
    fn list_state(&self, ring: u32) -> Fetched;
    /// Entry `entry` of a list buffer of `ring`, once ready.
    fn list_entry(&self, ring: u32, buffer: u32, entry: u32) -> Handle;
    /// Says that the first `entries` entries of a list buffer of `ring` will be looked up in the
    /// table that begins with word `first` and has `words` words an object. As with
    /// [`Hal::expect_list`], nothing comes of it but time.
    #[inline(always)]
    fn expect_listed(&self, ring: u32, buffer: u32, entries: u32, first: u32, words: u32) {
        let _ = (ring, buffer, entries, first, words);
    }

    /// Whether a link engine is there: the firmware then orders what it would do entry by entry.
    /// Constant from power-on.
    #[inline(always)]
    fn has_link_engine(&self) -> bool {
        false
    }
    /// Lets the link engine relink entries of a list buffer, as [`LinkWalk`] says. Until
    /// [`Hal::links_ended`] has answered, table memory and that buffer are the engine's.
    #[inline(always)]
    fn order_links(&mut self, order: &LinkOrder) {
        let _ = order;
    }
    /// Waits for the order given last, and says what it came to. `None` when the engine does not
    /// answer.
    #[inline(always)]
    fn links_ended(&mut self) -> Option<LinkAnswer> {
        None
    }
    /// Which of the entries from 32 × `word` on the last order refused, a bit each.
    #[inline(always)]
    fn refused_entries(&self, word: u32) -> u32 {
        let _ = word;
        0
    }
    /// The alias that was left as the one behind `place` others in the last order, and by how many
    /// paths.
    #[inline(always)]
    fn left_alias(&self, place: u32) -> (u32, u32) {
        let _ = place;
        (0, 0)
    }

    /// Raises the global epoch to `epoch` (Release): readers that announce it or a later one
    /// have seen every store before.
    fn raise(&mut self, epoch: u32);
    /// The oldest epoch that a reader still may work in (Acquire): every frame resolved before
    /// that epoch was raised has crossed the port.
    fn announced(&self) -> u32;

    /// Takes the next notice of the datapath.
    fn notice(&mut self) -> Option<Notice>;
    /// Posts an event (phase aside). `false` when the event ring or the outbox is full or the ring
    /// is not started: the event is lost.
    fn event(&mut self, event: [u32; 4]) -> bool;

    /// Card time in ms; wraps.
    fn now_ms(&self) -> u32;
    /// Shows that the firmware runs.
    fn heartbeat(&mut self);
    /// Records what happened, while the trace is on. Costs nothing else.
    fn trace(&mut self, kind: TraceKind, ring: u32, detail: u32, value: u32);
    /// Adds to a counter.
    fn count(&mut self, counter: Counter, amount: u32);
    /// Puts the card into *failed*: port off, no more DMA.
    fn fail(&mut self, code: FailCode, cause: u32);
}
