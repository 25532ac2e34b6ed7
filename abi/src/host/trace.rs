//! The card's trace: what happened when, in fixed-size records, one ring a writer.
//!
//! Written by the card while TRACE is on; read by the host through BAR0, at leisure and from the
//! oldest record on. Nothing is formatted on the card and nothing waits: a ring that is full
//! overwrites its oldest records, and its position tells how many there ever were.
//!
//! Record `n` of ring `w` lies at TRACE_PAGE + w * TRACE_STRIDE + n % TRACE_RECORDS * 16 and is
//! whole once TRACE_FILLED of that ring has passed `n`. It may be overwritten while it is read, so
//! the host reads TRACE_FILLED once more afterwards: at `f`, only records from
//! `f - TRACE_RECORDS + 1` on are what they were, for the next one may be half written. A host
//! that falls behind loses the oldest records and knows how many.

limits! {
    /// Where the trace rings lie.
    LAYOUT = "trace" {
        /// Start of the trace rings in BAR0.
        TRACE_PAGE: u32 = 0x4000,
        /// Records of one ring.
        TRACE_RECORDS: u32 = 1_024,
        /// Distance of two trace rings in bytes.
        TRACE_STRIDE: u32 = 0x4000,
        /// Trace rings: see TraceWriter.
        TRACE_WRITERS: u32 = 3,
    }
}

registers! {
    /// Control of the trace.
    TRACE_REGISTERS = "trace_registers", stride 0 {
        /// Not 0: the card writes its trace. 0 after power-on. A reset leaves it and empties the rings.
        0x0c0 => TRACE: Rw,
    }
}

registers! {
    /// One register a trace ring, bank stride 4.
    TRACE_BANK = "trace_bank", stride 4 {
        /// Records written since the last reset; wraps.
        0x0c4 => TRACE_FILLED: Ro,
    }
}

codes! {
    /// Who writes a trace ring; its number is the ring's.
    TraceWriter: u32 {
        /// The firmware.
        0 => FIRMWARE = "firmware",
        /// The engines between host memory and the firmware: command rings, event ring.
        1 => RINGS = "rings",
        /// The datapath, with its transmit rings.
        2 => DATAPATH = "datapath",
    }
}

codes! {
    /// What a trace record tells. Below 64: the firmware; below 128: a ring of either kind; else
    /// the datapath. `detail` and `value` are 0 where nothing is said of them.
    TraceKind: u8 {
        /// The firmware has found something to do after it slept.
        1 => AWAKE = "awake",
        /// A tree begins; `detail` is its tag, `value` its opcode.
        2 => TREE_BEGUN = "tree_begun",
        /// A block is carried out; `detail` is opcode (high byte) and kind (low byte), `value` its number.
        3 => BLOCK = "block",
        /// A block has its answer; `detail` as for `block`, `value` its status.
        4 => ANSWERED = "answered",
        /// A chunk of a list is carried out; `detail` is its entries, `value` how many paths moved.
        5 => LIST_CHUNK = "list_chunk",
        /// The epoch is raised; `value` is the epoch.
        6 => RAISED = "raised",
        /// A tree is over and its completion waits for its fence; `detail` is its tag, `value` the
        /// blocks done.
        7 => PARKED = "parked",
        /// A completion goes to the outbox; `detail` is its tag, `value` the blocks done.
        8 => COMPLETED = "completed",
        /// The firmware finds nothing to do, after it did, and sleeps if it can.
        9 => ASLEEP = "asleep",
        /// The sweep looks at paths; `value` is the neighbor.
        10 => SWEEP = "sweep",
        /// A doorbell was seen that moved; `value` is its position.
        64 => DOORBELL = "doorbell",
        /// Slots or descriptors are on the card; `detail` is how many, `value` the position.
        65 => FETCHED = "fetched",
        /// A result is in host memory; `detail` is its words.
        66 => RESULT = "result",
        /// A completion or an event is in host memory; `value` is the position. Of transmit
        /// completions, which are as many as frames, nothing is told: `crossed` tells of them.
        67 => POSTED = "posted",
        /// An interrupt was raised; `detail` is the vector.
        68 => INTERRUPT = "interrupt",
        /// A list chunk is on the card; `detail` is its entries.
        69 => LIST = "list",
        /// A batch was resolved; `detail` is its frames, `value` the epoch that it works in.
        128 => RESOLVED = "resolved",
        /// That batch has left; `detail` is its frames, `value` how many of them crossed the port.
        129 => CROSSED = "crossed",
        /// The reader announces an epoch; `value` is the epoch.
        130 => ANNOUNCED = "announced",
        /// Frames of a batch are held from now on; `detail` is how many.
        131 => HELD = "held",
    }
}

descriptor! {
    /// One thing that happened. Written by the card.
    TraceRecord: 16 {
        /// Card clock cycles, low word.
        0 => cycles: u32,
        /// Card time in ms: tells the laps of `cycles`.
        4 => time_ms: u32,
        /// What happened: see TraceKind.
        8 => kind: u8,
        /// The ring it concerns: command rings from 0, transmit rings from 8, the event ring 16;
        /// 0 where none is concerned.
        9 => ring: u8,
        /// Detail, by kind.
        10 => detail: u16,
        /// Value, by kind.
        12 => value: u32,
    }
}
