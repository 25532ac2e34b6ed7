//! State of the three kinds of object, as a program has it and as a slot carries it.
//!
//! Between the caller and `tree`, and between `outcome` and the caller. Units: bytes and
//! milliseconds. Values are passed on as they are; what a card does not accept, it refuses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use abi::host::command::{
    ConnectionCached, ConnectionConst, ConnectionDelegated, Flag, NeighborVariables, PathVariables,
};
use abi::host::handle::Handle;

/// A next hop (`chimney` 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NeighborState {
    /// The next hop's MAC address. Cached.
    pub destination: [u8; 6],
    /// Our MAC address towards it; zero for the port's own. Const.
    pub source: [u8; 6],
    /// VLAN, 1 to 4094; 0 for none. Const.
    pub vlan: u16,
    /// Age of the host's last reachability confirmation, in ms. Cached.
    pub host_reachability_ms: u32,
    /// Age of the card's last reachability confirmation, in ms. Delegated.
    pub card_reachability_ms: u32,
}

/// A route entry (`chimney` 2.2). Both addresses are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathState {
    /// Source address. Const. Decides the family.
    pub source: IpAddr,
    /// Destination address. Const.
    pub destination: IpAddr,
    /// Path MTU in bytes, IP header included. Cached.
    pub mtu: u32,
}

/// A TCP connection (`chimney` 2.3), by its three classes of variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// Never changes while the connection lives.
    pub constant: ConnectionConst,
    /// The host's.
    pub cached: ConnectionCached,
    /// The card's, while the connection is offloaded.
    pub delegated: ConnectionDelegated,
}

/// What is true of an object besides its variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Whether it was invalidated.
    pub invalid: bool,
    /// Objects that hang from it.
    pub dependents: u32,
    /// The object it hangs from; null for a neighbor.
    pub parent: Handle,
}

/// State that came back from the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectState {
    /// A neighbor's.
    Neighbor(NeighborState, ObjectHead),
    /// A path's.
    Path(PathState, ObjectHead),
    /// A connection's.
    Connection(Box<ConnectionState>, ObjectHead),
}

impl NeighborState {
    pub(crate) fn variables(&self) -> NeighborVariables {
        NeighborVariables {
            destination: self.destination,
            source: self.source,
            vlan: self.vlan,
            reserved: 0,
            host_reachability: self.host_reachability_ms,
            card_reachability: self.card_reachability_ms,
        }
    }

    pub(crate) fn from_variables(variables: &NeighborVariables) -> Self {
        Self {
            destination: variables.destination,
            source: variables.source,
            vlan: variables.vlan,
            host_reachability_ms: variables.host_reachability,
            card_reachability_ms: variables.card_reachability,
        }
    }
}

impl PathState {
    #[inline]
    pub(crate) fn variables(&self) -> PathVariables {
        PathVariables {
            source: address_bytes(self.source),
            destination: address_bytes(self.destination),
            mtu: self.mtu,
        }
    }

    /// The flag of the address family.
    #[inline]
    pub(crate) const fn flags(&self) -> u16 {
        if self.source.is_ipv6() { Flag::IPV6.0 } else { 0 }
    }

    pub(crate) fn from_variables(variables: &PathVariables, is_ipv6: bool) -> Self {
        Self {
            source: address(variables.source, is_ipv6),
            destination: address(variables.destination, is_ipv6),
            mtu: variables.mtu,
        }
    }
}

#[inline]
fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

fn address(bytes: [u8; 16], is_ipv6: bool) -> IpAddr {
    if is_ipv6 {
        return IpAddr::V6(Ipv6Addr::from(bytes));
    }
    let [a, b, c, d, ..] = bytes;
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}
