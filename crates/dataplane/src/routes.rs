//! Which call has an inner address, as one sending thread sees it: its own calls, and those that other workers have.

use crate::prefix::{self, Prefix};
use std::collections::HashMap;
use std::net::IpAddr;

/// Where packets to an address go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The call at this index of the thread's own table.
    Here(u32),
    /// The worker with this number.
    There(usize),
}

/// All inner networks.
#[derive(Default)]
pub struct Routes {
    places: prefix::Routes<Place>,
    elsewhere: HashMap<u64, Vec<Prefix>>,
}

impl Routes {
    /// Who has this address.
    #[must_use]
    pub fn find(&self, destination: IpAddr) -> Option<Place> {
        self.places.find(destination)
    }

    /// Replace the networks of one of the thread's own calls.
    pub fn replace(&mut self, index: u32, old: &[Prefix], new: &[Prefix]) {
        self.set(Place::Here(index), old, new);
    }

    /// Replace the networks of a call that another worker has; none when it is gone.
    pub fn set_elsewhere(&mut self, handle: u64, worker: usize, networks: Vec<Prefix>) {
        let old = self.elsewhere.remove(&handle).unwrap_or_default();
        self.set(Place::There(worker), &old, &networks);
        if !networks.is_empty() {
            self.elsewhere.insert(handle, networks);
        }
    }

    fn set(&mut self, place: Place, old: &[Prefix], new: &[Prefix]) {
        for network in old {
            self.places.remove(network);
        }
        for &network in new {
            self.places.insert(network, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn find(routes: &Routes, address: &str) -> Option<Place> {
        routes.find(address.parse().unwrap())
    }

    #[test]
    fn own_calls_and_those_of_others() {
        let mut routes = Routes::default();
        routes.replace(3, &[], &all(&["0.0.0.0"]));
        routes.set_elsewhere(9, 1, all(&["10.0.0.1", "fd00::1", "10.1.0.0/16"]));
        assert_eq!(find(&routes, "10.0.0.1"), Some(Place::There(1)));
        assert_eq!(find(&routes, "10.1.2.3"), Some(Place::There(1)));
        assert_eq!(find(&routes, "10.0.0.2"), Some(Place::Here(3)));
        assert_eq!(find(&routes, "fd00::2"), None);
    }

    #[test]
    fn an_address_may_move_between_workers() {
        let mut routes = Routes::default();
        let own = all(&["10.0.0.1"]);
        routes.set_elsewhere(9, 1, own.clone());
        routes.set_elsewhere(9, 1, Vec::new());
        routes.replace(0, &[], &own);
        assert_eq!(find(&routes, "10.0.0.1"), Some(Place::Here(0)));
        routes.replace(0, &own, &[]);
        routes.set_elsewhere(11, 2, own);
        assert_eq!(find(&routes, "10.0.0.1"), Some(Place::There(2)));
        routes.set_elsewhere(11, 2, Vec::new());
        assert_eq!(find(&routes, "10.0.0.1"), None);
        assert!(routes.elsewhere.is_empty());
    }
}
