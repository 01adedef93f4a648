//! ICMP errors that quote a PPTP packet: somebody on the path says why it did not arrive.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::ip::{Packet, GRE, ICMP6, TCP};
use crate::Place;

const NOTICE_LIMIT: usize = 4096;

/// One kind of error about one flow, counted.
#[derive(Debug, Clone)]
pub struct IcmpNotice {
    /// The first one.
    pub first: Place,
    /// The last one.
    pub last: Place,
    /// How many.
    pub count: u64,
    /// Who said it.
    pub source: IpAddr,
    /// Who was told.
    pub destination: IpAddr,
    /// ICMP type (ICMPv6 when the addresses are IPv6).
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU where the error gives one (RFC 1191), else 0.
    pub mtu: u32,
    /// Who sent the packet complained about.
    pub quoted_source: IpAddr,
    /// Whom it was for.
    pub quoted_destination: IpAddr,
    /// Its protocol: 47 or 6.
    pub quoted_protocol: u8,
    /// Its GRE call ID, when quoted.
    pub quoted_call_id: Option<u16>,
    /// Its octets.
    pub quoted_length: u32,
}

type Key = (IpAddr, IpAddr, IpAddr, IpAddr, u8, u8, u8);

#[derive(Clone, Default)]
pub(crate) struct IcmpNotices {
    known: HashMap<Key, usize>,
    pub(crate) notices: Vec<IcmpNotice>,
}

impl IcmpNotices {
    /// Take an error; `port` is the control connections'.
    pub(crate) fn take(&mut self, packet: &Packet<'_>, place: Place, port: u16) {
        let Some(notice) = read(packet, place, port) else {
            return;
        };
        let key = (
            notice.source,
            notice.destination,
            notice.quoted_source,
            notice.quoted_destination,
            notice.kind,
            notice.code,
            notice.quoted_protocol,
        );
        if let Some(&index) = self.known.get(&key) {
            let known = &mut self.notices[index];
            known.count += 1;
            known.last = place;
            known.mtu = if notice.mtu > 0 {
                notice.mtu
            } else {
                known.mtu
            };
        } else if self.notices.len() < NOTICE_LIMIT {
            self.known.insert(key, self.notices.len());
            self.notices.push(notice);
        }
    }
}

fn is_error(protocol: u8, kind: u8) -> bool {
    if protocol == ICMP6 {
        (1..=4).contains(&kind)
    } else {
        matches!(kind, 3 | 4 | 5 | 11 | 12)
    }
}

fn read(packet: &Packet<'_>, place: Place, port: u16) -> Option<IcmpNotice> {
    let data = packet.payload;
    let (kind, code) = (*data.first()?, *data.get(1)?);
    if !is_error(packet.protocol, kind) {
        return None;
    }
    let quoted = crate::ip::parse(data.get(8..)?)?;
    let half = |octets: &[u8], at: usize| {
        Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?))
    };
    let quoted_call_id = match quoted.protocol {
        GRE => gre_call_id(quoted.payload)?,
        TCP if half(quoted.payload, 0)? == port || half(quoted.payload, 2)? == port => None,
        _ => return None,
    };
    let mtu = match (packet.protocol, kind, code) {
        (ICMP6, 2, _) => u32::from_be_bytes(data.get(4..8)?.try_into().ok()?),
        (ICMP6, _, _) => 0,
        (_, 3, 4) => u32::from(half(data, 6)?),
        _ => 0,
    };
    Some(IcmpNotice {
        first: place,
        last: place,
        count: 1,
        source: packet.source,
        destination: packet.destination,
        kind,
        code,
        mtu,
        quoted_source: quoted.source,
        quoted_destination: quoted.destination,
        quoted_protocol: quoted.protocol,
        quoted_call_id,
        quoted_length: quoted.length,
    })
}

/// The call ID of a quoted GRE header; None for another GRE; Some(None) when the quote is too short to say.
fn gre_call_id(quoted: &[u8]) -> Option<Option<u16>> {
    if quoted.len() < 8 {
        return Some(None);
    }
    match crate::gre_header::parse(quoted) {
        crate::gre_header::Kind::Enhanced(header) => Some(Some(header.call_id)),
        crate::gre_header::Kind::Malformed => {
            Some(Some(u16::from_be_bytes([quoted[6], quoted[7]])))
        }
        crate::gre_header::Kind::Foreign => None,
    }
}
