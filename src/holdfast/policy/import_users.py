"""Taking the users of a chap-secrets file over into the database, with a word on every line."""

from dataclasses import dataclass

from holdfast.policy.chap_secrets import ANY, Entry, Skipped
from holdfast.policy.names import UnacceptableError
from holdfast.policy.ranges import Address
from holdfast.policy.users import UserExistsError, Users


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """What became of one line: taken or not, and what there is to say about it."""

    line: int
    user: str
    taken: bool
    note: str


def import_chap_secrets(lines: list[Entry | Skipped], users: Users) -> list[ImportedLine]:
    """Add a user for each usable line; who is in the database already stays as he is."""
    return [
        ImportedLine(line.line, line.client, False, line.why) if isinstance(line, Skipped) else _add(line, users)
        for line in lines
    ]


def _add(entry: Entry, users: Users) -> ImportedLine:
    def answer(taken: bool, *notes: str) -> ImportedLine:
        return ImportedLine(entry.line, entry.client, taken, "; ".join((*notes, *entry.notes)))

    if entry.client == ANY:
        return answer(False, "it lets in anybody who knows the secret; a user needs a name")
    if entry.no_address:
        return answer(False)
    address, *others = _single_address(entry)
    try:
        users.add(entry.client, entry.secret, address=address)
    except (UserExistsError, UnacceptableError) as error:
        return answer(False, error.what)
    return answer(True, *others)


def _single_address(entry: Entry) -> tuple[Address | None] | tuple[Address | None, str]:
    """Return the address to dedicate, and a note when the line said more than the database keeps."""
    singles = [part.first for part in entry.addresses if len(part) == 1]
    address = singles[0] if singles else None
    if len(entry.addresses) == len(singles) <= 1:
        return (address,)
    kept = f"only {address} of its addresses is kept" if address else "its addresses are not kept; the pool is used"
    return address, kept
