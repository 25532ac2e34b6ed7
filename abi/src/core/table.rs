//! Table memory: what lies where, word by word.
//!
//! An array of 32-bit words, read and written one word at a time. *Shared* words are read by the
//! datapath; *private* ones only by the firmware. Writer of every word is the firmware, but for
//! the reachability ages. An entry is as small as what the datapath and a relink need of it, because
//! what bounds both is how much of a table of a million entries a cache reaches.

use super::hal::Capabilities;
use super::mmio::TABLES_BYTES;

words! {
    /// A neighbor's hot line.
    neighbor: 16 {
        /// Shared: LIVE, INVALID.
        0 => CONTROL,
        /// Shared: generation of the slot's occupant.
        1 => GENERATION,
        /// Shared: which header bank is valid, 0 or 1.
        2 => SELECT,
        /// Shared: card time in ms at which the host confirmed reachability (HRT).
        3 => HOST_CONFIRMED,
        /// Shared: first of the four words of header bank 0.
        4 => BANK0,
        /// Shared: first of the four words of header bank 1.
        8 => BANK1,
        /// Shared: card time in ms of the card's confirmation as it was offloaded (NRT).
        12 => CARD_CONFIRMED,
        /// Private: card time in ms at which the host was last asked about it.
        13 => QUERIED,
    }
}

words! {
    /// A header bank: the Ethernet addresses as they stand in a frame, then the VLAN.
    bank: 4 {
        /// Destination MAC bytes 0 to 3, the first in the lowest byte.
        0 => DESTINATION,
        /// Destination MAC bytes 4 and 5 in the lower half, source MAC bytes 0 and 1 in the upper.
        1 => ADDRESSES,
        /// Source MAC bytes 2 to 5.
        2 => SOURCE,
        /// VLAN identifier, 0 for none.
        3 => VLAN,
    }
}

words! {
    /// A neighbor's private words.
    neighbor_private: 8 {
        /// Home alias: the one that new paths attach to.
        0 => HOME,
        /// First alias that leads to this neighbor, plus 1; the home alias is among them.
        1 => ALIASES,
        /// Paths linked to it.
        2 => PATHS,
        /// Epoch that must have been announced before the next command may touch it.
        3 => FENCE,
        /// Relinks under way to or from it.
        4 => PINS,
        /// Source MAC slot, plus 1; 0 for the port's own.
        5 => SOURCE_SLOT,
        /// Next neighbor in the queue of retired slots, plus 1.
        6 => NEXT,
        /// Epoch after which a retired slot may be given out again.
        7 => EPOCH,
    }
}

words! {
    /// A path, as the datapath reads it and a relink writes it.
    path: 8 {
        /// Shared: LIVE, INVALID, IS_IPV6.
        0 => CONTROL,
        /// Shared: generation of the slot's occupant.
        1 => GENERATION,
        /// Shared: the link word: an alias.
        2 => LINK,
        /// Shared: path MTU in bytes.
        3 => MTU,
        /// Shared: card time in ms at which the link word was last written.
        4 => LINKED_MS,
        /// Private: connections linked to it.
        5 => CONNECTIONS,
        /// Private: next path in the queue of retired slots, plus 1.
        6 => NEXT,
        /// Private: epoch after which a retired slot may be given out again.
        7 => EPOCH,
    }
}

words! {
    /// A path's private words: its addresses.
    path_addresses: 8 {
        /// Source address, four words as they stand in memory order.
        0 => SOURCE,
        /// Destination address, four words as they stand in memory order.
        4 => DESTINATION,
    }
}

words! {
    /// A connection, as the datapath reads it.
    connection: 4 {
        /// Shared: LIVE, INVALID, UPLOAD.
        0 => CONTROL,
        /// Shared: generation of the slot's occupant.
        1 => GENERATION,
        /// Shared: the path it hangs from.
        2 => PATH,
        /// Shared: 802.1p priority, 0 to 7.
        3 => PRIORITY,
    }
}

words! {
    /// A connection's private words.
    connection_private: 8 {
        /// Card time in ms at which a frame was first held.
        0 => HELD_SINCE,
        /// Next connection that waits for its grace time, plus 1.
        1 => NEXT_PENDING,
        /// 1 while it waits for its grace time.
        2 => IS_PENDING,
        /// Next connection in the queue of retired slots, plus 1.
        3 => NEXT,
        /// Epoch after which a retired slot may be given out again.
        4 => EPOCH,
    }
}

words! {
    /// A connection's cold state: const, cached and delegated variables as in a command.
    connection_state: 48 {
        /// ConnectionConst, 4 words.
        0 => CONST,
        /// ConnectionCached, 8 words.
        4 => CACHED,
        /// ConnectionDelegated, 28 words.
        12 => DELEGATED,
    }
}

words! {
    /// An alias, as the datapath reads it.
    alias: 2 {
        /// Shared: the neighbor it leads to.
        0 => VIA,
        /// Shared: card time in ms at which VIA was last written.
        1 => MOVED_MS,
    }
}

words! {
    /// An alias's private words.
    alias_private: 4 {
        /// Paths whose link word names it.
        0 => PATHS,
        /// Next alias of the same neighbor, or in the queue of retired slots, plus 1.
        1 => NEXT,
        /// Epoch after which a retired alias may be given out again.
        2 => EPOCH,
    }
}

words! {
    /// A neighbor's reachability as the datapath saw it. Written by the datapath.
    age: 2 {
        /// Generation of the neighbor that the confirmation belongs to. Written after CONFIRMED.
        0 => GENERATION,
        /// Card time in ms of the last forward progress.
        1 => CONFIRMED,
    }
}

words! {
    /// A source MAC address in use.
    source_mac: 4 {
        /// First four bytes.
        0 => LOW,
        /// Last two bytes.
        1 => HIGH,
        /// Neighbors that use it; 0 for a free slot.
        2 => USERS,
    }
}

words! {
    /// A VLAN: one word each of 4096.
    vlan: 1 {
        /// Neighbors that use it.
        0 => USERS,
    }
}

codes! {
    /// Bits of a CONTROL word.
    Control: u32 {
        /// The slot holds an object.
        1 => LIVE = "live",
        /// The object was invalidated.
        2 => INVALID = "invalid",
        /// The path's addresses are IPv6.
        4 => IS_IPV6 = "ipv6",
        /// Upload of the connection was asked for: it sends nothing more.
        8 => UPLOAD = "upload",
    }
}

/// Card memory that one connection's state takes, in bytes.
pub const STATE_BYTES: u32 = connection_state::WORDS * 4;
/// Words of the VLAN table.
const VLAN_IDS: u32 = 4096;
/// Regions start on a cache line.
const LINE_WORDS: u32 = 16;

/// Where each region starts, in words, for a card of given capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// Hot lines of neighbors.
    pub neighbors: u32,
    /// Private words of neighbors.
    pub neighbors_private: u32,
    /// Paths.
    pub paths: u32,
    /// Addresses of paths.
    pub paths_addresses: u32,
    /// Connections.
    pub connections: u32,
    /// Private words of connections.
    pub connections_private: u32,
    /// Cold state of connections.
    pub states: u32,
    /// Aliases.
    pub aliases: u32,
    /// Private words of aliases.
    pub aliases_private: u32,
    /// Reachability ages.
    pub ages: u32,
    /// Source MAC addresses.
    pub source_macs: u32,
    /// VLAN table.
    pub vlans: u32,
    /// Words in all.
    pub words: u32,
}

impl TableLayout {
    /// No tables.
    pub const NONE: Self = Self {
        neighbors: 0,
        neighbors_private: 0,
        paths: 0,
        paths_addresses: 0,
        connections: 0,
        connections_private: 0,
        states: 0,
        aliases: 0,
        aliases_private: 0,
        ages: 0,
        source_macs: 0,
        vlans: 0,
        words: 0,
    };

    /// Lays the regions out one after another. `None` when they do not fit the core's window.
    #[must_use]
    pub const fn new(capabilities: &Capabilities) -> Option<Self> {
        let c = capabilities;
        let mut next = 0_u64;
        let neighbors = place(&mut next, c.neighbors, neighbor::WORDS);
        let neighbors_private = place(&mut next, c.neighbors, neighbor_private::WORDS);
        let paths = place(&mut next, c.paths, path::WORDS);
        let paths_addresses = place(&mut next, c.paths, path_addresses::WORDS);
        let connections = place(&mut next, c.connections, connection::WORDS);
        let connections_private = place(&mut next, c.connections, connection_private::WORDS);
        let states = place(&mut next, c.connections, connection_state::WORDS);
        let aliases = place(&mut next, c.aliases, alias::WORDS);
        let aliases_private = place(&mut next, c.aliases, alias_private::WORDS);
        let ages = place(&mut next, c.neighbors, age::WORDS);
        let source_macs = place(&mut next, c.source_macs, source_mac::WORDS);
        let vlans = place(&mut next, VLAN_IDS, vlan::WORDS);
        if next > TABLES_BYTES as u64 / 4 {
            return None;
        }
        Some(Self {
            neighbors,
            neighbors_private,
            paths,
            paths_addresses,
            connections,
            connections_private,
            states,
            aliases,
            aliases_private,
            ages,
            source_macs,
            vlans,
            words: next as u32,
        })
    }

    /// First word of a neighbor's hot line.
    #[inline(always)]
    #[must_use]
    pub const fn neighbor(&self, index: u32) -> u32 {
        self.neighbors + index * neighbor::WORDS
    }

    /// First word of a neighbor's private words.
    #[inline(always)]
    #[must_use]
    pub const fn neighbor_private(&self, index: u32) -> u32 {
        self.neighbors_private + index * neighbor_private::WORDS
    }

    /// First word of a path.
    #[inline(always)]
    #[must_use]
    pub const fn path(&self, index: u32) -> u32 {
        self.paths + index * path::WORDS
    }

    /// First word of a path's addresses.
    #[inline(always)]
    #[must_use]
    pub const fn path_addresses(&self, index: u32) -> u32 {
        self.paths_addresses + index * path_addresses::WORDS
    }

    /// First word of a connection.
    #[inline(always)]
    #[must_use]
    pub const fn connection(&self, index: u32) -> u32 {
        self.connections + index * connection::WORDS
    }

    /// First word of a connection's private words.
    #[inline(always)]
    #[must_use]
    pub const fn connection_private(&self, index: u32) -> u32 {
        self.connections_private + index * connection_private::WORDS
    }

    /// First word of a connection's cold state.
    #[inline(always)]
    #[must_use]
    pub const fn state(&self, index: u32) -> u32 {
        self.states + index * connection_state::WORDS
    }

    /// First word of an alias.
    #[inline(always)]
    #[must_use]
    pub const fn alias(&self, index: u32) -> u32 {
        self.aliases + index * alias::WORDS
    }

    /// First word of an alias's private words.
    #[inline(always)]
    #[must_use]
    pub const fn alias_private(&self, index: u32) -> u32 {
        self.aliases_private + index * alias_private::WORDS
    }

    /// First word of a neighbor's age.
    #[inline(always)]
    #[must_use]
    pub const fn age(&self, index: u32) -> u32 {
        self.ages + index * age::WORDS
    }

    /// First word of a source MAC slot.
    #[inline(always)]
    #[must_use]
    pub const fn source_mac(&self, index: u32) -> u32 {
        self.source_macs + index * source_mac::WORDS
    }

    /// Word of a VLAN.
    #[inline(always)]
    #[must_use]
    pub const fn vlan(&self, id: u16) -> u32 {
        self.vlans + id as u32 % VLAN_IDS
    }
}

const fn place(next: &mut u64, entries: u32, words: u32) -> u32 {
    let start = *next;
    let end = start + entries as u64 * words as u64;
    *next = end.next_multiple_of(LINE_WORDS as u64);
    // A region past the window makes `TableLayout::new` answer None, so the cut is never used.
    start as u32
}
