//! Enhanced GRE (RFC 2637 section 4): one flow for each direction of a call, counted and sampled.

use std::net::IpAddr;

use crate::gre_header::{ppp_protocol, Header};
use crate::gre_stats::GreStats;
use crate::ip::Packet;
use crate::lags::Lags;
use crate::sample::Sample;
use crate::sequence::{Fingerprint, Sequence, Verdict};
use crate::timeline::Timeline;
use crate::Place;

const GAP_LIMIT: usize = 64;

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

/// A missing stretch of sequence numbers.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    /// The frame after the gap.
    pub at: Place,
    /// How many numbers were missing then.
    pub missing: u32,
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
    pub ppp: Vec<u8>,
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

pub(crate) const NEGOTIATION_HEAD: usize = 600;
pub(crate) const NEGOTIATION_TAIL: usize = 64;
pub(crate) const NEGOTIATION_OCTETS: usize = 1600;
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
    /// How long the receiver of the other direction took to acknowledge.
    pub lags: Lags,
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
            lags: Lags::default(),
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
        let mut flags = self.stats.count_verdict(seen, verdict);
        let missing = match verdict {
            Some(Verdict::Forward { missing }) => missing,
            _ => 0,
        };
        if missing > 0 && self.gaps.len() < GAP_LIMIT {
            self.gaps.push(Gap {
                at: seen.place,
                missing,
            });
        }
        self.timeline
            .add(seen.place.time_ns, seen.packet.length, missing);
        self.stats.count(seen, header);
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
        // The frame that this one drives out leaves its memory: in the middle of a long flow none is asked for.
        let old = sample.make_way();
        let reused = old.is_some();
        let mut ppp = old.map_or_else(Vec::new, |frame| frame.ppp);
        ppp.clear();
        ppp.extend_from_slice(&header.payload[..header.payload.len().min(most)]);
        let size = ppp.len() + std::mem::size_of::<GreFrame>();
        let frame = GreFrame {
            place: seen.place,
            sequence: header.sequence,
            acknowledgement: header.acknowledgement,
            ppp,
            length: header.length as u32,
            flags,
        };
        if reused {
            sample.push(frame);
            0
        } else if sample.offer(frame, room > size) {
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

    /// Let go of what only counting needed.
    pub(crate) fn finish(&mut self) {
        self.sequence = None;
    }
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
