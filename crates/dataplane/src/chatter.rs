//! Which inner packets are nobody's traffic: what hosts say by themselves, and heartbeats that were named as such. They
//! pass like all others; a session in which nothing else passes is idle all the same.

use crate::ip::{TCP, UDP};
use std::net::Ipv4Addr;

const ICMP: u8 = 1;
const IGMP: u8 = 2;
const ICMP_V6: u8 = 58;
const OSPF: u8 = 89;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const ROUTER_ADVERTISEMENT: u8 = 9;
const ROUTER_SOLICITATION: u8 = 10;

/// UDP services by which hosts look for one another: DHCP, NetBIOS, RIP, DHCPv6, SSDP, WS-Discovery, mDNS, LLMNR.
const PORTS: [u16; 13] = [
    67, 68, 137, 138, 520, 521, 546, 547, 1900, 3702, 5351, 5353, 5355,
];

/// Whether a packet does not count as use of the session. `heartbeats`: hosts to and from which pings do not count.
#[must_use]
pub fn is_chatter(packet: &[u8], heartbeats: &[Ipv4Addr]) -> bool {
    match packet.first().map(|first| first >> 4) {
        Some(4) => is_chatter_v4(packet, heartbeats),
        Some(6) => is_chatter_v6(packet),
        _ => false,
    }
}

fn is_chatter_v4(packet: &[u8], heartbeats: &[Ipv4Addr]) -> bool {
    let Some(head) = packet.first_chunk::<20>() else {
        return false;
    };
    let address = |at: usize| Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]);
    let (source, destination) = (address(12), address(16));
    if destination.is_multicast() || destination.is_broadcast() {
        return true;
    }
    let payload = packet
        .get(usize::from(head[0] & 0x0f) * 4..)
        .unwrap_or_default();
    let later_fragment = head[6] & 0x1f != 0 || head[7] != 0;
    match head[9] {
        TCP => false,
        IGMP | OSPF => true,
        UDP => !later_fragment && is_service(payload),
        ICMP if !later_fragment => match payload.first() {
            Some(&(ROUTER_ADVERTISEMENT | ROUTER_SOLICITATION)) => true,
            Some(&(ECHO_REQUEST | ECHO_REPLY)) => {
                heartbeats.contains(&source) || heartbeats.contains(&destination)
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_chatter_v6(packet: &[u8]) -> bool {
    let Some((head, payload)) = packet.split_first_chunk::<40>() else {
        return false;
    };
    // A multicast destination, or Neighbor Discovery (RFC 4861).
    head[24] == 0xff
        || match head[6] {
            UDP => is_service(payload),
            ICMP_V6 => matches!(payload.first(), Some(133..=137)),
            _ => false,
        }
}

/// Whether a UDP datagram is to or from a service that looks for hosts.
fn is_service(datagram: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = datagram.first_chunk::<4>() else {
        return false;
    };
    PORTS.contains(&u16::from_be_bytes([a, b])) || PORTS.contains(&u16::from_be_bytes([c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: [u8; 4] = [10, 77, 0, 10];
    const SERVER: [u8; 4] = [192, 0, 2, 80];

    fn v4(protocol: u8, destination: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend(CLIENT);
        packet.extend(destination);
        packet.extend(payload);
        packet
    }

    fn udp(destination: [u8; 4], from: u16, to: u16) -> Vec<u8> {
        let mut ports = from.to_be_bytes().to_vec();
        ports.extend(to.to_be_bytes());
        v4(UDP, destination, &ports)
    }

    fn v6(next: u8, first: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        (packet[0], packet[6], packet[24]) = (0x60, next, first);
        packet.extend(payload);
        packet
    }

    #[test]
    fn what_people_do_counts() {
        for packet in [
            v4(TCP, SERVER, &[0; 20]),
            udp(SERVER, 4000, 53),
            udp(SERVER, 4000, 443),
            v4(ICMP, SERVER, &[ECHO_REQUEST, 0]),
            v4(ICMP, SERVER, &[3, 1]),
            v4(50, SERVER, &[0; 8]),
            v6(TCP, 0x20, &[0; 20]),
            v6(UDP, 0x20, &[0x10, 0, 0, 53]),
            v6(ICMP_V6, 0x20, &[128, 0]),
        ] {
            assert!(!is_chatter(&packet, &[]), "{packet:?}");
        }
    }

    #[test]
    fn what_hosts_say_by_themselves_does_not() {
        for packet in [
            udp([224, 0, 0, 251], 5353, 5353),
            udp([239, 255, 255, 250], 4000, 1900),
            udp([255, 255, 255, 255], 68, 67),
            udp(SERVER, 137, 137),
            udp(SERVER, 4000, 138),
            udp(SERVER, 5355, 4000),
            v4(IGMP, SERVER, &[0x16]),
            v4(OSPF, SERVER, &[2, 1]),
            v4(ICMP, SERVER, &[ROUTER_SOLICITATION]),
            v6(UDP, 0xff, &[0, 1, 0, 1]),
            v6(UDP, 0xfe, &[2, 0x22, 2, 0x23]),
            v6(ICMP_V6, 0xfe, &[135]),
        ] {
            assert!(is_chatter(&packet, &[]), "{packet:?}");
        }
    }

    #[test]
    fn pings_of_heartbeat_hosts_do_not() {
        let hosts = [Ipv4Addr::from(SERVER)];
        let ping = v4(ICMP, SERVER, &[ECHO_REQUEST, 0]);
        let mut answer = v4(ICMP, CLIENT, &[ECHO_REPLY, 0]);
        answer[12..16].copy_from_slice(&SERVER);
        assert!(is_chatter(&ping, &hosts) && is_chatter(&answer, &hosts));
        assert!(!is_chatter(&ping, &[Ipv4Addr::LOCALHOST]));
        assert!(!is_chatter(&v4(TCP, SERVER, &[0; 20]), &hosts));
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        let mut packet = udp(SERVER, 137, 137);
        packet[7] = 1;
        assert!(!is_chatter(&packet, &[]));
    }

    #[test]
    fn pieces_of_packets_are_no_reason_to_panic() {
        for packet in [
            udp(SERVER, 137, 137),
            v4(ICMP, SERVER, &[8, 0]),
            v6(UDP, 0x20, &[0; 4]),
        ] {
            for length in 0..packet.len() {
                let _ = is_chatter(&packet[..length], &[]);
            }
        }
        let mut odd = udp(SERVER, 137, 137);
        odd[0] = 0x4f;
        assert!(!is_chatter(&odd, &[]));
    }
}
