"""Who prevails when both peers connect to each other at once: RFC 2637 section 3.1.3."""

from ipaddress import ip_address


def wins_collision(local_address: str, peer_address: str) -> bool:
    """Return whether our own connection prevails: the peer with the higher IP address wins.

    The loser calls `lose_collision` on the connection that it made, the winner `win_collision` on the one that
    the peer made. ValueError when an address cannot be read.
    """
    return int(ip_address(local_address)) > int(ip_address(peer_address))
