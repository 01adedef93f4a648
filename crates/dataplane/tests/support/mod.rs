//! The receiving side without a kernel: packets in, what it wrote and told out. Also driven by the fuzz targets.

use holdfast_dataplane::coalesce::Device;
use holdfast_dataplane::command::{Link, RxCommand};
use holdfast_dataplane::gre::{self, Header};
use holdfast_dataplane::ip::View;
use holdfast_dataplane::mppe::{KeyChain, Mode, Receiver, Sender, Strength, Work};
use holdfast_dataplane::outbox::{Fate, Transmit};
use holdfast_dataplane::prefix::Prefix;
use holdfast_dataplane::rc4;
use holdfast_dataplane::rx::{Parts, Rx};
use holdfast_dataplane::shared::{Path, Shared};
use holdfast_dataplane::sys::{EventFd, Outgoing, RecvBatch, BATCH, VNET_HEADER};
use holdfast_dataplane::upcall::{self, Listener};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

const CALL: u16 = 7;
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const INNER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const MILLISECOND: u64 = 1_000_000;
/// The most frames of one call that may wait for Python.
const WAITING: usize = 64;

/// A device that looks at what it gets.
#[derive(Default)]
struct Tap(Mutex<u64>);

impl Device for Tap {
    fn write(&self, packet: &[u8]) -> io::Result<()> {
        let view =
            View::of(&packet[VNET_HEADER..]).expect("only whole IP packets reach the device");
        assert_eq!(view.source, INNER, "only the session's own address passes");
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
}

struct Wire;

impl Transmit for Wire {
    fn send(&mut self, packets: &mut [Outgoing], _told: &mut dyn FnMut(usize, Fate)) {
        for packet in packets {
            let parsed = gre::parse(&packet.buffer[packet.start..packet.end])
                .expect("acknowledgements are well formed");
            assert_eq!(parsed.header.sequence, None);
        }
    }
}

/// One call and its far end.
pub struct World {
    rx: Rx,
    batch: RecvBatch,
    listener: Listener,
    tap: Arc<Tap>,
    /// What is known of the call.
    pub shared: Arc<Shared>,
    sender: Option<Sender>,
    sequence: u32,
    now: u64,
}

fn chain() -> KeyChain {
    KeyChain::new(&[7; 16], Strength::Bits128).unwrap()
}

impl World {
    /// A call with its network phase open, encrypted in this mode or not at all.
    pub fn new(mode: Option<Mode>) -> Self {
        let wake = || Arc::new(EventFd::new().unwrap());
        let (teller, listener) = upcall::queue(wake());
        let (commands, source) = crossbeam_channel::unbounded();
        let (replies, _) = crossbeam_channel::bounded(16);
        let tap = Arc::<Tap>::default();
        let parts = Parts {
            tun: tap.clone(),
            sockets: Vec::new(),
            commands: source,
            wake: wake(),
            replies,
            reply_wake: wake(),
            teller,
            drops: Arc::default(),
            received: Arc::default(),
            reorder_timeout: 50 * MILLISECOND,
        };
        let path = Path {
            local_call_id: CALL,
            peer_call_id: 9,
            local: PEER,
            peer: PEER,
            receive_window: 64,
        };
        let shared = Arc::new(Shared::new(1, path));
        let link = Link {
            mtu: 1400,
            compress_protocol: true,
            omit_framing: true,
            local_magic: 1,
            clamp_mss: true,
        };
        let receiver = mode.map(|mode| Box::new(Receiver::new(chain(), mode)));
        let told = [
            RxCommand::Add(shared.clone()),
            RxCommand::Configure(link),
            RxCommand::SetMppe(receiver),
            RxCommand::RequireMppe(mode.is_some()),
            RxCommand::Addresses(vec![Prefix::host(INNER)]),
        ];
        for command in told {
            commands.send((1, command)).unwrap();
        }
        let mut rx = Rx::new(parts, Box::new(Wire));
        rx.obey();
        let sender = mode.map(|mode| Sender::new(chain(), mode));
        Self {
            rx,
            batch: RecvBatch::default(),
            listener,
            tap,
            shared,
            sender,
            sequence: 0,
            now: 1,
        }
    }

    /// Packets that have reached the device. Super-packets count once.
    pub fn written(&self) -> u64 {
        *self.tap.0.lock().unwrap()
    }

    /// A packet of protocol 47 from the peer, as a raw socket gives it.
    pub fn ip(gre: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 47, 0, 0];
        packet.extend(PEER.octets());
        packet.extend(PEER.octets());
        packet.extend_from_slice(gre);
        packet
    }

    /// The next GRE packet, its number moved by `skip`.
    pub fn next(&mut self, skip: i8, frame: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add_signed(skip.into());
        let header = Header {
            call_id: CALL,
            sequence: Some(self.sequence),
            acknowledgement: None,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut octets = [0; gre::MAX_HEADER];
        let length = gre::write(&header, frame.len() as u16, &mut octets);
        Self::ip(&[&octets[..length], frame].concat())
    }

    /// A frame around `data`, which begins with a protocol field; encrypted where the call is.
    pub fn seal(&mut self, data: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        let Some(sender) = &mut self.sender else {
            return data;
        };
        let (header, work) = sender.seal(&mut data);
        if let Work::Apply(key) = work {
            rc4::apply_one(&key, &mut data);
        }
        [&[0xff, 0x03, 0x00, 0xfd], &header[..], &data].concat()
    }

    /// Let a batch of packets arrive, and time pass.
    pub fn receive(&mut self, packets: &[Vec<u8>], milliseconds: u64) {
        for group in packets.chunks(BATCH) {
            for (slot, packet) in group.iter().enumerate() {
                self.batch.load(slot, packet);
            }
            self.rx.process(&mut self.batch, group.len(), self.now);
        }
        self.now += milliseconds * MILLISECOND;
        self.rx.run_timers(&mut self.batch, self.now);
    }

    /// What Python would be told.
    pub fn told(&self) -> Vec<upcall::Upcall> {
        let told = self.listener.drain(usize::MAX);
        let frames = told
            .iter()
            .filter(|upcall| upcall.kind == upcall::Kind::Frame)
            .count();
        assert!(frames <= WAITING, "one call cannot fill the queue");
        told
    }

    /// Read a script: records of an instruction, a length and octets. Anything is a script.
    #[allow(dead_code, reason = "for the fuzz target")]
    pub fn play(script: &[u8]) {
        let mode = match script.first() {
            Some(0..=84) => None,
            Some(85..=169) => Some(Mode::Stateless),
            _ => Some(Mode::Stateful),
        };
        let mut world = Self::new(mode);
        let mut rest = script.get(1..).unwrap_or_default();
        let mut batch = Vec::new();
        while let [instruction, argument, length, following @ ..] = rest {
            let (octets, after) = following.split_at(following.len().min((*length).into()));
            rest = after;
            match instruction % 5 {
                0 => batch.push(octets.to_vec()),
                1 => batch.push(Self::ip(octets)),
                2 => batch.push(world.next(*argument as i8, octets)),
                3 => {
                    let frame = world.seal(octets);
                    batch.push(world.next(*argument as i8, &frame));
                }
                _ => world.receive(&std::mem::take(&mut batch), (*argument).into()),
            }
        }
        world.receive(&batch, 1000);
        world.told();
    }
}
