"""Whether two wordings say the same, so that an evaluation recognises the wordings that an adapter was trained on."""

from __future__ import annotations

import hashlib
import unicodedata

from phraseproof.core import Instruction


def fingerprint(text: str) -> str:
    """A hash of a wording's text that letter case, white space and Unicode's several spellings do not change.

    Adapters store it for as long as they are used, so it has no version, unlike the hashes of `identity.py`.

    Returns:
        32 hexadecimal digits (128 bits of BLAKE2b).
    """
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def asked_by(instruction: Instruction) -> str:
    """The part of a wording that makes it this wording: its ask, or its template if it has no separate ask.

    The layout is not part of it: a model that was trained on an ask has seen it, however the example was laid out.
    """
    return (instruction.template if instruction.ask is None else instruction.ask) or ""
