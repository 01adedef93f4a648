//! The receiving side as a whole, without a kernel.

mod support;

use holdfast_dataplane::mppe::Mode;
use holdfast_dataplane::shared::Cause;
use holdfast_dataplane::upcall::Kind;
use support::World;

/// A UDP packet of the session behind its protocol field.
fn packet(mark: u8) -> Vec<u8> {
    let mut data = vec![
        0x21, 0x45, 0, 0, 28, 0, mark, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    data.extend([0, 1, 0, 2, 0, 8, 0, 0]);
    data
}

/// Numbers without pattern, the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn all_of_a_batch_arrives_in_every_mode() {
    for mode in [None, Some(Mode::Stateless), Some(Mode::Stateful)] {
        let mut world = World::new(mode);
        let packets: Vec<_> = (0..130u8)
            .map(|mark| {
                let frame = world.seal(&packet(mark));
                world.next(0, &frame)
            })
            .collect();
        world.receive(&packets, 0);
        assert_eq!((world.written(), world.shared.packets_in.get()), (130, 130));
        assert!(world.told().is_empty());
    }
}

#[test]
fn any_order_within_the_buffer_is_put_right() {
    let mut dice = Dice(0x9e37_79b9);
    for _ in 0..200 {
        let mut world = World::new(Some(Mode::Stateful));
        let mut packets: Vec<_> = (0..40u8)
            .map(|mark| {
                let frame = world.seal(&packet(mark));
                world.next(0, &frame)
            })
            .collect();
        for at in (2..packets.len()).rev() {
            packets.swap(at, 1 + dice.roll(at as u64) as usize);
        }
        for group in packets.chunks(1 + dice.roll(10) as usize) {
            world.receive(group, dice.roll(2));
        }
        world.receive(&[], 100);
        assert_eq!(world.written(), 40);
        assert_eq!(world.shared.gre_lost.get(), 0);
    }
}

#[test]
fn packets_that_keep_coming_late_are_waited_for_each_anew() {
    let mut world = World::new(Some(Mode::Stateless));
    let frames: Vec<_> = (0..1000u32)
        .map(|mark| {
            let frame = world.seal(&packet(mark as u8));
            world.next(0, &frame)
        })
        .collect();
    // Two ways of which one takes 11 ms longer: every other packet comes ten places late, for a second.
    let mut arrivals: Vec<(usize, usize)> = (0..1000)
        .map(|at| (if at % 2 == 1 { at + 11 } else { at }, at))
        .collect();
    arrivals.sort_unstable();
    for (_, at) in arrivals {
        world.receive(&frames[at..=at], 1);
    }
    world.receive(&[], 100);
    assert_eq!((world.written(), world.shared.gre_lost.get()), (1000, 0));
}

/// Numbered and sealed, and lost on the way.
fn lose(world: &mut World, packets: u32) {
    for _ in 0..packets {
        let frame = world.seal(&packet(0));
        world.next(0, &frame);
    }
}

fn arrive(world: &mut World, packets: u8) {
    for mark in 0..packets {
        let frame = world.seal(&packet(mark));
        let packet = world.next(0, &frame);
        world.receive(&[packet], 1);
    }
    world.receive(&[], 100);
}

#[test]
fn a_loss_longer_than_the_coherency_count_reaches_is_survived() {
    for lost in [100, 4095, 4096, 5000, 8191] {
        let mut world = World::new(Some(Mode::Stateless));
        arrive(&mut world, 10);
        lose(&mut world, lost);
        arrive(&mut world, 10);
        assert_eq!(
            (world.written(), world.told().len()),
            (20, 0),
            "{lost} lost"
        );
    }
}

#[test]
fn keys_that_do_not_fit_any_more_are_told_however_fast_packets_come() {
    let mut world = World::new(Some(Mode::Stateless));
    arrive(&mut world, 10);
    lose(&mut world, 50_000);
    arrive(&mut world, 250);
    let told: Vec<_> = world.told().iter().map(|upcall| upcall.kind).collect();
    assert_eq!(told, [Kind::MppeDesync]);
}

#[test]
fn echo_requests_are_not_pythons() {
    let mut world = World::new(None);
    let request = world.next(0, &[0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 2]);
    let looped = world.next(0, &[0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 1]);
    let cut = world.next(0, &[0xc0, 0x21, 9, 1, 0, 9, 0, 0, 0, 2]);
    world.receive(&[request, looped, cut], 0);
    let told = world.told();
    assert_eq!(
        told.iter()
            .map(|upcall| upcall.frame[9])
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(told.iter().all(|upcall| upcall.kind == Kind::Frame));
}

#[test]
fn a_flood_of_echo_requests_is_answered_in_measure() {
    let mut world = World::new(None);
    for _ in 0..1000 {
        let request = world.next(0, &[0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 2]);
        world.receive(&[request], 0);
    }
    assert_eq!(world.shared.drops.get(Cause::RateLimited as usize), 900);
    assert!(world.told().is_empty());
    world.receive(&[], 1000);
    let request = world.next(0, &[0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 2]);
    world.receive(&[request], 0);
    assert_eq!(world.shared.drops.get(Cause::RateLimited as usize), 900);
}

#[test]
fn scripts_of_any_kind_do_no_harm() {
    let mut dice = Dice(42);
    for _ in 0..3000 {
        let length = dice.roll(400) as usize;
        let script: Vec<u8> = (0..length).map(|_| dice.roll(256) as u8).collect();
        World::play(&script);
    }
}

#[test]
fn real_packets_with_changed_octets_do_no_harm() {
    let mut dice = Dice(7);
    for round in 0..300 {
        let mode = [None, Some(Mode::Stateless), Some(Mode::Stateful)][round % 3];
        let mut world = World::new(mode);
        for mark in 0..30u8 {
            let frame = world.seal(&packet(mark));
            let mut packet = world.next(dice.roll(3) as i8 - 1, &frame);
            let at = dice.roll(packet.len() as u64) as usize;
            packet[at] ^= 1 << dice.roll(8);
            let end = packet.len() - dice.roll(3) as usize;
            world.receive(&[packet[..end].to_vec()], dice.roll(20));
            world.told();
        }
    }
}
