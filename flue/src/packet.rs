//! IP packets that flue sends, and their way back out of a frame.
//!
//! [`write()`] builds what is posted; [`Frame::parse`] takes apart what crossed the port. Neither
//! knows who sends or why: the payload's first eight bytes, which make every packet
//! identifiable, mean what the caller says. Layout: RFC 791, RFC 8200, RFC 1071, IEEE 802.1Q.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IP protocol of every packet: for experimentation and testing (RFC 3692).
pub(crate) const PROTOCOL: u8 = 253;
/// Time to live, and hop limit.
const HOPS: u8 = 64;
/// Bytes of an IPv4 header without options.
pub(crate) const IPV4_BYTES: usize = 20;
/// Bytes of an IPv6 header.
pub(crate) const IPV6_BYTES: usize = 40;
/// Bytes of the payload that identify a packet.
pub(crate) const MARK_BYTES: usize = 8;

const ETHERNET_BYTES: usize = 14;
const TAG_BYTES: usize = 4;
const TYPE_VLAN: u16 = 0x8100;
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
const VLAN_BITS: u16 = 0x0fff;
const DONT_FRAGMENT: u16 = 0x4000;

/// Bytes of the IP header that goes before a payload to `destination`.
pub(crate) fn header_bytes(destination: IpAddr) -> usize {
    if destination.is_ipv6() { IPV6_BYTES } else { IPV4_BYTES }
}

/// Writes an IP packet whose payload is `mark` and zeros, `payload_bytes` in all, into `packet`.
/// Both addresses must be of one family, and the payload must fit its length field.
pub(crate) fn write(
    packet: &mut Vec<u8>,
    source: IpAddr,
    destination: IpAddr,
    mark: [u8; MARK_BYTES],
    payload_bytes: usize,
) {
    packet.clear();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            write_ipv4(packet, source, destination, payload_bytes);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            write_ipv6(packet, source, destination, payload_bytes);
        }
        _ => unreachable!("a path has addresses of one family"),
    }
    let header = packet.len();
    packet.extend_from_slice(&mark);
    packet.resize(header + payload_bytes, 0);
}

fn write_ipv4(packet: &mut Vec<u8>, source: Ipv4Addr, destination: Ipv4Addr, payload: usize) {
    let total = (IPV4_BYTES + payload) as u16;
    packet.extend_from_slice(&[0x45, 0]);
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&[0, 0]);
    packet.extend_from_slice(&DONT_FRAGMENT.to_be_bytes());
    packet.extend_from_slice(&[HOPS, PROTOCOL, 0, 0]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    let sum = checksum(packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn write_ipv6(packet: &mut Vec<u8>, source: Ipv6Addr, destination: Ipv6Addr, payload: usize) {
    packet.extend_from_slice(&[0x60, 0, 0, 0]);
    packet.extend_from_slice(&(payload as u16).to_be_bytes());
    packet.extend_from_slice(&[PROTOCOL, HOPS]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
}

/// The Internet checksum (RFC 1071) of a header whose checksum field is zero.
fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 =
        header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The layer-2 state that a frame carries, whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Layer2 {
    /// Destination MAC.
    pub(crate) destination: [u8; 6],
    /// Source MAC.
    pub(crate) source: [u8; 6],
    /// VLAN, 0 for none.
    pub(crate) vlan: u16,
}

/// What the bytes of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its Ethernet header.
    pub(crate) layer2: Layer2,
    /// IP source.
    pub(crate) source: IpAddr,
    /// IP destination.
    pub(crate) destination: IpAddr,
    /// First bytes of the payload.
    pub(crate) mark: [u8; MARK_BYTES],
}

impl Frame {
    /// Takes a frame apart. `None` when it is none that flue's packets can have become.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let mut layer2 = Layer2 { destination: take(frame, 0)?, source: take(frame, 6)?, vlan: 0 };
        let mut kind = u16::from_be_bytes(take(frame, ETHERNET_BYTES - 2)?);
        let mut start = ETHERNET_BYTES;
        if kind == TYPE_VLAN {
            layer2.vlan = u16::from_be_bytes(take(frame, start)?) & VLAN_BITS;
            kind = u16::from_be_bytes(take(frame, start + 2)?);
            start += TAG_BYTES;
        }
        let packet = frame.get(start..)?;
        match (kind, packet.first()? >> 4) {
            (TYPE_IPV4, 4) if packet.get(9) == Some(&PROTOCOL) => Some(Self {
                layer2,
                source: take::<4>(packet, 12)?.into(),
                destination: take::<4>(packet, 16)?.into(),
                mark: take(packet, IPV4_BYTES)?,
            }),
            (TYPE_IPV6, 6) if packet.get(6) == Some(&PROTOCOL) => Some(Self {
                layer2,
                source: take::<16>(packet, 8)?.into(),
                destination: take::<16>(packet, 24)?.into(),
                mark: take(packet, IPV6_BYTES)?,
            }),
            _ => None,
        }
    }
}

fn take<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(packet: &[u8], vlan: Option<u16>, kind: u16) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe];
        if let Some(vlan) = vlan {
            frame.extend_from_slice(&TYPE_VLAN.to_be_bytes());
            frame.extend_from_slice(&vlan.to_be_bytes());
        }
        frame.extend_from_slice(&kind.to_be_bytes());
        frame.extend_from_slice(packet);
        frame
    }

    #[test]
    fn what_is_written_is_read_back_from_a_frame() {
        let addresses: [(IpAddr, IpAddr, u16); 2] = [
            ("192.0.2.1".parse().unwrap(), "198.51.100.7".parse().unwrap(), TYPE_IPV4),
            ("2001:db8::1".parse().unwrap(), "2001:db8:7::9".parse().unwrap(), TYPE_IPV6),
        ];
        let mut packet = Vec::new();
        for (source, destination, kind) in addresses {
            write(&mut packet, source, destination, *b"sequence", 26);
            assert_eq!(packet.len(), header_bytes(destination) + 26);
            for vlan in [None, Some(20)] {
                let frame = Frame::parse(&framed(&packet, vlan, kind)).unwrap();
                assert_eq!((frame.source, frame.destination), (source, destination));
                assert_eq!((frame.layer2.vlan, &frame.mark), (vlan.unwrap_or(0), b"sequence"));
            }
        }
    }

    #[test]
    fn the_checksum_of_a_whole_header_is_zero() {
        let mut packet = Vec::new();
        write(&mut packet, [10, 0, 0, 1].into(), [203, 0, 113, 255].into(), [0xff; 8], 8);
        assert_eq!(checksum(&packet[..IPV4_BYTES]), 0);
    }

    #[test]
    fn a_frame_cut_anywhere_is_no_frame() {
        let mut packet = Vec::new();
        write(&mut packet, [10, 0, 0, 1].into(), [203, 0, 113, 255].into(), [1; 8], 8);
        let frame = framed(&packet, Some(7), TYPE_IPV4);
        for length in 0..frame.len() {
            assert_eq!(Frame::parse(&frame[..length]), None, "{length}");
        }
    }
}
