//! Header banks: how a neighbor's MAC, source MAC and VLAN change as one.
//!
//! A header is wider than a word, so a neighbor has two banks and a word that selects one. The
//! bank that is not selected is written, then selected. The neighbor's FENCE word keeps the next
//! change back until the grace period is over, when no reader can still be reading the old one.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | SELECT | firmware ([`Tables::change_destination`]) | `hw_model::datapath::resolver` | Release | Acquire | the bank it names |
//! | bank words | firmware ([`write_bank`]) | the same | Relaxed | Relaxed | nothing: read after SELECT |
//!
//! Checked by `loom_header::a_header_is_whole`.

use abi::core::Hal;
use abi::core::table::{bank, neighbor};

use crate::table::{Tables, mac_words};

/// A neighbor's layer-2 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) destination: [u8; 6],
    pub(crate) source: [u8; 6],
    pub(crate) vlan: u16,
}

impl Tables {
    /// Writes the first header of a new neighbor; its CONTROL word publishes it.
    pub(crate) fn write_first_header(&self, hal: &mut impl Hal, index: u32, header: Header) {
        let line = self.layout.neighbor(index);
        write_bank(hal, line + neighbor::BANK0, header);
        hal.store(line + neighbor::SELECT, 0);
    }

    /// The header in force.
    pub(crate) fn header(&self, hal: &impl Hal, index: u32) -> Header {
        let line = self.layout.neighbor(index);
        let at = bank_at(line, hal.load(line + neighbor::SELECT));
        let [a, b, c, d] = hal.load(at + bank::DESTINATION).to_le_bytes();
        let [e, f, g, h] = hal.load(at + bank::ADDRESSES).to_le_bytes();
        let [i, j, k, l] = hal.load(at + bank::SOURCE).to_le_bytes();
        Header {
            destination: [a, b, c, d, e, f],
            source: [g, h, i, j, k, l],
            vlan: hal.load(at + bank::VLAN) as u16,
        }
    }

    /// Changes the next hop's MAC; gives the epoch that covers the change. The fences of earlier
    /// commands on this neighbor have passed, so nobody reads the other bank any more.
    pub(crate) fn change_destination(
        &mut self,
        hal: &mut impl Hal,
        index: u32,
        destination: [u8; 6],
    ) -> u32 {
        let line = self.layout.neighbor(index);
        let header = Header { destination, ..self.header(hal, index) };
        let other = 1 - (hal.load(line + neighbor::SELECT) & 1);
        write_bank(hal, bank_at(line, other), header);
        // The whole bank is visible to whoever sees it selected.
        hal.publish(line + neighbor::SELECT, other);
        self.mark_fence(hal, index)
    }
}

const fn bank_at(line: u32, select: u32) -> u32 {
    if select & 1 == 0 { line + neighbor::BANK0 } else { line + neighbor::BANK1 }
}

fn write_bank(hal: &mut impl Hal, at: u32, header: Header) {
    let (low, high) = mac_words(header.destination);
    let [a, b, c, d, e, f] = header.source;
    hal.store(at + bank::DESTINATION, low);
    hal.store(at + bank::ADDRESSES, high | u32::from_le_bytes([0, 0, a, b]));
    hal.store(at + bank::SOURCE, u32::from_le_bytes([c, d, e, f]));
    hal.store(at + bank::VLAN, u32::from(header.vlan));
}
