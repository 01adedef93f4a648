//! The sending thread: TUN to peers. Alone holds sequence numbers and send keys.

use crate::budget::Budget;
use crate::command::{Keepalive, TxCommand};
use crate::icmp;
use crate::ip::{self, View};
use crate::outbox::{Outbox, Transmit};
use crate::prefix::Prefix;
use crate::routes::{Place, Routes};
use crate::segment::{Segmenter, VnetHeader};
use crate::shared::{Cause, Drops, Shared};
use crate::sys::{monotonic, EventFd, Queue, Waiter, BATCH, GONE, VNET_HEADER};
use crate::table::Slab;
use crate::timers::Timers;
use crate::tx_call::{Call, HEADROOM};
use crate::upcall::Teller;
use crate::workers::Colleague;
use crossbeam_channel::Receiver;
use std::collections::HashMap;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

const PROTOCOL_IPV4: u16 = 0x0021;
const PROTOCOL_IPV6: u16 = 0x0057;
const REPLIES_AT_ONCE: usize = 4 * BATCH;
/// Pause after the TUN device refused to be read, as it does while it is being removed.
const TUN_PAUSE: u64 = 100_000_000;

/// What the thread works with.
pub struct Parts {
    /// The device.
    pub tun: Arc<dyn Queue>,
    /// What to do.
    pub commands: Receiver<(u64, TxCommand)>,
    /// Echo-Replies from the receiving thread.
    pub replies: Receiver<(u64, Vec<u8>)>,
    /// Packets for our calls that came to other workers.
    pub handed: Receiver<Vec<u8>>,
    /// All workers, for packets of their calls that came to us.
    pub colleagues: Vec<Colleague>,
    /// Signalled when there is something in any of these.
    pub wake: Arc<EventFd>,
    /// Python's queue.
    pub teller: Teller,
    /// What belongs to no call.
    pub drops: Arc<Drops>,
}

/// The thread's state.
pub struct Tx {
    pub(crate) parts: Parts,
    calls: Slab<Call>,
    handles: HashMap<u64, u32>,
    routes: Routes,
    outbox: Outbox,
    timers: Timers,
    generation: u32,
    gone: bool,
    stopped: bool,
}

impl Tx {
    /// Ready to run.
    #[must_use]
    pub fn new(parts: Parts, transmit: Box<dyn Transmit>) -> Self {
        Self {
            outbox: Outbox::new(transmit, parts.teller.clone()),
            parts,
            calls: Slab::default(),
            handles: HashMap::new(),
            routes: Routes::default(),
            timers: Timers::default(),
            generation: 0,
            gone: false,
            stopped: false,
        }
    }

    /// Run until told to stop.
    pub fn run(mut self) {
        let mut waiter = Waiter::new(&[self.parts.wake.as_raw_fd(), self.parts.tun.as_raw_fd()]);
        let mut buffer = vec![0u8; VNET_HEADER + 0xffff];
        while !self.stopped {
            let now = monotonic();
            let busy = self.read_tun(&mut buffer, now);
            self.outbox.flush(now);
            self.run_timers(now);
            if busy {
                // Commands come through the same wait; a busy device must not keep them out.
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
                self.obey(monotonic());
            }
        }
    }

    /// Take what the device has, at most a batch, even of packets that go nowhere: commands, echoes and budgets wait
    /// meanwhile. Whether there may be more.
    pub(crate) fn read_tun(&mut self, buffer: &mut [u8], now: u64) -> bool {
        for _ in 0..BATCH {
            match self.parts.tun.read(buffer) {
                Ok(Some(length)) => self.take(&mut buffer[..length], now),
                Ok(None) => return false,
                Err(error) => {
                    self.refused(&error);
                    return false;
                }
            }
            if self.outbox.len() >= BATCH {
                break;
            }
        }
        true
    }

    fn refused(&mut self, error: &io::Error) {
        if error.raw_os_error() == Some(GONE) && !self.gone {
            self.gone = true;
            self.parts
                .teller
                .broken("somebody removed its TUN interface");
        }
        Waiter::new(&[self.parts.wake.as_raw_fd()]).wait(Some(TUN_PAUSE));
    }

    /// A packet from the device: ours, another worker's, or nobody's.
    fn take(&mut self, octets: &mut [u8], now: u64) {
        let Some(view) = octets.get(VNET_HEADER..).and_then(View::of) else {
            return self.parts.drops.count(Cause::Malformed);
        };
        match self.routes.find(view.destination) {
            Some(Place::Here(index)) => self.carry(index, octets, &view, now),
            Some(Place::There(worker)) => self.hand_over(worker, octets),
            None => self.parts.drops.count(Cause::NoRoute),
        }
    }

    fn hand_over(&self, worker: usize, octets: &[u8]) {
        let colleague = &self.parts.colleagues[worker];
        if colleague.packets.try_send(octets.to_vec()).is_err() {
            self.parts.drops.count(Cause::QueueFull);
        }
        colleague.wake.signal();
    }

    /// Packets that other workers handed over, at most a batch. One whose call is not here any more goes no further.
    fn take_handed(&mut self, now: u64) {
        for _ in 0..BATCH {
            let Ok(mut octets) = self.parts.handed.try_recv() else {
                return;
            };
            let view = octets.get(VNET_HEADER..).and_then(View::of);
            let place = view.and_then(|view| self.routes.find(view.destination));
            match (view, place) {
                (Some(view), Some(Place::Here(index))) => {
                    self.carry(index, &mut octets, &view, now);
                }
                _ => self.parts.drops.count(Cause::NoRoute),
            }
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
        self.parts.wake.signal();
    }

    fn carry(&mut self, index: u32, octets: &mut [u8], view: &View, now: u64) {
        let Some((header, packet)) = octets.split_first_chunk_mut::<VNET_HEADER>() else {
            return;
        };
        let header = VnetHeader::read(header);
        if header.is_super() {
            self.send_super(index, &header, packet, now);
        } else if header.complete_checksum(packet) {
            self.send_packet(index, &mut packet[..view.length], view, now);
        }
    }

    fn send_super(&mut self, index: u32, header: &VnetHeader, packet: &[u8], now: u64) {
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        let Some(mut segments) = Segmenter::new(header, packet) else {
            return call.shared.drops.count(Cause::Malformed);
        };
        if segments.largest() > call.mtu() {
            if !icmp::may_fragment(packet, segments.view()) {
                return too_big(&self.parts, call, packet, segments.view());
            }
            return self.send_cut(index, segments, now);
        }
        let protocol = protocol_of(segments.view());
        loop {
            let mut buffer = self.outbox.buffer();
            let Some(length) = segments.next_into(&mut buffer[HEADROOM..]) else {
                return self.outbox.recycle(buffer);
            };
            call.send_user(&mut self.outbox, protocol, buffer, length, now);
            // A connection with a tiny MSS makes more than a thousand segments of one read.
            if self.outbox.len() >= 2 * BATCH {
                self.outbox.flush(now);
            }
        }
    }

    /// Send segments that are too big for the session as fragments.
    fn send_cut(&mut self, index: u32, mut segments: Segmenter<'_>, now: u64) {
        let mut buffer = vec![0; segments.largest()];
        while let Some(length) = segments.next_into(&mut buffer) {
            let segment = &mut buffer[..length];
            if let Some(view) = View::of(segment) {
                self.send_packet(index, segment, &view, now);
            }
            if self.outbox.len() >= 2 * BATCH {
                self.outbox.flush(now);
            }
        }
    }

    fn send_packet(&mut self, index: u32, packet: &mut [u8], view: &View, now: u64) {
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        let mtu = call.mtu();
        if packet.len() > mtu {
            return match icmp::fragments(packet, view, mtu) {
                Some(fragments) => {
                    for fragment in fragments {
                        call.send_copy(&mut self.outbox, protocol_of(view), &fragment, now);
                    }
                }
                None => too_big(&self.parts, call, packet, view),
            };
        }
        if call.link.is_some_and(|link| link.clamp_mss) {
            ip::clamp_mss(packet, view, mtu);
        }
        call.send_copy(&mut self.outbox, protocol_of(view), packet, now);
    }

    /// Do what Python and the receiving thread ask.
    pub(crate) fn obey(&mut self, now: u64) {
        while let Ok((handle, command)) = self.parts.commands.try_recv() {
            self.command(handle, command, now);
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
        self.take_replies(now);
        self.take_handed(now);
    }

    /// Echo-Replies, at most some batches: who floods us with requests must not keep the device and the timers waiting.
    fn take_replies(&mut self, now: u64) {
        for _ in 0..REPLIES_AT_ONCE {
            let Ok((handle, frame)) = self.parts.replies.try_recv() else {
                return;
            };
            self.with(handle, |call, outbox| call.send_frame(outbox, &frame));
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
        self.parts.wake.signal();
    }

    fn with(&mut self, handle: u64, act: impl FnOnce(&mut Call, &mut Outbox)) {
        if let Some(call) = self
            .handles
            .get(&handle)
            .and_then(|&index| self.calls.get_mut(index))
        {
            act(call, &mut self.outbox);
        }
    }

    fn command(&mut self, handle: u64, command: TxCommand, now: u64) {
        match command {
            TxCommand::Add(shared) => self.add(handle, shared),
            TxCommand::Remove(done) => self.remove(handle, now, done),
            TxCommand::Configure(link) => self.with(handle, |call, _| call.link = Some(link)),
            TxCommand::SetMppe(mppe) => self.with(handle, |call, _| call.mppe = mppe),
            TxCommand::RequireMppe(required) => {
                self.with(handle, |call, _| call.required = required)
            }
            TxCommand::ResetMppe => self.with(handle, |call, _| call.reset_mppe()),
            TxCommand::Addresses(addresses) => self.set_addresses(handle, addresses),
            TxCommand::Rate(rate) => self.with(handle, |call, _| {
                call.budget = Budget::new(rate, now);
            }),
            TxCommand::Elsewhere(worker, addresses) => {
                self.routes.set_elsewhere(handle, worker, addresses);
            }
            TxCommand::Frame(frame) => {
                self.with(handle, |call, outbox| call.send_frame(outbox, &frame))
            }
            TxCommand::Whole(frame) => {
                self.with(handle, |call, outbox| call.send_whole(outbox, &frame))
            }
            TxCommand::Inject(packet) => self.inject(handle, packet, now),
            TxCommand::Keepalive(keepalive) => self.set_keepalive(handle, keepalive, now),
            TxCommand::Stop => self.stopped = true,
        }
    }

    fn add(&mut self, handle: u64, shared: Arc<Shared>) {
        let index = self.calls.insert(Call::new(shared));
        self.handles.insert(handle, index);
    }

    fn remove(&mut self, handle: u64, now: u64, done: crossbeam_channel::Sender<()>) {
        self.set_addresses(handle, Vec::new());
        self.outbox.flush(now);
        if let Some(index) = self.handles.remove(&handle) {
            self.calls.remove(index);
        }
        drop(done);
    }

    fn set_addresses(&mut self, handle: u64, addresses: Vec<Prefix>) {
        let Some(&index) = self.handles.get(&handle) else {
            return;
        };
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        self.routes.replace(index, &call.addresses, &addresses);
        call.addresses = addresses;
    }

    fn inject(&mut self, handle: u64, mut packet: Vec<u8>, now: u64) {
        let Some(&index) = self.handles.get(&handle) else {
            return;
        };
        match View::of(&packet) {
            Some(view) => self.send_packet(index, &mut packet[..view.length], &view, now),
            None => self.with(handle, |call, _| call.shared.drops.count(Cause::Malformed)),
        }
    }

    fn set_keepalive(&mut self, handle: u64, keepalive: Keepalive, now: u64) {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        self.with(handle, |call, _| call.set_keepalive(keepalive, generation));
        if keepalive.interval > 0 {
            self.timers
                .start(now + keepalive.interval, handle, generation);
        }
    }

    pub(crate) fn run_timers(&mut self, now: u64) {
        while let Some((handle, generation)) = self.timers.expired(now) {
            let Some(call) = self
                .handles
                .get(&handle)
                .and_then(|&index| self.calls.get_mut(index))
            else {
                continue;
            };
            if let Some(next) = call.echo_due(generation, now, &self.parts.teller, &mut self.outbox)
            {
                self.timers.start(next, handle, generation);
            }
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
        self.outbox.flush(now);
    }
}

fn protocol_of(view: &View) -> u16 {
    if view.is_v6() {
        PROTOCOL_IPV6
    } else {
        PROTOCOL_IPV4
    }
}

/// Count the packet, and tell whoever sent it how big it may be. Refusals of the device are the device's loss.
fn too_big(parts: &Parts, call: &Call, packet: &[u8], view: &View) {
    call.shared.drops.count(Cause::TooBig);
    if let Some(answer) = icmp::too_big(packet, view, call.mtu()) {
        if parts.tun.write(&answer).is_err() {
            parts.drops.count(Cause::TunRefused);
        }
    }
}
