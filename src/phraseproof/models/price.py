"""What tokens of a served model cost. No price is built in: they change."""

from __future__ import annotations

from typing import NamedTuple


class Price(NamedTuple):
    """For a million tokens, in any currency.

    Attributes:
        input, output: of tokens that are read and written.
        batch_share: what the same tokens cost in a batch, as a share of that.
    """

    input: float
    output: float
    batch_share: float = 1.0

    @property
    def in_batches(self) -> Price:
        """The price of tokens in batches."""
        return Price(self.batch_share * self.input, self.batch_share * self.output)

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """The price of these numbers of tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000
