//! TCP segments on their way to the TUN device: consecutive ones of a batch become one super-packet, which costs the
//! kernel hardly more than a single one.

use crate::checksum;
use crate::ip::{tcp_header_length, View, TCP};
use crate::segment::VnetHeader;
use crate::sys::VNET_HEADER;
use std::io;

/// What takes packets with their virtio headers: the TUN device.
pub trait Device {
    /// Write one packet.
    ///
    /// # Errors
    /// What the device says.
    fn write(&self, packet: &[u8]) -> io::Result<()>;
}

/// Connections whose segments are collected at the same time.
const FLOWS: usize = 8;
const LARGEST: usize = 0xffff;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// A segment that may be joined with others.
#[derive(Clone, Copy)]
struct Segment {
    headers: usize,
    sequence: u32,
    payload: usize,
    push: bool,
}

impl Segment {
    /// None unless it carries data, no flags but ACK and PSH, no IP options, and its checksum is right: RC4 does not notice
    /// a changed octet, and the kernel will not look at the checksums of a super-packet.
    fn of(packet: &[u8], view: &View) -> Option<Self> {
        if view.protocol != TCP || view.fragment || (!view.is_v6() && view.header != 20) {
            return None;
        }
        let tcp = &packet[view.header..view.length];
        let headers = view.header + tcp_header_length(tcp)?;
        let payload = view.length - headers;
        if payload == 0 || tcp[13] & !PSH != ACK {
            return None;
        }
        let pseudo = checksum::pseudo_header(view.addresses(packet), TCP, tcp.len());
        if checksum::finish(checksum::sum(tcp, pseudo)) != [0, 0] {
            return None;
        }
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        Some(Self {
            headers,
            sequence,
            payload,
            push: tcp[13] & PSH != 0,
        })
    }
}

/// What has been collected of one connection: `buffer` holds a virtio header, the headers of the first segment, and data.
struct Flow {
    buffer: Vec<u8>,
    view: View,
    headers: usize,
    size: usize,
    next: u32,
    segments: usize,
}

impl Flow {
    fn is_of(&self, packet: &[u8], view: &View) -> bool {
        let own = &self.buffer[VNET_HEADER..];
        self.view.source == view.source
            && self.view.destination == view.destination
            && view.protocol == TCP
            && packet.get(view.header..view.header + 4)
                == own.get(self.view.header..self.view.header + 4)
    }

    /// Whether the segment continues this flow, with the same headers but for lengths, numbers, window and checksums.
    fn takes(&self, packet: &[u8], segment: &Segment) -> bool {
        let own = &self.buffer[VNET_HEADER..];
        let same = |from: usize, to: usize| own[from..to] == packet[from..to];
        let tcp = self.view.header;
        let network = if self.view.is_v6() {
            same(0, 4) && own[7] == packet[7]
        } else {
            same(0, 2) && same(6, 10)
        };
        network
            && segment.headers == self.headers
            && segment.sequence == self.next
            && segment.payload <= self.size
            && own.len() + segment.payload <= LARGEST
            && same(tcp + 8, tcp + 13)
            && same(tcp + 20, self.headers)
    }

    fn append(&mut self, packet: &[u8], segment: &Segment) {
        let tcp = self.view.header;
        self.buffer
            .extend_from_slice(&packet[segment.headers..segment.headers + segment.payload]);
        let own = &mut self.buffer[VNET_HEADER..];
        own[tcp + 13] |= packet[tcp + 13] & PSH;
        own[tcp + 14..tcp + 16].copy_from_slice(&packet[tcp + 14..tcp + 16]);
        self.next = self.next.wrapping_add(segment.payload as u32);
        self.segments += 1;
    }

    /// Make the headers those of a super-packet.
    fn seal(&mut self) {
        let (header, headers, size) = (self.view.header, self.headers, self.size);
        let vnet = VnetHeader::tcp(self.view.is_v6(), headers, size, header);
        vnet.write(&mut self.buffer);
        let packet = &mut self.buffer[VNET_HEADER..];
        let length = packet.len();
        if self.view.is_v6() {
            packet[4..6].copy_from_slice(&((length - 40) as u16).to_be_bytes());
        } else {
            packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            packet[10..12].fill(0);
            let octets = checksum::finish(checksum::sum(&packet[..header], 0));
            packet[10..12].copy_from_slice(&octets);
        }
        let pseudo = checksum::pseudo_header(self.view.addresses(packet), TCP, length - header);
        let octets = checksum::finish(pseudo).map(|octet| !octet);
        packet[header + 16..header + 18].copy_from_slice(&octets);
    }
}

/// Collects segments until `finish`.
#[derive(Default)]
pub struct Coalescer {
    flows: Vec<Flow>,
    spare: Vec<Vec<u8>>,
    refused: u64,
}

impl Coalescer {
    /// Take a packet, which stands in `octets` behind `VNET_HEADER` octets of room. The order within a connection stays.
    pub fn add(&mut self, device: &dyn Device, octets: &mut [u8], view: &View) {
        let packet = &octets[VNET_HEADER..];
        let segment = Segment::of(packet, view);
        if let Some(index) = self.flows.iter().position(|flow| flow.is_of(packet, view)) {
            if let Some(segment) =
                segment.filter(|segment| self.flows[index].takes(packet, segment))
            {
                let flow = &mut self.flows[index];
                flow.append(packet, &segment);
                // A short or pushed segment is the last one of what the sender had.
                if segment.payload < flow.size || segment.push {
                    self.write(device, index);
                }
                return;
            }
            self.write(device, index);
        }
        match segment.filter(|segment| !segment.push) {
            Some(segment) => self.begin(device, packet, view, &segment),
            None => {
                octets[..VNET_HEADER].fill(0);
                self.refused += u64::from(device.write(octets).is_err());
            }
        }
    }

    fn begin(&mut self, device: &dyn Device, packet: &[u8], view: &View, segment: &Segment) {
        if self.flows.len() == FLOWS {
            self.write(device, 0);
        }
        let mut buffer = self
            .spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(VNET_HEADER + LARGEST));
        buffer.clear();
        buffer.resize(VNET_HEADER, 0);
        buffer.extend_from_slice(packet);
        self.flows.push(Flow {
            buffer,
            view: *view,
            headers: segment.headers,
            size: segment.payload,
            next: segment.sequence.wrapping_add(segment.payload as u32),
            segments: 1,
        });
    }

    fn write(&mut self, device: &dyn Device, index: usize) {
        let mut flow = self.flows.remove(index);
        if flow.segments > 1 {
            flow.seal();
        }
        if device.write(&flow.buffer).is_err() {
            self.refused += flow.segments as u64;
        }
        self.spare.push(flow.buffer);
    }

    /// Write everything that has been collected; return how many packets the device has refused since the last time.
    pub fn finish(&mut self, device: &dyn Device) -> u64 {
        while !self.flows.is_empty() {
            self.write(device, 0);
        }
        std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Segmenter;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Written(RefCell<Vec<Vec<u8>>>);

    impl Device for Written {
        fn write(&self, packet: &[u8]) -> io::Result<()> {
            self.0.borrow_mut().push(packet.to_vec());
            Ok(())
        }
    }

    impl Written {
        /// What the kernel would make of it: the packets apart again.
        fn packets(&self) -> Vec<Vec<u8>> {
            self.0
                .borrow()
                .iter()
                .flat_map(|octets| apart(octets))
                .collect()
        }
    }

    fn apart(octets: &[u8]) -> Vec<Vec<u8>> {
        let (header, packet) = octets.split_first_chunk().unwrap();
        let header = VnetHeader::read(header);
        if !header.is_super() {
            return vec![packet.to_vec()];
        }
        let mut segments = Segmenter::new(&header, packet).unwrap();
        let mut all = Vec::new();
        let mut out = vec![0; segments.largest()];
        while let Some(length) = segments.next_into(&mut out) {
            all.push(out[..length].to_vec());
        }
        all
    }

    /// A TCP segment over IPv4 or IPv6 with twelve octets of options; its identification follows from `at`.
    fn segment(v6: bool, port: u8, at: u32, length: usize, flags: u8) -> Vec<u8> {
        let total = 32 + length;
        let mut packet = if v6 {
            let mut head = vec![0x60, 0, 0, 0, (total >> 8) as u8, total as u8, 6, 64];
            head.extend([0xfd; 32]);
            head
        } else {
            let total = total + 20;
            let mut head = vec![
                0x45,
                0,
                (total >> 8) as u8,
                total as u8,
                0,
                (at / 100) as u8,
                0x40,
                0,
                64,
                6,
                0,
                0,
            ];
            head.extend([10, 0, 0, 1, 10, 0, 0, 2]);
            let octets = checksum::finish(checksum::sum(&head, 0));
            head[10..12].copy_from_slice(&octets);
            head
        };
        let header = packet.len();
        packet.extend([0, port, 0, 80]);
        packet.extend((at + 1000).to_be_bytes());
        packet.extend([
            0, 0, 0, 9, 0x80, flags, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2,
        ]);
        packet.extend((0..length).map(|octet| (octet as u32 + at) as u8));
        let view = View::of(&packet).unwrap();
        let pseudo = checksum::pseudo_header(view.addresses(&packet), TCP, total);
        let octets = checksum::finish(checksum::sum(&packet[header..], pseudo));
        packet[header + 16..header + 18].copy_from_slice(&octets);
        packet
    }

    fn pass(packets: &[Vec<u8>]) -> Written {
        let (written, mut coalescer) = (Written::default(), Coalescer::default());
        for packet in packets {
            let view = View::of(packet).unwrap();
            coalescer.add(
                &written,
                &mut [&[0; VNET_HEADER][..], packet].concat(),
                &view,
            );
        }
        assert_eq!(coalescer.finish(&written), 0);
        written
    }

    #[test]
    fn joined_and_cut_again_is_the_same() {
        for v6 in [false, true] {
            let mut packets: Vec<_> = (0..30)
                .map(|at| segment(v6, 1, at * 100, 100, ACK))
                .collect();
            packets.push(segment(v6, 1, 3000, 40, ACK | PSH));
            let written = pass(&packets);
            assert_eq!(written.0.borrow().len(), 1);
            assert_eq!(written.packets(), packets);
        }
    }

    #[test]
    fn two_connections_keep_their_own_order() {
        let packets: Vec<_> = (0..20)
            .flat_map(|at| {
                [
                    segment(false, 1, at * 100, 100, ACK),
                    segment(true, 2, at * 100, 100, ACK),
                ]
            })
            .collect();
        let written = pass(&packets);
        assert_eq!(written.0.borrow().len(), 2);
        let mut expected = packets;
        expected.sort_by_key(|packet| packet[0]);
        assert_eq!(written.packets(), expected);
    }

    #[test]
    fn never_larger_than_an_ip_packet_can_be() {
        let packets: Vec<_> = (0..100)
            .map(|at| segment(false, 1, at * 1300, 1300, ACK))
            .collect();
        let written = pass(&packets);
        assert_eq!(written.0.borrow().len(), 2);
        assert!(written
            .0
            .borrow()
            .iter()
            .all(|octets| octets.len() <= VNET_HEADER + LARGEST));
        assert_eq!(written.packets().len(), 100);
    }

    #[test]
    fn what_differs_is_not_joined() {
        const SYN_ACK: u8 = 0x12;
        let first = segment(false, 1, 0, 100, ACK);
        let mut other_ack = segment(false, 1, 100, 100, ACK);
        other_ack[20 + 11] ^= 1;
        checksum::update(&mut other_ack[20..], 16, [0, 9], [0, 8]);
        let mut broken = segment(false, 1, 100, 100, ACK);
        broken[60] ^= 1;
        let mut service = segment(false, 1, 100, 100, ACK);
        service[1] = 4;
        let others = [
            segment(false, 1, 200, 100, ACK),
            segment(false, 1, 100, 101, ACK),
            segment(false, 1, 100, 100, SYN_ACK),
            segment(false, 1, 100, 0, ACK),
            other_ack,
            broken,
            service,
        ];
        for other in others {
            let packets = [first.clone(), other];
            let written = pass(&packets);
            assert_eq!(written.0.borrow().len(), 2);
            assert_eq!(written.packets(), packets, "and the order stays");
        }
    }

    #[test]
    fn all_packets_of_a_refused_super_packet_count() {
        struct Down;
        impl Device for Down {
            fn write(&self, _packet: &[u8]) -> io::Result<()> {
                Err(io::ErrorKind::NetworkDown.into())
            }
        }
        let mut coalescer = Coalescer::default();
        for at in 0..10 {
            let packet = segment(false, 1, at * 100, 100, ACK);
            let view = View::of(&packet).unwrap();
            let mut octets = [&[0; VNET_HEADER][..], &packet].concat();
            coalescer.add(&Down, &mut octets, &view);
        }
        assert_eq!(coalescer.finish(&Down), 10);
    }

    #[test]
    fn more_connections_than_places() {
        let packets: Vec<_> = (0..40)
            .map(|port| segment(false, port, 0, 100, ACK))
            .collect();
        assert_eq!(pass(&packets).packets(), packets);
    }
}
