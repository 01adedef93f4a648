//! What parses as enhanced GRE is written again as the same header, and its payload lies within the octets.
#![no_main]

use holdfast_dataplane::gre;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some(parsed) = gre::parse(octets) else { return };
    assert!(parsed.start <= parsed.end && parsed.end <= octets.len());
    let mut written = [0; gre::MAX_HEADER];
    let length = gre::write(&parsed.header, (parsed.end - parsed.start) as u16, &mut written);
    assert_eq!(length, parsed.start);
    let again = gre::parse(&[&written[..length], &octets[parsed.start..parsed.end]].concat());
    assert_eq!(again, Some(parsed));
});
