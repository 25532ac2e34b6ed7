//! The card as its embedded core sees it: RAM, registers, mailboxes and tables in one address map.
//!
//! Between the firmware image and the hardware around the core. Every word is plain memory:
//! reading has no side effect, and what a side has to say it says by a position that the other
//! side compares. So the same image runs where nothing answers at all, on memory that was filled
//! beforehand and is looked at afterwards. 32-bit aligned accesses only.
//!
//! The core is woken, never interrupted: it clears [`WAKE`], looks at everything, and sleeps
//! (WFI) if it found nothing; whoever has something for it sets `WAKE` afterwards, so nothing is
//! missed. `Ro` and `Wo` below say what the core may do. The RISC-V Instruction Set Manual
//! Volume II (20240411), 3.3.3, has WFI.

limits! {
    /// The core's address map. All but RAM and the control page is not to be cached.
    MAP = "core_map" {
        /// Start of RAM: code, read-only data, statics, stack. The core starts here.
        RAM: u32 = 0x8000_0000,
        /// Size of RAM in bytes.
        RAM_BYTES: u32 = 0x0002_0000,
        /// Start of the control page: that of the test finisher of QEMU's `virt` machine.
        CONTROL: u32 = 0x0010_0000,
        /// Size of the control page in bytes.
        CONTROL_BYTES: u32 = 0x1000,
        /// Start of the registers.
        REGISTERS: u32 = 0x9000_0000,
        /// Size of the register page in bytes.
        REGISTERS_BYTES: u32 = 0x1000,
        /// Mailboxes, one of [`MAILBOX_SLOTS`] command slots a command ring.
        MAILBOXES: u32 = 0x9001_0000,
        /// The outbox: [`OUTBOX_ENTRIES`] entries.
        OUTBOX: u32 = 0x9002_0000,
        /// List buffers: [`LIST_BUFFERS`] chunks of handles a command ring.
        LISTS: u32 = 0x9003_0000,
        /// Notices of the datapath: [`NOTICE_SLOTS`] of four words.
        NOTICES: u32 = 0x9004_0000,
        /// The firmware's trace ring.
        TRACE: u32 = 0x9005_0000,
        /// Start of table memory.
        TABLES: u32 = 0xa000_0000,
        /// Address space for table memory, in bytes.
        TABLES_BYTES: u32 = 0x6000_0000,
    }
}

limits! {
    /// Sizes of the windows between core and card.
    WINDOWS = "core_windows" {
        /// Slots that wait for the firmware, a ring, those under way included.
        MAILBOX_SLOTS: u32 = 64,
        /// Distance of two mailboxes in bytes.
        MAILBOX_STRIDE: u32 = 0x1000,
        /// Entries that can be on their way to the host.
        OUTBOX_ENTRIES: u32 = 128,
        /// Distance of two outbox entries in bytes.
        OUTBOX_STRIDE: u32 = 128,
        /// Words that one result write carries at most.
        RESULT_WORDS: u32 = 16,
        /// List buffers of a command ring: one is asked for while the other is worked on.
        LIST_BUFFERS: u32 = 2,
        /// Distance of two list buffers in bytes.
        LIST_STRIDE: u32 = 0x400,
        /// Notices that the core can see at once.
        NOTICE_SLOTS: u32 = 16,
        /// Distance of two ring banks in bytes.
        CORE_RING_STRIDE: u32 = 64,
        /// Aliases that paths leave in one order of the link engine at most.
        LINK_ALIASES: u32 = 8,
        /// Words that name the entries which the link engine refused.
        LINK_REFUSED_WORDS: u32 = 4,
        /// Looks after which a link engine that has not answered never will.
        LINK_LOOKS_MAX: u32 = 1024,
    }
}

registers! {
    /// The control page. QEMU's finisher reads as zero, so zero means: no card around the core.
    CONTROL_REGISTERS = "core_control", stride 0 {
        /// Ends a run without a card: see Finish.
        0x000 => FINISH: Wo,
        /// What is around the core: see CoreFeature.
        0x004 => CORE_FEATURES: Ro,
    }
}

registers! {
    /// Registers of the card towards its core. Offsets from the start of the register page.
    CORE_REGISTERS = "core_registers", stride 0 {
        /// Entries of the neighbor table. Constant, as all capabilities.
        0x000 => CORE_NEIGHBORS: Ro,
        /// Entries of the path table.
        0x004 => CORE_PATHS: Ro,
        /// Entries of the connection table.
        0x008 => CORE_CONNECTIONS: Ro,
        /// Aliases.
        0x00c => CORE_ALIASES: Ro,
        /// Distinct source MAC addresses besides the port's own.
        0x010 => CORE_SOURCE_MACS: Ro,
        /// Distinct VLANs.
        0x014 => CORE_VLANS: Ro,
        /// Card memory for connection state, in bytes.
        0x018 => CORE_STATE_MEMORY: Ro,
        /// Command rings.
        0x01c => CORE_COMMAND_RINGS: Ro,
        /// Transmit rings.
        0x020 => CORE_TRANSMIT_RINGS: Ro,
        /// Largest ring, in slots.
        0x024 => CORE_RING_SLOTS: Ro,
        /// MSI-X vectors.
        0x028 => CORE_VECTORS: Ro,
        /// Frames that can be held for one path.
        0x02c => CORE_HELD_PER_PATH: Ro,
        /// Frames that can be held on the card.
        0x030 => CORE_HELD_TOTAL: Ro,
        /// Card clock in kHz.
        0x034 => CORE_CLOCK_KHZ: Ro,
        /// The port's own MAC, first four bytes, the first in the lowest byte.
        0x038 => CORE_PORT_MAC_LOW: Ro,
        /// The port's own MAC, last two bytes.
        0x03c => CORE_PORT_MAC_HIGH: Ro,
        /// First generation of every slot. Constant from ENABLE, as all settings.
        0x040 => CORE_GENERATION_SEED: Ro,
        /// Grace time of upload requests in ms.
        0x044 => CORE_GRACE_MS: Ro,
        /// Age at which a neighbor's reachability is stale, in ms.
        0x048 => CORE_STALE_MS: Ro,
        /// Interface VLANs in use.
        0x04c => CORE_PORT_VLANS: Ro,
        /// Set by the card when there is something new, and at least every 50 us of card time;
        /// cleared by the core. The external interrupt line that ends WFI.
        0x080 => WAKE: Rw,
        /// One bit a command ring: slots wait in its mailbox, or it was stopped.
        0x084 => PENDING: Ro,
        /// One bit a command ring that was stopped by an error.
        0x088 => STOPPED: Ro,
        /// Card time in ms.
        0x08c => CORE_TIME_MS: Ro,
        /// Card clock cycles, low word.
        0x090 => CORE_CYCLES: Ro,
        /// The oldest epoch that a reader may still work in. Without a card the core writes it.
        0x094 => ANNOUNCED: Rw,
        /// Raises the global epoch, after every store to table memory before it.
        0x098 => RAISED: Wo,
        /// Position up to which events may be posted.
        0x09c => EVENT_LIMIT: Ro,
        /// Position up to which the card has taken outbox entries.
        0x0a0 => OUTBOX_TAKEN: Ro,
        /// Position up to which the core has filled outbox entries.
        0x0a4 => OUTBOX_FILLED: Wo,
        /// Position up to which the card has left notices.
        0x0a8 => NOTICE_LEFT: Ro,
        /// Position up to which the core has taken notices.
        0x0ac => NOTICE_TAKEN: Wo,
        /// Not 0: the core writes its trace.
        0x0b0 => CORE_TRACE_ON: Ro,
        /// Position up to which the core has written trace records.
        0x0b4 => CORE_TRACE_FILLED: Wo,
        /// Shows that the firmware runs: counts its steps.
        0x0b8 => CORE_HEARTBEAT: Wo,
        /// Where it happened, before FAIL.
        0x0bc => CORE_FAIL_PC: Wo,
        /// What led to it, before FAIL.
        0x0c0 => CORE_FAIL_CAUSE: Wo,
        /// Puts the card into *failed* with this FailCode.
        0x0c4 => CORE_FAIL: Wo,
    }
}

registers! {
    /// Interface VLANs, one a register, bank stride 4.
    CORE_VLAN_BANK = "core_vlan_bank", stride 4 {
        /// One VLAN identifier.
        0x100 => CORE_PORT_VLAN: Ro,
    }
}

registers! {
    /// Counters, one a register, bank stride 4.
    CORE_COUNTER_BANK = "core_counter_bank", stride 4 {
        /// Adds to the counter of this number: see Counter.
        0x200 => CORE_COUNT: Wo,
    }
}

registers! {
    /// One bank a command ring.
    CORE_RING_BANK = "core_ring_bank", stride 64 {
        /// Position up to which slots lie in the mailbox.
        0x400 => MAIL_FILLED: Ro,
        /// Position up to which the core has taken slots: their places are free again.
        0x404 => MAIL_TAKEN: Wo,
        /// Slots settled without a completion, counted.
        0x408 => SETTLED: Wo,
        /// Address of the list chunk asked for, low word.
        0x40c => LIST_LOW: Wo,
        /// Address of the list chunk asked for, high word.
        0x410 => LIST_HIGH: Wo,
        /// Entries asked for in bits 0 to 15, and in bit 16 the list buffer that they go to.
        0x414 => LIST_ENTRIES: Wo,
        /// Asks for the chunk: counts requests from 1.
        0x418 => LIST_ASKED: Wo,
        /// The request that was answered last.
        0x41c => LIST_ANSWERED: Ro,
        /// Not 0: that answer is that the address was not mapped for the card.
        0x420 => LIST_REFUSED: Ro,
    }
}

registers! {
    /// The link engine, of a core that has one: see CoreFeature.
    CORE_LINK_REGISTERS = "core_link", stride 0 {
        /// The neighbor that the paths go to.
        0x600 => LINK_TO: Wo,
        /// Its home alias.
        0x604 => LINK_HOME: Wo,
        /// Card time in ms that moved paths are stamped with.
        0x608 => LINK_MS: Wo,
        /// Entries of a list buffer: the first in bits 0 to 11, the one behind the last in bits 12
        /// to 23, the list buffer, counted over all rings, in bits 24 to 31.
        0x60c => LINK_RANGE: Wo,
        /// Gives the order, and counts orders from 1. What was stored before holds until another
        /// store.
        0x610 => LINK_ORDERED: Wo,
        /// The order that was carried out last.
        0x614 => LINK_ENDED: Ro,
        /// What it came to: the entry behind the last that is answered in bits 0 to 11, aliases that
        /// paths have left in bits 12 to 15, and bit 16: entries were refused.
        0x618 => LINK_ANSWER: Ro,
    }
}

registers! {
    /// Entries that the link engine refused, a bit each, 32 a register, bank stride 4.
    CORE_LINK_REFUSED_BANK = "core_link_refused_bank", stride 4 {
        /// The lowest bit is the first of its 32 entries.
        0x640 => LINK_REFUSED: Ro,
    }
}

registers! {
    /// Aliases that paths have left, in the order in which they were first left.
    CORE_LINK_LEFT_BANK = "core_link_left_bank", stride 8 {
        /// The alias.
        0x680 => LINK_LEFT_ALIAS: Ro,
        /// Paths that have left it.
        0x684 => LINK_LEFT_PATHS: Ro,
    }
}

const _: () = assert!(
    LINK_REFUSED_WORDS * 32 == super::super::host::limit::LIST_CHUNK,
    "a bit for each entry of a chunk"
);

words! {
    /// An outbox entry. Filled by the core before OUTBOX_FILLED passes it.
    outbox_entry: 32 {
        /// What it is (OutboxKind) in bits 0 to 7, the command ring in 8 to 15, the number of
        /// words in 16 to 23.
        0 => HEAD,
        /// Where the words go in host memory, low word; results and fills only.
        1 => ADDRESS_LOW,
        /// Where the words go, high word.
        2 => ADDRESS_HIGH,
        /// First of up to sixteen words; a fill has but this.
        4 => WORDS_FIRST,
    }
}

words! {
    /// A notice of the datapath.
    notice: 4 {
        /// What it says: see NoticeKind.
        0 => KIND,
        /// The object it speaks of, low word.
        1 => HANDLE_LOW,
        /// The object it speaks of, high word.
        2 => HANDLE_HIGH,
    }
}

codes! {
    /// What an outbox entry is.
    OutboxKind: u32 {
        /// Words for host memory.
        1 => RESULT = "result",
        /// A tree's completion, phase aside.
        2 => COMPLETION = "completion",
        /// An event, phase aside.
        3 => EVENT = "event",
        /// The first word, so many times, for host memory.
        4 => FILL = "fill",
    }
}

codes! {
    /// What a notice says.
    NoticeKind: u32 {
        /// A frame of this connection was held because something it depends on is invalid.
        1 => HELD = "held",
        /// A frame left through this neighbor while both its ages were past the stale time.
        2 => STALE = "stale",
        /// The last held frame has left, or was given back.
        3 => DRAINED = "drained",
    }
}

codes! {
    /// Bits of CORE_FEATURES.
    CoreFeature: u32 {
        /// A card is around the core: it announces epochs and wakes the core. Without it the core
        /// takes every epoch for announced, works off what is in memory, and ends the run.
        1 => CARD = "card",
        /// A link engine is there: see LINK_ORDERED.
        2 => LINK_ENGINE = "link_engine",
    }
}

codes! {
    /// What FINISH takes, as the finisher of QEMU's `virt` machine (`hw/misc/sifive_test.h`).
    Finish: u32 {
        /// The run is over.
        0x5555 => PASS = "pass",
        /// The run is over by a failure; CORE_FAIL and its neighbors tell which.
        0x0002_3333 => FAIL = "fail",
    }
}

/// The head word of an outbox entry.
#[inline(always)]
#[must_use]
pub const fn outbox_head(kind: OutboxKind, ring: u32, words: u32) -> u32 {
    kind.0 | ring << 8 | words << 16
}

/// The word that names entries of a list buffer to the link engine.
#[inline(always)]
#[must_use]
pub const fn link_range(place: u32, first: u32, end: u32) -> u32 {
    first | end << 12 | place << 24
}

/// The list buffer, the first entry and the one behind the last, of such a word.
#[must_use]
pub const fn of_link_range(word: u32) -> (u32, u32, u32) {
    (word >> 24, word & 0xfff, word >> 12 & 0xfff)
}

/// The link engine's answer as a word.
#[must_use]
pub const fn link_answer(answer: super::LinkAnswer) -> u32 {
    answer.next | answer.aliases << 12 | (answer.has_refused as u32) << 16
}

/// What such a word says.
#[inline(always)]
#[must_use]
pub const fn of_link_answer(word: u32) -> super::LinkAnswer {
    super::LinkAnswer {
        next: word & 0xfff,
        aliases: word >> 12 & 0xf,
        has_refused: word & 1 << 16 != 0,
    }
}

/// A list buffer of a ring, counted over all rings.
#[inline(always)]
#[must_use]
pub const fn list_place(ring: u32, buffer: u32) -> u32 {
    ring * LIST_BUFFERS + buffer
}

/// Address of an entry of a list buffer.
#[inline(always)]
#[must_use]
pub const fn list_address(ring: u32, buffer: u32, entry: u32) -> u32 {
    LISTS + list_place(ring, buffer) * LIST_STRIDE + entry * 8
}

/// The word that asks for entries.
#[inline(always)]
#[must_use]
pub const fn list_entries(buffer: u32, entries: u32) -> u32 {
    entries | buffer << 16
}

/// Address of the outbox entry at a position.
#[inline(always)]
#[must_use]
pub const fn outbox_address(position: u32) -> u32 {
    OUTBOX + position % OUTBOX_ENTRIES * OUTBOX_STRIDE
}

/// Address of the slot at a position of a ring's mailbox.
#[inline(always)]
#[must_use]
pub const fn mailbox_address(ring: u32, position: u32) -> u32 {
    MAILBOXES
        + ring * MAILBOX_STRIDE
        + position % MAILBOX_SLOTS * super::super::host::limit::SLOT_BYTES
}

/// Address of the notice at a position.
#[inline(always)]
#[must_use]
pub const fn notice_address(position: u32) -> u32 {
    NOTICES + position % NOTICE_SLOTS * notice::WORDS * 4
}
