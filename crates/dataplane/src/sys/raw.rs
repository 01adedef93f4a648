//! Raw sockets for protocol 47, and batches of packets to and from them.

use super::filter::{self, Share};
use super::{check, check_size};
use crate::gre::IP_PROTOCOL;
use crate::outbox::{Fate, Transmit};
use std::io;
use std::mem::{size_of, zeroed};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// Packets in one batch.
pub const BATCH: usize = 64;
/// Octets of a packet buffer: no power of two, so that buffers do not fight for the same cache lines.
pub const SLOT: usize = 2304;
const RECEIVE_BUFFER: libc::c_int = 16 << 20;
const SEND_BUFFER: libc::c_int = 4 << 20;

/// A raw socket for GRE.
pub struct RawSocket(OwnedFd);

impl RawSocket {
    /// Open one that receives this share of the calls at `address`, or at every local address.
    ///
    /// # Errors
    /// What the kernel says: no permission, address not local.
    pub fn open(address: Option<Ipv4Addr>, share: Share) -> io::Result<Self> {
        let socket = Self::with_protocol(libc::c_int::from(IP_PROTOCOL))?;
        filter::attach(&socket, share)?;
        // Without DF a tunnel packet that is too big for the path is fragmented on its way and not lost in a black hole.
        socket.option(
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_DONT,
        )?;
        if let Some(address) = address {
            socket.bind(address)?;
        }
        Ok(socket)
    }

    /// Open one that takes packets with IP headers and receives nothing (raw(7): IPPROTO_RAW implies IP_HDRINCL).
    fn open_to_send() -> io::Result<Self> {
        Self::with_protocol(libc::IPPROTO_RAW)
    }

    fn with_protocol(protocol: libc::c_int) -> io::Result<Self> {
        // SAFETY: socket takes no pointers; the descriptor it returns is ours alone.
        let fd = check(unsafe {
            libc::socket(libc::AF_INET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol)
        })?;
        // SAFETY: as above.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.buffers()?;
        Ok(socket)
    }

    fn option(&self, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the value is a valid int for the length given.
        check(unsafe {
            libc::setsockopt(
                self.as_raw_fd(),
                level,
                name,
                (&raw const value).cast(),
                length,
            )
        })
        .map(drop)
    }

    /// The forced variants pass the host's limits but need CAP_NET_ADMIN.
    fn buffers(&self) -> io::Result<()> {
        let set = |force, plain, value| {
            self.option(libc::SOL_SOCKET, force, value)
                .or_else(|_| self.option(libc::SOL_SOCKET, plain, value))
        };
        set(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, RECEIVE_BUFFER)?;
        set(libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, SEND_BUFFER)
    }

    /// How many packets the kernel had to throw away because nobody fetched them in time and the buffer was full.
    #[must_use]
    pub fn overflowed(&self) -> u32 {
        let mut facts = [0u32; libc::SK_MEMINFO_DROPS as usize + 1];
        let mut length = size_of_val(&facts) as libc::socklen_t;
        // SAFETY: `facts` is valid for the length given, and the kernel writes no more than that.
        let result = check(unsafe {
            libc::getsockopt(
                self.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                facts.as_mut_ptr().cast(),
                &mut length,
            )
        });
        // Linux before 4.12 does not tell.
        result.map_or(0, |_| facts[libc::SK_MEMINFO_DROPS as usize])
    }

    fn bind(&self, address: Ipv4Addr) -> io::Result<()> {
        let name = socket_address(address);
        let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        // SAFETY: a valid sockaddr_in for its length.
        check(unsafe { libc::bind(self.as_raw_fd(), (&raw const name).cast(), length) }).map(drop)
    }
}

impl AsRawFd for RawSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: in_addr(address),
        sin_zero: [0; 8],
    }
}

fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr {
        s_addr: u32::from_ne_bytes(address.octets()),
    }
}

/// Buffers for packets that arrive together. A raw socket delivers them with their IP header.
pub struct RecvBatch {
    slots: Vec<Vec<u8>>,
    lengths: Vec<usize>,
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self {
            slots: (0..BATCH).map(|_| vec![0; SLOT]).collect(),
            lengths: vec![0; BATCH],
        }
    }
}

impl RecvBatch {
    /// Receive what is there, up to `BATCH` packets, without waiting. Packets longer than a slot come as length 0.
    ///
    /// # Errors
    /// What the kernel says; nothing to receive is 0 packets and no error.
    pub fn receive(&mut self, socket: &RawSocket) -> io::Result<usize> {
        // SAFETY: iovec and mmsghdr are plain data, for which zeros are valid.
        let (mut iovecs, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { (zeroed(), zeroed()) };
        for ((iovec, header), slot) in iovecs.iter_mut().zip(&mut headers).zip(&mut self.slots) {
            *iovec = libc::iovec {
                iov_base: slot.as_mut_ptr().cast(),
                iov_len: slot.len(),
            };
            header.msg_hdr.msg_iov = iovec;
            header.msg_hdr.msg_iovlen = 1;
        }
        let flags = libc::MSG_DONTWAIT;
        // SAFETY: each header points to one iovec, each iovec to a slot that is valid for its length; all outlive the call.
        let result = check(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as _,
                flags as _,
                std::ptr::null_mut(),
            )
        });
        let count = match result {
            Ok(count) => count as usize,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        for (length, header) in self.lengths.iter_mut().zip(&headers[..count]) {
            let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
            *length = if whole { header.msg_len as usize } else { 0 };
        }
        Ok(count)
    }

    /// Put a packet into the batch as if it had been received.
    pub fn load(&mut self, index: usize, packet: &[u8]) {
        let length = packet.len().min(SLOT);
        self.slots[index][..length].copy_from_slice(&packet[..length]);
        self.lengths[index] = length;
    }

    /// The packet at `index` of the last batch.
    #[must_use]
    pub fn packet(&self, index: usize) -> &[u8] {
        &self.slots[index][..self.lengths[index]]
    }

    /// Take the buffer at `index` away for a while; it must come back with `give_back` before the next batch.
    pub fn take(&mut self, index: usize) -> Vec<u8> {
        std::mem::take(&mut self.slots[index])
    }

    /// Return a buffer that `take` gave out.
    pub fn give_back(&mut self, index: usize, buffer: Vec<u8>) {
        self.slots[index] = buffer;
    }
}

/// Octets of the IP header before each GRE packet.
pub const IP_HEADER: usize = 20;
const TIME_TO_LIVE: u8 = 64;
const DONT_FRAGMENT: u8 = 0x40;

/// A GRE packet ready to go: `buffer[start..end]`, with room for `IP_HEADER` octets before it.
pub struct Outgoing {
    /// Where the packet lies; reused for other packets afterwards.
    pub buffer: Vec<u8>,
    /// Offset of the GRE header, at least `IP_HEADER`.
    pub start: usize,
    /// End of the packet.
    pub end: usize,
    /// Source address.
    pub local: Ipv4Addr,
    /// Destination address.
    pub peer: Ipv4Addr,
    /// Do not fragment it anywhere (DF, RFC 791): it asks whether the path carries this size.
    pub whole: bool,
}

impl Outgoing {
    /// The kernel fills in length, identification and checksum.
    fn write_ip_header(&mut self) {
        let header = &mut self.buffer[self.start - IP_HEADER..self.start];
        header.fill(0);
        header[0] = 0x45;
        header[6] = if self.whole { DONT_FRAGMENT } else { 0 };
        header[8] = TIME_TO_LIVE;
        header[9] = IP_PROTOCOL;
        header[12..16].copy_from_slice(&self.local.octets());
        header[16..20].copy_from_slice(&self.peer.octets());
    }
}

/// The source address as ancillary data, laid out as `CMSG_DATA` would.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct PacketInfo {
    header: libc::cmsghdr,
    info: libc::in_pktinfo,
}

impl PacketInfo {
    fn source(address: Ipv4Addr) -> Self {
        // SAFETY: both are plain data, for which zeros are valid.
        let mut this: Self = unsafe { zeroed() };
        this.header.cmsg_len = (size_of::<libc::cmsghdr>() + size_of::<libc::in_pktinfo>()) as _;
        this.header.cmsg_level = libc::IPPROTO_IP;
        this.header.cmsg_type = libc::IP_PKTINFO;
        this.info.ipi_spec_dst = in_addr(address);
        this
    }
}

/// Sends packets in batches, each from its own source address. With ready-made IP headers, which spares the kernel a good
/// part of its work; but such packets it does not fragment, so those that are too big for the way go through a socket that
/// makes the headers itself.
pub struct Sender {
    fast: RawSocket,
    slow: Arc<RawSocket>,
    names: Vec<libc::sockaddr_in>,
    iovecs: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the pointers in it are written and used within one call of `send` only.
unsafe impl Send for Sender {}

impl Sender {
    /// A sender beside `socket`, which need not be bound to the source addresses.
    ///
    /// # Errors
    /// What the kernel says, such as too many open files.
    pub fn new(socket: Arc<RawSocket>) -> io::Result<Self> {
        let (names, iovecs, headers) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            fast: RawSocket::open_to_send()?,
            slow: socket,
            names,
            iovecs,
            headers,
        })
    }

    fn fill(&mut self, packets: &mut [Outgoing]) {
        self.names.clear();
        self.iovecs.clear();
        self.headers.clear();
        self.names
            .extend(packets.iter().map(|packet| socket_address(packet.peer)));
        self.iovecs.extend(packets.iter_mut().map(|packet| {
            packet.write_ip_header();
            let octets = &mut packet.buffer[packet.start - IP_HEADER..packet.end];
            libc::iovec {
                iov_base: octets.as_mut_ptr().cast(),
                iov_len: octets.len(),
            }
        }));
        self.headers.extend(
            self.names
                .iter_mut()
                .zip(&mut self.iovecs)
                .map(|(name, iovec)| {
                    // SAFETY: an mmsghdr is plain data, for which zeros are valid.
                    let mut header: libc::mmsghdr = unsafe { zeroed() };
                    header.msg_hdr = message(name, iovec);
                    header
                }),
        );
    }
}

impl Transmit for Sender {
    /// Waits for room in the socket's buffer when that is full.
    fn send(&mut self, packets: &mut [Outgoing], told: &mut dyn FnMut(usize, Fate)) {
        self.fill(packets);
        let mut at = 0;
        while at < packets.len() {
            match send_some(&self.fast, &mut self.headers[at..]) {
                Ok(count) => at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let outcome = match error.raw_os_error() {
                        Some(libc::EMSGSIZE) if !packets[at].whole => {
                            send_fragmented(&self.slow, &mut packets[at])
                        }
                        _ => Err(error),
                    };
                    let fate = match outcome {
                        Ok(()) => Fate::InPieces,
                        Err(error) => Fate::Refused(error.raw_os_error().unwrap_or(0)),
                    };
                    told(at, fate);
                    at += 1;
                }
            }
        }
    }
}

fn message(name: &mut libc::sockaddr_in, iovec: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: an msghdr is plain data, for which zeros are valid.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_name = std::ptr::from_mut(name).cast();
    header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    header.msg_iov = iovec;
    header.msg_iovlen = 1;
    header
}

fn send_fragmented(socket: &RawSocket, packet: &mut Outgoing) -> io::Result<()> {
    let mut name = socket_address(packet.peer);
    let mut control = PacketInfo::source(packet.local);
    let octets = &mut packet.buffer[packet.start..packet.end];
    let mut iovec = libc::iovec {
        iov_base: octets.as_mut_ptr().cast(),
        iov_len: octets.len(),
    };
    let mut header = message(&mut name, &mut iovec);
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = size_of::<PacketInfo>() as _;
    // SAFETY: the header points to a name, one iovec and ancillary data on this stack, and to octets of the packet.
    check_size(unsafe { libc::sendmsg(socket.as_raw_fd(), &header, 0) }).map(drop)
}

fn send_some(socket: &RawSocket, headers: &mut [libc::mmsghdr]) -> io::Result<usize> {
    let count = headers.len().min(BATCH) as libc::c_uint;
    // SAFETY: `fill` made the headers for packets and names that outlive this call and do not move in it.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
    check_size(sent as libc::ssize_t)
}
