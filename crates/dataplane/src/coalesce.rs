//! TCP segments on their way to the TUN device: consecutive ones of a batch become one super-packet, which costs the
//! kernel hardly more than a single one.

use crate::checksum;
use crate::ip::{tcp_header_length, View, TCP};
use crate::segment::VnetHeader;
use crate::sys::{Tun, VNET_HEADER};

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
    pub fn add(&mut self, tun: &Tun, octets: &mut [u8], view: &View) {
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
                    self.write(tun, index);
                }
                return;
            }
            self.write(tun, index);
        }
        match segment.filter(|segment| !segment.push) {
            Some(segment) => self.begin(tun, packet, view, &segment),
            None => {
                octets[..VNET_HEADER].fill(0);
                self.refused += u64::from(tun.write(octets).is_err());
            }
        }
    }

    fn begin(&mut self, tun: &Tun, packet: &[u8], view: &View, segment: &Segment) {
        if self.flows.len() == FLOWS {
            self.write(tun, 0);
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

    fn write(&mut self, tun: &Tun, index: usize) {
        let mut flow = self.flows.remove(index);
        if flow.segments > 1 {
            flow.seal();
        }
        self.refused += u64::from(tun.write(&flow.buffer).is_err());
        self.spare.push(flow.buffer);
    }

    /// Write everything that has been collected; return how many packets the device has refused since the last time.
    pub fn finish(&mut self, tun: &Tun) -> u64 {
        while !self.flows.is_empty() {
            self.write(tun, 0);
        }
        std::mem::take(&mut self.refused)
    }
}
