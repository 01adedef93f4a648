"""Commands that people are told to type, where the doctor and the findings of a capture tell the same.

Each stands by itself: its tables and chains are made with it, so that it works on a host that has none.
"""

HELPER_MODULE = "modprobe nf_nat_pptp"
HELPER_NFT = (
    'nft \'add table ip pptp; add ct helper ip pptp calls { type "pptp" protocol tcp; }; add chain ip pptp pre '
    '{ type filter hook prerouting priority -150; }; add rule ip pptp pre tcp dport 1723 ct helper set "calls"\''
)
"""Since Linux 4.7 no helper is attached by itself. Behind the look-up of connection tracking (priority -200)."""
HELPER_IPTABLES = "iptables -t raw -A PREROUTING -p tcp --dport 1723 -j CT --helper pptp"
HELPER = (HELPER_MODULE, HELPER_NFT, HELPER_IPTABLES)


def translate_nft(pool: str = "POOL", way_out: str = "WAN") -> str:
    """Return the command that translates the addresses of a pool into that of the interface towards the Internet."""
    return (
        "nft 'add table ip nat; add chain ip nat postrouting { type nat hook postrouting priority 100; }; "
        f'add rule ip nat postrouting ip saddr {pool} oifname "{way_out}" masquerade\''
    )


def translate_iptables(pool: str = "POOL", way_out: str = "WAN") -> str:
    """Return the same for iptables."""
    return f"iptables -t nat -A POSTROUTING -s {pool} -o {way_out} -j MASQUERADE"


def clamp_nft(size: str = "rt mtu") -> str:
    """Return the command that clamps the TCP MSS of what is forwarded to `size`, or to the MTU of the route."""
    return (
        "nft 'add table inet clamp; add chain inet clamp forward { type filter hook forward priority -150; }; "
        f"add rule inet clamp forward tcp flags & (syn|rst) == syn tcp option maxseg size set {size}'"
    )


def clamp_iptables(size: int | None = None) -> str:
    """Return the same for iptables."""
    how = "--clamp-mss-to-pmtu" if size is None else f"--set-mss {size}"
    return f"iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS {how}"


CLAMP = (clamp_nft(), clamp_iptables())
