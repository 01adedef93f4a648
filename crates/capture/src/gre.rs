//! Enhanced GRE (RFC 2637 section 4): one flow for each direction of a call, counted and sampled.

use std::net::IpAddr;

use crate::ip::Packet;
use crate::sample::Sample;
use crate::sequence::{Fingerprint, Sequence, Verdict};
use crate::timeline::Timeline;
use crate::Place;

const PPP: u16 = 0x880b;
const GAP_LIMIT: usize = 64;
const SIZE_STEP: u32 = 100;
const SIZE_STEPS: usize = 18;

/// Marks on a sampled frame.
pub mod frame_flags {
    /// The sequence number was seen before.
    pub const DUPLICATE: u8 = 1;
    /// An 802.11 retransmission.
    pub const WIRELESS_RETRY: u8 = 2;
    /// Came after a later one.
    pub const REORDERED: u8 = 4;
    /// The capture holds fewer octets than were sent.
    pub const CUT: u8 = 8;
    /// Neither sequence nor acknowledgement number although it has a payload.
    pub const UNNUMBERED: u8 = 16;
}

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

/// A missing stretch of sequence numbers.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    /// The frame after the gap.
    pub at: Place,
    /// How many numbers were missing then.
    pub missing: u32,
}

/// The longest time without a packet in this direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silence {
    /// When it began.
    pub from: Place,
    /// How long it was.
    pub length_ns: i64,
}

/// Counts of one direction. Packets are frames on the wire as captured, copies included.
#[derive(Debug, Clone, Default)]
pub struct GreStats {
    /// All packets, acknowledgements alone included.
    pub packets: u64,
    /// Octets of IP.
    pub octets: u64,
    /// Packets without payload.
    pub acks_only: u64,
    /// Packets with a PPP frame.
    pub frames: u64,
    /// PPP frames that negotiate (protocols 0x8000 and above).
    pub negotiation: u64,
    /// PPP frames of protocol 0x00fd: encrypted or compressed.
    pub encrypted: u64,
    /// PPP frames with IP in clear.
    pub clear: u64,
    /// PPP frames of any other protocol.
    pub other: u64,
    /// Packets with a payload and no sequence number.
    pub unnumbered: u64,
    /// Packets whose payload is shorter than the header says.
    pub short: u64,
    /// Sequence numbers never seen.
    pub missing: u64,
    /// Numbers that the receiver acknowledged and that the capture does not have.
    pub acked_unseen: u64,
    /// Forward steps too large to be loss.
    pub jumps: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// The furthest that one came behind.
    pub reordered_most: u32,
    /// The very same IP packet seen again: a copy made by the capture or the network.
    pub copies: u64,
    /// Of those, with another TTL: captured on both sides of a router.
    pub copies_other_ttl: u64,
    /// Of those, 802.11 retransmissions.
    pub copies_wireless: u64,
    /// The same sequence number with another IP identification or content.
    pub duplicates: u64,
    /// Packets far behind the highest sequence number: replays or strays.
    pub late: u64,
    /// Copies and duplicates among the frames with user data.
    pub repeated_data: u64,
    /// Copies and duplicates that came seconds after the first.
    pub aged: u64,
    /// The first late or aged one.
    pub late_first: Option<Place>,
    /// The smallest and largest TTL.
    pub ttl: (u8, u8),
    /// The largest packet (octets of IP).
    pub largest: u32,
    /// Packets by size, in steps of 100 octets of IP.
    pub sizes: [u32; SIZE_STEPS],
    /// The first packet.
    pub first: Place,
    /// The last packet.
    pub last: Place,
    /// The first and the last sequence number.
    pub numbers: Option<(u32, u32)>,
    /// The last acknowledgement number.
    pub acknowledged: Option<u32>,
    /// The longest pause.
    pub silence: Silence,
    /// Packets with the don't-fragment bit.
    pub dont_fragment: u64,
}

/// One sampled frame.
#[derive(Debug, Clone)]
pub struct GreFrame {
    /// Where it is.
    pub place: Place,
    /// Sequence number, if any.
    pub sequence: Option<u32>,
    /// Acknowledgement number, if any.
    pub acknowledgement: Option<u32>,
    /// Octets of the PPP frame, perhaps only the first of them.
    pub ppp: Box<[u8]>,
    /// Octets of the PPP frame on the wire.
    pub length: u32,
    /// Marks, see [`frame_flags`].
    pub flags: u8,
}

/// How much of a flow is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) data_frames: usize,
    pub(crate) data_octets: usize,
    /// Packets remembered to be compared with later ones.
    pub(crate) remembered: usize,
    /// Steps of the timeline.
    pub(crate) steps: usize,
}

const NEGOTIATION_HEAD: usize = 600;
const NEGOTIATION_TAIL: usize = 64;
const NEGOTIATION_OCTETS: usize = 1600;
const ECHO_HEAD: usize = 16;
const ECHO_TAIL: usize = 32;
const DATA_TAIL: usize = 64;

/// One direction of one call: from an address to an address that knows the call by this ID.
#[derive(Clone)]
pub struct GreFlow {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// The receiver's call ID.
    pub call_id: u16,
    /// Counts.
    pub stats: GreStats,
    /// Frames that negotiate.
    pub negotiation: Sample<GreFrame>,
    /// LCP echoes and discards.
    pub echoes: Sample<GreFrame>,
    /// User data, encrypted or not.
    pub data: Sample<GreFrame>,
    /// Gaps, the first ones.
    pub gaps: Vec<Gap>,
    /// Packets over time.
    pub timeline: Timeline,
    /// How long the receiver of the other direction took to acknowledge, in steps of an eighth of an octave of
    /// microseconds; empty when nothing was measured.
    pub(crate) lags: Vec<u32>,
    /// The largest of them in nanoseconds.
    pub lag_most_ns: i64,
    sequence: Option<Box<Sequence>>,
    pub(crate) partner: Option<u32>,
    keep: Keep,
}

/// A packet together with where it was.
pub(crate) struct Sighting<'a> {
    pub(crate) place: Place,
    pub(crate) packet: &'a Packet<'a>,
    pub(crate) wireless: bool,
    pub(crate) retry: bool,
}

impl GreFlow {
    pub(crate) fn new(packet: &Packet<'_>, call_id: u16, place: Place, keep: Keep) -> Self {
        let stats = GreStats {
            first: place,
            last: place,
            ttl: (packet.ttl, packet.ttl),
            ..GreStats::default()
        };
        Self {
            source: packet.source,
            destination: packet.destination,
            call_id,
            stats,
            negotiation: Sample::new(NEGOTIATION_HEAD, NEGOTIATION_TAIL),
            echoes: Sample::new(ECHO_HEAD, ECHO_TAIL),
            data: Sample::new(keep.data_frames, DATA_TAIL),
            gaps: Vec::new(),
            timeline: Timeline::new(place.time_ns, keep.steps),
            lags: Vec::new(),
            lag_most_ns: 0,
            sequence: None,
            partner: None,
            keep,
        }
    }

    /// Judge the sequence number before anything is counted; a restart belongs to another flow.
    pub(crate) fn judge(&mut self, seen: &Sighting<'_>, header: &Header<'_>) -> Option<Verdict> {
        let number = header.sequence?;
        let fingerprint = Fingerprint {
            hash: hash(header.payload),
            identification: seen.packet.identification,
            ttl: seen.packet.ttl,
        };
        match &mut self.sequence {
            Some(sequence) => Some(sequence.judge(number, seen.place.time_ns, fingerprint)),
            None => {
                let fresh = Sequence::new(
                    number,
                    seen.place.time_ns,
                    fingerprint,
                    self.keep.remembered,
                );
                self.sequence = Some(Box::new(fresh));
                None
            }
        }
    }

    /// Count a packet, and sample it while `room` octets allow; returns how many were taken.
    pub(crate) fn take(
        &mut self,
        seen: &Sighting<'_>,
        header: &Header<'_>,
        verdict: Option<Verdict>,
        room: usize,
    ) -> usize {
        let mut flags = self.count_verdict(seen, verdict);
        let missing = match verdict {
            Some(Verdict::Forward { missing }) => missing,
            _ => 0,
        };
        self.timeline
            .add(seen.place.time_ns, seen.packet.length, missing);
        self.count(seen, header);
        if header.length == 0 && header.payload.is_empty() {
            self.stats.acks_only += 1;
            return 0;
        }
        self.stats.frames += 1;
        if header.sequence.is_none() {
            self.stats.unnumbered += 1;
            flags |= frame_flags::UNNUMBERED;
        }
        if header.payload.len() < header.length {
            flags |= frame_flags::CUT;
        }
        self.sample(seen, header, flags, room)
    }

    fn count(&mut self, seen: &Sighting<'_>, header: &Header<'_>) {
        let (packet, stats) = (seen.packet, &mut self.stats);
        let pause = seen.place.time_ns.saturating_sub(stats.last.time_ns);
        if stats.packets > 0 && pause > stats.silence.length_ns {
            stats.silence = Silence {
                from: stats.last,
                length_ns: pause,
            };
        }
        stats.last = seen.place;
        stats.packets += 1;
        stats.octets += u64::from(packet.length);
        stats.dont_fragment += u64::from(packet.dont_fragment);
        stats.ttl = (stats.ttl.0.min(packet.ttl), stats.ttl.1.max(packet.ttl));
        stats.largest = stats.largest.max(packet.length);
        stats.sizes[((packet.length / SIZE_STEP) as usize).min(SIZE_STEPS - 1)] += 1;
        if let Some(number) = header.sequence {
            stats.numbers = Some((stats.numbers.map_or(number, |numbers| numbers.0), number));
        }
        stats.acknowledged = header.acknowledgement.or(stats.acknowledged);
    }

    fn count_verdict(&mut self, seen: &Sighting<'_>, verdict: Option<Verdict>) -> u8 {
        let stats = &mut self.stats;
        match verdict {
            None | Some(Verdict::Restart) => 0,
            Some(Verdict::Forward { missing }) => {
                stats.missing += u64::from(missing);
                if missing > 0 && self.gaps.len() < GAP_LIMIT {
                    self.gaps.push(Gap {
                        at: seen.place,
                        missing,
                    });
                }
                0
            }
            Some(Verdict::Jump) => {
                stats.jumps += 1;
                0
            }
            Some(Verdict::Reordered {
                behind,
                was_missing,
            }) => {
                stats.missing = stats.missing.saturating_sub(u64::from(was_missing));
                stats.reordered += 1;
                stats.reordered_most = stats.reordered_most.max(behind);
                frame_flags::REORDERED
            }
            Some(Verdict::Duplicate {
                copy,
                other_ttl,
                aged,
            }) => {
                stats.aged += u64::from(aged);
                if aged {
                    stats.late_first.get_or_insert(seen.place);
                }
                // A bit error on the air changes the content of a retransmission, not what it is.
                let copy = copy || seen.wireless;
                if copy {
                    stats.copies += 1;
                    stats.copies_other_ttl += u64::from(other_ttl);
                    stats.copies_wireless += u64::from(seen.wireless);
                } else {
                    stats.duplicates += 1;
                }
                let retry = if seen.retry || (copy && seen.wireless) {
                    frame_flags::WIRELESS_RETRY
                } else {
                    0
                };
                frame_flags::DUPLICATE | retry
            }
            Some(Verdict::Late) => {
                stats.late += 1;
                stats.late_first.get_or_insert(seen.place);
                frame_flags::REORDERED
            }
        }
    }

    fn sample(
        &mut self,
        seen: &Sighting<'_>,
        header: &Header<'_>,
        flags: u8,
        room: usize,
    ) -> usize {
        let stats = &mut self.stats;
        let (protocol, information) = ppp_protocol(header.payload).unwrap_or((0, &[]));
        let echo = protocol == 0xc021 && matches!(information.first(), Some(9..=11));
        let (sample, most) = match protocol {
            0xc021 if echo => {
                stats.negotiation += 1;
                (&mut self.echoes, NEGOTIATION_OCTETS)
            }
            0x8000.. => {
                stats.negotiation += 1;
                (&mut self.negotiation, NEGOTIATION_OCTETS)
            }
            _ => {
                stats.repeated_data += u64::from(flags & frame_flags::DUPLICATE != 0);
                match protocol {
                    0x00fd => stats.encrypted += 1,
                    0x0021 | 0x0057 => stats.clear += 1,
                    _ => stats.other += 1,
                }
                (&mut self.data, self.keep.data_octets)
            }
        };
        let ppp: Box<[u8]> = header.payload[..header.payload.len().min(most)].into();
        let size = ppp.len() + std::mem::size_of::<GreFrame>();
        let frame = GreFrame {
            place: seen.place,
            sequence: header.sequence,
            acknowledgement: header.acknowledgement,
            ppp,
            length: header.length as u32,
            flags,
        };
        if sample.offer(frame, room > size) {
            size
        } else {
            0
        }
    }

    /// When this flow sent that number, if it is remembered.
    pub(crate) fn sent_at(&self, number: u32) -> Option<i64> {
        self.sequence.as_ref()?.sent_at(number)
    }

    /// The other side acknowledged a number that this capture never saw: the capture lost that packet.
    pub(crate) fn note_unseen(&mut self, number: u32) {
        let unseen = |sequence: &Sequence| sequence.never_saw(number);
        let lost = self.sequence.as_deref().is_some_and(unseen);
        self.stats.acked_unseen += u64::from(lost);
    }

    pub(crate) fn add_lag(&mut self, lag_ns: i64) {
        if self.lags.is_empty() {
            self.lags = vec![0; LAG_STEPS];
        }
        let step = lag_step(lag_ns);
        self.lags[step] = self.lags[step].saturating_add(1);
        self.lag_most_ns = self.lag_most_ns.max(lag_ns);
    }

    /// How many acknowledgement lags were measured.
    #[must_use]
    pub fn lag_count(&self) -> u64 {
        self.lags.iter().map(|&count| u64::from(count)).sum()
    }

    /// The lag in nanoseconds below which that share (0 to 1) of the measured ones lies, to an eighth of an octave.
    #[must_use]
    pub fn lag_quantile(&self, share: f64) -> Option<i64> {
        let total = self.lag_count();
        let wanted = (share * total as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (step, &count) in self.lags.iter().enumerate() {
            sum += u64::from(count);
            if sum >= wanted && total > 0 {
                return Some((2f64.powf(step as f64 / 8.0) * 1000.0) as i64);
            }
        }
        None
    }

    /// Let go of what only counting needed.
    pub(crate) fn finish(&mut self) {
        self.sequence = None;
    }
}

const LAG_STEPS: usize = 256;

fn lag_step(lag_ns: i64) -> usize {
    let microseconds = (lag_ns as f64 / 1000.0).max(1.0);
    ((microseconds.log2() * 8.0) as usize).min(LAG_STEPS - 1)
}

/// A quick mix of the first octets and the length: enough to tell packets of one flow apart.
fn hash(payload: &[u8]) -> u64 {
    let mut state = payload.len() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for chunk in payload[..payload.len().min(64)].chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state ^= state >> 32;
    }
    state
}

/// PPP that was captured on the link itself, without any tunnel.
#[derive(Clone)]
pub struct PppLinkFlow {
    /// Whether the capturing side sent these frames.
    pub outbound: bool,
    /// All frames.
    pub packets: u64,
    /// Frames that negotiate.
    pub frames: Sample<GreFrame>,
}

impl PppLinkFlow {
    pub(crate) fn new(outbound: bool) -> Self {
        Self {
            outbound,
            packets: 0,
            frames: Sample::new(NEGOTIATION_HEAD, NEGOTIATION_TAIL),
        }
    }

    pub(crate) fn take(&mut self, place: Place, packet: &[u8], wire_len: u32) {
        self.packets += 1;
        let cut = if (packet.len() as u32) < wire_len {
            frame_flags::CUT
        } else {
            0
        };
        self.frames.push(GreFrame {
            place,
            sequence: None,
            acknowledgement: None,
            ppp: packet[..packet.len().min(NEGOTIATION_OCTETS)].into(),
            length: packet.len() as u32,
            flags: cut,
        });
    }
}
