"""What to do and what to capture, where several findings say the same."""

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
    "Let GRE in and out on the server: `nft add rule inet filter input ip protocol gre accept`; "
    "`nft add rule inet filter output ip protocol gre accept` (`iptables -A INPUT -p gre -j ACCEPT`)."
)
ALLOW_GRE_NETWORK = (
    "Let IP protocol 47 (GRE) pass in both directions on every firewall between client and server; "
    "an open TCP port 1723 says nothing about GRE. A firewall that keeps state must see both directions: packets that "
    "return another way break it."
)
PASSTHROUGH = (
    "Switch PPTP passthrough (ALG) on in the client's router, or on a Linux router: `modprobe nf_nat_pptp`; "
    "`nft add ct helper inet filter pptp '{ type \"pptp\" protocol tcp; }'`; "
    "`nft add rule inet filter prerouting tcp dport 1723 ct helper set pptp`."
)
OTHER_NETWORK = "Try from another network, for example a phone's hotspot: when it works there, the path blocks GRE."
CLAMP = (
    "Clamp the TCP MSS on the gateway: `nft add rule inet filter forward tcp flags syn / syn,rst "
    "tcp option maxseg size set rt mtu` (`iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN "
    "-j TCPMSS --clamp-mss-to-pmtu`), or to 1360."
)
MTU_1400 = "Set MTU and MRU 1400 on both ends (pppd: `mtu 1400 mru 1400`)."
MTU_WINDOWS = 'Windows: `netsh interface ipv4 set subinterface "VPN NAME" mtu=1400 store=persistent`'
SERVER_LOG = "Read the server's log of that second: the line before the end names the cause."
MIGRATE = "Move these users to WireGuard, IKEv2 or OpenVPN; PPTP cannot be made safe."
