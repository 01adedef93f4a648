//! Inner IP packets: what the engine must know of them, and the TCP MSS option.

use crate::checksum;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IP protocol number of TCP.
pub const TCP: u8 = 6;
/// IP protocol number of UDP.
pub const UDP: u8 = 17;
const SYN: u8 = 0x02;

/// The parts of an IP packet that count here. For IPv6 the transport header is known only when it follows directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Octets of the IP header (40 for IPv6).
    pub header: usize,
    /// Octets of the whole packet; what follows is padding.
    pub length: usize,
    /// Protocol, or next header for IPv6.
    pub protocol: u8,
    /// Whether this is a fragment (IPv4).
    pub fragment: bool,
}

impl View {
    /// Look at a packet. None when it is not IPv4 or IPv6, or cut off.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::of_v4(packet),
            6 => Self::of_v6(packet),
            _ => None,
        }
    }

    fn of_v4(packet: &[u8]) -> Option<Self> {
        let head: &[u8; 20] = packet.first_chunk()?;
        let header = usize::from(head[0] & 0x0f) * 4;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if header < 20 || length < header || length > packet.len() {
            return None;
        }
        Some(Self {
            source: Ipv4Addr::new(head[12], head[13], head[14], head[15]).into(),
            destination: Ipv4Addr::new(head[16], head[17], head[18], head[19]).into(),
            header,
            length,
            protocol: head[9],
            fragment: head[6] & 0x3f != 0 || head[7] != 0,
        })
    }

    fn of_v6(packet: &[u8]) -> Option<Self> {
        let head: &[u8; 40] = packet.first_chunk()?;
        let length = 40 + usize::from(u16::from_be_bytes([head[4], head[5]]));
        if length > packet.len() {
            return None;
        }
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&head[at..at + 16]);
            IpAddr::from(Ipv6Addr::from(octets))
        };
        Some(Self {
            source: address(8),
            destination: address(24),
            header: 40,
            length,
            protocol: head[6],
            fragment: false,
        })
    }

    /// Whether this is IPv6.
    #[must_use]
    pub fn is_v6(&self) -> bool {
        self.source.is_ipv6()
    }

    /// The addresses as they stand in the packet.
    #[must_use]
    pub fn addresses<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        if self.is_v6() {
            &packet[8..40]
        } else {
            &packet[12..20]
        }
    }
}

/// Octets of the TCP header at the front of `segment`, when it is whole.
#[must_use]
pub fn tcp_header_length(segment: &[u8]) -> Option<usize> {
    let length = usize::from(segment.get(12)? >> 4) * 4;
    (length >= 20 && length <= segment.len()).then_some(length)
}

/// Lower the MSS option of a TCP SYN to what fits an inner packet of `mtu` octets (RFC 879, RFC 2460 section 8.3).
pub fn clamp_mss(packet: &mut [u8], view: &View, mtu: usize) {
    if view.protocol != TCP || view.fragment {
        return;
    }
    let segment = &mut packet[view.header..view.length];
    let Some(header) = tcp_header_length(segment) else {
        return;
    };
    if segment[13] & SYN == 0 {
        return;
    }
    let Some(at) = find_mss(&segment[..header]) else {
        return;
    };
    let limit = mtu
        .saturating_sub(view.header.max(20) + 20)
        .clamp(1, 0xffff) as u16;
    let old = [segment[at], segment[at + 1]];
    if u16::from_be_bytes(old) <= limit {
        return;
    }
    segment[at..at + 2].copy_from_slice(&limit.to_be_bytes());
    update_at_any_parity(segment, at, old, limit.to_be_bytes());
}

/// Options need not be aligned: a field at an odd offset counts with its octets swapped.
fn update_at_any_parity(segment: &mut [u8], at: usize, old: [u8; 2], new: [u8; 2]) {
    if at.is_multiple_of(2) {
        checksum::update(segment, 16, old, new);
    } else {
        checksum::update(segment, 16, [old[1], old[0]], [new[1], new[0]]);
    }
}

/// Offset of the value of the MSS option in a TCP header.
fn find_mss(header: &[u8]) -> Option<usize> {
    let mut at = 20;
    loop {
        match *header.get(at)? {
            0 => return None,
            1 => at += 1,
            kind => {
                let length = usize::from(*header.get(at + 1)?);
                if kind == 2 && length == 4 && at + 4 <= header.len() {
                    return Some(at + 2);
                }
                if length < 2 {
                    return None;
                }
                at += length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syn(options: &[u8]) -> Vec<u8> {
        let length = 40 + options.len();
        let mut packet = vec![
            0x45,
            0,
            0,
            length as u8,
            0,
            0,
            0,
            0,
            64,
            TCP,
            0,
            0,
            10,
            0,
            0,
            1,
            10,
            0,
            0,
            2,
        ];
        packet.extend([0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend([((20 + options.len()) as u8) << 2, SYN, 0, 0, 0, 0, 0, 0]);
        packet.extend(options);
        let pseudo = checksum::pseudo_header(&packet[12..20], TCP, length - 20);
        let octets = checksum::finish(checksum::sum(&packet[20..], pseudo));
        packet[36..38].copy_from_slice(&octets);
        packet
    }

    fn clamped(options: &[u8], mtu: usize) -> Vec<u8> {
        let mut packet = syn(options);
        let view = View::of(&packet).unwrap();
        clamp_mss(&mut packet, &view, mtu);
        packet
    }

    #[test]
    fn mss_at_any_offset_and_the_checksum_after_it() {
        assert_eq!(clamped(&[2, 4, 5, 0xb4], 1400), syn(&[2, 4, 5, 0x50]));
        assert_eq!(
            clamped(&[1, 2, 4, 5, 0xb4, 0, 0, 0], 1400),
            syn(&[1, 2, 4, 5, 0x50, 0, 0, 0])
        );
        assert_eq!(
            clamped(&[8, 3, 9, 2, 4, 5, 0xb4, 0], 1400),
            syn(&[8, 3, 9, 2, 4, 5, 0x50, 0])
        );
        assert_eq!(clamped(&[2, 4, 5, 0], 1400), syn(&[2, 4, 5, 0]));
    }

    #[test]
    fn broken_options_are_left_alone() {
        for options in [
            [2, 0, 9, 9],
            [2, 1, 9, 9],
            [8, 9, 2, 4],
            [1, 1, 2, 4],
            [0, 2, 4, 9],
            [2, 3, 9, 9],
        ] {
            assert_eq!(clamped(&options, 600), syn(&options));
        }
    }

    #[test]
    fn views_of_cut_and_odd_packets() {
        let packet = syn(&[]);
        for length in 0..packet.len() {
            assert_eq!(View::of(&packet[..length]), None);
        }
        let view = View::of(&[&packet[..], &[9; 9]].concat()).unwrap();
        assert_eq!(
            (view.header, view.length, view.protocol, view.fragment),
            (20, 40, TCP, false)
        );
        for (at, value) in [(0, 0x44), (0, 0x55), (3, 19), (0, 0)] {
            let mut bad = packet.clone();
            bad[at] = value;
            assert_eq!(View::of(&bad), None);
        }
        let mut fragment = packet;
        fragment[6] = 0x20;
        assert!(View::of(&fragment).unwrap().fragment);
    }
}
