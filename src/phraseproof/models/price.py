"""What tokens of a served model cost. No price is built in: they change."""

from __future__ import annotations

from typing import NamedTuple


class Price(NamedTuple):
    """For a million tokens, in any currency."""

    input: float
    output: float

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """The price of these numbers of tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000
