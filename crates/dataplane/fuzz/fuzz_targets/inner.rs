//! Inner packets of any shape: clamp, cut, answer, join. The first ten octets are a virtio header.
#![no_main]

use holdfast_dataplane::coalesce::{Coalescer, Device};
use holdfast_dataplane::ip::{clamp_mss, View};
use holdfast_dataplane::segment::{Segmenter, VnetHeader};
use holdfast_dataplane::sys::VNET_HEADER;
use holdfast_dataplane::icmp;
use libfuzzer_sys::fuzz_target;
use std::io;

struct Sink;

impl Device for Sink {
    fn write(&self, packet: &[u8]) -> io::Result<()> {
        assert!(View::of(&packet[VNET_HEADER..]).is_some());
        Ok(())
    }
}

fuzz_target!(|octets: &[u8]| {
    let Some((header, packet)) = octets.split_first_chunk::<VNET_HEADER>() else { return };
    let header = VnetHeader::read(header);
    let mut packet = packet.to_vec();
    let _ = header.complete_checksum(&mut packet);
    let Some(view) = View::of(&packet) else { return };
    if let Some(mut segments) = Segmenter::new(&header, &packet) {
        let mut out = vec![0; segments.largest()];
        while segments.next_into(&mut out).is_some() {}
    }
    for mtu in [0, 27, 68, 576, 1400] {
        let _ = icmp::too_big(&packet[..view.length], &view, mtu);
        for fragment in icmp::fragments(&packet[..view.length], &view, mtu).into_iter().flatten() {
            assert!(fragment.len() <= mtu);
        }
    }
    clamp_mss(&mut packet, &view, 600);
    let mut room = [&[0; VNET_HEADER][..], &packet[..view.length]].concat();
    let mut coalescer = Coalescer::default();
    for _ in 0..3 {
        coalescer.add(&Sink, &mut room, &view);
    }
    coalescer.finish(&Sink);
});
