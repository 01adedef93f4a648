//! What is counted of one direction of a call.

use crate::gre::{frame_flags, Sighting};
use crate::gre_header::Header;
use crate::sequence::Verdict;
use crate::Place;

const SIZE_STEP: u32 = 100;
const SIZE_STEPS: usize = 18;

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
    /// When the last packet with an acknowledgement went by.
    pub acknowledged_ns: i64,
    /// The longest pause.
    pub silence: Silence,
    /// The latest time of a packet so far.
    pub latest_ns: i64,
    /// Packets with the don't-fragment bit.
    pub dont_fragment: u64,
}

impl GreStats {
    /// Count a packet by what is outside its PPP frame.
    pub(crate) fn count(&mut self, seen: &Sighting<'_>, header: &Header<'_>) {
        let (packet, stats) = (seen.packet, self);
        let pause = seen.place.time_ns.saturating_sub(stats.last.time_ns);
        if stats.packets > 0 && pause > stats.silence.length_ns {
            stats.silence = Silence {
                from: stats.last,
                length_ns: pause,
            };
        }
        stats.last = seen.place;
        stats.latest_ns = stats.latest_ns.max(seen.place.time_ns);
        stats.packets += 1;
        stats.octets += u64::from(packet.length);
        stats.dont_fragment += u64::from(packet.dont_fragment);
        stats.ttl = (stats.ttl.0.min(packet.ttl), stats.ttl.1.max(packet.ttl));
        stats.largest = stats.largest.max(packet.length);
        stats.sizes[((packet.length / SIZE_STEP) as usize).min(SIZE_STEPS - 1)] += 1;
        if let Some(number) = header.sequence {
            stats.numbers = Some((stats.numbers.map_or(number, |numbers| numbers.0), number));
        }
        if header.acknowledgement.is_some() {
            stats.acknowledged = header.acknowledgement;
            stats.acknowledged_ns = seen.place.time_ns;
        }
    }

    /// Count what the sequence number says; returns the marks for the frame, see [`frame_flags`].
    pub(crate) fn count_verdict(&mut self, seen: &Sighting<'_>, verdict: Option<Verdict>) -> u8 {
        let stats = self;
        match verdict {
            None | Some(Verdict::Restart) => 0,
            Some(Verdict::Forward { missing }) => {
                stats.missing += u64::from(missing);
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
                // By its time it came first: the capture wrote it down later, as those of several sources do.
                if seen.place.time_ns < stats.latest_ns {
                    return 0;
                }
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
}
