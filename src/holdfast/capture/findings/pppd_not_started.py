"""The PPP program of the machine that wrote the log never started: logs alone tell it."""

from holdfast.capture.findings.base import Entry, Fixes, Severity

_OPTIONS = (
    "Correct what the line names. `mppe required` is of an old patched pppd: write `require-mppe-128`. "
    "`pppd call NAME dryrun` checks a file of options without dialling."
)
_KERNEL = (
    "Without kernel support: `modprobe -a ppp_generic ppp_async ppp_mppe`; in a container, the host must load them and "
    "lend /dev/ppp."
)

ENTRY = Entry(
    id="pppd-not-started",
    title="The PPP program on the machine of this log did not start",
    meaning="pppd ended before it said a word: an option that it does not know, a plug-in of another version, no "
    "rights, or a kernel without PPP. Nothing is wrong with the network or with the other end.",
    recognised="A line of the log in which pppd says so, where nothing else shows that the log is a server's; there "
    "it is server-link-died.",
    severity=Severity.FAULT,
    windows_codes=(),
    fixes=Fixes(server=(_OPTIONS, _KERNEL), client=(_OPTIONS, _KERNEL)),
    capture_next="Nothing: start pppd by hand with `nodetach debug` and read what it says.",
    references=("pppd(8)",),
)
