//! The tables: pools of slots, and the check that a handle names an object.
//!
//! Between the verbs and table memory. It gives out and takes back slots and keeps the small
//! tables of source MAC addresses and VLANs; links are `link`'s, header banks `header`'s.

use abi::core::table::{self, Control, TableLayout};
use abi::core::{Capabilities, Hal, Settings};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Kind, Status};

use crate::fence::Fence;
use crate::pool::{Column, Pool};
use crate::sweep::Sweep;
use crate::upload::Uploads;

/// A refusal: status and detail.
pub(crate) type Refusal = (Status, Detail);

/// Everything the verbs work on.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) layout: TableLayout,
    pub(crate) capabilities: Capabilities,
    pub(crate) settings: Settings,
    pub(crate) fence: Fence,
    pub(crate) neighbors: Pool,
    pub(crate) paths: Pool,
    pub(crate) connections: Pool,
    pub(crate) aliases: Pool,
    pub(crate) sweep: Sweep,
    pub(crate) uploads: Uploads,
    vlans_used: u32,
    /// Events were lost since the last one that fitted.
    pub(crate) has_lost_events: bool,
}

impl Tables {
    /// No tables: nothing can be found or made.
    pub(crate) const fn none() -> Self {
        Self {
            layout: TableLayout::NONE,
            capabilities: Capabilities::NONE,
            settings: Settings::NONE,
            fence: Fence::at(0),
            neighbors: Pool::NONE,
            paths: Pool::NONE,
            connections: Pool::NONE,
            aliases: Pool::NONE,
            sweep: Sweep::new(),
            uploads: Uploads::new(),
            vlans_used: 0,
            has_lost_events: false,
        }
    }

    /// Makes empty tables. `false` when the capabilities do not fit together.
    pub(crate) fn start(&mut self, hal: &impl Hal) -> bool {
        let capabilities = hal.capabilities();
        let Some(layout) = TableLayout::new(&capabilities) else { return false };
        if capabilities.aliases <= capabilities.neighbors {
            return false;
        }
        self.layout = layout;
        self.capabilities = capabilities;
        self.settings = hal.settings();
        self.fence = Fence::at(hal.announced());
        let seed = self.settings.generation_seed;
        let column = |first, stride, word| Column { first: first + word, stride };
        use table::{
            alias_private, connection, connection_private, neighbor, neighbor_private, path,
        };
        let own = |word| column(layout.neighbors_private, neighbor_private::WORDS, word);
        let at_path = |word| column(layout.paths, path::WORDS, word);
        let at_connection =
            |word| column(layout.connections_private, connection_private::WORDS, word);
        let at_alias = |word| column(layout.aliases_private, alias_private::WORDS, word);
        let generations = column(layout.neighbors, neighbor::WORDS, neighbor::GENERATION);
        self.neighbors = Pool::new(
            capabilities.neighbors,
            seed,
            own(neighbor_private::NEXT),
            own(neighbor_private::EPOCH),
            Some(generations),
        );
        self.paths = Pool::new(
            capabilities.paths,
            seed,
            at_path(path::NEXT),
            at_path(path::EPOCH),
            Some(at_path(path::GENERATION)),
        );
        self.connections = Pool::new(
            capabilities.connections,
            seed,
            at_connection(connection_private::NEXT),
            at_connection(connection_private::EPOCH),
            Some(column(layout.connections, connection::WORDS, connection::GENERATION)),
        );
        self.aliases = Pool::new(
            capabilities.aliases,
            seed,
            at_alias(alias_private::NEXT),
            at_alias(alias_private::EPOCH),
            None,
        );
        true
    }

    /// The index of the live object that `handle` names, valid or invalidated.
    #[inline(always)]
    pub(crate) fn find(&self, hal: &impl Hal, handle: Handle, kind: Kind) -> Result<u32, Refusal> {
        const STALE: Refusal = (Status::STALE_HANDLE, Detail::NONE);
        let named = handle.kind();
        if named != kind {
            let is_null = named == Kind::NONE;
            return Err(if is_null { STALE } else { (Status::WRONG_KIND, Detail::NONE) });
        }
        let index = handle.index();
        let capacity = match kind {
            Kind::NEIGHBOR => self.neighbors.capacity(),
            Kind::PATH => self.paths.capacity(),
            _ => self.connections.capacity(),
        };
        if index >= capacity {
            return Err(STALE);
        }
        // CONTROL and GENERATION are the same words of every kind.
        let line = self.line(kind, index);
        let is_live = hal.load(line + table::path::CONTROL) & Control::LIVE.0 != 0;
        let is_same = hal.load(line + table::path::GENERATION) == handle.generation();
        if is_live && is_same { Ok(index) } else { Err(STALE) }
    }

    /// Like [`Tables::find`], and refuses an object that was invalidated.
    #[inline(always)]
    pub(crate) fn find_valid(
        &self,
        hal: &impl Hal,
        handle: Handle,
        kind: Kind,
    ) -> Result<u32, Refusal> {
        let index = self.find(hal, handle, kind)?;
        if self.is_invalid(hal, kind, index) {
            Err((Status::INVALID_OBJECT, Detail::NONE))
        } else {
            Ok(index)
        }
    }

    /// First word of what the datapath reads of an object.
    #[inline]
    pub(crate) const fn line(&self, kind: Kind, index: u32) -> u32 {
        match kind {
            Kind::NEIGHBOR => self.layout.neighbor(index),
            Kind::PATH => self.layout.path(index),
            _ => self.layout.connection(index),
        }
    }

    #[inline]
    pub(crate) fn is_invalid(&self, hal: &impl Hal, kind: Kind, index: u32) -> bool {
        hal.load(self.line(kind, index) + table::path::CONTROL) & Control::INVALID.0 != 0
    }

    /// The handle of the object in a slot.
    pub(crate) fn handle(&self, hal: &impl Hal, kind: Kind, index: u32) -> Handle {
        let generation = hal.load(self.line(kind, index) + table::path::GENERATION);
        Handle::new(kind, index, generation)
    }

    /// Room for one more neighbor with this source MAC: its slot plus 1, 0 for the port's own.
    pub(crate) fn source_slot(&self, hal: &impl Hal, source: [u8; 6]) -> Option<u32> {
        if source == self.capabilities.port_mac {
            return Some(0);
        }
        let (low, high) = mac_words(source);
        let mut free = None;
        for slot in 0..self.capabilities.source_macs {
            let at = self.layout.source_mac(slot);
            if hal.load(at + table::source_mac::USERS) == 0 {
                free = free.or(Some(slot + 1));
            } else if hal.load(at + table::source_mac::LOW) == low
                && hal.load(at + table::source_mac::HIGH) == high
            {
                return Some(slot + 1);
            }
        }
        free
    }

    /// Whether there is room for one more neighbor in this VLAN.
    pub(crate) fn has_vlan_room(&self, hal: &impl Hal, vlan: u16) -> bool {
        vlan == 0
            || hal.load(self.layout.vlan(vlan)) != 0
            || self.vlans_used < self.capabilities.vlans
    }

    /// Whether the interface's VLANs admit a neighbor of this VLAN (`chimney` 3.1).
    pub(crate) fn admits_vlan(&self, vlan: u16) -> bool {
        let count = (self.settings.port_vlan_count as usize).min(self.settings.port_vlans.len());
        let admitted = self.settings.port_vlans.get(..count).unwrap_or(&[]);
        vlan == 0 || admitted.is_empty() || admitted.contains(&vlan)
    }

    /// Counts a neighbor in or out of its source MAC and VLAN.
    pub(crate) fn use_addresses(
        &mut self,
        hal: &mut impl Hal,
        slot: u32,
        source: [u8; 6],
        vlan: u16,
    ) {
        if slot != 0 {
            let at = self.layout.source_mac(slot - 1);
            let (low, high) = mac_words(source);
            hal.store(at + table::source_mac::LOW, low);
            hal.store(at + table::source_mac::HIGH, high);
            add(hal, at + table::source_mac::USERS, 1);
        }
        if vlan != 0 && add(hal, self.layout.vlan(vlan), 1) == 1 {
            self.vlans_used += 1;
        }
    }

    /// The reverse of [`Tables::use_addresses`].
    pub(crate) fn release_addresses(&mut self, hal: &mut impl Hal, slot: u32, vlan: u16) {
        if slot != 0 {
            subtract(hal, self.layout.source_mac(slot - 1) + table::source_mac::USERS, 1);
        }
        if vlan != 0 && subtract(hal, self.layout.vlan(vlan), 1) == 0 {
            self.vlans_used = self.vlans_used.saturating_sub(1);
        }
    }
}

/// A MAC address as two words, the first byte lowest.
pub(crate) const fn mac_words(mac: [u8; 6]) -> (u32, u32) {
    let [a, b, c, d, e, f] = mac;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, 0, 0]))
}

/// Adds to a private word; gives the new value.
pub(crate) fn add(hal: &mut impl Hal, word: u32, amount: u32) -> u32 {
    let value = hal.load(word).wrapping_add(amount);
    hal.store(word, value);
    value
}

/// Subtracts from a private word; gives the new value.
pub(crate) fn subtract(hal: &mut impl Hal, word: u32, amount: u32) -> u32 {
    let value = hal.load(word).saturating_sub(amount);
    hal.store(word, value);
    value
}
