//! Deadlines of many calls in one heap. A call that no longer wants a deadline ignores it when it comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deadlines, each with a handle and the generation of what set it.
#[derive(Default)]
pub struct Timers(BinaryHeap<Reverse<(u64, u64, u32)>>);

impl Timers {
    /// Come back at `due` nanoseconds.
    pub fn start(&mut self, due: u64, handle: u64, generation: u32) {
        self.0.push(Reverse((due, handle, generation)));
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.0.peek().map(|Reverse((due, _, _))| *due)
    }

    /// Remove and return one that is due: handle and generation.
    pub fn expired(&mut self, now: u64) -> Option<(u64, u32)> {
        if self.next()? > now {
            return None;
        }
        self.0
            .pop()
            .map(|Reverse((_, handle, generation))| (handle, generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_first_and_only_when_due() {
        let mut timers = Timers::default();
        timers.start(30, 3, 0);
        timers.start(10, 1, 7);
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.expired(9), None);
        assert_eq!(timers.expired(20), Some((1, 7)));
        assert_eq!(timers.expired(20), None);
        assert_eq!(timers.next(), Some(30));
    }
}
