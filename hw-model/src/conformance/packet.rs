//! Packets that can be told apart, and the frames they become.
//!
//! Posted by a [`Scene`](super::Scene), found again at the port. The payload is that of design
//! section 12: protocol 253, a number of the stream (here in the addresses' place of use: the
//! IPv4 identification or the IPv6 flow label stays 0), then the sequence number.
//! It does not check sums: the card does not look into a packet.

use std::net::IpAddr;

/// Protocol number for experiments (RFC 3692), also as IPv6 next header.
const EXPERIMENT: u8 = 253;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;
/// Bytes of stream number and sequence number behind the IP header.
const MARK_BYTES: usize = 12;

/// An IP packet of `bytes` bytes in all, marked with a stream and a sequence number.
///
/// # Panics
/// When `bytes` is less than the IP header and the mark need, or above 65,535.
#[must_use]
pub fn packet(
    source: IpAddr,
    destination: IpAddr,
    bytes: usize,
    stream: u32,
    sequence: u64,
) -> Vec<u8> {
    let mut packet = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let length =
                u16::try_from(bytes).expect("an IP packet is at most 65,535 bytes").to_be_bytes();
            let mut header =
                vec![0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, EXPERIMENT, 0, 0];
            header.extend(source.octets());
            header.extend(destination.octets());
            header
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let payload = u16::try_from(bytes - 40)
                .expect("an IP packet is at most 65,535 bytes")
                .to_be_bytes();
            let mut header = vec![0x60, 0, 0, 0, payload[0], payload[1], EXPERIMENT, 64];
            header.extend(source.octets());
            header.extend(destination.octets());
            header
        }
        _ => panic!("both addresses of a packet are of one IP version"),
    };
    assert!(bytes >= packet.len() + MARK_BYTES, "{bytes} bytes do not hold header and mark");
    packet.extend(stream.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.resize(bytes, 0);
    packet
}

/// A frame as it was seen at the port, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How many frames crossed before it.
    pub number: u64,
    /// Destination MAC.
    pub destination: [u8; 6],
    /// Source MAC.
    pub source: [u8; 6],
    /// 802.1p priority and VLAN when the frame is tagged.
    pub tag: Option<(u8, u16)>,
    /// Whether the packet is IPv6, by its EtherType.
    pub ipv6: bool,
    /// The stream number that the packet was posted with.
    pub stream: u32,
    /// The sequence number that the packet was posted with.
    pub sequence: u64,
    /// The packet.
    pub packet: Vec<u8>,
}

impl Frame {
    /// Takes a captured frame apart.
    ///
    /// # Panics
    /// When it is none that [`packet`] can have become: what crosses the port is whole.
    #[must_use]
    pub fn parse(captured: &crate::port::Captured) -> Self {
        let bytes = &captured.bytes;
        assert!(bytes.len() >= 14, "a frame has an Ethernet header");
        let mac = |at: usize| -> [u8; 6] { bytes[at..at + 6].try_into().expect("six bytes") };
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let (tag, kind, start) = if word(12) == ETHERTYPE_VLAN {
            let control = word(14);
            assert_eq!(control & 0x1000, 0, "the CFI bit of a tag is zero");
            (Some(((control >> 13) as u8, control & 0x0fff)), word(16), 18)
        } else {
            (None, word(12), 14)
        };
        let ipv6 = kind == ETHERTYPE_IPV6;
        assert!(ipv6 || kind == ETHERTYPE_IPV4, "EtherType {kind:#06x}");
        let packet = bytes[start..].to_vec();
        let mark = if ipv6 { 40 } else { 20 };
        let stream = u32::from_be_bytes(packet[mark..mark + 4].try_into().expect("four bytes"));
        let sequence =
            u64::from_be_bytes(packet[mark + 4..mark + 12].try_into().expect("eight bytes"));
        Self {
            number: captured.number,
            destination: mac(0),
            source: mac(6),
            tag,
            ipv6,
            stream,
            sequence,
            packet,
        }
    }

    /// The VLAN of the tag, 0 without one.
    #[must_use]
    pub fn vlan(&self) -> u16 {
        self.tag.map_or(0, |(_, vlan)| vlan)
    }
}
