//! What the engine tells Python: a bounded queue with a wake-up descriptor.

use crate::shared::{Cause, Shared};
use crate::sys::EventFd;
use crossbeam_channel::{unbounded, Receiver, Sender};
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

/// Kinds of upcalls; the numbers are those of `UpcallKind` in `holdfast.dataplane.interface`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A PPP frame for Python.
    Frame = 1,
    /// MPPE synchronisation is lost.
    MppeDesync = 2,
    /// Echoes are unanswered.
    EchoMissed = 3,
    /// The peer is heard again.
    EchoRecovered = 4,
    /// As many echoes unanswered as allowed.
    Dead = 5,
    /// GRE for no call.
    UnknownCall = 6,
    /// GRE for a call from someone else than its peer.
    WrongPeer = 7,
    /// The host did not send.
    SendFailed = 8,
    /// A thread or the device is gone: no packet passes any more.
    Broken = 9,
}

impl Kind {
    /// Whether it is told once, so that Python would never learn what was lost. Each is rare.
    fn is_told_once(self) -> bool {
        matches!(
            self,
            Self::Dead | Self::MppeDesync | Self::EchoRecovered | Self::Broken
        )
    }
}

/// One thing to tell.
pub struct Upcall {
    /// What it is about.
    pub kind: Kind,
    /// The call, if any.
    pub call: Option<Arc<Shared>>,
    /// The frame, if any.
    pub frame: Vec<u8>,
    /// A number: its meaning depends on the kind.
    pub value: u64,
    /// Where it came from, if of interest.
    pub peer: Option<Ipv4Addr>,
}

/// Entries in the queue; beyond that only what is told once.
const CAPACITY: usize = 8192;
/// Frames of one call in the queue: one peer cannot crowd out the others.
const PER_CALL: u32 = 64;

/// The end that the threads hold.
#[derive(Clone)]
pub struct Teller {
    channel: Sender<Upcall>,
    wake: Arc<EventFd>,
}

/// The end that Python drains.
pub struct Listener {
    channel: Receiver<Upcall>,
    wake: Arc<EventFd>,
}

/// Make a queue that signals `wake`.
#[must_use]
pub fn queue(wake: Arc<EventFd>) -> (Teller, Listener) {
    let (sender, receiver) = unbounded();
    (
        Teller {
            channel: sender,
            wake: wake.clone(),
        },
        Listener {
            channel: receiver,
            wake,
        },
    )
}

impl Teller {
    fn push(&self, upcall: Upcall) -> bool {
        let room = upcall.kind.is_told_once() || self.channel.len() < CAPACITY;
        let pushed = room && self.channel.send(upcall).is_ok();
        self.wake.signal();
        pushed
    }

    /// Hand a PPP frame up. Counted and dropped when too many of this call wait already.
    pub fn frame(&self, call: &Arc<Shared>, frame: Vec<u8>) {
        if call.pending.fetch_add(1, Relaxed) < PER_CALL {
            let upcall = Upcall {
                kind: Kind::Frame,
                call: Some(call.clone()),
                frame,
                value: 0,
                peer: None,
            };
            if self.push(upcall) {
                return;
            }
        }
        call.pending.fetch_sub(1, Relaxed);
        call.drops.count(Cause::QueueFull);
    }

    /// Tell a fact about a call.
    pub fn about(&self, call: &Arc<Shared>, kind: Kind, value: u64) {
        self.push(Upcall {
            kind,
            call: Some(call.clone()),
            frame: Vec::new(),
            value,
            peer: None,
        });
    }

    /// Tell that the engine carries nothing any more, and why.
    pub fn broken(&self, why: &str) {
        self.push(Upcall {
            kind: Kind::Broken,
            call: None,
            frame: why.as_bytes().to_vec(),
            value: 0,
            peer: None,
        });
    }

    /// Tell of a packet that belongs to no call, or to one whose peer is someone else.
    pub fn stranger(&self, kind: Kind, call: Option<&Arc<Shared>>, call_id: u16, peer: Ipv4Addr) {
        let call = call.cloned();
        self.push(Upcall {
            kind,
            call,
            frame: Vec::new(),
            value: u64::from(call_id),
            peer: Some(peer),
        });
    }
}

impl Listener {
    /// Take at most `limit` entries, oldest first. The descriptor stays readable when more are left.
    #[must_use]
    pub fn drain(&self, limit: usize) -> Vec<Upcall> {
        self.wake.clear();
        let upcalls: Vec<Upcall> = self.channel.try_iter().take(limit).collect();
        for call in upcalls
            .iter()
            .filter(|upcall| upcall.kind == Kind::Frame)
            .filter_map(|upcall| upcall.call.as_ref())
        {
            call.pending.fetch_sub(1, Relaxed);
        }
        if !self.channel.is_empty() {
            self.wake.signal();
        }
        upcalls
    }

    /// The descriptor that is readable while there is something.
    #[must_use]
    pub fn wake(&self) -> &EventFd {
        &self.wake
    }
}

/// At most so many of something in each second.
pub struct RateLimit {
    per_second: u32,
    second: u64,
    used: u32,
}

impl RateLimit {
    /// Allow `per_second` in each second.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            second: 0,
            used: 0,
        }
    }

    /// Whether one more may pass at `now` (nanoseconds).
    pub fn allows(&mut self, now: u64) -> bool {
        let second = now / 1_000_000_000;
        if second != self.second {
            (self.second, self.used) = (second, 0);
        }
        self.used = self.used.saturating_add(1);
        self.used <= self.per_second
    }

    /// Whether all of this second has been used.
    #[must_use]
    pub fn is_spent(&self, now: u64) -> bool {
        now / 1_000_000_000 == self.second && self.used >= self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Path;

    #[test]
    fn what_is_told_once_finds_room_in_a_full_queue() {
        let path = Path {
            local_call_id: 1,
            peer_call_id: 2,
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            receive_window: 64,
        };
        let call = Arc::new(Shared::new(1, path));
        let (teller, listener) = queue(Arc::new(EventFd::new().unwrap()));
        for _ in 0..2 * CAPACITY {
            teller.stranger(Kind::UnknownCall, None, 7, Ipv4Addr::LOCALHOST);
        }
        teller.frame(&call, vec![0]);
        teller.about(&call, Kind::EchoMissed, 3);
        teller.about(&call, Kind::Dead, 3);
        let told = listener.drain(usize::MAX);
        assert_eq!(told.len(), CAPACITY + 1);
        assert_eq!(told.last().map(|upcall| upcall.kind), Some(Kind::Dead));
        assert_eq!(call.drops.get(Cause::QueueFull as usize), 1);
        assert_eq!(call.pending.load(Relaxed), 0);
    }

    #[test]
    fn rate_limit_by_second() {
        let mut limit = RateLimit::new(2);
        let passed: Vec<bool> = [0, 1, 2, 1_000_000_000]
            .iter()
            .map(|&now| limit.allows(now))
            .collect();
        assert_eq!(passed, [true, true, false, true]);
        assert!(!limit.is_spent(1_000_000_001));
        assert!(limit.allows(1_000_000_001));
        assert!(limit.is_spent(1_000_000_002));
        assert!(!limit.is_spent(2_000_000_000));
    }
}
