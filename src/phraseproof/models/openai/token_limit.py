"""The field of a chat request that limits the answer's tokens: OpenAI's newer models refuse the older one."""

from __future__ import annotations

from collections.abc import Mapping

OLD = "max_tokens"
"""What every server reads, except OpenAI for its newer models."""

NEW = "max_completion_tokens"
_CHAT = "/chat/completions"


class TokenLimitField:
    """Which of the fields a server takes; remembered for all of its requests.

    Attributes:
        is_new: the server refused the old field and answered a request with the new one.
    """

    def __init__(self) -> None:
        self.is_new = False

    def applied(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The request in the field that the server takes."""
        return renamed(body) if self.is_new and path == _CHAT else body


def renamed(body: Mapping[str, object]) -> Mapping[str, object]:
    """The request with the new field in place of the old one."""
    return {NEW if name == OLD else name: value for name, value in body.items()}


def wants_other_field(path: str, body: Mapping[str, object], refusal: bytes) -> bool:
    """Whether a refusal of a chat request with the old field names the new one."""
    return path == _CHAT and OLD in body and NEW.encode() in refusal
