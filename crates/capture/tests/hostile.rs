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
