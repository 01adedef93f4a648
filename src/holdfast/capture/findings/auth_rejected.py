"""Wrong name or password."""

from collections.abc import Iterator

from holdfast.capture.findings.auth_failures import failure_words, final_failure, frames_of
from holdfast.capture.findings.base import ENDS, Entry, Finding, Fixes, Severity, Towards
from holdfast.capture.findings.view import View
from holdfast.ppp.authentication_types import Method

ENTRY = Entry(
    id="auth-rejected",
    title="Wrong user name or password",
    meaning="The server does not accept what the client sent: the password is wrong, the user is unknown, the domain "
    "is missing, or the shared secret between server and RADIUS is wrong (then every user fails).",
    recognised="CHAP Failure with E=691 or without a code, PAP Authenticate-Nak, EAP-Failure, or 691 in the "
    "Terminate-Request, without a later success.",
    severity=Severity.FAULT,
    windows_codes=(691,),
    fixes=Fixes(
        server=(
            "Does the user exist, spelled exactly so, with this password? In chap-secrets the second column must fit.",
            (
                "RADIUS: compare the shared secret; its log has the reason. "
                "Clocks must agree where it asks Active Directory."
            ),
        ),
        client=("Type the password again (keyboard layout, caps lock); try DOMAIN\\name and name@domain.",),
    ),
    capture_next="Capture RADIUS at the server too: udp port 1812.",
    references=("RFC 2759 section 6", "RFC 1334 section 2.2", "RFC 2433 section 8"),
    explains=ENDS,
)

OTHERS = {646, 647, 648, 649, 709}
WRONG = 691


def recognise(view: View) -> Iterator[Finding]:
    """The deciding failure, unless a more precise code says what it was."""
    attempt = final_failure(view)
    coded = attempt.failure.error if attempt else 0
    if attempt is None or coded in OTHERS or view.ending_code(*OTHERS):
        return
    if attempt.method is Method.EAP and view.link.authentication.eap_refused:
        return  # that is eap-unsupported
    certainty = 0.97 if coded == WRONG or view.ending_code(WRONG) else 0.9
    tries = len(view.link.authentication.failures)
    why = failure_words(attempt) + (f" {tries} tries." if tries > 1 else "")
    ending = view.link.ended
    frames = [*frames_of(attempt), ending.moment if ending else None]
    yield ENTRY.found(why, frames, certainty=certainty, towards=Towards.SERVER)
