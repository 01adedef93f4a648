//! The sending thread: TUN to peers. Alone holds sequence numbers and send keys.

use crate::coalesce::Device;
use crate::command::{Keepalive, Link, TxCommand};
use crate::gre::{self, Header};
use crate::icmp;
use crate::ip::{self, View};
use crate::mppe::{Sender as MppeSender, Work, HEADER as MPPE_HEADER};
use crate::outbox::{Outbox, Transmit};
use crate::segment::{Segmenter, VnetHeader};
use crate::shared::{Cause, Drops, Shared};
use crate::sys::{monotonic, EventFd, Tun, Waiter, BATCH, IP_HEADER, SLOT, VNET_HEADER};
use crate::table::{FastMap, Slab};
use crate::timers::Timers;
use crate::upcall::{Kind, Teller};
use crossbeam_channel::Receiver;
use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

/// Where the inner packet begins in a buffer: in front of it go IP, GRE (at most 16 octets), framing, MPPE and its protocol
/// field (2 octets each), and the protocol field that is encrypted with the packet.
pub const HEADROOM: usize = 48;
const _: () = assert!(HEADROOM >= IP_HEADER + gre::MAX_HEADER + 4 * 2);
/// Largest inner packet.
pub const MAX_PACKET: usize = SLOT - HEADROOM;
const PROTOCOL_IPV4: u16 = 0x0021;
const PROTOCOL_IPV6: u16 = 0x0057;
const PROTOCOL_LCP: u16 = 0xc021;
const ECHO_REQUEST: u8 = 9;
/// Pause after the TUN device refused to be read, as it does while it is being removed.
const TUN_PAUSE: u64 = 100_000_000;

struct Call {
    shared: Arc<Shared>,
    sequence: u32,
    link: Option<Link>,
    mppe: Option<Box<MppeSender>>,
    required: bool,
    addresses: Vec<IpAddr>,
    echo: Option<Echo>,
}

struct Echo {
    keepalive: Keepalive,
    generation: u32,
    identifier: u8,
    dead: bool,
}

/// What the thread works with.
pub struct Parts {
    /// The device.
    pub tun: Arc<Tun>,
    /// What to do.
    pub commands: Receiver<(u64, TxCommand)>,
    /// Echo-Replies from the receiving thread.
    pub replies: Receiver<(u64, Vec<u8>)>,
    /// Signalled when there is something in either.
    pub wake: Arc<EventFd>,
    /// Python's queue.
    pub teller: Teller,
    /// What belongs to no call.
    pub drops: Arc<Drops>,
}

/// The thread's state.
pub struct Tx {
    parts: Parts,
    calls: Slab<Call>,
    handles: HashMap<u64, u32>,
    routes: FastMap<IpAddr, u32>,
    outbox: Outbox,
    timers: Timers,
    generation: u32,
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
            routes: FastMap::default(),
            timers: Timers::default(),
            generation: 0,
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

    /// Take what the device has, at most a batch. Whether there may be more.
    fn read_tun(&mut self, buffer: &mut [u8], now: u64) -> bool {
        while self.outbox.len() < BATCH {
            match self.parts.tun.read(buffer) {
                Ok(Some(length)) => self.carry(&mut buffer[..length], now),
                Ok(None) => return false,
                Err(_) => {
                    Waiter::new(&[self.parts.wake.as_raw_fd()]).wait(Some(TUN_PAUSE));
                    return false;
                }
            }
        }
        true
    }

    fn carry(&mut self, octets: &mut [u8], now: u64) {
        let Some((header, packet)) = octets.split_first_chunk_mut::<VNET_HEADER>() else {
            return;
        };
        let header = VnetHeader::read(header);
        let Some(view) = View::of(packet) else {
            return self.parts.drops.count(Cause::Malformed);
        };
        let Some(index) = self.route(view.destination) else {
            return self.parts.drops.count(Cause::NoRoute);
        };
        if header.is_super() {
            self.send_super(index, &header, packet, now);
        } else if header.complete_checksum(packet) {
            self.send_packet(index, &mut packet[..view.length], &view, now);
        }
    }

    /// The call that has this inner address, else the one that has all others.
    fn route(&self, destination: IpAddr) -> Option<u32> {
        let rest = || self.routes.get(&ip::everywhere(destination));
        self.routes.get(&destination).or_else(rest).copied()
    }

    fn send_super(&mut self, index: u32, header: &VnetHeader, packet: &[u8], now: u64) {
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        let Some(mut segments) = Segmenter::new(header, packet) else {
            return call.shared.drops.count(Cause::Malformed);
        };
        if segments.largest() > call.mtu() {
            return too_big(&self.parts, call, packet, segments.view());
        }
        let protocol = protocol_of(segments.view());
        loop {
            let mut buffer = self.outbox.buffer();
            let Some(length) = segments.next_into(&mut buffer[HEADROOM..]) else {
                return self.outbox.recycle(buffer);
            };
            call.send_user(&mut self.outbox, protocol, buffer, length, now);
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
    fn obey(&mut self, now: u64) {
        while let Ok((handle, command)) = self.parts.commands.try_recv() {
            self.command(handle, command, now);
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
        while let Ok((handle, frame)) = self.parts.replies.try_recv() {
            self.with(handle, |call, outbox| call.send_frame(outbox, &frame));
            if self.outbox.len() >= BATCH {
                self.outbox.flush(now);
            }
        }
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
            TxCommand::Frame(frame) => {
                self.with(handle, |call, outbox| call.send_frame(outbox, &frame))
            }
            TxCommand::Inject(packet) => self.inject(handle, packet, now),
            TxCommand::Keepalive(keepalive) => self.set_keepalive(handle, keepalive, now),
            TxCommand::Stop => self.stopped = true,
        }
    }

    fn add(&mut self, handle: u64, shared: Arc<Shared>) {
        let call = Call {
            shared,
            sequence: 0,
            link: None,
            mppe: None,
            required: false,
            addresses: Vec::new(),
            echo: None,
        };
        let index = self.calls.insert(call);
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

    fn set_addresses(&mut self, handle: u64, addresses: Vec<IpAddr>) {
        let Some(&index) = self.handles.get(&handle) else {
            return;
        };
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        for address in std::mem::replace(&mut call.addresses, addresses) {
            self.routes.remove(&address);
        }
        self.routes
            .extend(call.addresses.iter().map(|&address| (address, index)));
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
        self.with(handle, |call, _| {
            call.shared.echo.store(0, Relaxed);
            call.shared.missed.store(0, Relaxed);
            let echo = Echo {
                keepalive,
                generation,
                identifier: 0,
                dead: false,
            };
            call.echo = (keepalive.interval > 0).then_some(echo);
        });
        if keepalive.interval > 0 {
            self.timers
                .start(now + keepalive.interval, handle, generation);
        }
    }

    fn run_timers(&mut self, now: u64) {
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

impl Call {
    fn mtu(&self) -> usize {
        self.link
            .map_or(MAX_PACKET, |link| link.mtu.min(MAX_PACKET))
    }

    fn reset_mppe(&mut self) {
        self.shared.resets.bump(1);
        if let Some(mppe) = &mut self.mppe {
            mppe.reset();
        }
    }

    fn send_copy(&mut self, outbox: &mut Outbox, protocol: u16, packet: &[u8], now: u64) {
        let mut buffer = outbox.buffer();
        buffer[HEADROOM..HEADROOM + packet.len()].copy_from_slice(packet);
        self.send_user(outbox, protocol, buffer, packet.len(), now);
    }

    /// Send the user packet of `length` octets that stands in the buffer behind the headroom.
    fn send_user(
        &mut self,
        outbox: &mut Outbox,
        protocol: u16,
        buffer: Vec<u8>,
        length: usize,
        now: u64,
    ) {
        let cause = if self.addresses.is_empty() {
            Some(Cause::NetworkClosed)
        } else if self.required && self.mppe.is_none() {
            Some(Cause::ClearText)
        } else {
            None
        };
        if let Some(cause) = cause {
            self.shared.drops.count(cause);
            return outbox.recycle(buffer);
        }
        self.shared.packets_out.bump(1);
        self.shared.bytes_out.bump(length as u64);
        self.shared.last_user_out.set(now);
        self.send_ppp(outbox, protocol, buffer, length);
    }

    /// Send a frame of Python's: protocol field (two octets) and information.
    fn send_frame(&mut self, outbox: &mut Outbox, frame: &[u8]) {
        let Some((protocol, information)) = frame.split_first_chunk::<2>() else {
            return self.shared.drops.count(Cause::Malformed);
        };
        if information.len() > MAX_PACKET {
            return self.shared.drops.count(Cause::TooBig);
        }
        let mut buffer = outbox.buffer();
        buffer[HEADROOM..HEADROOM + information.len()].copy_from_slice(information);
        self.send_ppp(
            outbox,
            u16::from_be_bytes(*protocol),
            buffer,
            information.len(),
        );
    }

    fn send_ppp(&mut self, outbox: &mut Outbox, protocol: u16, mut buffer: Vec<u8>, length: usize) {
        let end = HEADROOM + length;
        buffer[HEADROOM - 2..HEADROOM].copy_from_slice(&protocol.to_be_bytes());
        let mut start = HEADROOM - 2;
        let mut work = Work::Done;
        let mut visible = protocol;
        if let Some(mppe) = self.mppe.as_mut().filter(|_| is_encrypted(protocol)) {
            let header;
            (header, work) = mppe.seal(&mut buffer[start..end]);
            buffer[start - MPPE_HEADER..start].copy_from_slice(&header);
            buffer[start - MPPE_HEADER - 2..start - MPPE_HEADER].copy_from_slice(&[0x00, 0xfd]);
            start -= MPPE_HEADER + 2;
            visible = 0x00fd;
        }
        // LCP is always sent as if nothing had been negotiated (RFC 1661 sections 6.5 and 6.6).
        let link = self.link.filter(|_| protocol != PROTOCOL_LCP);
        if visible < 0x100 && link.is_some_and(|link| link.compress_protocol) {
            start += 1;
        }
        if !link.is_some_and(|link| link.omit_framing) {
            start -= 2;
            buffer[start..start + 2].copy_from_slice(&[0xff, 0x03]);
        }
        let clear = HEADROOM - 2;
        self.send_gre(outbox, buffer, start, end, work, clear);
    }

    fn send_gre(
        &mut self,
        outbox: &mut Outbox,
        mut buffer: Vec<u8>,
        start: usize,
        end: usize,
        work: Work,
        data: usize,
    ) {
        let header = Header {
            call_id: self.shared.path.peer_call_id,
            sequence: Some(self.sequence),
            acknowledgement: self.shared.take_acknowledgement(),
        };
        self.sequence = self.sequence.wrapping_add(1);
        let front = start - gre::header_length(&header);
        gre::write(&header, (end - start) as u16, &mut buffer[front..]);
        self.shared.gre_out.bump(1);
        let key = match work {
            Work::Apply(key) => Some(key),
            Work::Done => None,
        };
        outbox.push(&self.shared, buffer, front, end, key, data);
    }

    /// An echo is due, unless the keepalive was changed since. When to come back.
    fn echo_due(
        &mut self,
        generation: u32,
        now: u64,
        teller: &Teller,
        outbox: &mut Outbox,
    ) -> Option<u64> {
        let echo = self
            .echo
            .as_mut()
            .filter(|echo| echo.generation == generation && !echo.dead)?;
        let Keepalive {
            interval,
            failures,
            adaptive,
        } = echo.keepalive;
        let heard = self.shared.last_frame.get();
        let asked = self.shared.echo.load(Relaxed);
        // Any frame since the request shows that the peer is alive, even when the answer itself was lost.
        let unanswered = asked != 0 && heard < asked;
        if adaptive && !unanswered && now < heard + interval {
            return Some(heard + interval);
        }
        if unanswered {
            let missed = self.shared.missed.fetch_add(1, Relaxed) + 1;
            teller.about(&self.shared, Kind::EchoMissed, u64::from(missed));
            if missed >= failures {
                echo.dead = true;
                teller.about(&self.shared, Kind::Dead, u64::from(missed));
                return None;
            }
        }
        echo.identifier = echo.identifier.wrapping_add(1);
        let identifier = echo.identifier;
        self.send_echo(identifier, now, outbox);
        Some(now + interval)
    }

    fn send_echo(&mut self, identifier: u8, now: u64, outbox: &mut Outbox) {
        let magic = self.link.map_or(0, |link| link.local_magic).to_be_bytes();
        let mut frame = vec![0xc0, 0x21, ECHO_REQUEST, identifier, 0, 8];
        frame.extend(magic);
        self.shared
            .echo
            .store(now & !0xff | u64::from(identifier), Relaxed);
        self.shared.echoes_sent.bump(1);
        self.send_frame(outbox, &frame);
    }
}

/// MPPE takes network-layer data only (RFC 3078 section 3): 0x0021 to 0x00fa.
fn is_encrypted(protocol: u16) -> bool {
    (0x0021..=0x00fa).contains(&protocol)
}
