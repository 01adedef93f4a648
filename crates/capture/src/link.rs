//! From the link layer of a frame to the IP or PPP packet in it.

/// What a frame carries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Carried<'a> {
    Ip(&'a [u8]),
    /// A PPP packet outside any tunnel, beginning with its protocol field or with ff 03.
    Ppp {
        packet: &'a [u8],
        outbound: bool,
    },
    Nothing,
    /// The link type is not understood.
    Unknown,
}

/// What the link layer adds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkFacts {
    /// An 802.11 frame.
    pub(crate) wireless: bool,
    /// The 802.11 retry bit.
    pub(crate) retry: bool,
    /// Encrypted on the air, so nothing in it can be read.
    pub(crate) protected: bool,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const PPPOE_SESSION: u16 = 0x8864;
const TAG_LIMIT: usize = 4;
const PPP_IP: u16 = 0x0021;

/// Whether frames of this link type are taken apart at all.
pub(crate) fn understood(link_type: u16) -> bool {
    matches!(
        link_type,
        0 | 1 | 9 | 12 | 14 | 50 | 51 | 101 | 105 | 108 | 113 | 127 | 166 | 204 | 228 | 229 | 276
    )
}

/// Look through the link layer (LINKTYPE numbers of the tcpdump registry).
pub(crate) fn carried(link_type: u16, data: &[u8]) -> (Carried<'_>, LinkFacts) {
    let mut facts = LinkFacts::default();
    let found = match link_type {
        0 | 108 => loopback(data),
        1 => ethernet(data),
        9 | 50 => Some(ppp(data, false)),
        12 | 14 | 101 | 228 | 229 => Some(ip(data)),
        51 => pppoe(data),
        105 => wireless(data, &mut facts),
        113 => by_ethertype(data, 14),
        127 => radiotap(data, &mut facts),
        166 | 204 => directed_ppp(data),
        276 => cooked_v2(data),
        _ => Some(Carried::Unknown),
    };
    (found.unwrap_or(Carried::Nothing), facts)
}

fn half(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn ip(data: &[u8]) -> Carried<'_> {
    match data.first().map(|octet| octet >> 4) {
        Some(4 | 6) => Carried::Ip(data),
        _ => Carried::Nothing,
    }
}

/// Four octets of address family in the byte order of the capturing machine, or of the network.
fn loopback(data: &[u8]) -> Option<Carried<'_>> {
    let family: [u8; 4] = data.get(..4)?.try_into().ok()?;
    let family = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    match family {
        2 | 10 | 24 | 28 | 30 => Some(ip(data.get(4..)?)),
        _ => None,
    }
}

fn ethernet(data: &[u8]) -> Option<Carried<'_>> {
    by_ethertype(data, 12)
}

/// `at` is where the type field stands; behind it comes the packet, perhaps after VLAN tags.
fn by_ethertype(data: &[u8], mut at: usize) -> Option<Carried<'_>> {
    for _ in 0..TAG_LIMIT {
        match half(data, at)? {
            IPV4 | IPV6 => return Some(ip(data.get(at + 2..)?)),
            PPPOE_SESSION => return pppoe(data.get(at + 2..)?),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => at += 4,
            0xc021 | 0xc023 | 0xc223 | 0xc227 | 0xc029 | 0x8021 | 0x80fd | 0x8057 => {
                return fake_ethernet(data, at)
            }
            _ => return None,
        }
    }
    None
}

/// Windows shows its WAN Miniport as Ethernet whose type is the PPP protocol number, so that the type field and
/// what follows it are one PPP packet. The source address says SEND or RECV.
fn fake_ethernet(data: &[u8], at: usize) -> Option<Carried<'_>> {
    let length = usize::from(half(data, at + 4)?);
    let packet = data.get(at..)?;
    if !(4..=packet.len() - 2).contains(&length) {
        return None;
    }
    let outbound = data.get(6..12)?.windows(4).any(|word| word == b"SEND");
    Some(Carried::Ppp { packet, outbound })
}

fn pppoe(data: &[u8]) -> Option<Carried<'_>> {
    let session_data = data.first()? == &0x11 && data.get(1)? == &0;
    session_data.then(|| ppp(data.get(6..).unwrap_or_default(), false))
}

fn directed_ppp(data: &[u8]) -> Option<Carried<'_>> {
    Some(ppp(data.get(1..)?, data.first()? == &1))
}

fn ppp(data: &[u8], outbound: bool) -> Carried<'_> {
    let bare = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
    match bare.first() {
        Some(0x21) => ip(&bare[1..]),
        Some(_) if half(bare, 0) == Some(PPP_IP) => ip(&bare[2..]),
        Some(_) => Carried::Ppp {
            packet: data,
            outbound,
        },
        None => Carried::Nothing,
    }
}

fn cooked_v2(data: &[u8]) -> Option<Carried<'_>> {
    match half(data, 0)? {
        IPV4 | IPV6 => Some(ip(data.get(20..)?)),
        // A tag stands at the start of what follows the header; its inner type is two octets further.
        0x8100 | 0x88a8 => by_ethertype(data, 22),
        PPPOE_SESSION => pppoe(data.get(20..)?),
        _ => None,
    }
}

fn radiotap<'a>(data: &'a [u8], facts: &mut LinkFacts) -> Option<Carried<'a>> {
    let length = usize::from(u16::from_le_bytes(data.get(2..4)?.try_into().ok()?));
    wireless(data.get(length..)?, facts)
}

fn wireless<'a>(data: &'a [u8], facts: &mut LinkFacts) -> Option<Carried<'a>> {
    let (kind, flags) = (*data.first()?, *data.get(1)?);
    facts.wireless = true;
    facts.retry = flags & 0x08 != 0;
    // Type 2 is data; subtype bit 0x40 marks the frames without data.
    if kind & 0x0c != 0x08 || kind & 0x40 != 0 {
        return None;
    }
    facts.protected = flags & 0x40 != 0;
    if facts.protected {
        return None;
    }
    let mut header = 24;
    if flags & 0x03 == 0x03 {
        header += 6;
    }
    if kind & 0x80 != 0 {
        header += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    let logical = data.get(header..)?;
    logical
        .starts_with(&[0xaa, 0xaa, 0x03])
        .then(|| by_ethertype(logical, 6))?
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: [u8; 20] = [
        0x45, 0, 0, 20, 0, 0, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];

    fn after(header: &[u8]) -> Vec<u8> {
        [header, &PACKET].concat()
    }

    #[test]
    fn every_link_type_leads_to_the_packet() {
        let mac = [0u8; 12];
        let cases: [(u16, Vec<u8>); 14] = [
            (0, after(&[2, 0, 0, 0])),
            (0, after(&[0, 0, 0, 2])),
            (1, after(&[&mac[..], &[8, 0]].concat())),
            (1, after(&[&mac[..], &[0x81, 0, 0, 5, 8, 0]].concat())),
            (
                1,
                after(&[&mac[..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
            ),
            (
                1,
                after(&[&mac[..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21]].concat()),
            ),
            (9, after(&[0xff, 3, 0, 0x21])),
            (50, after(&[0x21])),
            (101, after(&[])),
            (113, after(&[&[0u8; 14][..], &[8, 0]].concat())),
            (204, after(&[1, 0xff, 3, 0, 0x21])),
            (276, after(&[&[8, 0][..], &[0u8; 18]].concat())),
            (
                105,
                after(&[&[8, 1][..], &[0u8; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()),
            ),
            (
                127,
                after(
                    &[
                        &[0, 0, 8, 0, 0, 0, 0, 0, 0x88, 1][..],
                        &[0u8; 24],
                        &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
                    ]
                    .concat(),
                ),
            ),
        ];
        for (link_type, frame) in cases {
            assert_eq!(
                carried(link_type, &frame).0,
                Carried::Ip(&PACKET),
                "link type {link_type}"
            );
            assert!(understood(link_type));
        }
    }

    #[test]
    fn every_cut_of_a_frame_is_survived() {
        let frame = after(&[&[0u8; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]].concat());
        for link_type in 0..300 {
            for end in 0..frame.len() {
                let _ = carried(link_type, &frame[..end]);
            }
        }
    }

    #[test]
    fn windows_wan_miniport_frames_are_ppp() {
        let frame = [&[0u8; 6][..], b" SEND\0", &[0xc0, 0x21, 5, 1, 0, 4]].concat();
        let expected = Carried::Ppp {
            packet: &[0xc0, 0x21, 5, 1, 0, 4],
            outbound: true,
        };
        assert_eq!(carried(1, &frame).0, expected);
    }

    #[test]
    fn a_wireless_retry_is_said() {
        let frame = after(&[&[8, 9][..], &[0u8; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat());
        let facts = carried(105, &frame).1;
        assert!(facts.wireless && facts.retry && !facts.protected);
    }
}
