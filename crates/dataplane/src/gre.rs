//! The enhanced GRE header (RFC 2637 section 4.1).

/// IP protocol number of GRE.
pub const IP_PROTOCOL: u8 = 47;
/// Octets of the largest header: flags, protocol, key, sequence number, acknowledgement number.
pub const MAX_HEADER: usize = 16;
const PROTOCOL_PPP: u16 = 0x880b;
const FLAG_CHECKSUM_OR_ROUTING: u16 = 0xc000;
const FLAG_KEY: u16 = 0x2000;
const FLAG_SEQUENCE: u16 = 0x1000;
const FLAG_ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION_MASK: u16 = 0x0007;
const VERSION: u16 = 1;

/// What a packet says beside its payload. `call_id` is the receiver's Call ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Call ID of whoever receives the packet.
    pub call_id: u16,
    /// Number of the payload; absent when the packet only acknowledges.
    pub sequence: Option<u32>,
    /// Highest sequence number that the sender has received.
    pub acknowledgement: Option<u32>,
}

/// A packet taken apart: its header and where the payload lies in the octets that were parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The header.
    pub header: Header,
    /// Offset of the payload.
    pub start: usize,
    /// End of the payload; octets beyond it are padding.
    pub end: usize,
}

fn be16(octets: &[u8], at: usize) -> Option<u16> {
    octets
        .get(at..at + 2)
        .map(|two| u16::from_be_bytes([two[0], two[1]]))
}

fn be32(octets: &[u8], at: usize) -> Option<u32> {
    octets
        .get(at..at + 4)
        .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// Take one GRE packet apart. None for anything but version 1 with key, protocol 0x880b, without checksum and
/// routing, and with as many payload octets as the key field says. Other reserved bits are ignored.
#[must_use]
pub fn parse(octets: &[u8]) -> Option<Parsed> {
    let flags = be16(octets, 0)?;
    if flags & FLAG_CHECKSUM_OR_ROUTING != 0
        || flags & FLAG_KEY == 0
        || flags & VERSION_MASK != VERSION
    {
        return None;
    }
    if be16(octets, 2)? != PROTOCOL_PPP {
        return None;
    }
    let length = usize::from(be16(octets, 4)?);
    let call_id = be16(octets, 6)?;
    let mut start = 8;
    let mut number = |present: bool| {
        if !present {
            return Some(None);
        }
        let value = be32(octets, start)?;
        start += 4;
        Some(Some(value))
    };
    let sequence = number(flags & FLAG_SEQUENCE != 0)?;
    let acknowledgement = number(flags & FLAG_ACKNOWLEDGEMENT != 0)?;
    let end = start + length;
    let header = Header {
        call_id,
        sequence,
        acknowledgement,
    };
    (end <= octets.len()).then_some(Parsed { header, start, end })
}

/// Octets that `write` will need for this header.
#[must_use]
pub fn header_length(header: &Header) -> usize {
    8 + 4 * usize::from(header.sequence.is_some())
        + 4 * usize::from(header.acknowledgement.is_some())
}

/// Write the header for `payload_length` octets to the front of `out`; return how many octets it took.
///
/// # Panics
/// When `out` is shorter than `header_length(header)`.
pub fn write(header: &Header, payload_length: u16, out: &mut [u8]) -> usize {
    let mut flags = FLAG_KEY | VERSION;
    let mut at = 8;
    let mut put = |number: Option<u32>, flag: u16| {
        if let Some(value) = number {
            out[at..at + 4].copy_from_slice(&value.to_be_bytes());
            at += 4;
            flags |= flag;
        }
    };
    put(header.sequence, FLAG_SEQUENCE);
    put(header.acknowledgement, FLAG_ACKNOWLEDGEMENT);
    out[0..2].copy_from_slice(&flags.to_be_bytes());
    out[2..4].copy_from_slice(&PROTOCOL_PPP.to_be_bytes());
    out[4..6].copy_from_slice(&payload_length.to_be_bytes());
    out[6..8].copy_from_slice(&header.call_id.to_be_bytes());
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        for sequence in [None, Some(0), Some(u32::MAX)] {
            for acknowledgement in [None, Some(0xffff_ffff), Some(7)] {
                let header = Header {
                    call_id: 0x1234,
                    sequence,
                    acknowledgement,
                };
                let mut octets = [0u8; 40];
                let start = write(&header, 5, &mut octets);
                assert_eq!(start, header_length(&header));
                assert_eq!(
                    parse(&octets),
                    Some(Parsed {
                        header,
                        start,
                        end: start + 5
                    })
                );
            }
        }
    }

    #[test]
    fn figure_of_the_rfc() {
        // K, S, A, version 1; protocol 880b; length 4; call 7; sequence 1; acknowledgement 0xffffffff
        let octets = [
            0x30, 0x81, 0x88, 0x0b, 0, 4, 0, 7, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03,
            0xc0, 0x21,
        ];
        let parsed = parse(&octets).unwrap();
        assert_eq!(
            parsed.header,
            Header {
                call_id: 7,
                sequence: Some(1),
                acknowledgement: Some(0xffff_ffff)
            }
        );
        assert_eq!(&octets[parsed.start..parsed.end], &[0xff, 0x03, 0xc0, 0x21]);
    }

    #[test]
    fn refuses_what_is_not_enhanced_gre() {
        let mut good = [0u8; 16];
        write(
            &Header {
                call_id: 1,
                sequence: Some(1),
                acknowledgement: None,
            },
            4,
            &mut good,
        );
        assert!(parse(&good).is_some());
        for (at, value) in [
            (0, 0xb0),
            (0, 0x70),
            (0, 0x10),
            (1, 0x00),
            (1, 0x02),
            (2, 0x08),
            (3, 0x0c),
            (5, 5),
        ] {
            let mut bad = good;
            bad[at] = value;
            assert_eq!(parse(&bad), None, "octet {at} = {value:#x}");
        }
        for length in 0..good.len() {
            assert_eq!(parse(&good[..length]), None);
        }
    }
}
