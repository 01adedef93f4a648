"""What to do and what to capture, where several findings say the same."""

from holdfast.network.commands import HELPER_IPTABLES, HELPER_MODULE, HELPER_NFT, clamp_iptables, clamp_nft

CAPTURE_BOTH_ENDS = (
    "Capture at the client and at the server at the same time (`holdfast capture -i IF FILE`), and "
    "compare: `holdfast diagnose --client A.pcap --server B.pcap`"
)
CAPTURE_SERVER = (
    "Capture at the server while the client dials: `holdfast capture -i IF FILE`, or: "
    "`tcpdump -i IF -s 0 -w FILE 'tcp port 1723 or proto 47 or icmp'`"
)
CAPTURE_WHOLE = (
    "Start the capture before the client dials, on one interface, with TCP 1723, GRE and ICMP in one file: "
    "`tcpdump -i IF -s 0 -w FILE 'tcp port 1723 or proto 47 or icmp'`"
)

ALLOW_GRE_SERVER = (
    "Let GRE in and out on the server: `nft insert rule inet filter input ip protocol gre accept`, and the same with "
    "output (table and chain as `nft list ruleset` names them); or `iptables -I INPUT -p gre -j ACCEPT`; "
    "Windows: `New-NetFirewallRule -DisplayName GRE -Protocol 47 -Action Allow`; "
    "RouterOS: `/ip firewall filter add chain=input protocol=gre action=accept place-before=0`."
)
ALLOW_GRE_NETWORK = (
    "Let IP protocol 47 (GRE) pass in both directions on every firewall between client and server; "
    "an open TCP port 1723 says nothing about GRE. A firewall that keeps state must see both directions: packets that "
    "return another way break it."
)
PASSTHROUGH = (
    "Switch PPTP passthrough (ALG) on in the router that translates; RouterOS: "
    "`/ip firewall service-port set pptp disabled=no`; "
    f"Linux (attaches no helper by itself since 4.7): `{HELPER_MODULE}`, then `{HELPER_NFT}` or `{HELPER_IPTABLES}`."
)
OTHER_NETWORK = "Try from another network, for example a phone's hotspot: when it works there, the path blocks GRE."


def mtu(size: int) -> str:
    """Return how a server is told the MTU inside the tunnel."""
    return (
        f"Set MTU and MRU {size} on both ends (pppd: `mtu {size} mru {size}`; RouterOS: "
        f"`/interface pptp-server server set max-mtu={size} max-mru={size}`)."
    )


def clamp(size: int) -> str:
    """Return how a gateway is told the TCP MSS that fits an MTU (RFC 879: 40 octets less)."""
    mss = size - 40
    return f"Clamp the TCP MSS to {mss} on the gateway: `{clamp_nft(str(mss))}` or `{clamp_iptables(mss)}`."


def mtu_windows(size: int) -> str:
    """Return how a Windows client is told the MTU inside the tunnel."""
    return (
        f'Windows, as administrator and while connected: `netsh interface ipv4 set subinterface "VPN NAME" mtu={size} '
        f"store=active`. For good: the DWORD TunnelMTU {size}, beside ProtocolType 0x800 and PPPProtocolType 0x21, in "
        r"`HKLM\SYSTEM\CurrentControlSet\Services\NdisWan\Parameters\Protocols\0`, then a restart."
    )


ROOMY = 1400
"""An MTU inside the tunnel that fits nearly every path."""
MTU_1400, CLAMP, MTU_WINDOWS = mtu(ROOMY), clamp(ROOMY), mtu_windows(ROOMY)
SERVER_LOG = "Read the server's log of that second: the line before the end names the cause."
MIGRATE = "Move these users to WireGuard, IKEv2 or OpenVPN; PPTP cannot be made safe."
