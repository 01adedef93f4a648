//! Capture files: readers for pcap and pcapng, and a one-pass index of the PPTP flows in them.
