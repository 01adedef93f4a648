//! The receiving thread: peers to TUN. Alone holds receive windows and receive keys.

use crate::coalesce::Device;
use crate::command::RxCommand;
use crate::deliver::{Delivery, Frame};
use crate::gre;
use crate::outbox::{Outbox, Transmit};
use crate::rx_call::{Call, REORDER_TIMER};
use crate::shared::{Cause, Drops, Number, Shared};
use crate::sys::{monotonic, EventFd, RawSocket, RecvBatch, Waiter};
use crate::table::{FastMap, Slab};
use crate::timers::Timers;
use crate::upcall::{Kind, RateLimit, Teller};
use crate::window::Verdict;
use crossbeam_channel::{Receiver, Sender};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Packets that wait for a gap to fill.
const REORDER_CAPACITY: u32 = 64;
const STRANGERS_PER_SECOND: u32 = 10;

/// What the thread works with.
pub struct Parts {
    /// The device.
    pub tun: Arc<dyn Device + Send + Sync>,
    /// Sockets to receive from.
    pub sockets: Vec<Arc<RawSocket>>,
    /// What to do.
    pub commands: Receiver<(u64, RxCommand)>,
    /// Signalled when there is something.
    pub wake: Arc<EventFd>,
    /// Echo-Replies for the sending thread.
    pub replies: Sender<(u64, Vec<u8>)>,
    /// Signalled after that.
    pub reply_wake: Arc<EventFd>,
    /// Python's queue.
    pub teller: Teller,
    /// What belongs to no call.
    pub drops: Arc<Drops>,
    /// GRE packets received, whoever they were for.
    pub received: Arc<Number>,
    /// How long to wait for a gap to fill, in nanoseconds.
    pub reorder_timeout: u64,
}

/// The thread's state.
pub struct Rx {
    calls: Slab<Call>,
    handles: HashMap<u64, u32>,
    by_key: FastMap<u64, u32>,
    by_call_id: FastMap<u64, Vec<u32>>,
    timers: Timers,
    acks: Outbox,
    delivery: Delivery,
    strangers: RateLimit,
    impostors: RateLimit,
    parts: Parts,
    stopped: bool,
}

/// Calls are known by the Call ID in the packet and by where it comes from.
fn key(call_id: u16, peer: Ipv4Addr) -> u64 {
    u64::from(call_id) << 32 | u64::from(u32::from(peer))
}

impl Rx {
    /// Ready to run; `transmit` is for acknowledgements.
    #[must_use]
    pub fn new(parts: Parts, transmit: Box<dyn Transmit>) -> Self {
        Self {
            calls: Slab::default(),
            handles: HashMap::new(),
            by_key: FastMap::default(),
            by_call_id: FastMap::default(),
            timers: Timers::default(),
            acks: Outbox::new(transmit, parts.teller.clone()),
            delivery: Delivery::new(&parts),
            strangers: RateLimit::new(STRANGERS_PER_SECOND),
            impostors: RateLimit::new(STRANGERS_PER_SECOND),
            parts,
            stopped: false,
        }
    }

    /// Run until told to stop.
    pub fn run(mut self) {
        let mut fds = vec![self.parts.wake.as_raw_fd()];
        fds.extend(self.parts.sockets.iter().map(|socket| socket.as_raw_fd()));
        let mut waiter = Waiter::new(&fds);
        let mut batch = RecvBatch::default();
        while !self.stopped {
            let mut busy = false;
            for socket in self.parts.sockets.clone() {
                busy |= self.receive(&socket, &mut batch);
            }
            self.run_timers(&mut batch, monotonic());
            if busy {
                waiter.wait(Some(0));
            } else {
                waiter.wait(
                    self.timers
                        .next()
                        .map(|due| due.saturating_sub(monotonic())),
                );
            }
            if waiter.ready(0) {
                self.parts.wake.clear();
                self.obey();
            }
        }
    }

    /// Take one batch from a socket. Whether there was anything.
    fn receive(&mut self, socket: &RawSocket, batch: &mut RecvBatch) -> bool {
        // The error of an earlier packet that we sent is no reason to stop receiving.
        let count = batch.receive(socket).unwrap_or(0);
        if count == 0 {
            return false;
        }
        self.process(batch, count, monotonic());
        true
    }

    /// Take the first `count` packets of a batch.
    pub fn process(&mut self, batch: &mut RecvBatch, count: usize, now: u64) {
        self.parts.received.add(count as u64);
        for slot in 0..count {
            self.packet(batch, slot, now);
        }
        self.delivery.finish(&mut self.calls, batch, now);
        self.acks.flush(now);
    }

    /// One packet with its IP header.
    fn packet(&mut self, batch: &mut RecvBatch, slot: usize, now: u64) {
        let octets = batch.packet(slot);
        let Some(&[first, .., ttl, _, _, _, a, b, c, d]) = octets.first_chunk::<16>() else {
            return self.parts.drops.count(Cause::Malformed);
        };
        let ip_header = usize::from(first & 0x0f) * 4;
        let peer = Ipv4Addr::new(a, b, c, d);
        let Some(parsed) = octets.get(ip_header..).and_then(gre::parse) else {
            return self.parts.drops.count(Cause::Malformed);
        };
        let Some(&index) = self.by_key.get(&key(parsed.header.call_id, peer)) else {
            return self.stranger(parsed.header.call_id, peer, now);
        };
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        call.shared.gre_in.bump(1);
        call.shared.last_received.set(now);
        call.shared.peer_ttl.set(ttl.into());
        if let Some(number) = parsed.header.acknowledgement {
            call.shared.peer_acknowledges(number, now);
        }
        if parsed.start == parsed.end {
            return;
        }
        let Some(sequence) = parsed.header.sequence else {
            return call.shared.drops.count(Cause::NoSequence);
        };
        call.shared.last_frame.set(now);
        let (start, end) = (ip_header + parsed.start, ip_header + parsed.end);
        let frame = Frame::new(batch.take(slot), start, end, sequence, Some(slot));
        self.judge(index, frame, batch, now);
    }

    fn stranger(&mut self, call_id: u16, peer: Ipv4Addr, now: u64) {
        let owner = self
            .by_call_id
            .get(&u64::from(call_id))
            .and_then(|owners| owners.first().copied());
        if let Some(call) = owner.and_then(|index| self.calls.get_mut(index)) {
            self.parts.drops.count(Cause::WrongPeer);
            if self.impostors.allows(now) {
                self.parts
                    .teller
                    .stranger(Kind::WrongPeer, Some(&call.shared), call_id, peer);
            }
            return;
        }
        self.parts.drops.count(Cause::UnknownCall);
        if self.strangers.allows(now) {
            self.parts
                .teller
                .stranger(Kind::UnknownCall, None, call_id, peer);
        }
    }

    /// Sequence number first: deliver, keep for later, or drop.
    fn judge(&mut self, index: u32, frame: Frame, batch: &mut RecvBatch, now: u64) {
        let Some(call) = self.calls.get_mut(index) else {
            return frame.release(batch);
        };
        let sequence = frame.sequence;
        let before = call.window.highest();
        match call.window.accept(sequence) {
            Verdict::Duplicate => {
                call.shared.gre_duplicates.bump(1);
                call.shared.drops.count(Cause::Duplicate);
                return frame.release(batch);
            }
            Verdict::Stray => {
                call.shared.drops.count(Cause::Late);
                return frame.release(batch);
            }
            Verdict::Late => call.shared.gre_reordered.bump(1),
            Verdict::Next if before != Some(sequence.wrapping_sub(1)) => call.start_at(sequence),
            Verdict::Next | Verdict::Ahead(_) => {}
        }
        call.plan_ack(&mut self.timers, &mut self.acks, now);
        let distance = sequence.wrapping_sub(call.due);
        if distance >= 1 << 31 {
            call.shared.drops.count(Cause::Late);
            return frame.release(batch);
        }
        self.order(index, frame, distance, batch, now);
    }

    fn order(&mut self, index: u32, frame: Frame, distance: u32, batch: &mut RecvBatch, now: u64) {
        let deadline = now + self.parts.reorder_timeout;
        if distance == 0 {
            self.pass(index, frame, batch, now);
            return self.pass_ready(index, deadline, batch, now);
        }
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        if distance >= REORDER_CAPACITY {
            self.give_up(index, batch, now);
            if let Some(call) = self.calls.get_mut(index) {
                let missing = frame.sequence.wrapping_sub(call.due);
                call.shared.gre_lost.bump(missing.into());
            }
            return self.pass(index, frame, batch, now);
        }
        call.keep(distance, frame.detach(batch), deadline, &mut self.timers);
    }

    /// Deliver the packet that is due.
    fn pass(&mut self, index: u32, frame: Frame, batch: &mut RecvBatch, now: u64) {
        if let Some(call) = self.calls.get_mut(index) {
            call.due = frame.sequence.wrapping_add(1);
            if let Some(waiting) = &mut call.waiting {
                waiting.advance();
            }
        }
        self.delivery
            .frame(&mut self.calls, index, frame, batch, now);
    }

    /// Deliver what waited for the packet that just came. What still waits then does so for a gap that is the first only now.
    fn pass_ready(&mut self, index: u32, deadline: u64, batch: &mut RecvBatch, now: u64) {
        while let Some(frame) = self.calls.get_mut(index).and_then(Call::next_ready) {
            self.delivery
                .frame(&mut self.calls, index, frame, batch, now);
        }
        if let Some(call) = self.calls.get_mut(index) {
            call.postpone(deadline);
        }
    }

    /// The gaps stay: deliver everything that waits.
    fn give_up(&mut self, index: u32, batch: &mut RecvBatch, now: u64) {
        let Some(mut waiting) = self
            .calls
            .get_mut(index)
            .and_then(|call| call.waiting.take())
        else {
            return;
        };
        while !waiting.is_empty() {
            let next = waiting.advance();
            if let Some(call) = self.calls.get_mut(index) {
                call.due = call.due.wrapping_add(1);
                call.shared.gre_lost.bump(u64::from(next.is_none()));
            }
            if let Some(frame) = next {
                self.delivery
                    .frame(&mut self.calls, index, frame, batch, now);
            }
        }
    }

    /// Send acknowledgements and give up gaps that are due.
    pub fn run_timers(&mut self, batch: &mut RecvBatch, now: u64) {
        while let Some((handle, what)) = self.timers.expired(now) {
            let Some(&index) = self.handles.get(&handle) else {
                continue;
            };
            if what == REORDER_TIMER {
                self.gap_timer(index, batch, now);
            } else if let Some(call) = self.calls.get_mut(index) {
                call.ack_planned = false;
                call.acknowledge(&mut self.acks);
            }
        }
        self.acks.flush(now);
    }

    fn gap_timer(&mut self, index: u32, batch: &mut RecvBatch, now: u64) {
        let call = self.calls.get_mut(index);
        if call.is_some_and(|call| call.gap_is_over(&mut self.timers, now)) {
            self.give_up(index, batch, now);
            self.delivery.finish(&mut self.calls, batch, now);
        }
    }

    /// Do what has been asked.
    pub fn obey(&mut self) {
        while let Ok((handle, command)) = self.parts.commands.try_recv() {
            match command {
                RxCommand::Add(shared) => self.add(handle, shared),
                RxCommand::Remove(done) => self.remove(handle, done),
                RxCommand::Stop => self.stopped = true,
                other => {
                    if let Some(call) = self
                        .handles
                        .get(&handle)
                        .and_then(|&index| self.calls.get_mut(index))
                    {
                        call.obey(other);
                    }
                }
            }
        }
    }

    fn add(&mut self, handle: u64, shared: Arc<Shared>) {
        let path = shared.path;
        let index = self.calls.insert(Call::new(shared));
        self.handles.insert(handle, index);
        self.by_key
            .insert(key(path.local_call_id, path.peer), index);
        self.by_call_id
            .entry(path.local_call_id.into())
            .or_default()
            .push(index);
    }

    fn remove(&mut self, handle: u64, done: Sender<()>) {
        let Some(index) = self.handles.remove(&handle) else {
            return;
        };
        if let Some(call) = self.calls.remove(index) {
            let path = call.shared.path;
            self.by_key.remove(&key(path.local_call_id, path.peer));
            let call_id = u64::from(path.local_call_id);
            if let Some(owners) = self.by_call_id.get_mut(&call_id) {
                owners.retain(|&owner| owner != index);
                if owners.is_empty() {
                    self.by_call_id.remove(&call_id);
                }
            }
        }
        drop(done);
    }
}
