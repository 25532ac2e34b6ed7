//! What the card writes back: completions, results a block, events.
//!
//! A completion is written in one piece, or its last word last: the word with the phase makes
//! the others valid. Order on the bus: results, then completion, then interrupt.
//! Written by the card; read by the host after the phase.

descriptor! {
    /// One a tree, in its ring's completion ring, in ring order.
    Completion: 16 {
        /// Blocks (and list entries) that were carried out.
        0 => done: u32,
        /// Blocks (and list entries) that were not.
        4 => failed: u32,
        /// See Detail: why the tree as a whole could not be carried out, else 0.
        8 => detail: u32,
        /// Tag of the tree's first slot.
        12 => tag: u16,
        /// Status of the tree: success when all blocks were done, failure when none was, else partial success.
        14 => status: u8,
        /// Bit 0: phase.
        15 => phase: u8,
    }
}

descriptor! {
    /// One a block, at 16 × its number in the tree from the start of the result buffer.
    ResultRecord: 16 {
        /// The object's handle: new at initiate, else as the block had it. 0 when initiate failed.
        0 => handle: u64,
        /// Status of the block.
        8 => status: u8,
        /// With ALL_OF: status of the old neighbor. Else 0.
        9 => old_status: u8,
        /// Zero.
        10 => reserved: u16,
        /// After success: paths moved (LIST, ALL_OF). After anything else: see Detail.
        12 => detail: u32,
    }
}

descriptor! {
    /// Head of a state record in the result buffer; the variables follow at byte 24 as in a command.
    /// 64 bytes for a neighbor or a path; 256 for a connection, whose other variables stand at
    /// bytes 64 (cached) and 128 (delegated) of the record.
    StateHeader: 24 {
        /// Kind of the object.
        0 => kind: u8,
        /// 1 when the object itself was invalidated.
        1 => invalid: u8,
        /// Flags as in a command: IPV6, and the classes that the record carries.
        2 => flags: u16,
        /// Objects that hang from it.
        4 => dependents: u32,
        /// Handle of the object it hangs from; 0 for a neighbor.
        8 => parent: u64,
        /// Zero.
        16 => reserved: u64,
    }
}

limits! {
    /// Sizes and byte offsets of state records.
    RECORD = "record" {
        /// Bytes of a neighbor's or path's state record.
        STATE_RECORD_BYTES: u32 = 64,
        /// Bytes of a connection's state record.
        CONNECTION_RECORD_BYTES: u32 = 256,
        /// Byte offset of the cached variables in a connection's state record.
        CONNECTION_RECORD_CACHED: u32 = 64,
        /// Byte offset of the delegated variables in a connection's state record.
        CONNECTION_RECORD_DELEGATED: u32 = 128,
    }
}

descriptor! {
    /// One entry of the event ring. Written by the card; the phase makes it valid.
    Event: 16 {
        /// The object it is about.
        0 => handle: u64,
        /// Card time in ms.
        8 => time_ms: u32,
        /// See EventKind.
        12 => kind: u8,
        /// 1 when events were lost before this one: the host has to look for itself.
        13 => rescan: u8,
        /// Zero.
        14 => reserved: u8,
        /// Bit 0: phase.
        15 => phase: u8,
    }
}

limits! {
    /// Where the phase stands in a completion, a transmit completion or an event.
    PHASE = "entry" {
        /// Word of a completion, transmit completion or event that holds the phase.
        PHASE_WORD: usize = 3,
        /// Bit of the phase in that word.
        PHASE_SHIFT: u32 = 24,
    }
}

/// The phase bit of an entry of four words.
#[inline]
#[must_use]
pub const fn phase_of(words: &[u32; 4]) -> u32 {
    words[PHASE_WORD] >> PHASE_SHIFT & 1
}

/// Puts a phase bit into an entry of four words.
#[inline]
#[must_use]
pub const fn with_phase(mut words: [u32; 4], phase: u32) -> [u32; 4] {
    words[PHASE_WORD] = words[PHASE_WORD] & !(0xff << PHASE_SHIFT) | (phase & 1) << PHASE_SHIFT;
    words
}
