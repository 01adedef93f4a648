//! One call as the receiving thread holds it: receive window, receive key, acknowledgements.

use crate::budget::Budget;
use crate::command::{Link, RxCommand};
use crate::deliver::Frame;
use crate::gre::{self, Header};
use crate::mppe::Receiver as MppeReceiver;
use crate::outbox::Outbox;
use crate::prefix::Prefix;
use crate::reorder::Reorder;
use crate::shared::Shared;
use crate::sys::{monotonic, IP_HEADER};
use crate::timers::Timers;
use crate::upcall::RateLimit;
use crate::window::Window;
use std::sync::Arc;

/// How long an acknowledgement waits for a packet to ride on.
const ACK_DELAY: u64 = 100_000_000;
/// Acknowledge alone at the latest after as many packets.
const ACK_EVERY: u32 = 32;
/// Large gaps in the coherency count that may turn out to be forged in a second; each costs up to three milliseconds.
const FAILED_LEAPS_PER_SECOND: u32 = 20;
/// LCP Echo-Requests that are answered in a second: nobody needs more, and the answers of all calls wait in one queue.
pub const ECHOES_PER_SECOND: u32 = 100;
/// Kind of timer: an acknowledgement is due.
pub const ACK_TIMER: u32 = 0;
/// Kind of timer: a gap has had its time.
pub const REORDER_TIMER: u32 = 1;

/// A call as the receiving thread knows it.
pub struct Call {
    /// What all know.
    pub shared: Arc<Shared>,
    /// What LCP agreed.
    pub link: Option<Link>,
    /// The key, if any.
    pub mppe: Option<Box<MppeReceiver>>,
    /// Large gaps of the count that decrypted to nothing.
    pub failed_leaps: RateLimit,
    /// Echo-Requests of the peer.
    pub echoes: RateLimit,
    /// Drop clear user data.
    pub required: bool,
    /// The inner addresses of the peer; empty while the network phase is closed.
    pub addresses: Vec<Prefix>,
    /// What may come, when there is a limit.
    pub budget: Option<Budget>,
    /// Sequence number of the last packet that the key was applied to.
    pub last_encrypted: Option<u32>,
    /// Which numbers came.
    pub window: Window,
    /// The number to deliver next.
    pub due: u32,
    /// What came before its turn.
    pub waiting: Option<Box<Reorder<Frame>>>,
    /// Whether a timer for a gap runs: one is enough, whatever comes and goes meanwhile.
    gap_timed: bool,
    /// Whether a timer for an acknowledgement runs.
    pub ack_planned: bool,
}

impl Call {
    /// A call of which nothing has come.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            link: None,
            mppe: None,
            failed_leaps: RateLimit::new(FAILED_LEAPS_PER_SECOND),
            echoes: RateLimit::new(ECHOES_PER_SECOND),
            required: false,
            addresses: Vec::new(),
            budget: None,
            last_encrypted: None,
            window: Window::new(),
            due: 0,
            waiting: None,
            gap_timed: false,
            ack_planned: false,
        }
    }

    /// The first packet of the call, or of a peer that starts its numbers over.
    pub fn start_at(&mut self, sequence: u32) {
        self.due = sequence;
        self.waiting = None;
        self.last_encrypted = None;
    }

    /// The packet that waited and is due now.
    pub fn next_ready(&mut self) -> Option<Frame> {
        let waiting = self.waiting.as_mut()?;
        if waiting.is_empty() {
            self.waiting = None;
            return None;
        }
        if !waiting.is_ready() {
            return None;
        }
        self.due = self.due.wrapping_add(1);
        waiting.advance()
    }

    /// Keep a packet that came `distance` before its turn. The gap before it is given up at `deadline`, unless one is
    /// waited for already.
    pub fn keep(&mut self, distance: u32, frame: Frame, deadline: u64, timers: &mut Timers) {
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::new(Reorder::new(deadline)));
        waiting.keep(distance, frame);
        self.time_gap(timers);
    }

    /// The first gap was filled: the next one, if any, has time until `deadline`.
    pub fn postpone(&mut self, deadline: u64) {
        if let Some(waiting) = &mut self.waiting {
            waiting.postpone(deadline);
        }
    }

    /// The timer for a gap has run out. Whether the gap has, too: it may be a later one, which has more time.
    pub fn gap_is_over(&mut self, timers: &mut Timers, now: u64) -> bool {
        self.gap_timed = false;
        let deadline = self.waiting.as_ref().map(|waiting| waiting.deadline());
        if deadline.is_some_and(|deadline| deadline > now) {
            self.time_gap(timers);
            return false;
        }
        deadline.is_some()
    }

    fn time_gap(&mut self, timers: &mut Timers) {
        if let Some(waiting) = self.waiting.as_ref().filter(|_| !self.gap_timed) {
            timers.start(waiting.deadline(), self.shared.handle, REORDER_TIMER);
            self.gap_timed = true;
        }
    }

    /// An acknowledgement is due now or soon.
    pub fn plan_ack(&mut self, timers: &mut Timers, acks: &mut Outbox, now: u64) {
        if let Some(highest) = self.window.highest() {
            self.shared.received(highest);
        }
        let every = (self.shared.path.receive_window / 2).clamp(1, ACK_EVERY);
        if self.shared.unacknowledged() >= every {
            self.acknowledge(acks);
        } else if !self.ack_planned {
            self.ack_planned = true;
            timers.start(now + ACK_DELAY, self.shared.handle, ACK_TIMER);
        }
    }

    /// Send an acknowledgement alone, unless the sending thread was faster. It has no sequence number of its own, so that
    /// either thread may send it.
    pub fn acknowledge(&mut self, acks: &mut Outbox) {
        let Some(number) = self.shared.take_acknowledgement() else {
            return;
        };
        let header = Header {
            call_id: self.shared.path.peer_call_id,
            sequence: None,
            acknowledgement: Some(number),
        };
        let mut buffer = acks.buffer();
        let end = IP_HEADER + gre::write(&header, 0, &mut buffer[IP_HEADER..]);
        self.shared.acks_out.bump(1);
        acks.push(&self.shared, buffer, IP_HEADER, end, None, end);
    }

    /// Do what has been asked of this call.
    pub fn obey(&mut self, command: RxCommand) {
        match command {
            RxCommand::Configure(link) => self.link = Some(link),
            RxCommand::SetMppe(mppe) => {
                self.mppe = mppe;
                self.last_encrypted = None;
            }
            RxCommand::RequireMppe(required) => self.required = required,
            RxCommand::Addresses(addresses) => self.addresses = addresses,
            RxCommand::Rate(rate) => self.budget = Budget::new(rate, monotonic()),
            RxCommand::Add(_) | RxCommand::Remove(_) | RxCommand::Stop => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Path;
    use std::net::Ipv4Addr;

    #[test]
    fn gaps_that_come_and_go_need_one_timer() {
        let path = Path {
            local_call_id: 1,
            peer_call_id: 2,
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            receive_window: 64,
        };
        let mut call = Call::new(Arc::new(Shared::new(1, path)));
        let mut timers = Timers::default();
        for now in 0..1000 {
            let early = Frame::new(Vec::new(), 0, 0, 1, None);
            call.keep(1, early, now + 50, &mut timers);
            while timers.expired(now).is_some() {
                assert!(!call.gap_is_over(&mut timers, now));
            }
            call.waiting = None;
        }
        assert!(timers.expired(2000).is_some());
        assert!(!call.gap_is_over(&mut timers, 2000));
        assert!(timers.next().is_none());
    }
}
