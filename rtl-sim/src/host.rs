//! Host memory at the card's AXI master: when it answers, in which order, and what it refuses.
//!
//! Between the pins and the slot that holds the machine's windows (`hw_model::Slot`). Reads are
//! answered a beat a clock, writes one by one; memory is looked at when a beat is answered, and
//! written just before its response. Out of order only between IDs, and only if asked to.
//! The rules that the card owes its bus are judged here: at most one read an ID, no burst across
//! 4 KiB, whole lines, single-beat writes, strobes without a gap, and nothing that waits changes
//! (AMBA AXI4, IHI 0022; AWS F2 shell). A card that breaks one is not fit to be judged further: that panics.

use std::collections::VecDeque;

use hw_model::Slot;

use crate::chance::Chance;
use crate::dut::{In, Out};

/// Bytes and words of a beat.
const LINE_BYTES: u64 = 64;
const LINE_WORDS: usize = 16;
/// Words of an entry that publishes itself.
const ENTRY_WORDS: usize = 4;
/// No burst crosses such a border.
const BORDER: u64 = 4_096;
/// Reads that may be outstanding.
const READS_MAX: usize = 32;
/// AxSIZE of 64 bytes, AxBURST of INCR.
const SIZE_LINE: u8 = 6;
const BURST_INCR: u8 = 1;
/// RRESP and BRESP.
const OKAY: u8 = 0;
const SLVERR: u8 = 2;

/// How a host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Clocks from a read's address to its first data.
    pub read_clocks: u32,
    /// Clocks from a write's data to its response.
    pub write_clocks: u32,
    /// What goes wrong, or slowly.
    pub faults: Faults,
}

/// What a host may do by the rules of its bus, and a good one does not. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// What everything below is drawn from.
    pub seed: u64,
    /// Each answer takes up to so many clocks more, so answers overtake each other between IDs, and
    /// beats of different reads alternate.
    pub jitter_clocks: u32,
    /// In so many of 256 clocks an address or data of the card's is not taken, or an answer not given.
    pub stalled: u32,
    /// In so many of 256 clocks the port does not take a beat.
    pub port_stalled: u32,
    /// So many of 65,536 accesses are refused though they are mapped.
    pub refused: u32,
}

impl Default for Host {
    /// What the model's bus takes at 250 MHz: about 400 ns for a read, 300 ns for a write.
    fn default() -> Self {
        Self { read_clocks: 100, write_clocks: 75, faults: Faults::default() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Read {
    id: u8,
    address: u64,
    beats: u32,
    due: u64,
    is_refused: bool,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    id: u8,
    address: u64,
    strobes: u64,
    line: [u32; LINE_WORDS],
    due: u64,
    is_refused: bool,
}

/// Reads and writes under way.
#[derive(Debug)]
pub(crate) struct HostMemory {
    host: Host,
    chance: Chance,
    clock: u64,
    reads: Vec<Read>,
    /// The read whose beat is on the pins.
    shown: Option<usize>,
    addresses: VecDeque<(u8, u64)>,
    lines: VecDeque<(u64, [u32; LINE_WORDS])>,
    writes: Vec<Write>,
    responses: VecDeque<(u8, u8)>,
    before: Option<(In, Out)>,
    traffic: Traffic,
}

/// What a card did at its bus since power-on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Addresses and lines of data that were taken.
    pub taken: u64,
    /// Vectors that were taken.
    pub vectors: u64,
    /// Reads and writes that are not answered yet.
    pub under_way: usize,
}

impl HostMemory {
    pub(crate) fn new(host: Host) -> Self {
        Self {
            chance: Chance::new(host.faults.seed),
            host,
            clock: 0,
            reads: Vec::with_capacity(READS_MAX),
            shown: None,
            addresses: VecDeque::new(),
            lines: VecDeque::new(),
            writes: Vec::new(),
            responses: VecDeque::new(),
            before: None,
            traffic: Traffic::default(),
        }
    }

    /// What the card did so far.
    pub(crate) fn traffic(&self, pins: &In) -> Traffic {
        let halves = self.addresses.len() + self.lines.len();
        let answers = self.responses.len() + usize::from(pins.m_bvalid);
        let under_way = self.reads.len() + halves + self.writes.len() + answers;
        Traffic { under_way, ..self.traffic }
    }

    /// Forgets what is under way: the bus is reset together with the card.
    pub(crate) fn reset(&mut self, pins: &mut In) {
        (pins.m_rvalid, pins.m_bvalid) = (0, 0);
        self.reads.clear();
        self.addresses.clear();
        self.lines.clear();
        self.writes.clear();
        self.responses.clear();
        (self.shown, self.before) = (None, None);
    }

    /// Another host from here on.
    pub(crate) fn set(&mut self, host: Host) {
        (self.host, self.chance) = (host, Chance::new(host.faults.seed));
    }

    /// Takes what crossed in the clock that `out` ended, and sets the pins for the next one. Returns
    /// whether memory was written.
    pub(crate) fn step(&mut self, pins: &mut In, out: &Out, slot: &Slot) -> bool {
        self.clock += 1;
        if pins.rst_n == 0 {
            return false;
        }
        if self.is_checked(out) {
            self.check(pins, out);
        }
        self.traffic.vectors += u64::from(out.irq_valid & pins.irq_ready);
        self.take_read(pins, out);
        self.take_write(pins, out);
        self.answer_reads(pins, out, slot);
        let has_written = self.answer_writes(pins, out, slot);
        let stalled = self.host.faults.stalled;
        pins.m_arready = u8::from(!self.chance.is_hit(stalled));
        pins.m_awready = u8::from(!self.chance.is_hit(stalled));
        pins.m_wready = u8::from(!self.chance.is_hit(stalled));
        pins.irq_ready = u8::from(!self.chance.is_hit(stalled));
        pins.t_ready = u8::from(!self.chance.is_hit(self.host.faults.port_stalled));
        has_written
    }

    /// Whether there was something to wait for; most clocks have nothing.
    fn is_checked(&self, out: &Out) -> bool {
        let is_active = out.m_arvalid | out.m_awvalid | out.m_wvalid | out.t_valid | out.irq_valid;
        is_active | u8::from(self.before.is_some()) != 0
    }

    /// What was offered and not taken has to stay as it is.
    fn check(&mut self, pins: &In, out: &Out) {
        if let Some((then, was)) = self.before.take() {
            let kept = |name: &str, waits: bool, stays: bool| {
                assert!(!waits || stays, "{name} changed while it waited, in clock {}", self.clock);
            };
            let read = |out: &Out| (out.m_arvalid, out.m_arid, out.m_araddr, out.m_arlen);
            kept("AR", was.m_arvalid > then.m_arready, read(&was) == read(out));
            let address = |out: &Out| (out.m_awvalid, out.m_awid, out.m_awaddr);
            kept("AW", was.m_awvalid > then.m_awready, address(&was) == address(out));
            let line = |out: &Out| (out.m_wvalid, out.m_wstrb, out.m_wdata);
            kept("W", was.m_wvalid > then.m_wready, line(&was) == line(out));
            let beat = |out: &Out| (out.t_valid, out.t_keep, out.t_last, out.t_data);
            kept("the port's beat", was.t_valid > then.t_ready, beat(&was) == beat(out));
            let vector = |out: &Out| (out.irq_valid, out.irq_vector);
            kept("the vector", was.irq_valid > then.irq_ready, vector(&was) == vector(out));
        }
        let waits = out.m_arvalid > pins.m_arready
            || out.m_awvalid > pins.m_awready
            || out.m_wvalid > pins.m_wready
            || out.t_valid > pins.t_ready
            || out.irq_valid > pins.irq_ready;
        self.before = waits.then_some((*pins, *out));
    }

    fn due(&mut self, clocks: u32) -> u64 {
        let jitter = self.chance.below(self.host.faults.jitter_clocks);
        self.clock + u64::from(clocks.max(1) + jitter)
    }

    fn is_refused(&mut self) -> bool {
        let refused = self.host.faults.refused;
        refused > 0 && self.chance.below(1 << 16) < refused
    }

    fn take_read(&mut self, pins: &In, out: &Out) {
        if out.m_arvalid & pins.m_arready == 0 {
            return;
        }
        self.traffic.taken += 1;
        let (id, address, beats) = (out.m_arid, out.m_araddr, u32::from(out.m_arlen) + 1);
        let is_busy = self.reads.iter().any(|read| read.id == id);
        assert!(!is_busy, "a second read with ID {id}, in clock {}", self.clock);
        assert!(self.reads.len() < READS_MAX, "more reads than there are IDs");
        let is_whole = address.is_multiple_of(LINE_BYTES)
            && (out.m_arsize, out.m_arburst) == (SIZE_LINE, BURST_INCR);
        assert!(is_whole, "a read at {address:#x} that is not of whole lines");
        let end = address % BORDER + u64::from(beats) * LINE_BYTES;
        assert!(end <= BORDER, "{beats} lines at {address:#x} cross 4 KiB");
        let due = self.due(self.host.read_clocks);
        let is_refused = self.is_refused();
        self.reads.push(Read { id, address, beats, due, is_refused });
    }

    fn take_write(&mut self, pins: &In, out: &Out) {
        if out.m_awvalid & pins.m_awready != 0 {
            let address = out.m_awaddr;
            let is_whole = address.is_multiple_of(LINE_BYTES)
                && (out.m_awlen, out.m_awsize, out.m_awburst) == (0, SIZE_LINE, BURST_INCR);
            assert!(is_whole, "a write at {address:#x} that is not of one whole line");
            self.traffic.taken += 1;
            self.addresses.push_back((out.m_awid, address));
        }
        if out.m_wvalid & pins.m_wready != 0 {
            assert!(out.m_wlast == 1, "a write's only beat is its last");
            assert!(is_one_run(out.m_wstrb), "strobes with a gap: {:#x}", out.m_wstrb);
            self.traffic.taken += 1;
            self.lines.push_back((out.m_wstrb, out.m_wdata));
        }
        while !self.addresses.is_empty()
            && let Some((strobes, line)) = self.lines.pop_front()
        {
            let Some((id, address)) = self.addresses.pop_front() else { return };
            let due = self.due(self.host.write_clocks);
            let is_refused = self.is_refused();
            self.writes.push(Write { id, address, strobes, line, due, is_refused });
        }
    }

    fn answer_reads(&mut self, pins: &mut In, out: &Out, slot: &Slot) {
        if pins.m_rvalid != 0 {
            if out.m_rready == 0 {
                return;
            }
            pins.m_rvalid = 0;
            let Some(shown) = self.shown.take() else { return };
            let read = &mut self.reads[shown];
            read.address += LINE_BYTES;
            read.beats -= 1;
            if read.beats == 0 {
                self.reads.remove(shown);
            } else if self.host.faults.jitter_clocks == 0 {
                self.show(shown, pins, slot);
                return;
            }
        }
        if self.reads.is_empty() || self.chance.is_hit(self.host.faults.stalled) {
            return;
        }
        let clock = self.clock;
        let due = |read: &Read| read.due <= clock;
        let count = self.reads.iter().filter(|read| due(read)).count() as u32;
        let chosen = if self.host.faults.jitter_clocks == 0 { 0 } else { self.chance.below(count) };
        let is_due = |(_, read): &(usize, &Read)| due(read);
        let nth = self.reads.iter().enumerate().filter(is_due).nth(chosen as usize);
        if let Some((at, _)) = nth {
            self.show(at, pins, slot);
        }
    }

    /// Puts the next beat of a read on the pins.
    fn show(&mut self, at: usize, pins: &mut In, slot: &Slot) {
        let read = &self.reads[at];
        let is_good = !read.is_refused && slot.read(read.address, &mut pins.m_rdata).is_ok();
        if !is_good {
            pins.m_rdata = [u32::MAX; LINE_WORDS];
        }
        pins.m_rvalid = 1;
        pins.m_rid = read.id;
        pins.m_rresp = if is_good { OKAY } else { SLVERR };
        pins.m_rlast = u8::from(read.beats == 1);
        self.shown = Some(at);
    }

    fn answer_writes(&mut self, pins: &mut In, out: &Out, slot: &Slot) -> bool {
        let clock = self.clock;
        let first_of_its_id = |writes: &[Write], at: usize| {
            writes[..at].iter().all(|earlier| earlier.id != writes[at].id)
        };
        let (mut at, mut has_written) = (0, false);
        while at < self.writes.len() {
            if self.writes[at].due <= clock && first_of_its_id(&self.writes, at) {
                let write = self.writes.remove(at);
                let is_good = !write.is_refused && self.put(&write, slot);
                has_written = true;
                self.responses.push_back((write.id, if is_good { OKAY } else { SLVERR }));
            } else {
                at += 1;
            }
        }
        if pins.m_bvalid & (1 - out.m_bready) != 0 {
            return has_written;
        }
        pins.m_bvalid = 0;
        if self.responses.is_empty() || self.chance.is_hit(self.host.faults.stalled) {
            return has_written;
        }
        if let Some((id, response)) = self.responses.pop_front() {
            (pins.m_bvalid, pins.m_bid, pins.m_bresp) = (1, id, response);
        }
        has_written
    }
}

/// Where a write is a message-signaled interrupt on this machine's architecture (Intel SDM volume 3,
/// "Message Address Register Format"). Its data is the vector's number here.
const MESSAGES: std::ops::Range<u64> = 0xfee0_0000..0xfef0_0000;

impl HostMemory {
    /// What a write does.
    fn put(&mut self, write: &Write, slot: &Slot) -> bool {
        if !MESSAGES.contains(&write.address) {
            return put(write, slot);
        }
        self.traffic.vectors += 1;
        let word = write.strobes.trailing_zeros() as usize / 4;
        assert_eq!(write.strobes, 0xf << (4 * word), "a message is one word");
        slot.signal(write.line[word]);
        true
    }
}

/// Byte enables of a write on PCI Express have no gap, unless two words hold them all (PCI Express
/// Base Specification 5.0, 2.2.5), and a write that writes nothing is not sent.
fn is_one_run(strobes: u64) -> bool {
    let run = strobes.checked_shr(strobes.trailing_zeros()).unwrap_or(0);
    run != 0 && (run & run.wrapping_add(1) == 0 || run >> 8 == 0)
}

/// Writes the bytes of a line that are strobed. The last word of each entry publishes it.
fn put(write: &Write, slot: &Slot) -> bool {
    let (entries, _) = write.line.as_chunks::<ENTRY_WORDS>();
    let mut is_good = true;
    for (number, entry) in (0_u64..).zip(entries) {
        let strobes = (write.strobes >> (16 * number)) as u16;
        let address = write.address + 16 * number;
        is_good &= match strobes {
            0 => true,
            u16::MAX => slot.publish(address, entry).is_ok(),
            _ => (0_u64..).zip(entry).all(|(word, value)| {
                let strobes = (strobes >> (4 * word)) as u8 & 0xf;
                put_word(address + 4 * word, *value, strobes, slot)
            }),
        };
    }
    is_good
}

fn put_word(address: u64, value: u32, strobes: u8, slot: &Slot) -> bool {
    let mask = (0..4).filter(|byte| strobes >> byte & 1 != 0);
    let mask = mask.fold(0_u32, |mask, byte| mask | 0xff << (8 * byte));
    let mut old = [0];
    match mask {
        0 => true,
        u32::MAX => slot.write(address, &[value]).is_ok(),
        // The word is the card's until it hands it over: nobody else writes its other bytes now.
        _ => {
            slot.read(address, &mut old).is_ok()
                && slot.write(address, &[old[0] & !mask | value & mask]).is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use host_driver::memory::{Memory, Words};

    use super::*;

    #[test]
    fn strobes_with_a_gap_are_told_from_those_without() {
        for good in [1, 0xf0, u64::MAX, 0xffff << 48, 0x81 << 8] {
            assert!(is_one_run(good), "{good:#x}");
        }
        for bad in [0, 0xff00_ff00, 1 << 63 | 1, 0x101] {
            assert!(!is_one_run(bad), "{bad:#x}");
        }
    }

    #[test]
    fn strobed_bytes_are_written_and_no_others() {
        let slot = Slot::new();
        slot.set_bus_master(true);
        let memory = Memory::new(4_096).unwrap();
        let iova = slot.map(&memory).unwrap();
        memory.fill(0, 32, 0x1111_1111);
        let line = std::array::from_fn(|word| word as u32 * 0x0101_0101);
        let strobes = 0xffff_0000_0000_00f6;
        let write = Write { id: 0, address: iova, strobes, line, due: 0, is_refused: false };
        assert!(put(&write, &slot));
        let mut words = [0; 16];
        memory.load_all(0, &mut words);
        assert_eq!(words[0], 0x1100_0011);
        assert_eq!((words[1], words[2], words[11]), (0x0101_0101, 0x1111_1111, 0x1111_1111));
        assert_eq!((words[12], words[15]), (0x0c0c_0c0c, 0x0f0f_0f0f));
        assert!(!put(&Write { address: iova - 4_096, ..write }, &slot));
    }
}
