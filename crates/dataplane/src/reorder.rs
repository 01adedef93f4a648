//! The reordering buffer of one call: holds packets that came too early until the gap before them is filled or given up.

use std::collections::VecDeque;

/// Packets that came early, by distance from the number that is due next. Made only when a gap appears.
pub struct Reorder<T> {
    slots: VecDeque<Option<T>>,
}

/// What became of a packet that came early.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept<T> {
    /// It waits.
    Yes,
    /// It is too far ahead: give up what is missing and take it afterwards.
    TooFar(T),
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
        }
    }
}

impl<T> Reorder<T> {
    /// Keep a packet `distance` (at least 1) after the next one due.
    pub fn keep(&mut self, distance: u32, packet: T, capacity: u32) -> Kept<T> {
        if distance >= capacity {
            return Kept::TooFar(packet);
        }
        let index = distance as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        self.slots[index] = Some(packet);
        Kept::Yes
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
        let mut buffer = Reorder::default();
        assert_eq!(buffer.keep(2, 'c', 64), Kept::Yes);
        assert_eq!(buffer.keep(1, 'b', 64), Kept::Yes);
        assert!(!buffer.is_ready());
        assert_eq!(buffer.advance(), None);
        assert!(buffer.is_ready());
        assert_eq!((buffer.advance(), buffer.advance()), (Some('b'), Some('c')));
        assert!(buffer.is_empty());
        assert_eq!(buffer.keep(64, 'z', 64), Kept::TooFar('z'));
    }
}
