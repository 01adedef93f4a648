//! IPv4 and IPv6 headers, nested or not, as far as finding what they carry needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const GRE: u8 = 47;
pub(crate) const ICMP6: u8 = 58;
const NESTING_LIMIT: usize = 4;

/// Where a fragment belongs in its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) identification: u32,
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

/// The innermost IP packet of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) identification: u32,
    pub(crate) protocol: u8,
    pub(crate) fragment: Option<Fragment>,
    pub(crate) dont_fragment: bool,
    /// Octets of the whole packet as its header says.
    pub(crate) length: u32,
    /// Octets of payload as the header says; `payload` may hold fewer.
    pub(crate) payload_len: usize,
    pub(crate) payload: &'a [u8],
}

/// Parse a packet, going on into IP carried in IP.
pub(crate) fn parse(mut data: &[u8]) -> Option<Packet<'_>> {
    for _ in 0..NESTING_LIMIT {
        let packet = match data.first()? >> 4 {
            4 => version_4(data)?,
            6 => version_6(data)?,
            _ => return None,
        };
        match packet.protocol {
            4 | 41 if packet.fragment.is_none() => data = packet.payload,
            _ => return Some(packet),
        }
    }
    None
}

fn half(data: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([data[at], data[at + 1]])
}

fn version_4(data: &[u8]) -> Option<Packet<'_>> {
    if data.len() < 20 {
        return None;
    }
    let header = usize::from(data[0] & 0x0f) * 4;
    // Zero: a packet taken on the sender before segmentation offload filled the field in.
    let total = match usize::from(half(data, 2)) {
        0 => data.len(),
        total => total,
    };
    if header < 20 || data.len() < header || total < header {
        return None;
    }
    let flags = half(data, 6);
    let (offset, more) = (usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
    let identification = u32::from(half(data, 4));
    let source: [u8; 4] = data[12..16].try_into().ok()?;
    let destination: [u8; 4] = data[16..20].try_into().ok()?;
    Some(Packet {
        source: IpAddr::V4(Ipv4Addr::from(source)),
        destination: IpAddr::V4(Ipv4Addr::from(destination)),
        ttl: data[8],
        identification,
        protocol: data[9],
        fragment: (more || offset > 0).then_some(Fragment {
            identification,
            offset,
            more,
        }),
        dont_fragment: flags & 0x4000 != 0,
        length: total as u32,
        payload_len: total - header,
        payload: &data[header..total.min(data.len())],
    })
}

fn version_6(data: &[u8]) -> Option<Packet<'_>> {
    if data.len() < 40 {
        return None;
    }
    let length = usize::from(half(data, 4));
    let end = (40 + length).min(data.len());
    let (mut protocol, mut at, mut fragment) = (data[6], 40, None);
    // Hop-by-hop, routing, destination options, fragment (RFC 8200 section 4).
    while matches!(protocol, 0 | 43 | 60 | 44) {
        let header = data.get(at..at + 8)?;
        let size = if protocol == 44 {
            fragment = real_fragment(header);
            8
        } else {
            8 + usize::from(header[1]) * 8
        };
        (protocol, at) = (header[0], at + size);
    }
    let source: [u8; 16] = data[8..24].try_into().ok()?;
    let destination: [u8; 16] = data[24..40].try_into().ok()?;
    Some(Packet {
        source: IpAddr::V6(Ipv6Addr::from(source)),
        destination: IpAddr::V6(Ipv6Addr::from(destination)),
        ttl: data[7],
        identification: fragment.map_or(0, |part: Fragment| part.identification),
        protocol,
        fragment,
        dont_fragment: true,
        length: 40 + length as u32,
        payload_len: (40 + length).checked_sub(at)?,
        payload: data.get(at..end)?,
    })
}

fn real_fragment(header: &[u8]) -> Option<Fragment> {
    let field = half(header, 2);
    let identification = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let (offset, more) = (usize::from(field & 0xfff8), field & 1 != 0);
    (more || offset > 0).then_some(Fragment {
        identification,
        offset,
        more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let total = (20 + payload.len()) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 7, 0x40, 0, 61, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(payload);
        packet
    }

    #[test]
    fn a_packet_inside_packets_is_found() {
        let inner = v4(GRE, &[1, 2, 3, 4]);
        let mut six = vec![0x60, 0, 0, 0];
        six.extend((inner.len() as u16).to_be_bytes());
        six.extend([4, 64]);
        six.extend([0; 32]);
        six.extend(&inner);
        let packet = parse(&six).unwrap();
        assert_eq!(
            (packet.protocol, packet.payload, packet.ttl),
            (GRE, &[1u8, 2, 3, 4][..], 61)
        );
        assert_eq!(packet.source, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn padding_behind_the_packet_is_left_out_and_a_cut_is_known() {
        let mut padded = v4(TCP, b"abcd");
        padded.extend([0; 10]);
        assert_eq!(parse(&padded).unwrap().payload, b"abcd");
        let cut = &v4(TCP, b"abcd")[..22];
        let packet = parse(cut).unwrap();
        assert_eq!((packet.payload, packet.payload_len), (&b"ab"[..], 4));
    }

    #[test]
    fn nothing_makes_it_panic() {
        let whole = v4(4, &v4(41, &[0x60; 60]));
        for end in 0..whole.len() {
            let _ = parse(&whole[..end]);
        }
        let mut endless = vec![0x60, 0, 0, 0, 0xff, 0xff, 0, 1];
        endless.resize(4000, 0);
        let _ = parse(&endless);
    }
}
