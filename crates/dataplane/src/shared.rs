//! What the two threads and Python share about a call: atomic counters and times, written without a lock.

use crate::chatter::is_chatter;
use crate::sys::monotonic;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Cause {
    /// Not GRE version 1, not PPP, or not an IP packet where one was due.
    Malformed,
    /// Payload without a sequence number.
    NoSequence,
    /// The sequence number came before.
    Duplicate,
    /// The sequence number was given up before it came.
    Late,
    /// For none of our calls.
    UnknownCall,
    /// For one of our calls, from an address that is not its peer.
    WrongPeer,
    /// Encrypted, but no key is set.
    MppeNotReady,
    /// The MPPE coherency count does not fit, or synchronisation is lost.
    MppeCoherency,
    /// Decrypted to nonsense.
    MppeGarbled,
    /// User data in the clear where encryption is required, either way.
    ClearText,
    /// The inner source address is not the session's own.
    SpoofedSource,
    /// The inner destination address belongs to no session.
    NoRoute,
    /// User data while the network phase is closed.
    NetworkClosed,
    /// Too big for the session, and not to be fragmented.
    TooBig,
    /// Beyond the rate that the session may have.
    RateLimited,
    /// Python did not fetch what was queued for it.
    QueueFull,
    /// The TUN device did not take it.
    TunRefused,
    /// The host did not send it.
    SendFailed,
}

/// How many causes there are.
pub const CAUSES: usize = 18;

/// The words for the causes, by number.
pub const CAUSE_NAMES: [&str; CAUSES] = [
    "malformed",
    "no_sequence",
    "duplicate",
    "late",
    "unknown_call",
    "wrong_peer",
    "mppe_not_ready",
    "mppe_coherency",
    "mppe_garbled",
    "clear_text",
    "spoofed_source",
    "no_route",
    "network_closed",
    "too_big",
    "rate_limited",
    "queue_full",
    "tun_refused",
    "send_failed",
];

const _: () = assert!(Cause::SendFailed as usize + 1 == CAUSES);

/// A count or a time. `bump` and `set` are for numbers that one thread alone writes, `add` for all others.
#[derive(Default)]
pub struct Number(AtomicU64);

impl Number {
    /// Add, as the only writer.
    pub fn bump(&self, by: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(by), Relaxed);
    }

    /// Replace, as the only writer.
    pub fn set(&self, to: u64) {
        self.0.store(to, Relaxed);
    }

    /// Add, beside other writers.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// Read.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counts by cause.
#[derive(Default)]
pub struct Drops([Number; CAUSES]);

impl Drops {
    /// Count one packet.
    pub fn count(&self, cause: Cause) {
        self.0[cause as usize].add(1);
    }

    /// Count several packets.
    pub fn add(&self, cause: Cause, packets: u64) {
        if packets > 0 {
            self.0[cause as usize].add(packets);
        }
    }

    /// The count of one cause, by number.
    #[must_use]
    pub fn get(&self, cause: usize) -> u64 {
        self.0[cause].get()
    }
}

/// Where the packets of a call go.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Our Call ID: what arrives carries it.
    pub local_call_id: u16,
    /// The peer's Call ID: what we send carries it.
    pub peer_call_id: u16,
    /// Our outer address, the one that the peer dialled.
    pub local: Ipv4Addr,
    /// The peer's outer address.
    pub peer: Ipv4Addr,
    /// Packets that we said we would buffer: acknowledge at least twice within as many.
    pub receive_window: u32,
}

const NOTHING: u64 = u64::MAX;

/// Counts and times of one call. Times are nanoseconds of the monotonic clock, 0 for never. In brackets: the one thread
/// that writes a number with `bump` and `set`.
#[derive(Default)]
pub struct Counts {
    /// Inner packets from the peer (rx).
    pub packets_in: Number,
    /// Their octets (rx).
    pub bytes_in: Number,
    /// GRE packets from the peer (rx).
    pub gre_in: Number,
    /// Sequence numbers given up (rx).
    pub gre_lost: Number,
    /// Packets that came behind a later one (rx).
    pub gre_reordered: Number,
    /// Sequence numbers that came twice (rx).
    pub gre_duplicates: Number,
    /// Acknowledgements sent alone (rx).
    pub acks_out: Number,
    /// Losses of MPPE synchronisation (rx).
    pub desyncs: Number,
    /// Last packet from the peer (rx).
    pub last_received: Number,
    /// Last PPP frame from the peer, which an acknowledgement alone is not (rx).
    pub last_frame: Number,
    /// Last user packet from the peer (rx).
    pub last_user_in: Number,
    /// Time to live of the last packet (rx).
    pub peer_ttl: Number,
    /// Echo-Replies that fit (rx).
    pub echoes_answered: Number,
    /// Round-trip time of the last echo in nanoseconds (rx).
    pub round_trip: Number,
    /// Inner packets to the peer (tx).
    pub packets_out: Number,
    /// Their octets (tx).
    pub bytes_out: Number,
    /// GRE packets with payload sent (tx).
    pub gre_out: Number,
    /// Resets that the peer asked for (tx).
    pub resets: Number,
    /// Last user packet to the peer (tx).
    pub last_user_out: Number,
    /// Echo-Requests sent (tx).
    pub echoes_sent: Number,
    /// GRE packets that were too big for the way and went out as fragments (whoever sends).
    pub fragmented_out: Number,
    /// Packets dropped, by cause.
    pub drops: Drops,
    /// Frames on their way to Python.
    pub pending: AtomicU32,
    /// When the outstanding Echo-Request was sent, with its identifier in the low octet; 0: none.
    pub echo: AtomicU64,
    /// Echo-Requests unanswered in a row.
    pub missed: AtomicU32,
}

/// What is shared about one call.
pub struct Shared {
    /// Its name towards Python.
    pub handle: u64,
    /// Where its packets go.
    pub path: Path,
    counts: Counts,
    heartbeats: Arc<[Ipv4Addr]>,
    highest: AtomicU64,
    acknowledged: AtomicU64,
    /// Sequence number of the last packet sent, and since when the peer owes us an acknowledgement; 0: it does not.
    last_sent: AtomicU32,
    owed_since: AtomicU64,
    /// The highest of our packets that the peer has acknowledged.
    peer_acknowledged: AtomicU64,
}

impl Deref for Shared {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.counts
    }
}

impl Shared {
    /// A call of which nothing has been heard.
    #[must_use]
    pub fn new(handle: u64, path: Path) -> Self {
        Self {
            handle,
            path,
            counts: Counts::default(),
            heartbeats: Arc::new([]),
            highest: AtomicU64::new(NOTHING),
            acknowledged: AtomicU64::new(NOTHING),
            last_sent: AtomicU32::new(0),
            owed_since: AtomicU64::new(0),
            peer_acknowledged: AtomicU64::new(NOTHING),
        }
    }

    /// The same call, in which pings of these hosts do not count as use.
    #[must_use]
    pub fn with_heartbeats(mut self, hosts: Arc<[Ipv4Addr]>) -> Self {
        self.heartbeats = hosts;
        self
    }

    /// Whether an inner packet counts as use of the session.
    #[must_use]
    pub fn is_use(&self, packet: &[u8]) -> bool {
        !is_chatter(packet, &self.heartbeats)
    }

    /// A packet with this number goes out (tx): the peer owes an acknowledgement, if it did not before.
    pub fn sent(&self, sequence: u32) {
        self.last_sent.store(sequence, Relaxed);
        if self.owed_since.load(Relaxed) == 0 {
            self.owed_since.store(monotonic(), Relaxed);
        }
    }

    /// The peer acknowledges everything up to this number (rx). What it owes still, it owes from now on.
    pub fn peer_acknowledges(&self, number: u32, now: u64) {
        let before = self.peer_acknowledged.load(Relaxed);
        let last = self.last_sent.load(Relaxed);
        let news = before == NOTHING || (number.wrapping_sub(before as u32) as i32) > 0;
        if !news || (last.wrapping_sub(number) as i32) < 0 {
            return;
        }
        self.peer_acknowledged.store(u64::from(number), Relaxed);
        self.owed_since
            .store(if number == last { 0 } else { now }, Relaxed);
    }

    /// Since when the peer owes an acknowledgement; 0 when it owes none, or has never sent any.
    #[must_use]
    pub fn unacknowledged_since(&self) -> u64 {
        match self.peer_acknowledged.load(Relaxed) {
            NOTHING => 0,
            _ => self.owed_since.load(Relaxed),
        }
    }

    /// Tell the sending side what to acknowledge (rx).
    pub fn received(&self, highest: u32) {
        self.highest.store(u64::from(highest), Relaxed);
    }

    /// How many packets the peer has not been told of.
    #[must_use]
    pub fn unacknowledged(&self) -> u32 {
        match (self.highest.load(Relaxed), self.acknowledged.load(Relaxed)) {
            (NOTHING, _) => 0,
            (_, NOTHING) => 1,
            (highest, acknowledged) => (highest as u32).wrapping_sub(acknowledged as u32),
        }
    }

    /// Let the next packet acknowledge even if there is no news.
    pub fn repeat_acknowledgement(&self) {
        self.acknowledged.store(NOTHING, Relaxed);
    }

    /// What the packet that is about to be sent should acknowledge, if there is news. Either thread may ask; when both
    /// do at once the peer hears the same number twice, which is harmless.
    #[must_use]
    pub fn take_acknowledgement(&self) -> Option<u32> {
        let highest = self.highest.load(Relaxed);
        if highest == self.acknowledged.load(Relaxed) {
            return None;
        }
        self.acknowledged.store(highest, Relaxed);
        Some(highest as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledges_news_once() {
        let path = Path {
            local_call_id: 1,
            peer_call_id: 2,
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            receive_window: 64,
        };
        let shared = Shared::new(1, path);
        shared.repeat_acknowledgement();
        assert_eq!(
            (shared.take_acknowledgement(), shared.unacknowledged()),
            (None, 0)
        );
        shared.received(u32::MAX);
        assert_eq!(shared.unacknowledged(), 1);
        assert_eq!(shared.take_acknowledgement(), Some(u32::MAX));
        assert_eq!(
            (shared.take_acknowledgement(), shared.unacknowledged()),
            (None, 0)
        );
        shared.repeat_acknowledgement();
        assert_eq!(shared.take_acknowledgement(), Some(u32::MAX));
        shared.received(4);
        assert_eq!(shared.unacknowledged(), 5);
        assert_eq!(shared.take_acknowledgement(), Some(4));
    }

    fn call() -> Shared {
        let path = Path {
            local_call_id: 1,
            peer_call_id: 2,
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            receive_window: 64,
        };
        Shared::new(1, path)
    }

    #[test]
    fn a_peer_that_never_acknowledges_owes_nothing() {
        let shared = call();
        shared.sent(0);
        assert_eq!(shared.unacknowledged_since(), 0);
    }

    #[test]
    fn what_is_owed_is_owed_since_the_last_news() {
        let shared = call();
        shared.sent(u32::MAX);
        shared.sent(0);
        shared.sent(1);
        shared.peer_acknowledges(u32::MAX, 100);
        assert_eq!(shared.unacknowledged_since(), 100);
        shared.peer_acknowledges(u32::MAX, 200);
        assert_eq!(shared.unacknowledged_since(), 100);
        shared.peer_acknowledges(1, 300);
        assert_eq!(shared.unacknowledged_since(), 0);
        shared.sent(2);
        assert!(shared.unacknowledged_since() > 0);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_is_none() {
        let shared = call();
        shared.sent(0);
        shared.peer_acknowledges(0, 100);
        shared.sent(1);
        shared.peer_acknowledges(5, 200);
        assert!(shared.unacknowledged_since() > 0);
    }
}
