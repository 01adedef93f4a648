"""What failed attempts have in common: the last one counts, and only when none succeeded after it."""

from holdfast.capture.authentication import Attempt
from holdfast.capture.findings.view import View
from holdfast.capture.moment import Moment


def final_failure(view: View) -> Attempt | None:
    """Return the failed attempt of the client that decided the session."""
    attempts = [attempt for attempt in view.link.authentication.attempts if attempt.by_client]
    if not attempts or any(attempt.accepted for attempt in attempts):
        return None
    refused = [attempt for attempt in attempts if attempt.accepted is False]
    return refused[-1] if refused else None


def failed_with(view: View, *codes: int) -> Attempt | None:
    """Return the deciding failure when it, or the Terminate-Request after it, has one of these Windows errors."""
    attempt = final_failure(view)
    if attempt is None:
        return None
    ending = view.ending_code(*codes)
    return attempt if attempt.failure.error in codes or ending else None


def frames_of(attempt: Attempt) -> list[Moment]:
    """Return the packets of an attempt."""
    items = [attempt.challenge, attempt.sent, attempt.result]
    return [item.moment for item in items if item is not None]


def failure_words(attempt: Attempt) -> str:
    """Return what the server said, for a sentence."""
    code = f"E={attempt.failure.error}" if attempt.failure.error else "a refusal without a code"
    text = f" ({attempt.failure.message})" if attempt.failure.message else ""
    return f"User {attempt.user or '(no name)'} by {attempt.method}: {code}{text}."
