//! TCP connections on PPTP's port, kept segment by segment so that the control messages can be put together.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::ip::Packet;
use crate::sample::Sample;
use crate::tcp::{self, Tcp, ACK, FIN, RST, SYN};
use crate::Place;

/// The registered port (RFC 2637 section 2).
pub(crate) const PORT: u16 = 1723;
const START_CONTROL_CONNECTION_REQUEST: [u8; 2] = [0, 1];
/// Message type 1 and the magic cookie, as every control message has them after its length (RFC 2637 section 2).
const MARK: [u8; 6] = [0, 1, 0x1a, 0x2b, 0x3c, 0x4d];
const OUTGOING_CALL_REPLY: u16 = 8;
const INCOMING_CALL_REPLY: u16 = 10;

const SEGMENT_HEAD: usize = 8192;
const SEGMENT_TAIL: usize = 64;
const SEGMENT_OCTETS: usize = 4096;
/// A connection without the cookie keeps only so much: enough to see what it was instead.
const STRANGER_OCTETS: usize = 2048;
const STRANGER_SEGMENTS: usize = 16;
const SEARCH_OCTETS: usize = 512;

/// An address and a port.
pub type Endpoint = (IpAddr, u16);

/// One TCP segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Where it is.
    pub place: Place,
    /// Whether the client (the side whose port is not 1723) sent it.
    pub from_client: bool,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// The flags octet: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// Octets of payload on the wire.
    pub length: u32,
    /// The payload, perhaps cut.
    pub payload: Box<[u8]>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// IP identification: equal in copies that a capture made of one packet.
    pub identification: u32,
    /// The maximum segment size option of a SYN.
    pub mss: Option<u16>,
    /// Whether the TCP checksum is right; None when the segment was cut.
    pub sound: Option<bool>,
    /// The 802.11 retry bit.
    pub retry: bool,
}

/// One TCP connection to port 1723.
#[derive(Clone)]
pub struct ControlFlow {
    /// The side that connects.
    pub client: Endpoint,
    /// The side with port 1723.
    pub server: Endpoint,
    /// Its segments.
    pub segments: Sample<Segment>,
    /// Whether a control message's cookie was seen.
    pub cookie: bool,
    /// Whether the first SYN went to port 1723.
    pub opened: bool,
    /// Segments that begin with a control message, copies included.
    pub messages: u64,
    /// Octets of payload that were kept.
    kept: usize,
    stripped: bool,
    initial: Option<u32>,
    /// The SYN that the answer seen first is about, in a capture that was not written in order.
    answered: Option<u32>,
    lively: bool,
    foreign: bool,
}

/// The call IDs of an established call, PAC first.
pub(crate) struct CallPair {
    pub(crate) pac: IpAddr,
    pub(crate) pns: IpAddr,
    pub(crate) pac_call_id: u16,
    pub(crate) pns_call_id: u16,
}

/// The port to which a segment sends a Start-Control-Connection-Request: PPTP, wherever it is spoken.
pub(crate) fn asks_for_pptp(packet: &Packet<'_>) -> Option<u16> {
    let data = packet.payload;
    let header = usize::from(data.get(12)? >> 4) * 4;
    let message = data.get(header..header + 10)?;
    (message[2..8] == MARK && message[8..10] == START_CONTROL_CONNECTION_REQUEST)
        .then(|| u16::from_be_bytes([data[2], data[3]]))
}

#[derive(Clone)]
pub(crate) struct ControlFlows {
    port: u16,
    current: HashMap<(Endpoint, Endpoint), usize>,
    pub(crate) flows: Vec<ControlFlow>,
}

impl ControlFlows {
    pub(crate) fn new(port: u16) -> Self {
        Self {
            port,
            current: HashMap::new(),
            flows: Vec::new(),
        }
    }

    /// Quick look before anything is parsed.
    pub(crate) fn concerns(&self, packet: &Packet<'_>) -> bool {
        let wanted = self.port.to_be_bytes();
        packet.payload.get(0..2) == Some(&wanted) || packet.payload.get(2..4) == Some(&wanted)
    }

    /// Take a segment; `room` is how many octets may still be kept. Returns how many were kept, and a call when
    /// this segment establishes one.
    pub(crate) fn take(
        &mut self,
        packet: &Packet<'_>,
        place: Place,
        retry: bool,
        room: usize,
        most_flows: usize,
    ) -> Option<(usize, Option<CallPair>)> {
        let tcp = tcp::parse(packet)?;
        let index = self.flow(packet, &tcp, most_flows)?;
        let flow = &mut self.flows[index];
        if flow.foreign {
            return None;
        }
        let from_client = flow.client == (packet.source, tcp.source_port);
        let had_cookie = flow.cookie;
        flow.note_message(&tcp);
        if !had_cookie && !flow.cookie && flow.kept > STRANGER_OCTETS {
            flow.strip();
        }
        let kept = flow.keep(packet, &tcp, place, from_client, retry, room);
        let call = if from_client {
            None
        } else {
            call_pair(packet, &tcp)
        };
        Some((kept, call))
    }

    /// The connection of a segment, begun anew when a SYN says so.
    fn flow(&mut self, packet: &Packet<'_>, tcp: &Tcp<'_>, most_flows: usize) -> Option<usize> {
        let source = (packet.source, tcp.source_port);
        let destination = (packet.destination, tcp.destination_port);
        let key = if source < destination {
            (source, destination)
        } else {
            (destination, source)
        };
        let opening = tcp.flags & (SYN | ACK) == SYN;
        if let Some(&index) = self.current.get(&key) {
            let flow = &mut self.flows[index];
            let anew = opening
                && flow.initial != Some(tcp.sequence)
                && flow.answered != Some(tcp.sequence)
                && (flow.lively || flow.initial.is_some());
            if !anew {
                if opening {
                    flow.initial = Some(tcp.sequence);
                    flow.opened |= tcp.destination_port == self.port;
                }
                flow.lively |= !opening;
                return Some(index);
            }
        }
        if self.flows.len() >= most_flows {
            return None;
        }
        let flow = ControlFlow::new(source, destination, tcp, opening, self.port);
        self.flows.push(flow);
        self.current.insert(key, self.flows.len() - 1);
        Some(self.flows.len() - 1)
    }
}

impl ControlFlow {
    fn new(
        source: Endpoint,
        destination: Endpoint,
        tcp: &Tcp<'_>,
        opening: bool,
        port: u16,
    ) -> Self {
        let answers = tcp.flags & (SYN | ACK) == SYN | ACK;
        let to_server = if opening {
            true
        } else if answers {
            false
        } else {
            destination.1 == port
        };
        let (client, server) = if to_server {
            (source, destination)
        } else {
            (destination, source)
        };
        Self {
            client,
            server,
            segments: Sample::new(SEGMENT_HEAD, SEGMENT_TAIL),
            cookie: false,
            opened: opening && server.1 == port,
            messages: 0,
            kept: 0,
            stripped: false,
            initial: opening.then_some(tcp.sequence),
            answered: answers.then_some(tcp.acknowledgement.wrapping_sub(1)),
            lively: !opening,
            // A client may use that port as its own: such a connection goes somewhere else.
            foreign: server.1 != port,
        }
    }

    /// Let go of what a stranger said after its first segments: once, since nothing more of it is kept from then on.
    fn strip(&mut self) {
        if !std::mem::replace(&mut self.stripped, true) {
            self.segments
                .iter_mut()
                .skip(STRANGER_SEGMENTS)
                .for_each(|segment| segment.payload = Box::default());
        }
    }

    fn note_message(&mut self, tcp: &Tcp<'_>) {
        self.messages += u64::from(begins_message(tcp.payload));
        if !self.cookie && !tcp.payload.is_empty() {
            let searched = &tcp.payload[..tcp.payload.len().min(SEARCH_OCTETS)];
            self.cookie = searched.windows(MARK.len()).any(|octets| octets == MARK);
        }
    }

    fn keep(
        &mut self,
        packet: &Packet<'_>,
        tcp: &Tcp<'_>,
        place: Place,
        from_client: bool,
        retry: bool,
        room: usize,
    ) -> usize {
        let limit = if self.cookie || self.kept <= STRANGER_OCTETS {
            SEGMENT_OCTETS
        } else {
            0
        };
        let kept = if room < SEGMENT_OCTETS {
            0
        } else {
            tcp.payload.len().min(limit)
        };
        self.kept += kept;
        let size = kept + std::mem::size_of::<Segment>();
        let segment = Segment {
            place,
            from_client,
            sequence: tcp.sequence,
            acknowledgement: tcp.acknowledgement,
            flags: tcp.flags,
            length: tcp.length as u32,
            payload: tcp.payload[..kept].into(),
            ttl: packet.ttl,
            identification: packet.identification,
            mss: tcp.mss,
            sound: tcp::checksum_sound(packet),
            retry,
        };
        if self.segments.offer(segment, room > size) {
            size
        } else {
            0
        }
    }

    /// Whether this is worth showing: PPTP, or an attempt to reach port 1723.
    pub(crate) fn relevant(&self) -> bool {
        !self.foreign && (self.cookie || self.opened || self.refused() || self.answered())
    }

    fn refused(&self) -> bool {
        let shut = |segment: &Segment| !segment.from_client && segment.flags & RST != 0;
        self.segments.len() <= 4 && self.segments.iter().any(shut) && self.initial.is_some()
    }

    fn answered(&self) -> bool {
        let opened =
            |segment: &Segment| !segment.from_client && segment.flags & (SYN | ACK) == SYN | ACK;
        self.segments.iter().take(4).any(opened)
    }

    /// Whether either side ended the TCP connection.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.segments
            .iter()
            .any(|segment| segment.flags & (FIN | RST) != 0)
    }
}

fn begins_message(payload: &[u8]) -> bool {
    payload.get(2..8) == Some(&MARK)
}

/// The call IDs in a call reply: ours at 12, the peer's at 14 (RFC 2637 sections 2.8 and 2.10).
fn call_pair(packet: &Packet<'_>, tcp: &Tcp<'_>) -> Option<CallPair> {
    let mut rest = tcp.payload;
    while begins_message(rest) {
        let half = |at: usize| Some(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?));
        if matches!(half(8)?, OUTGOING_CALL_REPLY) {
            return Some(CallPair {
                pac: packet.source,
                pns: packet.destination,
                pac_call_id: half(12)?,
                pns_call_id: half(14)?,
            });
        }
        if half(8)? == INCOMING_CALL_REPLY {
            return Some(CallPair {
                pac: packet.destination,
                pns: packet.source,
                pac_call_id: half(14)?,
                pns_call_id: half(12)?,
            });
        }
        rest = rest.get(usize::from(half(0)?).max(1)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    fn tcp(source: u16, destination: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        octets.extend(source.to_be_bytes());
        octets.extend(destination.to_be_bytes());
        octets.extend(sequence.to_be_bytes());
        octets.extend([0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        octets.extend(payload);
        octets
    }

    fn packet(from_client: bool, payload: &[u8]) -> Packet<'_> {
        let (source, destination) = if from_client {
            (CLIENT, SERVER)
        } else {
            (SERVER, CLIENT)
        };
        Packet {
            source,
            destination,
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

    fn feed(flows: &mut ControlFlows, from_client: bool, segment: &[u8]) {
        flows.take(
            &packet(from_client, segment),
            Place::default(),
            false,
            1 << 20,
            100,
        );
    }

    #[test]
    fn a_client_that_happens_to_use_port_1723_is_no_pptp() {
        let mut flows = ControlFlows::new(PORT);
        feed(&mut flows, true, &tcp(1723, 80, 1, SYN, b""));
        feed(&mut flows, false, &tcp(80, 1723, 1, SYN | ACK, b""));
        assert!(flows.flows.iter().all(|flow| !flow.relevant()));
        let mut started_before = ControlFlows::new(PORT);
        feed(
            &mut started_before,
            true,
            &tcp(1723, 80, 5, ACK, b"GET / HTTP/1.0"),
        );
        assert!(started_before.flows.iter().all(|flow| !flow.relevant()));
    }

    #[test]
    fn the_cookie_makes_it_pptp_even_in_the_middle() {
        let mut flows = ControlFlows::new(PORT);
        let message = [0, 16, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 5, 0, 0, 0, 0, 0, 1];
        feed(&mut flows, false, &tcp(1723, 4000, 5, ACK, &message));
        assert!(flows.flows[0].relevant() && flows.flows[0].cookie);
        assert_eq!(
            (flows.flows[0].client.1, flows.flows[0].messages),
            (4000, 1)
        );
    }

    #[test]
    fn pptp_on_another_port_is_known_by_its_first_message_and_followed_when_asked_for() {
        let mut message = vec![0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1];
        message.resize(156, 0);
        let segment = tcp(4000, 7723, 5, ACK, &message);
        assert_eq!(asks_for_pptp(&packet(true, &segment)), Some(7723));
        let echo = [0, 16, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 5];
        assert_eq!(
            asks_for_pptp(&packet(true, &tcp(4000, 7723, 5, ACK, &echo))),
            None
        );
        for end in 0..segment.len() {
            let _ = asks_for_pptp(&packet(true, &segment[..end]));
        }
        let mut flows = ControlFlows::new(7723);
        assert!(flows.concerns(&packet(true, &segment)));
        assert!(!flows.concerns(&packet(true, &tcp(4000, 1723, 5, ACK, b""))));
        feed(&mut flows, true, &tcp(4000, 7723, 4, SYN, b""));
        feed(&mut flows, true, &segment);
        assert!(flows.flows[0].relevant() && flows.flows[0].opened);
        assert_eq!(flows.flows[0].server.1, 7723);
    }

    #[test]
    fn a_new_syn_begins_a_new_connection_and_a_repeated_one_does_not() {
        let mut flows = ControlFlows::new(PORT);
        feed(&mut flows, true, &tcp(4000, 1723, 7, SYN, b""));
        feed(&mut flows, true, &tcp(4000, 1723, 7, SYN, b""));
        assert_eq!(flows.flows.len(), 1);
        feed(&mut flows, true, &tcp(4000, 1723, 99, SYN, b""));
        assert_eq!(flows.flows.len(), 2);
    }
}
