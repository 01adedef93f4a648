//! Inner packets that are too big for a session: fragment them, or tell their sender.

use crate::checksum;
use crate::ip::View;
use crate::sys::VNET_HEADER;

const DONT_FRAGMENT: u8 = 0x40;
const MORE_FRAGMENTS: u8 = 0x20;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const TIME_TO_LIVE: u8 = 64;
/// Octets of the original packet that an ICMP error quotes: all that a router must (RFC 1812 section 4.3.2.3 allows 576 in all).
const QUOTE_V4: usize = 576 - 28;
/// An ICMPv6 error must fit the minimum MTU of 1280 (RFC 4443 section 2.4).
const QUOTE_V6: usize = 1280 - 48;

/// Cut an IPv4 packet into fragments of at most `mtu` octets (RFC 791 section 3.2). None when DF forbids it, for IPv6, or
/// when the MTU has no room for a fragment.
#[must_use]
pub fn fragments(packet: &[u8], view: &View, mtu: usize) -> Option<Vec<Vec<u8>>> {
    if !may_fragment(packet, view) || mtu < view.header + 8 {
        return None;
    }
    let step = (mtu - view.header) & !7;
    let payload = &packet[view.header..view.length];
    let flags = u16::from_be_bytes([packet[6], packet[7]]);
    let (offset, more) = (flags & 0x1fff, packet[6] & MORE_FRAGMENTS != 0);
    let cut = |(index, piece): (usize, &[u8])| {
        let last = (index + 1) * step >= payload.len();
        let mut fragment = packet[..view.header].to_vec();
        fragment.extend_from_slice(piece);
        let field = (offset + (index * step / 8) as u16) | if more || !last { 0x2000 } else { 0 };
        fragment[6..8].copy_from_slice(&field.to_be_bytes());
        finish_header_v4(&mut fragment, view.header);
        fragment
    };
    Some(payload.chunks(step).enumerate().map(cut).collect())
}

/// Whether the sender of a packet lets it be fragmented on its way.
#[must_use]
pub fn may_fragment(packet: &[u8], view: &View) -> bool {
    !view.is_v6() && packet[6] & DONT_FRAGMENT == 0
}

fn finish_header_v4(packet: &mut [u8], header: usize) {
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet[10..12].fill(0);
    let octets = checksum::finish(checksum::sum(&packet[..header], 0));
    packet[10..12].copy_from_slice(&octets);
}

/// The ICMP error that tells the sender of `packet` to send at most `mtu` octets, with a virtio header before it, for the
/// TUN device. It comes from the address that the packet was for, which the device's routes lead back to. None where
/// RFC 1122 section 3.2.2 forbids an error: for fragments but the first, and for ICMP errors.
#[must_use]
pub fn too_big(packet: &[u8], view: &View, mtu: usize) -> Option<Vec<u8>> {
    if view.is_v6() {
        too_big_v6(packet, view, mtu)
    } else {
        too_big_v4(packet, view, mtu)
    }
}

fn too_big_v4(packet: &[u8], view: &View, mtu: usize) -> Option<Vec<u8>> {
    let later_fragment = packet[6] & 0x1f != 0 || packet[7] != 0;
    let error = view.protocol == ICMP && !matches!(packet.get(view.header), Some(0 | 8));
    if later_fragment || error {
        return None;
    }
    let quote = &packet[..packet.len().min(QUOTE_V4)];
    let mut answer = vec![0; VNET_HEADER + 28];
    let ip = &mut answer[VNET_HEADER..];
    (ip[0], ip[8], ip[9]) = (0x45, TIME_TO_LIVE, ICMP);
    ip[12..16].copy_from_slice(&packet[16..20]);
    ip[16..20].copy_from_slice(&packet[12..16]);
    (ip[20], ip[21]) = (3, 4); // destination unreachable, fragmentation needed (RFC 1191 section 4)
    ip[26..28].copy_from_slice(&(mtu as u16).to_be_bytes());
    answer.extend_from_slice(quote);
    let ip = &mut answer[VNET_HEADER..];
    let octets = checksum::finish(checksum::sum(&ip[20..], 0));
    ip[22..24].copy_from_slice(&octets);
    finish_header_v4(ip, 20);
    Some(answer)
}

fn too_big_v6(packet: &[u8], view: &View, mtu: usize) -> Option<Vec<u8>> {
    if view.protocol == ICMPV6 && packet.get(40).is_none_or(|kind| *kind < 128) {
        return None;
    }
    let quote = &packet[..packet.len().min(QUOTE_V6)];
    let mut answer = vec![0; VNET_HEADER + 48];
    let ip = &mut answer[VNET_HEADER..];
    (ip[0], ip[6], ip[7]) = (0x60, ICMPV6, TIME_TO_LIVE);
    ip[4..6].copy_from_slice(&((8 + quote.len()) as u16).to_be_bytes());
    ip[8..24].copy_from_slice(&packet[24..40]);
    ip[24..40].copy_from_slice(&packet[8..24]);
    ip[40] = 2; // packet too big (RFC 4443 section 3.2)
    ip[44..48].copy_from_slice(&(mtu as u32).to_be_bytes());
    answer.extend_from_slice(quote);
    let ip = &mut answer[VNET_HEADER..];
    let pseudo = checksum::pseudo_header(&ip[8..40], ICMPV6, ip.len() - 40);
    let octets = checksum::finish(checksum::sum(&ip[40..], pseudo));
    ip[42..44].copy_from_slice(&octets);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(flags: u8, protocol: u8, length: usize) -> Vec<u8> {
        let mut packet = vec![
            0x45,
            0,
            (length >> 8) as u8,
            length as u8,
            0,
            1,
            flags,
            0,
            64,
            protocol,
            0,
            0,
        ];
        packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend((0..length - 20).map(|octet| octet as u8));
        packet
    }

    fn cut(packet: &[u8], mtu: usize) -> Option<Vec<Vec<u8>>> {
        fragments(packet, &View::of(packet).unwrap(), mtu)
    }

    #[test]
    fn fragments_carry_all_of_it() {
        let packet = packet(0, 17, 1020);
        for mtu in [28, 29, 68, 576, 1019] {
            let pieces = cut(&packet, mtu).unwrap();
            let mut joined = Vec::new();
            for (index, piece) in pieces.iter().enumerate() {
                assert!(piece.len() <= mtu);
                assert_eq!(checksum::finish(checksum::sum(&piece[..20], 0)), [0, 0]);
                let field = u16::from_be_bytes([piece[6], piece[7]]);
                assert_eq!(usize::from(field & 0x1fff) * 8, joined.len());
                assert_eq!(field & 0x2000 != 0, index + 1 < pieces.len());
                joined.extend_from_slice(&piece[20..]);
            }
            assert_eq!(joined, packet[20..]);
        }
    }

    #[test]
    fn a_fragment_may_be_cut_again() {
        let mut packet = packet(0x20, 17, 420);
        packet[7] = 5;
        let pieces = cut(&packet, 220).unwrap();
        let fields: Vec<u16> = pieces
            .iter()
            .map(|piece| u16::from_be_bytes([piece[6], piece[7]]))
            .collect();
        assert_eq!(fields, [0x2005, 0x2000 | 30]);
    }

    #[test]
    fn no_fragments_where_there_must_be_none() {
        assert_eq!(cut(&packet(0x40, 17, 420), 220), None);
        assert_eq!(cut(&packet(0, 17, 420), 27), None);
    }

    #[test]
    fn errors_quote_the_packet_and_the_mtu() {
        let packet = packet(0x40, 17, 1400);
        let answer = too_big(&packet, &View::of(&packet).unwrap(), 1300).unwrap();
        let (vnet, ip) = answer.split_at(VNET_HEADER);
        assert_eq!(vnet, [0; VNET_HEADER]);
        assert_eq!(
            (ip.len(), &ip[12..16], &ip[16..20]),
            (576, &packet[16..20], &packet[12..16])
        );
        assert_eq!(
            (ip[20], ip[21], u16::from_be_bytes([ip[26], ip[27]])),
            (3, 4, 1300)
        );
        assert_eq!(ip[28..], packet[..548]);
        assert_eq!(checksum::finish(checksum::sum(&ip[..20], 0)), [0, 0]);
        assert_eq!(checksum::finish(checksum::sum(&ip[20..], 0)), [0, 0]);
    }

    #[test]
    fn no_errors_about_errors_or_later_fragments() {
        let mut about = packet(0x40, ICMP, 600);
        let ask = |packet: &[u8]| too_big(packet, &View::of(packet).unwrap(), 500).is_some();
        about[20] = 8;
        assert!(ask(&about));
        about[20] = 3;
        assert!(!ask(&about));
        let mut later = packet(0x40, 17, 600);
        later[7] = 1;
        assert!(!ask(&later));
    }
}
