//! A whole file of any octets: what begins like a capture is read to its end, bounded, without a panic.
#![no_main]

use std::io::Cursor;

use holdfast_capture::{index, Input, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let input = Input::Stream("fuzz".into(), Box::new(Cursor::new(octets.to_vec())));
    let options = Options { budget: 1 << 20, ..Options::default() };
    if let Ok(found) = index(vec![input], options, &mut |_, _| true) {
        assert!(u64::from(found.files[0].frames) >= found.counts.frames);
        let kept: usize = found.gre.iter().flat_map(|flow| flow.data.iter()).map(|frame| frame.ppp.len()).sum();
        assert!(kept <= 1 << 21);
    }
});
