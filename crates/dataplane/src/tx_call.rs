//! One call as the sending thread holds it: sequence numbers, send key, echo.

use crate::budget::Budget;
use crate::command::{Keepalive, Link};
use crate::gre::{self, Header};
use crate::mppe::{Sender as MppeSender, Work, HEADER as MPPE_HEADER};
use crate::outbox::Outbox;
use crate::prefix::Prefix;
use crate::shared::{Cause, Shared};
use crate::sys::{IP_HEADER, SLOT};
use crate::upcall::{Kind, Teller};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

/// Where the inner packet begins in a buffer: in front of it go IP, GRE (at most 16 octets), framing, MPPE and its protocol
/// field (2 octets each), and the protocol field that is encrypted with the packet.
pub const HEADROOM: usize = 48;
const _: () = assert!(HEADROOM >= IP_HEADER + gre::MAX_HEADER + 4 * 2);
/// Largest inner packet.
pub const MAX_PACKET: usize = SLOT - HEADROOM;
const PROTOCOL_LCP: u16 = 0xc021;
const ECHO_REQUEST: u8 = 9;

/// A call as the sending thread knows it.
pub struct Call {
    /// What all know.
    pub shared: Arc<Shared>,
    sequence: u32,
    /// What LCP agreed.
    pub link: Option<Link>,
    /// The key, if any.
    pub mppe: Option<Box<MppeSender>>,
    /// Do not send clear user data.
    pub required: bool,
    /// The inner addresses of the peer; empty while the network phase is closed.
    pub addresses: Vec<Prefix>,
    /// What may go, when there is a limit.
    pub budget: Option<Budget>,
    echo: Option<Echo>,
}

/// Its keepalive, when that is on.
pub struct Echo {
    keepalive: Keepalive,
    generation: u32,
    identifier: u8,
    sent: u64,
    dead: bool,
}

/// How long the last echo before the end may take to be answered: a client that is gone is noticed within interval x
/// failures and a second.
const LAST_PATIENCE: u64 = 800_000_000;

impl Call {
    /// A call that has sent nothing.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            sequence: 0,
            link: None,
            mppe: None,
            required: false,
            addresses: Vec::new(),
            budget: None,
            echo: None,
        }
    }

    /// Set or stop the echo. Timers of another generation than this are those of an earlier setting.
    pub fn set_keepalive(&mut self, keepalive: Keepalive, generation: u32) {
        self.shared.echo.store(0, Relaxed);
        self.shared.missed.store(0, Relaxed);
        let echo = Echo {
            keepalive,
            generation,
            identifier: 0,
            sent: 0,
            dead: false,
        };
        self.echo = (keepalive.interval > 0).then_some(echo);
    }

    /// The largest inner packet that may be sent.
    pub fn mtu(&self) -> usize {
        self.link
            .map_or(MAX_PACKET, |link| link.mtu.min(MAX_PACKET))
    }

    /// Answer a Reset-Request.
    pub fn reset_mppe(&mut self) {
        self.shared.resets.bump(1);
        if let Some(mppe) = &mut self.mppe {
            mppe.reset();
        }
    }

    /// Send a user packet.
    pub fn send_copy(&mut self, outbox: &mut Outbox, protocol: u16, packet: &[u8], now: u64) {
        let mut buffer = outbox.buffer();
        buffer[HEADROOM..HEADROOM + packet.len()].copy_from_slice(packet);
        self.send_user(outbox, protocol, buffer, packet.len(), now);
    }

    /// Send the user packet of `length` octets that stands in the buffer behind the headroom.
    pub fn send_user(
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
        } else if !self.affords(length, now) {
            Some(Cause::RateLimited)
        } else {
            None
        };
        if let Some(cause) = cause {
            self.shared.drops.count(cause);
            return outbox.recycle(buffer);
        }
        self.shared.packets_out.bump(1);
        self.shared.bytes_out.bump(length as u64);
        if self.shared.is_use(&buffer[HEADROOM..HEADROOM + length]) {
            self.shared.last_user_out.set(now);
        }
        self.send_ppp(outbox, protocol, buffer, length);
    }

    fn affords(&mut self, length: usize, now: u64) -> bool {
        let budget = self.budget.as_mut();
        budget.is_none_or(|budget| budget.take(length, now))
    }

    /// Send a frame of Python's: protocol field (two octets) and information.
    pub fn send_frame(&mut self, outbox: &mut Outbox, frame: &[u8]) {
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

    /// Send such a frame in a packet that nobody may fragment, with a GRE header of 16 octets once anything was received.
    pub fn send_whole(&mut self, outbox: &mut Outbox, frame: &[u8]) {
        let before = outbox.len();
        self.shared.repeat_acknowledgement();
        self.send_frame(outbox, frame);
        if outbox.len() > before {
            outbox.keep_whole();
        }
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
        self.shared.sent(self.sequence);
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
    pub fn echo_due(
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
        let quiet_until = if adaptive {
            heard.max(echo.sent)
        } else {
            echo.sent
        } + interval;
        if !unanswered && now < quiet_until {
            return Some(quiet_until);
        }
        let mut missed = 0;
        if unanswered {
            missed = self.shared.missed.fetch_add(1, Relaxed) + 1;
            teller.about(&self.shared, Kind::EchoMissed, u64::from(missed));
            if missed >= failures {
                echo.dead = true;
                teller.about(&self.shared, Kind::Dead, u64::from(missed));
                return None;
            }
        }
        echo.identifier = echo.identifier.wrapping_add(1);
        echo.sent = now;
        let identifier = echo.identifier;
        self.send_echo(identifier, now, outbox);
        let last = missed + 1 >= failures;
        Some(
            now + if last {
                interval.min(LAST_PATIENCE)
            } else {
                interval
            },
        )
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
