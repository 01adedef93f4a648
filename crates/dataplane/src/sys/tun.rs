//! One TUN device with virtio headers, so that packets pass in both directions as segments of up to 64 KiB.

use super::{check, check_size};
use crate::coalesce::Device;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// Octets of the virtio header before each packet.
pub const VNET_HEADER: usize = 10;

const TUN_F_CSUM: libc::c_ulong = 0x01;
const TUN_F_TSO4: libc::c_ulong = 0x02;
const TUN_F_TSO6: libc::c_ulong = 0x04;
const TUN_F_USO4: libc::c_ulong = 0x20;
const TUN_F_USO6: libc::c_ulong = 0x40;

/// What gives packets and takes them: one queue of the TUN device.
pub trait Queue: Device + AsRawFd + Send + Sync {
    /// Read one packet with its virtio header. None when there is none.
    ///
    /// # Errors
    /// What the kernel says; [`GONE`] when the device does not exist any more.
    fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>>;
}

/// What the kernel says of a device that was removed.
pub const GONE: i32 = libc::EBADFD;

/// An open TUN device. Reads and writes are whole packets with their virtio header; both never block.
pub struct Tun {
    file: File,
    name: String,
}

impl Tun {
    /// Create the device with so many queues, at least one, each a descriptor of its own. `name` may hold `%d` for the
    /// first free number. The kernel gives a packet to the queue through which packets of its connection came; to any
    /// when none did.
    ///
    /// # Errors
    /// What the kernel says: no permission, name taken, no such device node.
    pub fn open(name: &str, mtu: u32, queues: usize) -> io::Result<Vec<Self>> {
        let several = if queues > 1 { libc::IFF_MULTI_QUEUE } else { 0 };
        let mut opened = vec![Self::attach(name, several)?];
        let name = opened[0].name.clone();
        set_mtu(&name, mtu)?;
        for _ in 1..queues {
            opened.push(Self::attach(&name, several)?);
        }
        Ok(opened)
    }

    fn attach(name: &str, several: libc::c_int) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")?;
        let mut request = interface_request(name)?;
        request.ifr_ifru.ifru_flags =
            (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR | several) as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one ifreq, which `request` is.
        check(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &mut request) })?;
        offload(&file)?;
        let name = interface_name(&request);
        Ok(Self { file, name })
    }

    /// The name that the device got.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Queue for Tun {
    fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // SAFETY: the buffer is valid for its length.
        let result = check_size(unsafe {
            libc::read(
                self.file.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        });
        match result {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Device for Tun {
    fn write(&self, packet: &[u8]) -> io::Result<()> {
        // SAFETY: the packet is valid for its length.
        check_size(unsafe {
            libc::write(self.file.as_raw_fd(), packet.as_ptr().cast(), packet.len())
        })
        .map(drop)
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

fn interface_request(name: &str) -> io::Result<libc::ifreq> {
    // SAFETY: an ifreq is plain data, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() || name.contains('\0') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "interface name too long",
        ));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

fn interface_name(request: &libc::ifreq) -> String {
    let octets = request
        .ifr_name
        .iter()
        .map(|&c| c as u8)
        .take_while(|&c| c != 0)
        .collect();
    String::from_utf8(octets).unwrap_or_default()
}

/// Ask for packets in large segments; older kernels know fewer kinds.
fn offload(file: &File) -> io::Result<()> {
    let tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    for features in [tcp | TUN_F_USO4 | TUN_F_USO6, tcp] {
        // SAFETY: TUNSETOFFLOAD takes its argument by value.
        if unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETOFFLOAD as _, features) } == 0 {
            return Ok(());
        }
    }
    Err(io::Error::last_os_error())
}

fn set_mtu(name: &str, mtu: u32) -> io::Result<()> {
    // SAFETY: socket takes no pointers; the descriptor it returns is ours alone.
    let fd =
        check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: as above.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut request = interface_request(name)?;
    request.ifr_ifru.ifru_mtu = mtu as libc::c_int;
    // SAFETY: SIOCSIFMTU reads one ifreq, which `request` is.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFMTU as _, &request) }).map(drop)
}
