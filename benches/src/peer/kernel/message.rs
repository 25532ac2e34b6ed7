//! Netlink messages of the route family, as far as they are needed.
//!
//! From `kernel`, to its link. Numbers are those of `linux/rtnetlink.h`, `linux/if_link.h`,
//! `linux/neighbour.h` and `linux/nexthop.h`.

use std::net::Ipv4Addr;

/// Bytes of a message's header.
pub(super) const HEADER_BYTES: usize = 16;
/// Bytes of an attribute's header.
const ATTRIBUTE_BYTES: usize = 4;
/// Messages and attributes start on multiples of this.
const ALIGN: usize = 4;

pub(super) const NEW_LINK: u16 = 16;
pub(super) const NEW_ADDRESS: u16 = 20;
pub(super) const NEW_ROUTE: u16 = 24;
const DELETE_ROUTE: u16 = 25;
pub(super) const NEW_NEIGHBOR: u16 = 28;
pub(super) const NEW_NEXTHOP: u16 = 104;

const REQUEST: u16 = 0x001;
pub(super) const ACKNOWLEDGE: u16 = 0x004;
pub(super) const REPLACE: u16 = 0x100;
pub(super) const EXCLUSIVE: u16 = 0x200;
pub(super) const CREATE: u16 = 0x400;

pub(super) const LINK_NAME: u16 = 3;
pub(super) const LINK_INFO: u16 = 18;
pub(super) const LINK_INFO_KIND: u16 = 1;
pub(super) const LINK_INFO_DATA: u16 = 2;
pub(super) const PEER_LINK: u16 = 1;
pub(super) const ADDRESS_LOCAL: u16 = 2;
pub(super) const ADDRESS_LABEL: u16 = 3;
pub(super) const ROUTE_DESTINATION: u16 = 1;
pub(super) const ROUTE_NEXTHOP: u16 = 30;
pub(super) const NEIGHBOR_DESTINATION: u16 = 1;
pub(super) const NEIGHBOR_ADDRESS: u16 = 2;
pub(super) const NEXTHOP_ID: u16 = 1;
pub(super) const NEXTHOP_DEVICE: u16 = 5;
pub(super) const NEXTHOP_GATEWAY: u16 = 6;

pub(super) const FAMILY_INET: u8 = 2;
/// The link is to be up.
pub(super) const IS_UP: u32 = 1;
/// The neighbor never gets stale.
pub(super) const NEIGHBOR_PERMANENT: u16 = 0x80;
/// Bits of an IPv4 address.
const HOST_PREFIX: u8 = 32;
const TABLE_MAIN: u8 = 254;
const PROTOCOL_BOOT: u8 = 3;
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_NOWHERE: u8 = 255;
const TYPE_UNICAST: u8 = 1;

/// A message under construction; its length and number are filled in when it goes.
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((flags | REQUEST).to_ne_bytes());
        bytes.extend([0; 8]);
        Self(bytes)
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// What a message about a link begins with.
    pub(super) fn link_head(self, index: u32, flags: u32) -> Self {
        let head = self.bytes(&[0; 4]).bytes(&index.to_ne_bytes());
        head.bytes(&flags.to_ne_bytes()).bytes(&flags.to_ne_bytes())
    }

    /// What a message about a route to one address begins with.
    pub(super) fn route_head(self) -> Self {
        self.bytes(&[FAMILY_INET, HOST_PREFIX, 0, 0]).bytes(&[
            TABLE_MAIN,
            PROTOCOL_BOOT,
            SCOPE_UNIVERSE,
            TYPE_UNICAST,
            0,
            0,
            0,
            0,
        ])
    }

    /// What a message about a next hop begins with.
    pub(super) fn nexthop_head(self) -> Self {
        self.bytes(&[FAMILY_INET, SCOPE_UNIVERSE, PROTOCOL_BOOT, 0, 0, 0, 0, 0])
    }

    /// What a message about a neighbor begins with.
    pub(super) fn neighbor_head(self, index: u32, state: u16) -> Self {
        let head = self.bytes(&[FAMILY_INET, 0, 0, 0]).bytes(&index.to_ne_bytes());
        head.bytes(&state.to_ne_bytes()).bytes(&[0; 2])
    }

    pub(super) fn attribute(self, kind: u16, bytes: &[u8]) -> Self {
        self.nest(kind, |attribute| attribute.bytes(bytes))
    }

    pub(super) fn text(self, kind: u16, text: &str) -> Self {
        self.nest(kind, |attribute| attribute.bytes(text.as_bytes()).bytes(&[0]))
    }

    /// An attribute that `fill` fills.
    pub(super) fn nest(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.0.len();
        self.0.extend([0; ATTRIBUTE_BYTES]);
        let mut filled = fill(self);
        let length = (filled.0.len() - start) as u16;
        filled.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled.0[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        let end = filled.0.len().next_multiple_of(ALIGN);
        filled.0.resize(end, 0);
        filled
    }

    /// Appends the message with its number to `batch`.
    pub(super) fn append(mut self, number: u32, batch: &mut Vec<u8>) {
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0[8..12].copy_from_slice(&number.to_ne_bytes());
        batch.extend(self.0);
    }
}

/// A route to one address goes.
pub(super) fn delete_route(number: u32) -> Message {
    let destination: Ipv4Addr = super::destination(number);
    Message::new(DELETE_ROUTE, 0)
        .bytes(&[FAMILY_INET, HOST_PREFIX, 0, 0])
        .bytes(&[TABLE_MAIN, PROTOCOL_BOOT, SCOPE_NOWHERE, 0, 0, 0, 0, 0])
        .attribute(ROUTE_DESTINATION, &destination.octets())
}
