//! RADIUS packets, so that a slow or silent server can be named as the cause.

use std::net::IpAddr;

use crate::ip::Packet;
use crate::Place;

const PORTS: [u16; 5] = [1812, 1813, 1645, 1646, 3799];
const LENGTH_MOST: usize = 4096;

/// One RADIUS packet.
#[derive(Debug, Clone)]
pub struct RadiusPacket {
    /// Where it is.
    pub place: Place,
    /// Sender and its port.
    pub source: (IpAddr, u16),
    /// Receiver and its port.
    pub destination: (IpAddr, u16),
    /// The packet, as long as its length field says.
    pub octets: Box<[u8]>,
}

/// Read a RADIUS packet (RFC 2865 section 3) out of a UDP datagram.
pub(crate) fn read(packet: &Packet<'_>, place: Place) -> Option<RadiusPacket> {
    let data = packet.payload;
    let half = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?));
    let (source_port, destination_port) = (half(0)?, half(2)?);
    if !PORTS.contains(&source_port) && !PORTS.contains(&destination_port) {
        return None;
    }
    let (code, length) = (*data.get(8)?, usize::from(half(10)?));
    let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
    if !known || !(20..=LENGTH_MOST).contains(&length) {
        return None;
    }
    Some(RadiusPacket {
        place,
        source: (packet.source, source_port),
        destination: (packet.destination, destination_port),
        octets: data.get(8..8 + length)?.into(),
    })
}
