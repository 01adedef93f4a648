//! Super-packets from the TUN device: cut them into packets of the right size, with their checksums.

use crate::checksum;
use crate::ip::{tcp_header_length, View, TCP, UDP};
use crate::sys::VNET_HEADER;

const NEEDS_CHECKSUM: u8 = 1;
const GSO_ECN: u8 = 0x80;
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
const GSO_UDP_L4: u8 = 5;
const FIN_AND_PSH: u8 = 0x09;
const CWR: u8 = 0x80;

/// The virtio header (`struct virtio_net_hdr` of linux/virtio_net.h), in the byte order of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHeader {
    flags: u8,
    gso_type: u8,
    header_length: u16,
    gso_size: u16,
    checksum_start: u16,
    checksum_offset: u16,
}

impl VnetHeader {
    /// Read it from the front of what the device gave.
    #[must_use]
    pub fn read(octets: &[u8; VNET_HEADER]) -> Self {
        let word = |at: usize| u16::from_ne_bytes([octets[at], octets[at + 1]]);
        Self {
            flags: octets[0],
            gso_type: octets[1],
            header_length: word(2),
            gso_size: word(4),
            checksum_start: word(6),
            checksum_offset: word(8),
        }
    }

    /// The header of a TCP super-packet with segments of `size` octets and the pseudo-header sum in its checksum field.
    #[must_use]
    pub fn tcp(v6: bool, headers: usize, size: usize, checksum_start: usize) -> Self {
        Self {
            flags: NEEDS_CHECKSUM,
            gso_type: if v6 { GSO_TCPV6 } else { GSO_TCPV4 },
            header_length: headers as u16,
            gso_size: size as u16,
            checksum_start: checksum_start as u16,
            checksum_offset: 16,
        }
    }

    /// Write it to the front of what the device gets.
    pub fn write(&self, out: &mut [u8]) {
        out[0] = self.flags;
        out[1] = self.gso_type;
        let words = [
            self.header_length,
            self.gso_size,
            self.checksum_start,
            self.checksum_offset,
        ];
        for (place, word) in out[2..VNET_HEADER].chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
    }

    /// Whether the packet must be cut.
    #[must_use]
    pub fn is_super(&self) -> bool {
        self.gso_type != GSO_NONE
    }

    /// Put in the checksum that the kernel left to us. False when the header does not fit the packet.
    #[must_use]
    pub fn complete_checksum(&self, packet: &mut [u8]) -> bool {
        if self.flags & NEEDS_CHECKSUM == 0 {
            return true;
        }
        let (start, at) = (
            usize::from(self.checksum_start),
            usize::from(self.checksum_offset),
        );
        if start + at + 2 > packet.len() {
            return false;
        }
        let octets = checksum::finish(checksum::sum(&packet[start..], 0));
        let octets = if octets == [0, 0] {
            [0xff, 0xff]
        } else {
            octets
        };
        packet[start + at..start + at + 2].copy_from_slice(&octets);
        true
    }
}

/// Cuts one super-packet.
pub struct Segmenter<'a> {
    packet: &'a [u8],
    view: View,
    headers: usize,
    size: usize,
    index: usize,
    at: usize,
}

impl<'a> Segmenter<'a> {
    /// Prepare to cut `packet`. None when it is not the TCP or UDP packet that the header promises.
    #[must_use]
    pub fn new(header: &VnetHeader, packet: &'a [u8]) -> Option<Self> {
        let view = View::of(packet)?;
        let packet = &packet[..view.length];
        let transport = match header.gso_type & !GSO_ECN {
            GSO_TCPV4 | GSO_TCPV6 if view.protocol == TCP => {
                tcp_header_length(&packet[view.header..])?
            }
            GSO_UDP_L4 if view.protocol == UDP => 8,
            _ => return None,
        };
        let (headers, size) = (view.header + transport, usize::from(header.gso_size));
        (size > 0 && headers < packet.len()).then_some(Self {
            packet,
            view,
            headers,
            size,
            index: 0,
            at: headers,
        })
    }

    /// Octets of the largest segment.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.headers + self.size.min(self.packet.len() - self.headers)
    }

    /// Where the packet goes.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Write the next segment to the front of `out`, which has room for `largest`; return its length.
    pub fn next_into(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.at >= self.packet.len() {
            return None;
        }
        let end = self.packet.len().min(self.at + self.size);
        let length = self.headers + end - self.at;
        let out = &mut out[..length];
        out[..self.headers].copy_from_slice(&self.packet[..self.headers]);
        out[self.headers..].copy_from_slice(&self.packet[self.at..end]);
        self.fix_transport(out, end == self.packet.len());
        self.fix_network(out);
        self.index += 1;
        self.at = end;
        Some(length)
    }

    fn fix_network(&self, out: &mut [u8]) {
        if self.view.is_v6() {
            let payload = (out.len() - 40) as u16;
            out[4..6].copy_from_slice(&payload.to_be_bytes());
            return;
        }
        let identification = u16::from_be_bytes([out[4], out[5]]).wrapping_add(self.index as u16);
        let length = out.len() as u16;
        out[2..4].copy_from_slice(&length.to_be_bytes());
        out[4..6].copy_from_slice(&identification.to_be_bytes());
        out[10..12].fill(0);
        let octets = checksum::finish(checksum::sum(&out[..self.view.header], 0));
        out[10..12].copy_from_slice(&octets);
    }

    fn fix_transport(&self, out: &mut [u8], last: bool) {
        let (addresses, segment) = out.split_at_mut(self.view.header);
        let length = segment.len();
        let checksum_at = if self.view.protocol == UDP {
            segment[4..6].copy_from_slice(&(length as u16).to_be_bytes());
            6
        } else {
            self.fix_tcp(segment, last);
            16
        };
        segment[checksum_at..checksum_at + 2].fill(0);
        let pseudo =
            checksum::pseudo_header(self.view.addresses(addresses), self.view.protocol, length);
        let mut octets = checksum::finish(checksum::sum(segment, pseudo));
        if octets == [0, 0] {
            octets = [0xff, 0xff];
        }
        segment[checksum_at..checksum_at + 2].copy_from_slice(&octets);
    }

    fn fix_tcp(&self, segment: &mut [u8], last: bool) {
        let first = u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]);
        let sequence = first.wrapping_add((self.index * self.size) as u32);
        segment[4..8].copy_from_slice(&sequence.to_be_bytes());
        if !last {
            segment[13] &= !FIN_AND_PSH;
        }
        if self.index > 0 {
            segment[13] &= !CWR;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_FLAGS: u8 = 0xd9; // CWR, ECE, ACK, PSH, FIN

    fn super_packet(length: usize) -> Vec<u8> {
        let total = (40 + length) as u16;
        let mut packet = vec![
            0x45, 0, 0, 0, 0xff, 0xff, 0x40, 0, 64, TCP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        packet.extend([
            0, 1, 0, 2, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0, 0x50, ALL_FLAGS, 1, 0, 0, 0, 0, 0,
        ]);
        packet.extend((0..length).map(|octet| octet as u8));
        packet
    }

    fn cut(packet: &[u8], header: &VnetHeader) -> Vec<Vec<u8>> {
        let mut segments = Segmenter::new(header, packet).unwrap();
        let mut out = vec![0; segments.largest()];
        std::iter::from_fn(|| {
            segments
                .next_into(&mut out)
                .map(|length| out[..length].to_vec())
        })
        .collect()
    }

    #[test]
    fn numbers_go_on_and_flags_stay_where_they_belong() {
        let pieces = cut(&super_packet(250), &VnetHeader::tcp(false, 40, 100, 20));
        let octets = |at: usize| pieces.iter().map(|piece| piece[at]).collect::<Vec<_>>();
        assert_eq!(
            pieces.iter().map(Vec::len).collect::<Vec<_>>(),
            [140, 140, 90]
        );
        assert_eq!(
            octets(33),
            [0xd0, 0x50, 0x59],
            "CWR first, PSH and FIN last"
        );
        assert_eq!(octets(27), [0xf0, 0x54, 0xb8], "sequence numbers wrap");
        assert_eq!(
            (octets(4), octets(5)),
            (vec![0xff, 0, 0], vec![0xff, 0, 1]),
            "identifications wrap"
        );
        for piece in &pieces {
            let pseudo = checksum::pseudo_header(&piece[12..20], TCP, piece.len() - 20);
            assert_eq!(
                checksum::finish(checksum::sum(&piece[20..], pseudo)),
                [0, 0]
            );
            assert_eq!(checksum::finish(checksum::sum(&piece[..20], 0)), [0, 0]);
        }
    }

    #[test]
    fn headers_that_do_not_fit_are_refused() {
        let packet = super_packet(250);
        let good = VnetHeader::tcp(false, 40, 100, 20);
        let refused = [
            (
                VnetHeader {
                    gso_size: 0,
                    ..good
                },
                packet.clone(),
            ),
            (
                VnetHeader {
                    gso_type: GSO_UDP_L4,
                    ..good
                },
                packet.clone(),
            ),
            (
                VnetHeader {
                    gso_type: 99,
                    ..good
                },
                packet.clone(),
            ),
            (good, super_packet(0)),
            (good, packet[..200].to_vec()),
        ];
        for (header, packet) in refused {
            assert!(Segmenter::new(&header, &packet).is_none());
        }
        let beyond = VnetHeader {
            checksum_start: 280,
            ..good
        };
        assert!(!beyond.complete_checksum(&mut packet.clone()));
    }

    #[test]
    fn headers_are_read_as_they_are_written() {
        let header = VnetHeader::tcp(true, 60, 1348, 40);
        let mut octets = [0; VNET_HEADER];
        header.write(&mut octets);
        assert_eq!(VnetHeader::read(&octets), header);
        assert!(header.is_super());
        assert!(!VnetHeader::default().is_super());
    }
}
