//! The seeds of the fuzz targets, changed at random: no panic, bounded memory, always an end.
//! `HOSTILE_ROUNDS` sets how many; the generator is seeded, so that a failure comes again.

use std::io::Cursor;

use holdfast_capture::{index, Index, Input, Options};

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/index");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the seeds are in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a readable seed"))
        .collect()
}

fn read(octets: Vec<u8>) -> Option<Index> {
    let input = Input::Stream("test".into(), Box::new(Cursor::new(octets)));
    let options = Options {
        budget: 1 << 20,
        ..Options::default()
    };
    index(vec![input], options, &mut |_, _| true).ok()
}

fn change(octets: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.next(8) {
        let at = random.next(octets.len());
        match random.next(5) {
            0 if !octets.is_empty() => octets[at] ^= 1 << random.next(8),
            1 if !octets.is_empty() => octets[at] = [0, 0xff, 0x7f, 0x80][random.next(4)],
            2 => octets.truncate(at),
            3 => {
                let piece = octets[at..(at + random.next(64)).min(octets.len())].to_vec();
                let to = random.next(octets.len());
                octets.splice(to..to, piece);
            }
            _ => {
                let end = (at + random.next(32)).min(octets.len());
                octets.drain(at..end);
            }
        }
    }
}

#[test]
fn every_seed_is_a_capture() {
    for seed in seeds() {
        assert!(read(seed).is_some_and(|found| found.counts.frames > 0));
    }
}

#[test]
fn changed_seeds_are_survived() {
    let rounds =
        std::env::var("HOSTILE_ROUNDS").map_or(4000, |text| text.parse().expect("a number"));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let seeds = seeds();
    let mut readable = 0;
    for round in 0..rounds {
        let mut octets = seeds[round % seeds.len()].clone();
        change(&mut octets, &mut random);
        readable += usize::from(read(octets).is_some());
    }
    assert!(
        readable * 4 > rounds,
        "only {readable} of {rounds} were read: the test tests nothing"
    );
}

/// A capture of IP packets, each from 10.0.0.1 port 4000 to 10.0.0.2 port 1723 with 100 octets that are no PPTP.
fn stranger(segments: u32) -> Vec<u8> {
    let mut octets = vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4];
    octets.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 101]);
    for number in 0..segments {
        octets.extend(number.to_be_bytes());
        octets.extend([0, 0, 0, 0, 0, 0, 0, 140, 0, 0, 0, 140]);
        octets.extend([0x45, 0, 0, 140, 0, 0, 0, 0, 64, 6, 0, 0]);
        octets.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x0f, 0xa0, 0x06, 0xbb]);
        octets.extend((number * 100).to_be_bytes());
        let flags = if number == 0 { 2 } else { 16 };
        octets.extend([0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        octets.extend([7; 100]);
    }
    octets
}

#[test]
fn of_a_stranger_the_beginning_is_kept() {
    let found = read(stranger(20_000)).expect("a sound capture");
    let kept: Vec<_> = found.control[0]
        .segments
        .iter()
        .map(|segment| segment.payload.len())
        .collect();
    assert!(kept[..16].iter().all(|&octets| octets == 100));
    assert!(kept[16..].iter().all(|&octets| octets == 0));
    assert!(found.control[0].segments.skipped() > 10_000);
}

/// A block of pcapng, little-endian.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &length].concat()
}

#[test]
fn a_length_that_was_damaged_does_not_end_the_file() {
    let mut section = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
    section.extend([0xff; 8]);
    let mut octets = block(0x0a0d_0d0a, &section);
    octets.extend(block(1, &[101, 0, 0, 0, 0, 0, 4, 0]));
    let mut frame = [0; 40];
    (frame[12], frame[16], frame[20]) = (20, 20, 0x45);
    let begin = octets.len();
    let frames: Vec<u8> = std::iter::repeat_n(block(6, &frame), 20)
        .flatten()
        .collect();
    octets.extend(&frames);
    octets[begin + 4 * frames.len() / 20 + 6] = 0x40;
    let found = read(octets).expect("a capture");
    let kinds: Vec<_> = found.files[0].notes.iter().map(|note| note.kind).collect();
    assert_eq!((found.files[0].frames, kinds), (19, vec!["damaged"]));
}
