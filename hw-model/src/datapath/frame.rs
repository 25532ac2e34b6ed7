//! The Ethernet header: two addresses, a VLAN tag when one is due, the EtherType.
//!
//! From a [`Route`], in front of an IP packet. It computes nothing about IP.
//! Formats: IEEE 802.3 clause 3, IEEE 802.1Q clause 9.

use abi::core::table::bank;

use super::resolver::Route;

/// Addresses and EtherType.
const UNTAGGED_BYTES: usize = 14;
/// The same with a VLAN tag.
const TAGGED_BYTES: usize = UNTAGGED_BYTES + 4;
/// Largest header.
pub(crate) const HEADER_BYTES_MAX: usize = TAGGED_BYTES;
/// EtherType of a VLAN tag (IEEE 802.1Q).
const TAG_TYPE: u16 = 0x8100;
/// EtherType of IPv4 (RFC 894).
const IPV4_TYPE: u16 = 0x0800;
/// EtherType of IPv6 (RFC 2464).
const IPV6_TYPE: u16 = 0x86dd;
/// Bit of the priority in the tag (IEEE 802.1Q: PCP, 3 bits).
const PRIORITY_SHIFT: u32 = 13;
/// The priority's three bits, and the twelve of the VLAN identifier.
const PRIORITY_MASK: u32 = 7;
const VLAN_MASK: u32 = 0xfff;

/// A header as it stands in a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    bytes: [u8; HEADER_BYTES_MAX],
    length: usize,
}

impl Header {
    /// The header of a frame on `route`. A priority without a VLAN makes a priority tag, VLAN 0.
    pub(crate) fn of(route: &Route) -> Self {
        let words = &route.header;
        let mut bytes = [0; HEADER_BYTES_MAX];
        bytes[..4].copy_from_slice(&words[bank::DESTINATION as usize].to_le_bytes());
        bytes[4..8].copy_from_slice(&words[bank::ADDRESSES as usize].to_le_bytes());
        bytes[8..12].copy_from_slice(&words[bank::SOURCE as usize].to_le_bytes());
        let vlan = words[bank::VLAN as usize] & VLAN_MASK;
        let priority = route.priority & PRIORITY_MASK;
        let mut length = 12;
        if vlan != 0 || priority != 0 {
            let tag = (priority << PRIORITY_SHIFT | vlan) as u16;
            bytes[12..14].copy_from_slice(&TAG_TYPE.to_be_bytes());
            bytes[14..16].copy_from_slice(&tag.to_be_bytes());
            length = 16;
        }
        let ether_type = if route.is_ipv6 { IPV6_TYPE } else { IPV4_TYPE };
        bytes[length..length + 2].copy_from_slice(&ether_type.to_be_bytes());
        Self { bytes, length: length + 2 }
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(vlan: u32, priority: u32, is_ipv6: bool) -> Route {
        Route {
            path: 0,
            alias: 0,
            neighbor: 0,
            generation: 1,
            header: [0x0300_0002, 0x0002_0504, 0x0100_0a00, vlan],
            priority,
            mtu: 1500,
            is_ipv6,
        }
    }

    #[test]
    fn a_plain_header_has_addresses_and_type() {
        let header = Header::of(&route(0, 0, false));
        let expected = [2, 0, 0, 3, 4, 5, 2, 0, 0, 0x0a, 0, 1, 0x08, 0x00];
        assert_eq!(header.bytes(), expected);
    }

    #[test]
    fn a_vlan_or_a_priority_makes_a_tag() {
        let tagged = Header::of(&route(20, 0, true));
        assert_eq!(tagged.bytes()[12..], [0x81, 0x00, 0, 20, 0x86, 0xdd]);
        let both = Header::of(&route(0x123, 5, false));
        assert_eq!(both.bytes()[12..], [0x81, 0x00, 0xa1, 0x23, 0x08, 0x00]);
        let priority = Header::of(&route(0, 7, false));
        assert_eq!(priority.bytes()[12..], [0x81, 0x00, 0xe0, 0, 0x08, 0x00]);
    }
}
