//! Frames of any link type: the first two octets name it, then each frame follows its length.
#![no_main]

use std::io::Cursor;

use holdfast_capture::{index, Input, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let [low, high, rest @ ..] = octets else { return };
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, *low, *high, 0, 0];
    let mut frames = 0;
    for (second, frame) in rest.split(|octet| *octet == 0x7e).enumerate() {
        file.extend((second as u32).to_le_bytes());
        file.extend([0; 4]);
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend(frame);
        frames += 1;
    }
    let input = Input::Stream("fuzz".into(), Box::new(Cursor::new(file)));
    let found = index(vec![input], Options::default(), &mut |_, _| true).expect("the header is a capture's");
    assert_eq!(found.counts.frames, frames);
});
