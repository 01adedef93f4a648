//! The reordering buffer of one call: holds packets that came too early until the gap before them is filled or given up.

use std::collections::VecDeque;

/// Packets that came early, by distance from the number that is due next. Made only when a gap appears.
pub struct Reorder<T> {
    slots: VecDeque<Option<T>>,
    deadline: u64,
}

impl<T> Reorder<T> {
    /// Nothing waits yet; what will wait is given up at `deadline` (nanoseconds).
    #[must_use]
    pub fn new(deadline: u64) -> Self {
        Self {
            slots: VecDeque::new(),
            deadline,
        }
    }

    /// When to give up what is missing.
    #[must_use]
    pub fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Give up later than was said.
    pub fn postpone(&mut self, deadline: u64) {
        self.deadline = deadline;
    }

    /// Keep a packet `distance` (at least 1) after the next one due. The caller bounds the distance.
    pub fn keep(&mut self, distance: u32, packet: T) {
        let index = distance as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some(packet);
    }

    /// The packet that was due next came, or its number is given up: move on by one, and return the packet there, if any.
    pub fn advance(&mut self) -> Option<T> {
        self.slots.pop_front().flatten()
    }

    /// Whether the packet that is due next is here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.slots.front(), Some(Some(_)))
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_gaps() {
        let mut buffer = Reorder::new(7);
        buffer.keep(2, 'c');
        buffer.keep(1, 'b');
        assert_eq!(buffer.deadline(), 7);
        assert!(!buffer.is_ready());
        assert_eq!(buffer.advance(), None);
        assert!(buffer.is_ready());
        assert_eq!((buffer.advance(), buffer.advance()), (Some('b'), Some('c')));
        assert!(buffer.is_empty());
    }
}
