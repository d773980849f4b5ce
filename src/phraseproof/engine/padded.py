"""Padded tensors from rows of tokens, and log-probabilities from logits, for both families of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from phraseproof.engine.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.engine.plan.request import Request


class Padded(NamedTuple):
    """Rows of equal length.

    Attributes:
        ids: token ids, int64, [rows, tokens].
        mask: 1 for a token and 0 for padding, int64, [rows, tokens].
    """

    ids: torch.Tensor
    mask: torch.Tensor


def pad_rows(
    rows: Sequence[Sequence[int] | NDArray[np.int32]], pad_id: int, *, device: str, left: bool = False
) -> Padded:
    """Pad rows to the longest, on the right or on the left."""
    width = max(len(row) for row in rows)
    # Filled in numpy: lists and int32 arrays are assigned to a slice without a tensor for each row.
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[index, place] = row
        mask[index, place] = 1
    return Padded(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))


def with_virtual_tokens(network: Network, padded: Padded, virtual: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Embed rows with a soft prompt directly before the first token of each, and extend their mask.

    Args:
        virtual: the soft prompt, [virtual tokens, width].

    Returns:
        Embeddings [rows, virtual tokens + tokens, width] and mask [rows, virtual tokens + tokens].
    """
    count, rows = int(virtual.shape[0]), int(padded.ids.shape[0])
    # Columns are added on the left, so a row's first token moves right by `count`, on whichever side its padding is.
    # Their ids are overwritten below: any id of the vocabulary is good enough for the embedding.
    ids = torch.cat([padded.ids[:, :1].expand(rows, count), padded.ids], dim=1)
    # `argmax` returns the first of equal values: the row's first token.
    first = padded.mask.argmax(dim=1, keepdim=True)
    places = first + torch.arange(count, device=ids.device)
    mask = torch.cat([torch.zeros_like(ids[:, :count]), padded.mask], dim=1).scatter(1, places, 1)
    embedded = network.get_input_embeddings()(ids)
    soft = virtual.to(embedded).expand(rows, count, -1)
    return embedded.scatter(1, places[..., None].expand_as(soft), soft), mask


def add_picked(
    totals: list[list[float]],
    logits: torch.Tensor,
    picks: Sequence[Sequence[tuple[tuple[int, int], int]]],
    requests: Sequence[Request],
) -> None:
    """Add each option's log-probability along its row to `totals`.

    Args:
        totals: log-probabilities so far, by request and option; changed in place.
        logits: [rows, tokens, vocabulary]; a row's logits at t predict the option's token at t + skipped.
        picks: for each row, the ((request, option), skipped) that are read from it; the first `skipped` tokens of an
            option are left out.
        requests: the requests, which hold the options' tokens.
    """
    rows: list[int] = []
    steps: list[int] = []
    tokens: list[int] = []
    owners: list[tuple[int, int]] = []
    for row, picked in enumerate(picks):
        for (request, option), skipped in picked:
            targets = requests[request].options[option][skipped:]
            rows += [row] * len(targets)
            steps += range(len(targets))
            tokens += targets
            owners += [(request, option)] * len(targets)
    # In float32: in half precision the sum over a large vocabulary loses digits that tell options apart.
    scores = logits.float()
    chosen = scores[rows, steps, tokens] - scores.logsumexp(dim=-1)[rows, steps]
    # One copy to the host for all options: on an accelerator each copy waits for the device.
    for (request, option), value in zip(owners, chosen.tolist(), strict=True):
        totals[request][option] += value
