//! What happens to a PPP frame once its turn has come: decrypt it, check it, hand it to the TUN device or to Python.

use crate::coalesce::{Coalescer, Device};
use crate::ip::{self, View};
use crate::mppe::{self, Opened};
use crate::rc4::{self, Key};
use crate::rx::Parts;
use crate::rx_call::Call;
use crate::shared::{Cause, Drops, Shared};
use crate::sys::{EventFd, RecvBatch, VNET_HEADER};
use crate::table::Slab;
use crate::upcall::{Kind, Teller};
use crossbeam_channel::Sender;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const COMPRESSED: u16 = 0x00fd;
const LCP: u16 = 0xc021;
const ECHO_REQUEST: u8 = 9;
const ECHO_REPLY: u8 = 10;
/// Jobs that are decrypted together.
const GROUP: usize = 4;

/// A PPP frame, `buffer[start..end]`, with room for a virtio header before it.
pub struct Frame {
    /// The octets.
    pub buffer: Vec<u8>,
    /// Start of the frame, later of the part that is still of interest.
    pub start: usize,
    /// End of the frame.
    pub end: usize,
    /// GRE sequence number.
    pub sequence: u32,
    /// Where in the batch the buffer belongs.
    pub slot: Option<usize>,
    protocol: u16,
    encrypted: bool,
}

impl Frame {
    /// A frame as it came.
    #[must_use]
    pub fn new(
        buffer: Vec<u8>,
        start: usize,
        end: usize,
        sequence: u32,
        slot: Option<usize>,
    ) -> Self {
        Self {
            buffer,
            start,
            end,
            sequence,
            slot,
            protocol: 0,
            encrypted: false,
        }
    }

    fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Give the buffer back to its batch.
    pub fn release(self, batch: &mut RecvBatch) {
        if let Some(slot) = self.slot {
            batch.give_back(slot, self.buffer);
        }
    }

    /// A copy that may outlive the batch; the original goes back.
    #[must_use]
    pub fn detach(self, batch: &mut RecvBatch) -> Self {
        let copy = Self {
            buffer: self.buffer[..self.end].to_vec(),
            slot: None,
            ..self
        };
        self.release(batch);
        copy
    }

    /// Take the protocol field off the front: one octet when it is odd, else two (RFC 1661 section 6.5).
    fn take_protocol(&mut self) -> bool {
        let (protocol, length) = match *self.data() {
            [low, ..] if low & 1 == 1 => (u16::from(low), 1),
            [high, low, ..] => (u16::from_be_bytes([high, low]), 2),
            _ => return false,
        };
        self.start += length;
        self.protocol = protocol;
        true
    }

    fn skip_framing(&mut self) {
        if self.data().starts_with(&[0xff, 0x03]) {
            self.start += 2;
        }
    }
}

/// The far end of the receiving thread.
pub struct Delivery {
    tun: Arc<dyn Device + Send + Sync>,
    teller: Teller,
    replies: Sender<(u64, Vec<u8>)>,
    reply_wake: Arc<EventFd>,
    drops: Arc<Drops>,
    jobs: Vec<(u32, Frame, Key)>,
    coalescer: Coalescer,
}

impl Delivery {
    /// Nothing under way.
    #[must_use]
    pub fn new(parts: &Parts) -> Self {
        Self {
            tun: parts.tun.clone(),
            teller: parts.teller.clone(),
            replies: parts.replies.clone(),
            reply_wake: parts.reply_wake.clone(),
            drops: parts.drops.clone(),
            jobs: Vec::with_capacity(GROUP),
            coalescer: Coalescer::default(),
        }
    }

    /// Deliver a frame of the call at `index`, in the order in which frames are given.
    pub fn frame(
        &mut self,
        calls: &mut Slab<Call>,
        index: u32,
        mut frame: Frame,
        batch: &mut RecvBatch,
        now: u64,
    ) {
        let Some(call) = calls.get_mut(index) else {
            return frame.release(batch);
        };
        frame.skip_framing();
        if !frame.take_protocol() {
            call.shared.drops.count(Cause::Malformed);
            return frame.release(batch);
        }
        if frame.protocol != COMPRESSED {
            self.run_jobs(calls, batch, now);
            return self.clear(calls, index, frame, batch, now);
        }
        match self.open(call, &mut frame, now) {
            Ok(Some(key)) => {
                self.jobs.push((index, frame, key));
                if self.jobs.len() == GROUP {
                    self.run_jobs(calls, batch, now);
                }
            }
            Ok(None) => {
                self.run_jobs(calls, batch, now);
                self.decrypted(calls, index, frame, batch, now);
            }
            Err(cause) => {
                call.shared.drops.count(cause);
                frame.release(batch);
            }
        }
    }

    /// Judge the MPPE header. The key with which to decrypt, or none when that has been done.
    fn open(&self, call: &mut Call, frame: &mut Frame, now: u64) -> Result<Option<Key>, Cause> {
        let mppe = call.mppe.as_mut().ok_or(Cause::MppeNotReady)?;
        let data = &mut frame.buffer[frame.start..frame.end];
        let (header, data) = data.split_first_chunk_mut().ok_or(Cause::Malformed)?;
        let most = call
            .last_encrypted
            .map_or(u32::MAX, |last| frame.sequence.wrapping_sub(last));
        let costly = mppe.is_costly(*header, most);
        if costly && call.failed_leaps.is_spent(now) {
            if let Some(Opened::Desynchronised { news }) = mppe.skip(*header) {
                self.tell_desync(&call.shared, news);
            }
            return Err(Cause::MppeCoherency);
        }
        let opened = mppe.open(*header, data, most);
        if costly && !matches!(opened, Opened::Apply(_)) {
            call.failed_leaps.allows(now);
        }
        frame.start += mppe::HEADER;
        match opened {
            Opened::Apply(key) => {
                call.last_encrypted = Some(frame.sequence);
                Ok(Some(key))
            }
            Opened::Done => Ok(None),
            Opened::Incoherent => Err(Cause::MppeCoherency),
            Opened::Desynchronised { news } => {
                self.tell_desync(&call.shared, news);
                Err(Cause::MppeCoherency)
            }
        }
    }

    fn tell_desync(&self, call: &Arc<Shared>, news: bool) {
        if news {
            call.desyncs.bump(1);
            self.teller.about(call, Kind::MppeDesync, 0);
        }
    }

    /// Decrypt what is under way, side by side, and deliver it in order.
    fn run_jobs(&mut self, calls: &mut Slab<Call>, batch: &mut RecvBatch, now: u64) {
        if self.jobs.is_empty() {
            return;
        }
        let mut jobs = std::mem::take(&mut self.jobs);
        if let [a, b, c, d] = &mut jobs[..] {
            let data = [a, b, c, d]
                .map(|(_, frame, key)| (&mut frame.buffer[frame.start..frame.end], &*key));
            let [(da, ka), (db, kb), (dc, kc), (dd, kd)] = data;
            rc4::apply_four([ka, kb, kc, kd], [da, db, dc, dd]);
        } else {
            for (_, frame, key) in &mut jobs {
                rc4::apply_one(key, &mut frame.buffer[frame.start..frame.end]);
            }
        }
        for (index, frame, _) in jobs.drain(..) {
            self.decrypted(calls, index, frame, batch, now);
        }
        self.jobs = jobs;
    }

    fn decrypted(
        &mut self,
        calls: &mut Slab<Call>,
        index: u32,
        mut frame: Frame,
        batch: &mut RecvBatch,
        now: u64,
    ) {
        let Some(call) = calls.get_mut(index) else {
            return frame.release(batch);
        };
        let data = frame.data();
        let sensible = mppe::is_sensible(&data[..data.len().min(10)], data.len());
        let judged = call.mppe.as_mut().and_then(|mppe| mppe.judge(sensible));
        if let Some(Opened::Desynchronised { news }) = judged {
            self.tell_desync(&call.shared, news);
        }
        if sensible && frame.take_protocol() {
            frame.encrypted = true;
            return self.clear(calls, index, frame, batch, now);
        }
        call.shared.drops.count(Cause::MppeGarbled);
        frame.release(batch);
    }

    /// A frame without encryption: to the device, the engine's own echo, or Python.
    fn clear(
        &mut self,
        calls: &mut Slab<Call>,
        index: u32,
        mut frame: Frame,
        batch: &mut RecvBatch,
        now: u64,
    ) {
        let Some(call) = calls.get_mut(index) else {
            return frame.release(batch);
        };
        if call.shared.missed.load(Relaxed) != 0 && call.shared.missed.swap(0, Relaxed) != 0 {
            self.teller.about(&call.shared, Kind::EchoRecovered, 0);
        }
        if let Err(cause) = self.route(call, &mut frame, now) {
            call.shared.drops.count(cause);
        }
        frame.release(batch);
    }

    fn route(&mut self, call: &mut Call, frame: &mut Frame, now: u64) -> Result<(), Cause> {
        let user = matches!(frame.protocol, IPV4 | IPV6);
        if user && call.required && !frame.encrypted {
            return Err(Cause::ClearText);
        }
        if user && !call.addresses.is_empty() {
            return self.user(call, frame, now);
        }
        if frame.protocol != LCP || !self.echo(call, frame.data(), now) {
            let mut octets = frame.protocol.to_be_bytes().to_vec();
            octets.extend_from_slice(frame.data());
            self.teller.frame(&call.shared, octets);
        }
        Ok(())
    }

    /// An inner packet from the peer.
    fn user(&mut self, call: &mut Call, frame: &mut Frame, now: u64) -> Result<(), Cause> {
        let packet = &mut frame.buffer[frame.start..frame.end];
        let view = View::of(packet).ok_or(Cause::Malformed)?;
        if !call.addresses.iter().any(|own| own.covers(view.source)) {
            return Err(Cause::SpoofedSource);
        }
        let budget = call.budget.as_mut();
        if !budget.is_none_or(|budget| budget.take(view.length, now)) {
            return Err(Cause::RateLimited);
        }
        if let Some(link) = call.link.filter(|link| link.clamp_mss) {
            ip::clamp_mss(packet, &view, link.mtu);
        }
        call.shared.packets_in.bump(1);
        call.shared.bytes_in.bump(view.length as u64);
        if call.shared.is_use(&packet[..view.length]) {
            call.shared.last_user_in.set(now);
        }
        let octets = &mut frame.buffer[frame.start - VNET_HEADER..frame.start + view.length];
        self.coalescer.add(&*self.tun, octets, &view);
        Ok(())
    }

    /// LCP echo (RFC 1661 section 5.8), as far as it is the engine's: requests once LCP is up, and answers to our own.
    fn echo(&self, call: &mut Call, packet: &[u8], now: u64) -> bool {
        let (Some(link), Some((&[code, identifier, high, low, m0, m1, m2, m3], _))) =
            (call.link, packet.split_first_chunk::<8>())
        else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 8 || length > packet.len() {
            return false;
        }
        let magic = u32::from_be_bytes([m0, m1, m2, m3]);
        // Our own magic number coming back means a loop, which is for Python to judge.
        let looped = magic == link.local_magic && magic != 0;
        match code {
            ECHO_REQUEST if !looped && call.echoes.allows(now) => {
                self.answer(call, link.local_magic, &packet[..length]);
                true
            }
            ECHO_REQUEST if !looped => {
                call.shared.drops.count(Cause::RateLimited);
                true
            }
            ECHO_REPLY if !looped => self.answered(call, identifier, now),
            _ => false,
        }
    }

    fn answer(&self, call: &Call, magic: u32, request: &[u8]) {
        let mut reply = LCP.to_be_bytes().to_vec();
        reply.extend_from_slice(request);
        reply[2] = ECHO_REPLY;
        reply[6..10].copy_from_slice(&magic.to_be_bytes());
        if self.replies.try_send((call.shared.handle, reply)).is_err() {
            self.drops.count(Cause::QueueFull);
        }
        self.reply_wake.signal();
    }

    /// Whether the answer was to the engine's own request.
    fn answered(&self, call: &Call, identifier: u8, now: u64) -> bool {
        let asked = call.shared.echo.load(Relaxed);
        if asked == 0 || asked as u8 != identifier {
            return false;
        }
        call.shared.echo.store(0, Relaxed);
        call.shared.echoes_answered.bump(1);
        call.shared.round_trip.set(now.saturating_sub(asked));
        true
    }

    /// The batch is over: nothing may stay behind.
    pub fn finish(&mut self, calls: &mut Slab<Call>, batch: &mut RecvBatch, now: u64) {
        self.run_jobs(calls, batch, now);
        let refused = self.coalescer.finish(&*self.tun);
        self.drops.add(Cause::TunRefused, refused);
    }
}
