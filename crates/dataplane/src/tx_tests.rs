//! The sending thread over devices that no kernel has.

use crate::coalesce::Device;
use crate::command::{Link, TxCommand};
use crate::outbox::{Fate, Transmit};
use crate::segment::VnetHeader;
use crate::shared::{Cause, Path, Shared};
use crate::sys::{EventFd, Outgoing, Queue, BATCH, GONE, VNET_HEADER};
use crate::tx::{Parts, Tx};
use crate::upcall::{self, Kind, Listener};
use crossbeam_channel::Sender;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// A device with the same packet at every read; without one it was removed.
struct Endless {
    packet: Option<Vec<u8>>,
    reads: AtomicUsize,
    written: AtomicUsize,
    wake: EventFd,
}

impl Device for Endless {
    fn write(&self, _packet: &[u8]) -> io::Result<()> {
        self.written.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl AsRawFd for Endless {
    fn as_raw_fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }
}

impl Queue for Endless {
    fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(packet) = &self.packet else {
            return Err(io::Error::from_raw_os_error(GONE));
        };
        self.reads.fetch_add(1, Relaxed);
        buffer[..packet.len()].copy_from_slice(packet);
        Ok(Some(packet.len()))
    }
}

/// Keeps what was sent: GRE packets.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<Vec<u8>>>>);

impl Transmit for Wire {
    fn send(&mut self, packets: &mut [Outgoing], _told: &mut dyn FnMut(usize, Fate)) {
        let octets = |packet: &Outgoing| packet.buffer[packet.start..packet.end].to_vec();
        self.0.lock().unwrap().extend(packets.iter().map(octets));
    }
}

struct World {
    tx: Tx,
    tun: Arc<Endless>,
    wire: Wire,
    listener: Listener,
    commands: Sender<(u64, TxCommand)>,
    replies: Sender<(u64, Vec<u8>)>,
}

impl World {
    fn new(packet: Option<Vec<u8>>) -> Self {
        let wake = || EventFd::new().unwrap();
        let tun = Arc::new(Endless {
            packet,
            reads: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            wake: wake(),
        });
        let (teller, listener) = upcall::queue(Arc::new(wake()));
        let (commands, source) = crossbeam_channel::unbounded();
        let (replies, waiting) = crossbeam_channel::unbounded();
        let parts = Parts {
            tun: tun.clone(),
            commands: source,
            replies: waiting,
            handed: crossbeam_channel::never(),
            colleagues: Vec::new(),
            wake: Arc::new(wake()),
            teller,
            drops: Arc::default(),
        };
        let wire = Wire::default();
        Self {
            tx: Tx::new(parts, Box::new(wire.clone())),
            tun,
            wire,
            listener,
            commands,
            replies,
        }
    }

    /// Let a call have 10.0.0.2, with this MTU.
    fn call(&mut self, mtu: usize) {
        let path = Path {
            local_call_id: 1,
            peer_call_id: 2,
            local: Ipv4Addr::LOCALHOST,
            peer: Ipv4Addr::LOCALHOST,
            receive_window: 64,
        };
        let link = Link {
            mtu,
            compress_protocol: true,
            omit_framing: true,
            local_magic: 1,
            clamp_mss: true,
        };
        let inner = IpAddr::from([10, 0, 0, 2]);
        for command in [
            TxCommand::Add(Arc::new(Shared::new(1, path))),
            TxCommand::Configure(link),
            TxCommand::Addresses(vec![crate::prefix::Prefix::host(inner)]),
        ] {
            self.commands.send((1, command)).unwrap();
        }
        self.tx.obey(1);
    }

    fn read(&mut self, count: usize) {
        for _ in 0..count {
            self.tx.read_tun(&mut [0; 0x10000], 1);
        }
        self.tx.run_timers(1);
    }
}

/// A packet for 10.0.0.2 that holds nothing.
fn small() -> Vec<u8> {
    let mut octets = vec![0; VNET_HEADER + 20];
    let packet = &mut octets[VNET_HEADER..];
    (packet[0], packet[3]) = (0x45, 20);
    packet[16..20].copy_from_slice(&[10, 0, 0, 2]);
    octets
}

/// A TCP super-packet for 10.0.0.2 of three segments of 1,200 octets.
fn large(dont_fragment: bool) -> Vec<u8> {
    let mut octets = vec![0; VNET_HEADER];
    VnetHeader::tcp(false, 40, 1200, 20).write(&mut octets);
    let flags = if dont_fragment { 0x40 } else { 0 };
    octets.extend([0x45, 0, 0x0e, 0x38, 0, 7, flags, 0, 64, 6, 0, 0]);
    octets.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2]);
    octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 1, 0, 0, 0, 0, 0]);
    octets.extend([9; 3600]);
    octets
}

#[test]
fn a_flood_that_goes_nowhere_keeps_nothing_else_out() {
    let mut world = World::new(Some(small()));
    let drops = world.tx.parts.drops.clone();
    world.read(1);
    assert_eq!(world.tun.reads.load(Relaxed), BATCH);
    assert_eq!(drops.get(Cause::NoRoute as usize), BATCH as u64);
}

#[test]
fn a_flood_of_echo_replies_keeps_nothing_else_out() {
    let mut world = World::new(Some(small()));
    world.call(1000);
    let reply = [0xc0, 0x21, 10, 1, 0, 8, 0, 0, 0, 1];
    for _ in 0..20 * BATCH {
        world.replies.send((1, reply.to_vec())).unwrap();
    }
    world.tx.obey(1);
    let sent = world.wire.0.lock().unwrap().len();
    assert!((BATCH..20 * BATCH).contains(&sent), "{sent}");
    for _ in 0..20 {
        world.tx.obey(1);
    }
    world.tx.run_timers(1);
    assert_eq!(world.wire.0.lock().unwrap().len(), 20 * BATCH);
}

#[test]
fn a_device_that_was_removed_is_told_once() {
    let mut world = World::new(None);
    world.read(3);
    let told = world.listener.drain(usize::MAX);
    assert_eq!((told.len(), told[0].kind), (1, Kind::Broken));
}

#[test]
fn a_super_packet_that_may_be_fragmented_is() {
    let mut world = World::new(Some(large(false)));
    world.call(1000);
    world.read(1);
    let reads = world.tun.reads.load(Relaxed);
    let sent = world.wire.0.lock().unwrap();
    assert_eq!(
        (sent.len(), world.tun.written.load(Relaxed)),
        (6 * reads, 0)
    );
    let carried: usize = sent.iter().map(|gre| inner(gre).len() - 20).sum();
    assert_eq!(carried, reads * 3 * (20 + 1200));
    assert!(sent.iter().all(|gre| inner(gre).len() <= 1000));
}

/// The inner packet behind a GRE header with a sequence number and a short protocol field.
fn inner(gre: &[u8]) -> &[u8] {
    &gre[13..]
}

#[test]
fn one_that_may_not_is_answered() {
    let mut world = World::new(Some(large(true)));
    world.call(1000);
    world.read(1);
    assert!(world.wire.0.lock().unwrap().is_empty());
    let reads = world.tun.reads.load(Relaxed);
    assert_eq!(world.tun.written.load(Relaxed), reads);
}
