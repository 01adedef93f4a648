//! Networks as keys: which call has an inner address, the longest prefix first.

use crate::table::FastMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The network of this length that holds the address; nothing when there are not so many bits.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        (length <= width(address)).then(|| Self {
            address: masked(address, length),
            length,
        })
    }

    /// The network of one address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Self {
            address,
            length: width(address),
        }
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        self.length <= width(address) && masked(address, self.length) == self.address
    }
}

/// `10.0.0.0/8`, one address, or the unspecified one, which stands for all of its family.
impl FromStr for Prefix {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().map_err(drop)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let whole = if address.is_unspecified() {
            0
        } else {
            width(address)
        };
        Self::new(address, length.unwrap_or(whole)).ok_or(())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length == width(self.address) {
            return write!(to, "{}", self.address);
        }
        write!(to, "{}/{}", self.address, self.length)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() {
        32
    } else {
        128
    }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Ipv4Addr::from(u32::from(address) & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Ipv6Addr::from(u128::from(address) & mask).into()
        }
    }
}

/// Who has which networks.
pub struct Routes<T> {
    hosts: FastMap<IpAddr, T>,
    /// Longest first; few lengths are ever in use.
    networks: Vec<(u8, FastMap<IpAddr, T>)>,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self {
            hosts: FastMap::default(),
            networks: Vec::new(),
        }
    }
}

impl<T: Copy> Routes<T> {
    /// Let a network belong to somebody.
    pub fn insert(&mut self, prefix: Prefix, owner: T) {
        if prefix.length == width(prefix.address) {
            self.hosts.insert(prefix.address, owner);
            return;
        }
        let place = self
            .networks
            .iter()
            .position(|(length, _)| *length <= prefix.length);
        let place = place.unwrap_or(self.networks.len());
        if self
            .networks
            .get(place)
            .is_none_or(|(length, _)| *length != prefix.length)
        {
            self.networks
                .insert(place, (prefix.length, FastMap::default()));
        }
        self.networks[place].1.insert(prefix.address, owner);
    }

    /// Let it belong to nobody.
    pub fn remove(&mut self, prefix: &Prefix) {
        if prefix.length == width(prefix.address) {
            self.hosts.remove(&prefix.address);
            return;
        }
        for (length, networks) in &mut self.networks {
            if *length == prefix.length {
                networks.remove(&prefix.address);
            }
        }
        self.networks.retain(|(_, networks)| !networks.is_empty());
    }

    /// Who has this address.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<T> {
        let inside = |(length, networks): &(u8, FastMap<IpAddr, T>)| {
            let fits = *length <= width(address);
            fits.then(|| networks.get(&masked(address, *length)).copied())
                .flatten()
        };
        let host = self.hosts.get(&address).copied();
        host.or_else(|| self.networks.iter().find_map(inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_has_the_word() {
        let mut routes = Routes::default();
        for (index, text) in [
            "0.0.0.0",
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.3",
            "10.2.0.0/16",
        ]
        .iter()
        .enumerate()
        {
            routes.insert(prefix(text), index as u32);
        }
        for (text, index) in [
            ("10.1.2.3", 3),
            ("10.1.2.4", 2),
            ("10.2.2.4", 4),
            ("10.3.0.1", 1),
            ("11.0.0.1", 0),
        ] {
            assert_eq!(routes.find(address(text)), Some(index), "{text}");
        }
        assert_eq!(routes.find(address("fd00::1")), None);
        routes.remove(&prefix("10.1.0.0/16"));
        routes.remove(&prefix("10.1.2.3"));
        assert_eq!(routes.find(address("10.1.2.3")), Some(1));
        routes.remove(&prefix("0.0.0.0"));
        assert_eq!(routes.find(address("11.0.0.1")), None);
    }

    #[test]
    fn removing_a_network_leaves_its_first_address_to_another() {
        let mut routes = Routes::default();
        routes.insert(prefix("10.1.0.0"), 1);
        routes.insert(prefix("10.1.0.0/16"), 2);
        routes.remove(&prefix("10.1.0.0/16"));
        assert_eq!(routes.find(address("10.1.0.0")), Some(1));
    }

    #[test]
    fn families_do_not_mix() {
        assert!(prefix("0.0.0.0").covers(address("1.2.3.4")));
        assert!(!prefix("0.0.0.0").covers(address("fd00::1")));
        assert!(prefix("fd00::/8").covers(address("fd12::1")));
        assert!(!prefix("fd00::/64").covers(address("1.2.3.4")));
    }

    #[test]
    fn what_is_written_is_read() {
        for text in ["10.0.0.0/8", "10.0.0.1", "fd00::/64", "0.0.0.0/0"] {
            assert_eq!(prefix(text).to_string(), text);
        }
        assert_eq!(prefix("10.0.0.5/8").to_string(), "10.0.0.0/8");
        assert_eq!(prefix("0.0.0.0").to_string(), "0.0.0.0/0");
        for text in ["", "10.0.0.0/33", "10.0.0.0/x", "x/8", "10.0.0.0/"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
