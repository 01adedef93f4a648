//! The beginning and the end of something long.

use std::collections::VecDeque;

/// Keeps the first `head` and the last `tail` items of a stream and counts the ones between.
#[derive(Debug, Clone)]
pub struct Sample<T> {
    first: Vec<T>,
    last: VecDeque<T>,
    head: usize,
    tail: usize,
    skipped: u64,
}

impl<T> Sample<T> {
    pub(crate) fn new(head: usize, tail: usize) -> Self {
        Self {
            first: Vec::new(),
            last: VecDeque::new(),
            head,
            tail,
            skipped: 0,
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.first.len() < self.head {
            self.first.push(item);
            return;
        }
        if self.last.len() >= self.tail {
            self.skipped += 1;
            self.last.pop_front();
        }
        if self.tail > 0 {
            self.last.push_back(item);
        }
    }

    /// Let go of the item that the next one would drive out, so that its memory can be used again; None while there is
    /// a place free.
    pub(crate) fn make_way(&mut self) -> Option<T> {
        if self.first.len() < self.head || self.last.len() < self.tail {
            return None;
        }
        let oldest = self.last.pop_front();
        self.skipped += u64::from(oldest.is_some());
        oldest
    }

    /// Like `push`, but an item that would take more memory is only counted unless `room` says that there is some.
    /// Returns whether memory grew.
    pub(crate) fn offer(&mut self, item: T, room: bool) -> bool {
        let grows = self.len() < self.head + self.tail;
        if grows && !room {
            self.skipped += 1;
        } else {
            self.push(item);
        }
        grows && room
    }

    /// Everything that was kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.last.iter())
    }

    /// Everything that was kept, to change it.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(self.last.iter_mut())
    }

    /// How many items were let go between beginning and end.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many items are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_stay_and_the_middle_is_counted() {
        let mut sample = Sample::new(3, 2);
        (0..10).for_each(|item| sample.push(item));
        assert_eq!(sample.iter().copied().collect::<Vec<_>>(), [0, 1, 2, 8, 9]);
        assert_eq!((sample.skipped(), sample.len()), (5, 5));
    }

    #[test]
    fn what_makes_way_is_counted_once() {
        let mut sample = Sample::new(1, 2);
        (0..2).for_each(|item| sample.push(item));
        assert_eq!(sample.make_way(), None);
        sample.push(2);
        assert_eq!(sample.make_way(), Some(1));
        sample.push(3);
        assert_eq!(sample.iter().copied().collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!(sample.skipped(), 1);
        assert_eq!(Sample::<u8>::new(0, 0).make_way(), None);
    }

    #[test]
    fn without_room_nothing_grows_but_the_end_still_moves_on() {
        let mut sample = Sample::new(1, 1);
        assert!(sample.offer(1, true) && sample.offer(2, true));
        assert!(!sample.offer(3, false));
        assert_eq!(sample.iter().copied().collect::<Vec<_>>(), [1, 3]);
        let mut empty = Sample::new(1, 1);
        assert!(!empty.offer(1, false) && empty.is_empty());
    }

    #[test]
    fn without_a_tail_only_the_beginning_stays() {
        let mut sample = Sample::new(1, 0);
        (0..3).for_each(|item| sample.push(item));
        assert_eq!((sample.len(), sample.skipped()), (1, 2));
    }
}
