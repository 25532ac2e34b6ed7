//! What a bench stages: a card's sizes and its fault, as the words of the bench's registers.
//!
//! Used by both ends: `rig` writes these words, `bar` builds a card of them. A card that the words
//! describe is either within the limits of `abi::host::bench`, and fits together, or is not built.

use abi::core::Capabilities;
use abi::core::table::TableLayout;
use abi::host::{bench, limit};
use abi::layout::{Reg, Rw};

use crate::config::{CardConfig, ReaderStall};

/// The registers in which a card is staged, in the order of its words.
pub(super) const REGISTERS: [Reg<Rw>; WORDS] = [
    bench::BENCH_STALL_EVERY_BATCHES,
    bench::BENCH_STALL_US,
    bench::BENCH_NEIGHBORS,
    bench::BENCH_PATHS,
    bench::BENCH_CONNECTIONS,
    bench::BENCH_ALIASES,
    bench::BENCH_SOURCE_MACS,
    bench::BENCH_VLANS,
    bench::BENCH_STATE_MEMORY,
    bench::BENCH_COMMAND_RINGS,
    bench::BENCH_TRANSMIT_RINGS,
    bench::BENCH_RING_SLOTS,
    bench::BENCH_VECTORS,
    bench::BENCH_HELD_PER_PATH,
    bench::BENCH_HELD_TOTAL,
    bench::BENCH_CLOCK_KHZ,
    bench::BENCH_PORT_MAC_LOW,
    bench::BENCH_PORT_MAC_HIGH,
];

const WORDS: usize = 18;

/// A card as it is staged: the words of [`REGISTERS`], sensible or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Staged(pub(super) [u32; WORDS]);

impl Staged {
    /// The words of a card.
    pub(super) fn of(capabilities: &Capabilities, stall: Option<ReaderStall>) -> Self {
        let Capabilities {
            neighbors,
            paths,
            connections,
            aliases,
            source_macs,
            vlans,
            state_memory,
            command_rings,
            transmit_rings,
            ring_slots,
            vectors,
            held_per_path,
            held_total,
            clock_khz,
            port_mac: [a, b, c, d, e, f],
        } = *capabilities;
        let stall = stall.unwrap_or(ReaderStall { every_batches: 0, stall_us: 0 });
        Self([
            stall.every_batches,
            stall.stall_us,
            neighbors,
            paths,
            connections,
            aliases,
            source_macs,
            vlans,
            state_memory,
            command_rings,
            transmit_rings,
            ring_slots,
            vectors,
            held_per_path,
            held_total,
            clock_khz,
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, 0, 0]),
        ])
    }

    /// The card of these words, on the bus of `base`; `None` when it is beyond the bench's limits
    /// or does not fit together.
    pub(super) fn card(&self, base: &CardConfig) -> Option<CardConfig> {
        let [
            every_batches,
            stall_us,
            neighbors,
            paths,
            connections,
            aliases,
            source_macs,
            vlans,
            state_memory,
            command_rings,
            transmit_rings,
            ring_slots,
            vectors,
            held_per_path,
            held_total,
            clock_khz,
            mac_low,
            mac_high,
        ] = self.0;
        let [[a, b, c, d], [e, f, ..]] = [mac_low, mac_high].map(u32::to_le_bytes);
        let capabilities = Capabilities {
            neighbors,
            paths,
            connections,
            aliases,
            source_macs,
            vlans,
            state_memory,
            command_rings,
            transmit_rings,
            ring_slots,
            vectors,
            held_per_path,
            held_total,
            clock_khz,
            port_mac: [a, b, c, d, e, f],
        };
        let stall = ReaderStall { every_batches, stall_us };
        let reader_stall = (every_batches > 0).then_some(stall);
        let is_within = is_within_limits(&capabilities) && stall_us <= bench::STALL_US_MAX;
        is_within.then(|| CardConfig { capabilities, reader_stall, ..base.clone() })
    }
}

fn is_within_limits(card: &Capabilities) -> bool {
    let limits = [
        (card.neighbors, bench::TABLE_ENTRIES_MAX),
        (card.paths, bench::TABLE_ENTRIES_MAX),
        (card.connections, bench::TABLE_ENTRIES_MAX),
        (card.aliases, bench::TABLE_ENTRIES_MAX),
        (card.source_macs, bench::SOURCE_MACS_MAX),
        (card.vlans, limit::VLAN_MAX),
        (card.command_rings, limit::COMMAND_RINGS_MAX),
        (card.transmit_rings, limit::TRANSMIT_RINGS_MAX),
        (card.ring_slots, limit::RING_SLOTS_MAX),
        (card.vectors, limit::VECTORS_MAX),
        (card.held_per_path, bench::HELD_MAX),
        (card.held_total, bench::HELD_MAX),
        (card.clock_khz, bench::CLOCK_KHZ_MAX),
    ];
    limits.iter().all(|(size, limit)| size <= limit)
        && card.clock_khz >= bench::CLOCK_KHZ_MIN
        && card.aliases > card.neighbors
        && TableLayout::new(card).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_comes_back_from_its_words() {
        let stall = ReaderStall { every_batches: 7, stall_us: 1_500 };
        for reader_stall in [None, Some(stall)] {
            let config = CardConfig { reader_stall, ..CardConfig::default() };
            let staged = Staged::of(&config.capabilities, reader_stall);
            let back = staged.card(&CardConfig::default()).unwrap();
            assert_eq!((back.capabilities, back.reader_stall), (config.capabilities, reader_stall));
        }
    }

    #[test]
    fn every_word_has_a_register_of_its_own() {
        let mut offsets: Vec<u32> = REGISTERS.iter().map(|register| register.offset).collect();
        offsets.sort_unstable();
        offsets.dedup();
        assert_eq!(offsets.len(), WORDS);
        let staged = bench::BENCH_REGISTERS.rows.iter().filter(|row| row.doc.starts_with("Rw."));
        assert_eq!(staged.count(), WORDS);
    }

    #[test]
    fn a_card_beyond_any_limit_is_not_built() {
        let good = Staged::of(&CardConfig::default().capabilities, None);
        let base = CardConfig::default();
        assert!(good.card(&base).is_some());
        for (word, register) in REGISTERS.iter().enumerate() {
            let is_free = [
                bench::BENCH_STALL_EVERY_BATCHES,
                bench::BENCH_STATE_MEMORY,
                bench::BENCH_PORT_MAC_LOW,
                bench::BENCH_PORT_MAC_HIGH,
            ]
            .iter()
            .any(|free| free.offset == register.offset);
            let mut staged = good;
            staged.0[word] = u32::MAX;
            assert_eq!(staged.card(&base).is_some(), is_free, "{:#x}", register.offset);
        }
        for (field, value) in [(15, 0), (5, 65_536)] {
            let mut staged = good;
            staged.0[field] = value;
            assert!(staged.card(&base).is_none(), "no clock, or no alias to spare");
        }
    }
}
