//! The header of enhanced GRE (RFC 2637 section 4.1), and the protocol field of the PPP frame behind it.

const PPP: u16 = 0x880b;

/// What a GRE packet is.
pub(crate) enum Kind<'a> {
    Enhanced(Header<'a>),
    /// Version 0, or another protocol: no PPTP.
    Foreign,
    Malformed,
}

pub(crate) struct Header<'a> {
    pub(crate) call_id: u16,
    pub(crate) sequence: Option<u32>,
    pub(crate) acknowledgement: Option<u32>,
    /// Payload octets as the key field says.
    pub(crate) length: usize,
    pub(crate) payload: &'a [u8],
}

/// Read a GRE header (RFC 2637 section 4.1).
pub(crate) fn parse(data: &[u8]) -> Kind<'_> {
    if data.len() < 4 {
        return Kind::Malformed;
    }
    let (flags, version) = (data[0], data[1] & 0x07);
    if version != 1 || u16::from_be_bytes([data[2], data[3]]) != PPP || flags & 0x20 == 0 {
        return Kind::Foreign;
    }
    match enhanced(data) {
        Some(header) => Kind::Enhanced(header),
        None => Kind::Malformed,
    }
}

fn enhanced(data: &[u8]) -> Option<Header<'_>> {
    let half = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
    let (length, call_id) = (usize::from(half(4)?), half(6)?);
    let mut at = 8;
    let mut optional = |present: bool| -> Option<Option<u32>> {
        if !present {
            return Some(None);
        }
        at += 4;
        word(at - 4).map(Some)
    };
    let sequence = optional(data[0] & 0x10 != 0)?;
    let acknowledgement = optional(data[1] & 0x80 != 0)?;
    let rest = &data[at..];
    let payload = &rest[..length.min(rest.len())];
    Some(Header {
        call_id,
        sequence,
        acknowledgement,
        length,
        payload,
    })
}

/// The protocol field of a PPP frame whose address and protocol fields may be compressed (RFC 1661 section 6).
pub(crate) fn ppp_protocol(frame: &[u8]) -> Option<(u16, &[u8])> {
    let bare = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    let first = *bare.first()?;
    if first & 1 == 1 {
        return Some((u16::from(first), &bare[1..]));
    }
    Some((u16::from_be_bytes([first, *bare.get(1)?]), &bare[2..]))
}
