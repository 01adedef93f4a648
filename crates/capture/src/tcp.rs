//! One TCP segment: its header, its options, its checksum.

use std::net::IpAddr;

use crate::ip::Packet;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A segment's header, and its payload as far as it was captured.
pub(crate) struct Tcp<'a> {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    pub(crate) length: usize,
    pub(crate) payload: &'a [u8],
    pub(crate) mss: Option<u16>,
}

/// Read a TCP header (RFC 9293 section 3.1).
pub(crate) fn parse<'a>(packet: &Packet<'a>) -> Option<Tcp<'a>> {
    let data = packet.payload;
    if data.len() < 20 {
        return None;
    }
    let half = |at: usize| u16::from_be_bytes([data[at], data[at + 1]]);
    let word = |at: usize| u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
    let header = usize::from(data[12] >> 4) * 4;
    if header < 20 || packet.payload_len < header {
        return None;
    }
    let flags = data[13] & 0x1f;
    let mss = if flags & SYN != 0 {
        mss(data.get(20..header).unwrap_or_default())
    } else {
        None
    };
    Some(Tcp {
        source_port: half(0),
        destination_port: half(2),
        sequence: word(4),
        acknowledgement: word(8),
        flags,
        length: packet.payload_len - header,
        payload: data.get(header..).unwrap_or_default(),
        mss,
    })
}

fn mss(mut options: &[u8]) -> Option<u16> {
    loop {
        match options {
            [0, ..] | [] => return None,
            [1, rest @ ..] => options = rest,
            [2, 4, high, low, ..] => return Some(u16::from_be_bytes([*high, *low])),
            [_, length, ..] if *length >= 2 => options = options.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

/// The ones' complement sum over pseudo-header and segment is all ones when nothing was damaged.
pub(crate) fn checksum_sound(packet: &Packet<'_>) -> Option<bool> {
    let data = packet.payload;
    if data.len() < packet.payload_len {
        return None;
    }
    let mut sum: u64 = u64::from(packet.protocol) + packet.payload_len as u64;
    let mut add = |octets: &[u8]| {
        for pair in octets.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
        }
    };
    match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            add(&source.octets());
            add(&destination.octets());
        }
        (source, destination) => {
            for address in [source, destination] {
                if let IpAddr::V6(address) = address {
                    add(&address.octets());
                }
            }
        }
    }
    add(data);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    Some(sum == 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Packet<'_> {
        Packet {
            source: [10, 0, 0, 1].into(),
            destination: [10, 0, 0, 2].into(),
            ttl: 64,
            identification: 1,
            protocol: 6,
            fragment: None,
            dont_fragment: true,
            length: 20 + payload.len() as u32,
            payload_len: payload.len(),
            payload,
        }
    }

    #[test]
    fn options_of_any_shape_are_survived() {
        assert_eq!(mss(&[1, 1, 2, 4, 5, 0xb4]), Some(1460));
        assert_eq!(mss(&[8, 10, 0]), None);
        assert_eq!(mss(&[8, 0, 2, 4, 1, 1]), None);
        assert_eq!(mss(&[2]), None);
    }

    #[test]
    fn a_right_checksum_is_known() {
        let mut segment = vec![
            0x0f, 0xa0, 0x06, 0xbb, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, SYN, 1, 0, 0, 0, 0, 0,
        ];
        segment.extend(b"abc");
        let sum = |octets: &[u8]| {
            octets
                .chunks(2)
                .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
                .sum::<u32>()
        };
        let mut total = sum(&segment) + sum(&[10, 0, 0, 1, 10, 0, 0, 2]) + 6 + segment.len() as u32;
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        segment[16..18].copy_from_slice(&(!(total as u16)).to_be_bytes());
        assert_eq!(checksum_sound(&packet(&segment)), Some(true));
        segment[20] ^= 1;
        assert_eq!(checksum_sound(&packet(&segment)), Some(false));
    }
}
