//! What the sequence numbers of one GRE direction say: gaps, duplicates, reordering, restarts.
//!
//! This judges from outside what the network did. A receiver's window (RFC 2637 section 4.3) decides what to
//! accept; here nothing is dropped, everything is named.

use std::collections::VecDeque;

const WINDOW: u32 = 1024;
const WORDS: usize = WINDOW as usize / 64;
/// A longer step forward is a hole in the capture or another call, not loss.
const JUMP: u32 = 10_000;
/// That many numbers in a row far below the highest are a new beginning that the capture missed.
const LATE_RUN: u32 = 16;
/// Networks duplicate within this time; what comes later was kept and sent again.
const AGED_NS: i64 = 2_000_000_000;
const RESTART_NS: i64 = 1_000_000_000;

/// What tells one transmission of a packet from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) hash: u64,
    pub(crate) identification: u32,
    pub(crate) ttl: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// In order, after this many missing numbers.
    Forward { missing: u32 },
    /// Far ahead: nothing can be said about what lies between.
    Jump,
    /// Filled a gap, this far behind the highest.
    Reordered { behind: u32, was_missing: bool },
    /// Seen before. `copy`: the very same IP packet again; `other_ttl`: after another number of hops;
    /// `aged`: seconds after the first, as no network does it.
    Duplicate {
        copy: bool,
        other_ttl: bool,
        aged: bool,
    },
    /// So far behind that nobody remembers.
    Late,
    /// Counting began anew: another call with the same call ID.
    Restart,
}

#[derive(Clone)]
struct Recent {
    number: u32,
    time_ns: i64,
    fingerprint: Fingerprint,
}

#[derive(Clone)]
pub(crate) struct Sequence {
    first: u32,
    highest: u32,
    seen: [u64; WORDS],
    recent: VecDeque<Recent>,
    remembered: usize,
    start_ns: i64,
    late_run: u32,
    late_last: u32,
}

impl Sequence {
    /// Begin with a packet; the last `remembered` packets can be compared with later ones.
    pub(crate) fn new(
        number: u32,
        time_ns: i64,
        fingerprint: Fingerprint,
        remembered: usize,
    ) -> Self {
        let mut sequence = Self {
            first: number,
            highest: number,
            seen: [0; WORDS],
            recent: VecDeque::new(),
            remembered,
            start_ns: time_ns,
            late_run: 0,
            late_last: 0,
        };
        sequence.mark(number);
        sequence.remember(number, time_ns, fingerprint);
        sequence
    }

    pub(crate) fn judge(&mut self, number: u32, time_ns: i64, fingerprint: Fingerprint) -> Verdict {
        let step = number.wrapping_sub(self.highest) as i32;
        let verdict = if step > 0 {
            self.forward(number, step as u32)
        } else {
            self.backward(number, step.unsigned_abs(), time_ns, fingerprint)
        };
        if verdict != Verdict::Restart {
            self.remember(number, time_ns, fingerprint);
        }
        verdict
    }

    fn forward(&mut self, number: u32, step: u32) -> Verdict {
        let cleared = step.min(WINDOW);
        for back in 0..cleared {
            self.clear(number.wrapping_sub(back));
        }
        self.mark(number);
        self.highest = number;
        self.late_run = 0;
        if step > JUMP {
            self.first = number;
            return Verdict::Jump;
        }
        Verdict::Forward { missing: step - 1 }
    }

    fn backward(
        &mut self,
        number: u32,
        behind: u32,
        time_ns: i64,
        fingerprint: Fingerprint,
    ) -> Verdict {
        if number <= 1 && self.highest > 1 && time_ns.saturating_sub(self.start_ns) > RESTART_NS {
            return Verdict::Restart;
        }
        if behind >= WINDOW {
            return self.late(number);
        }
        if self.marked(number) {
            return self.duplicate(number, time_ns, fingerprint);
        }
        self.mark(number);
        let was_missing = number.wrapping_sub(self.first) as i32 > 0;
        if !was_missing {
            self.first = number;
        }
        Verdict::Reordered {
            behind,
            was_missing,
        }
    }

    fn duplicate(&self, number: u32, time_ns: i64, fingerprint: Fingerprint) -> Verdict {
        let twins = || {
            self.recent
                .iter()
                .rev()
                .filter(|twin| twin.number == number)
        };
        let same = twins().find(|twin| twin.fingerprint.hash == fingerprint.hash);
        let Some(twin) = same.or_else(|| twins().next()) else {
            return Verdict::Duplicate {
                copy: false,
                other_ttl: false,
                aged: true,
            };
        };
        let same = same.is_some();
        if !same && number <= 1 && time_ns.saturating_sub(self.start_ns) > RESTART_NS {
            return Verdict::Restart;
        }
        Verdict::Duplicate {
            copy: same && twin.fingerprint.identification == fingerprint.identification,
            other_ttl: twin.fingerprint.ttl != fingerprint.ttl,
            aged: time_ns.saturating_sub(twin.time_ns) > AGED_NS,
        }
    }

    fn late(&mut self, number: u32) -> Verdict {
        let follows = number.wrapping_sub(self.late_last) as i32;
        self.late_run = if self.late_run > 0 && (1..64).contains(&follows) {
            self.late_run + 1
        } else {
            1
        };
        self.late_last = number;
        if self.late_run >= LATE_RUN {
            Verdict::Restart
        } else {
            Verdict::Late
        }
    }

    /// When the packet with that number went by, if it is among the recent ones.
    pub(crate) fn sent_at(&self, number: u32) -> Option<i64> {
        self.find(number).map(|recent| recent.time_ns)
    }

    /// Whether that number was never seen although it lies where numbers were: behind the highest or just ahead.
    /// An acknowledgement of such a number proves that the packet existed and that the capture lost it.
    pub(crate) fn never_saw(&self, number: u32) -> bool {
        let (after_first, ahead) = (
            number.wrapping_sub(self.first) as i32,
            number.wrapping_sub(self.highest) as i32,
        );
        let behind = ahead <= 0 && ahead.unsigned_abs() < WINDOW && !self.marked(number);
        after_first > 0 && (behind || (1..JUMP as i32).contains(&ahead))
    }

    fn find(&self, number: u32) -> Option<&Recent> {
        self.recent
            .iter()
            .rev()
            .find(|recent| recent.number == number)
    }

    fn remember(&mut self, number: u32, time_ns: i64, fingerprint: Fingerprint) {
        if self.recent.len() >= self.remembered {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent {
            number,
            time_ns,
            fingerprint,
        });
    }

    fn slot(number: u32) -> (usize, u64) {
        ((number % WINDOW / 64) as usize, 1 << (number % 64))
    }

    fn mark(&mut self, number: u32) {
        let (word, bit) = Self::slot(number);
        self.seen[word] |= bit;
    }

    fn clear(&mut self, number: u32) {
        let (word, bit) = Self::slot(number);
        self.seen[word] &= !bit;
    }

    fn marked(&self, number: u32) -> bool {
        let (word, bit) = Self::slot(number);
        self.seen[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(hash: u64) -> Fingerprint {
        Fingerprint {
            hash,
            identification: hash as u32,
            ttl: 64,
        }
    }

    fn run(numbers: &[u32]) -> Vec<Verdict> {
        let mut sequence = Sequence::new(numbers[0], 0, print(u64::from(numbers[0])), 256);
        numbers[1..]
            .iter()
            .map(|&number| sequence.judge(number, 1, print(u64::from(number))))
            .collect()
    }

    #[test]
    fn gaps_fills_and_copies_are_told_apart() {
        assert_eq!(
            run(&[5, 6, 9, 7, 7, 10]),
            [
                Verdict::Forward { missing: 0 },
                Verdict::Forward { missing: 2 },
                Verdict::Reordered {
                    behind: 2,
                    was_missing: true
                },
                Verdict::Duplicate {
                    copy: true,
                    other_ttl: false,
                    aged: false
                },
                Verdict::Forward { missing: 0 },
            ]
        );
    }

    #[test]
    fn what_was_never_seen_is_known() {
        let mut sequence = Sequence::new(5, 0, print(5), 8);
        sequence.judge(8, 1, print(8));
        assert!([6, 7, 9].iter().all(|&number| sequence.never_saw(number)));
        assert!([4, 5, 8, u32::MAX]
            .iter()
            .all(|&number| !sequence.never_saw(number)));
    }

    #[test]
    fn a_number_below_the_first_was_never_missing() {
        assert_eq!(
            run(&[5, 4]),
            [Verdict::Reordered {
                behind: 1,
                was_missing: false
            }]
        );
    }

    #[test]
    fn numbers_wrap() {
        assert_eq!(
            run(&[u32::MAX - 1, u32::MAX, 0, 1, 3, 2]),
            [
                Verdict::Forward { missing: 0 },
                Verdict::Forward { missing: 0 },
                Verdict::Forward { missing: 0 },
                Verdict::Forward { missing: 1 },
                Verdict::Reordered {
                    behind: 1,
                    was_missing: true
                },
            ]
        );
    }

    #[test]
    fn a_jump_is_no_loss() {
        assert_eq!(run(&[1, 50_000]), [Verdict::Jump]);
    }

    #[test]
    fn counting_anew_is_another_call() {
        let mut sequence = Sequence::new(0, 0, print(0), 256);
        sequence.judge(1, 10, print(1));
        sequence.judge(2, 20, print(2));
        assert_eq!(
            sequence.judge(0, 5_000_000_000, print(77)),
            Verdict::Restart
        );
    }

    #[test]
    fn a_run_far_below_is_a_missed_beginning_and_single_ones_are_late() {
        let mut sequence = Sequence::new(100_000, 0, print(0), 256);
        let verdicts: Vec<_> = (500..516)
            .map(|number| sequence.judge(number, 1, print(1)))
            .collect();
        assert!(verdicts[..15]
            .iter()
            .all(|verdict| *verdict == Verdict::Late));
        assert_eq!(verdicts[15], Verdict::Restart);
    }

    #[test]
    fn the_same_number_with_other_content_is_no_copy() {
        let mut sequence = Sequence::new(8, 0, print(1), 256);
        assert_eq!(
            sequence.judge(8, 1, print(2)),
            Verdict::Duplicate {
                copy: false,
                other_ttl: false,
                aged: false
            }
        );
        let nearer = Fingerprint {
            ttl: 63,
            ..print(1)
        };
        assert_eq!(
            sequence.judge(8, 1, nearer),
            Verdict::Duplicate {
                copy: true,
                other_ttl: true,
                aged: false
            }
        );
    }
}
