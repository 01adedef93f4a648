//! Vectors of RFC 3079 and the coherency rules of RFC 3078.

use crate::mppe::{is_sensible, KeyChain, Mode, Opened, Receiver, Sender, Strength, Work};
use crate::rc4::Rc4;

const ANY: u32 = u32::MAX;
const START_128: [u8; 16] = [
    0x8b, 0x7c, 0xdc, 0x14, 0x9b, 0x99, 0x3a, 0x1b, 0xa1, 0x18, 0xcb, 0x15, 0x3f, 0x56, 0xdc, 0xcb,
];

fn chain() -> KeyChain {
    KeyChain::new(&START_128, Strength::Bits128).unwrap()
}

/// A small IPv4 packet behind its protocol field.
fn packet(mark: u8) -> Vec<u8> {
    let mut data = vec![
        0x00, 0x21, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    data.extend([mark; 8]);
    data
}

fn seal(sender: &mut Sender, mark: u8) -> ([u8; 2], Vec<u8>) {
    let mut data = packet(mark);
    let (header, work) = sender.seal(&mut data);
    if let Work::Apply(key) = work {
        Rc4::new(&key).apply(&mut data);
    }
    (header, data)
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Clear,
    Garbled,
    Incoherent,
    Lost(bool),
}

fn open(receiver: &mut Receiver, sealed: &([u8; 2], Vec<u8>), mark: u8, most: u32) -> Outcome {
    let mut data = sealed.1.clone();
    match receiver.open(sealed.0, &mut data, most) {
        Opened::Apply(key) => Rc4::new(&key).apply(&mut data),
        Opened::Done => {}
        Opened::Incoherent => return Outcome::Incoherent,
        Opened::Desynchronised { news } => return Outcome::Lost(news),
    }
    if data == packet(mark) {
        Outcome::Clear
    } else {
        Outcome::Garbled
    }
}

fn pair(mode: Mode) -> (Sender, Receiver) {
    (Sender::new(chain(), mode), Receiver::new(chain(), mode))
}

/// RFC 3079 section 3.5: start key, session key and `rc4(key, "test message")`.
#[test]
fn vectors_of_rfc_3079() {
    let session40 = [0xd1, 0x26, 0x9e, 0xc4, 0x9f, 0xa6, 0x2e, 0x3e];
    let cipher40 = [
        0x92, 0x91, 0x37, 0x91, 0x7e, 0x58, 0x03, 0xd6, 0x68, 0xd7, 0x58, 0x98,
    ];
    let session128 = [
        0x40, 0x5c, 0xb2, 0x24, 0x7a, 0x79, 0x56, 0xe6, 0xe2, 0x11, 0x00, 0x7a, 0xe2, 0x7b, 0x22,
        0xd4,
    ];
    let cipher128 = [
        0x81, 0x84, 0x83, 0x17, 0xdf, 0x68, 0x84, 0x62, 0x72, 0xfb, 0x5a, 0xbe,
    ];
    for (strength, session, cipher) in [
        (Strength::Bits40, &session40[..], cipher40),
        (Strength::Bits128, &session128[..], cipher128),
    ] {
        let length = strength.key_length();
        let chain = KeyChain::new(&START_128[..length], strength).unwrap();
        assert_eq!(&chain.key()[..length], session);
        let mut message = *b"test message";
        Rc4::new(&chain.key()).apply(&mut message);
        assert_eq!(message, cipher);
    }
}

#[test]
fn salts_and_lengths() {
    let key = KeyChain::new(&START_128[..8], Strength::Bits56)
        .unwrap()
        .key();
    assert_eq!(key[..4], [0xd1, 0x5c, 0x00, 0xc4]);
    assert!(KeyChain::new(&START_128, Strength::Bits40).is_none());
    assert!(KeyChain::new(&START_128[..8], Strength::Bits128).is_none());
    let mut chain = KeyChain::new(&START_128[..8], Strength::Bits40).unwrap();
    let first = chain.key();
    chain.advance();
    assert_ne!(chain.key(), first);
    assert_eq!(chain.key()[..3], [0xd1, 0x26, 0x9e]);
}

#[test]
fn stateless_survives_gaps_and_the_wrap_of_the_count() {
    let (mut sender, mut receiver) = pair(Mode::Stateless);
    for number in 0..9000u32 {
        let sealed = seal(&mut sender, number as u8);
        assert_eq!(
            u16::from_be_bytes(sealed.0),
            0x9000 | (number & 0xfff) as u16
        );
        if number % 7 != 3 {
            assert_eq!(
                open(&mut receiver, &sealed, number as u8, ANY),
                Outcome::Clear
            );
        }
    }
}

#[test]
fn stateless_believes_a_gap_only_when_it_makes_sense() {
    let (mut sender, mut receiver) = pair(Mode::Stateless);
    assert_eq!(
        open(&mut receiver, &seal(&mut sender, 0), 0, ANY),
        Outcome::Clear
    );
    let forged = ([0x97, 0xff], vec![0x55; 60]);
    assert_eq!(open(&mut receiver, &forged, 0, ANY), Outcome::Incoherent);
    assert_eq!(
        open(&mut receiver, &seal(&mut sender, 1), 1, ANY),
        Outcome::Clear
    );
    for _ in 0..4000 {
        seal(&mut sender, 2);
    }
    let sealed = seal(&mut sender, 3);
    assert_eq!(open(&mut receiver, &sealed, 3, 4000), Outcome::Incoherent);
    assert_eq!(open(&mut receiver, &sealed, 3, 4001), Outcome::Clear);
    assert_eq!(open(&mut receiver, &sealed, 3, ANY), Outcome::Incoherent);
}

#[test]
fn stateless_tells_once_that_all_is_lost() {
    let (mut sender, mut receiver) = strangers();
    let told: Vec<bool> = (0..100u32)
        .filter(|number| number % 10 != 7)
        .map(|_| tells(&mut receiver, &seal(&mut sender, 1), ANY))
        .collect();
    assert_eq!(told.iter().filter(|&&news| news).count(), 1);
    assert!(told[31]);
}

#[test]
fn stateless_is_not_lost_for_all_that_a_forger_sends() {
    let (mut sender, mut receiver) = pair(Mode::Stateless);
    let mut count = 7u16;
    for round in 0..20 {
        for _ in 0..500 {
            count = count.wrapping_mul(25173).wrapping_add(13849);
            let forged = (
                (0x9000 | count & 0xfff).to_be_bytes(),
                vec![count as u8; 60],
            );
            assert!(!tells(&mut receiver, &forged, 100));
        }
        // A forger who happens on the very next count costs the peer that one packet.
        open(&mut receiver, &seal(&mut sender, round), round, ANY);
        assert_eq!(
            open(&mut receiver, &seal(&mut sender, round), round, ANY),
            Outcome::Clear
        );
    }
}

/// Two that have different keys.
fn strangers() -> (Sender, Receiver) {
    let other = KeyChain::new(&[7; 16], Strength::Bits128).unwrap();
    (Sender::new(other, Mode::Stateless), pair(Mode::Stateless).1)
}

/// Whether this packet is the one that tells of lost synchronisation.
fn tells(receiver: &mut Receiver, sealed: &([u8; 2], Vec<u8>), most: u32) -> bool {
    let mut data = sealed.1.clone();
    let opened = match receiver.open(sealed.0, &mut data, most) {
        Opened::Apply(key) => {
            Rc4::new(&key).apply(&mut data);
            receiver.judge(is_sensible(&data[..10], data.len()))
        }
        other => Some(other),
    };
    matches!(opened, Some(Opened::Desynchronised { news: true }))
}

#[test]
fn stateful_in_order_through_flag_packets() {
    let (mut sender, mut receiver) = pair(Mode::Stateful);
    for number in 0..5000u32 {
        let sealed = seal(&mut sender, number as u8);
        let flag = number & 0xff == 0xff;
        assert_eq!(sealed.0[0] & 0x80 != 0, flag);
        assert_eq!(
            open(&mut receiver, &sealed, number as u8, ANY),
            Outcome::Clear,
            "packet {number}"
        );
    }
}

#[test]
fn stateful_loss_is_told_once_and_healed_by_a_reset() {
    for lost in [1u32, 200, 256, 700, 3000] {
        for before in [0u32, 5, 250, 254, 255, 256, 4094, 4095] {
            let (mut sender, mut receiver) = pair(Mode::Stateful);
            for _ in 0..before {
                assert_eq!(
                    open(&mut receiver, &seal(&mut sender, 1), 1, ANY),
                    Outcome::Clear
                );
            }
            for _ in 0..lost {
                seal(&mut sender, 2);
            }
            while seal(&mut sender, 3).0[0] & 0x80 != 0 {}
            assert_eq!(
                open(&mut receiver, &seal_plain(&mut sender), 4, ANY),
                Outcome::Lost(true)
            );
            assert_eq!(
                open(&mut receiver, &seal_plain(&mut sender), 4, ANY),
                Outcome::Lost(false)
            );
            sender.reset();
            let sealed = seal(&mut sender, 5);
            assert_eq!(u16::from_be_bytes(sealed.0) & 0x80ff, 0x80ff);
            assert_eq!(
                open(&mut receiver, &sealed, 5, ANY),
                Outcome::Clear,
                "{lost} lost after {before}"
            );
            assert_eq!(
                open(&mut receiver, &seal(&mut sender, 6), 6, ANY),
                Outcome::Clear
            );
        }
    }
}

/// The next packet that is not a flag packet.
fn seal_plain(sender: &mut Sender) -> ([u8; 2], Vec<u8>) {
    loop {
        let sealed = seal(sender, 4);
        if sealed.0[0] & 0x80 == 0 {
            return sealed;
        }
    }
}

/// A FLUSHED packet within a block: RFC 3078 re-initialises with the current key, Linux changes it first.
#[test]
fn stateful_loss_is_told_again_while_no_flushed_packet_arrives() {
    let (mut sender, mut receiver) = pair(Mode::Stateful);
    seal_plain(&mut sender);
    let told: Vec<usize> = (0..65)
        .filter(|_| open(&mut receiver, &seal_plain(&mut sender), 4, ANY) == Outcome::Lost(true))
        .collect();
    assert_eq!(told, [0, 32, 64]);
    sender.reset();
    assert_eq!(
        open(&mut receiver, &seal(&mut sender, 5), 5, ANY),
        Outcome::Clear
    );
}

#[test]
fn both_readings_of_flushed_are_understood() {
    for changes in [0, 1] {
        let mut receiver = Receiver::new(chain(), Mode::Stateful);
        let mut keys = chain();
        for _ in 0..changes {
            keys.advance();
        }
        let mut cipher = Rc4::new(&keys.key());
        let mut first = packet(9);
        cipher.apply(&mut first);
        assert_eq!(
            open(&mut receiver, &([0x90, 0x07], first), 9, ANY),
            Outcome::Clear
        );
        let mut second = packet(8);
        cipher.apply(&mut second);
        assert_eq!(
            open(&mut receiver, &([0x10, 0x08], second), 8, ANY),
            Outcome::Clear
        );
    }
}

#[test]
fn stateful_is_not_moved_by_a_forged_flush() {
    let (mut sender, mut receiver) = pair(Mode::Stateful);
    assert_eq!(
        open(&mut receiver, &seal(&mut sender, 0), 0, ANY),
        Outcome::Clear
    );
    assert_eq!(
        open(&mut receiver, &([0x99, 0x05], vec![0x55; 60]), 0, ANY),
        Outcome::Lost(true)
    );
    sender.reset();
    assert_eq!(
        open(&mut receiver, &seal(&mut sender, 1), 1, ANY),
        Outcome::Clear
    );
}

#[test]
fn clear_and_repeated_packets_are_incoherent() {
    for mode in [Mode::Stateless, Mode::Stateful] {
        let (mut sender, mut receiver) = pair(mode);
        let sealed = seal(&mut sender, 0);
        let clear = ([sealed.0[0] & 0xef, sealed.0[1]], sealed.1.clone());
        assert_eq!(open(&mut receiver, &clear, 0, ANY), Outcome::Incoherent);
        assert_eq!(open(&mut receiver, &sealed, 0, ANY), Outcome::Clear);
        assert_eq!(open(&mut receiver, &sealed, 0, ANY), Outcome::Incoherent);
    }
}

#[test]
fn what_makes_sense() {
    let good = packet(0);
    assert!(is_sensible(&good[..10], good.len()));
    assert!(!is_sensible(&good[..10], good.len() - 1));
    assert!(is_sensible(&good[1..11], good.len() - 1));
    assert!(!is_sensible(&[], 0));
    assert!(!is_sensible(&[0x21], 1));
    assert!(is_sensible(&[0x80, 0x21, 1, 1, 0, 4], 6));
    assert!(!is_sensible(&[0x80, 0x21, 1, 1, 0, 9], 6));
}
