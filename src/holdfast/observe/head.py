"""The last signed head of a log, in a file of its own: it tells when lines were cut off the end of the log."""

import json
from dataclasses import dataclass
from pathlib import Path

from holdfast.observe.drafts import open_draft
from holdfast.observe.signing import PublicKey, head_message


@dataclass(frozen=True, slots=True)
class Head:
    """The number of a line, its chain value, and the signature on both."""

    seq: int
    chain: bytes
    signature: bytes

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the owner of the key signed this."""
        return key.verify(head_message(self.seq, self.chain), self.signature)


def head_path(state: Path, log: Path) -> Path:
    """Return where the head of a log is kept."""
    return state / f"{log.stem}.head"


def read_head(state: Path, log: Path) -> Head | None:
    """Return the head that was signed last; None when there is none that can be read, or it is another log's."""
    try:
        found = json.loads(head_path(state, log).read_bytes())
        if found["log"] != str(log):
            return None
        return Head(int(found["seq"]), bytes.fromhex(found["head"]), bytes.fromhex(found["signature"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_head(state: Path, log: Path, head: Head) -> None:
    """Keep the head, at once or not at all. OSError when that fails."""
    path = head_path(state, log)
    draft = path.with_suffix(".head.new")
    text = {"log": str(log), "seq": head.seq, "head": head.chain.hex(), "signature": head.signature.hex()}
    with open_draft(draft) as file:
        file.write(json.dumps(text).encode() + b"\n")
    draft.replace(path)
