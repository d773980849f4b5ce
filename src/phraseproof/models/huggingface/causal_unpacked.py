"""Decoder-only networks without packing: padded batches over a cache, padded rows in full, or each row alone."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from phraseproof.engine.padded import Padded, add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Request
from phraseproof.engine.trial import REFUSALS
from phraseproof.models.huggingface.loaded import LazyNetwork

Picks = list[list[tuple[tuple[int, int], int]]]
"""For each row, the ((request, option), skipped tokens) that are read from it."""


class UnpackedCausalLM:
    """Scores requests with a decoder-only network, in three ways.

    Args:
        weights: the network and its adapter.
        pad_id: a token to pad with.
        row_weight: the memory of a row in tokens, by its context's and its scored tokens.
    """

    def __init__(self, weights: LazyNetwork, pad_id: int, row_weight: Callable[[int, int], int]) -> None:
        self._weights = weights
        self._pad_id = pad_id
        self._row_weight = row_weight

    def with_cache(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        """Prompts padded on the left, and options read over their cache."""
        totals = [[0.0] * len(request.options) for request in requests]
        inputs, mask = self.prompt_inputs(requests, left=True)
        needs_more = any(len(option) > 1 for request in requests for option in request.options)
        output = self._weights.network(
            **inputs,
            attention_mask=mask,
            position_ids=(mask.cumsum(dim=-1) - 1).clamp(min=0)[:, self._weights.prefix_tokens :],
            use_cache=needs_more,
            **self._keep_logits(1),
        )
        first = output.logits[:, -1:]
        heads = [Request(request.context, tuple(option[:1] for option in request.options)) for request in requests]
        add_picked(
            totals,
            first,
            [[((request, option), 0) for option in range(len(head.options))] for request, head in enumerate(heads)],
            heads,
        )
        if needs_more:
            self._score_rest(requests, limit, totals, cache=output.past_key_values, mask=mask)
        return totals

    def _score_rest(
        self,
        requests: Sequence[Request],
        limit: BatchLimit,
        totals: list[list[float]],
        *,
        cache: DynamicCache,
        mask: torch.Tensor,
    ) -> None:
        """Add what options have beyond their first token, read over the prompts' cache."""
        rows: list[tuple[int, ...]] = []
        request_of_row: list[int] = []
        picks: Picks = []
        for index, request in enumerate(requests):
            longer = [option for option, tokens in enumerate(request.options) if len(tokens) > 1]
            shared = share_rows([request.options[option][:-1] for option in longer])
            picks += [[] for _ in shared.rows]
            for option, row in zip(longer, shared.row_of, strict=True):
                picks[len(rows) + row].append(((index, option), 1))
            rows += shared.rows
            request_of_row += [index] * len(shared.rows)
        lengths = mask.sum(dim=-1)
        width = int(mask.shape[1])
        for chunk in plan_batches([self._row_weight(width, len(row)) for row in rows], limit):
            chosen = torch.tensor([request_of_row[index] for index in chunk], device=mask.device)
            padded = pad_rows([rows[index] for index in chunk], self._pad_id, device=self._weights.device)
            # Padding repeats the last position: a table of learned positions may end there.
            steps = (padded.mask.cumsum(dim=-1) - 1).clamp(min=0)
            logits = self._weights.network(
                input_ids=padded.ids,
                attention_mask=torch.cat([mask[chosen], padded.mask], dim=1),
                position_ids=lengths[chosen, None] + steps,
                past_key_values=_select(cache, chosen),
                use_cache=True,
            ).logits
            add_picked(totals, logits, [picks[index] for index in chunk], requests)

    def in_full(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        """Prompt and option in one row each, padded on the right, where padding cannot reach what comes before it."""
        totals = [[0.0] * len(request.options) for request in requests]
        rows: list[Request] = []
        starts: list[int] = []
        picks: Picks = []
        for index, request in enumerate(requests):
            context = tuple(request.context.tolist())
            shared = share_rows([option[:-1] for option in request.options])
            picks += [[] for _ in shared.rows]
            for option, row in enumerate(shared.row_of):
                picks[len(rows) + row].append(((index, option), 0))
            rows += [Request(np.asarray(context + row, dtype=np.int32), ()) for row in shared.rows]
            starts += [len(context) - 1] * len(shared.rows)
        virtual = self._weights.virtual_tokens
        for chunk in plan_batches([self._row_weight(len(row.context), len(row.context)) for row in rows], limit):
            chosen = [rows[index] for index in chunk]
            inputs, mask = self.prompt_inputs(chosen, left=False)
            earliest = min(starts[index] for index in chunk) + virtual
            kept = int(mask.shape[1]) - self._weights.prefix_tokens - earliest
            output = self._weights.network(**inputs, attention_mask=mask, use_cache=False, **self._keep_logits(kept))
            logits = output.logits[:, -kept:]
            # Each row's first scored token moves to the front.
            moved = [starts[index] + virtual - earliest for index in chunk]
            steps = torch.arange(kept, device=mask.device)
            offsets = (torch.tensor(moved, device=mask.device)[:, None] + steps).clamp(max=kept - 1)
            aligned = logits.gather(1, offsets[..., None].expand(-1, -1, logits.shape[-1]))
            add_picked(totals, aligned, [picks[index] for index in chunk], requests)
        return totals

    def alone(self, requests: Sequence[Request], _: BatchLimit | None = None) -> list[list[float]]:
        """Each prompt and option in a separate pass, without padding and without a cache."""
        totals = [[0.0] * len(request.options) for request in requests]
        for index, request in enumerate(requests):
            readers: dict[tuple[int, ...], list[int]] = {}
            for option, tokens in enumerate(request.options):
                readers.setdefault(tokens[:-1], []).append(option)
            for row, options in readers.items():
                logits = self.logits_alone([*request.context.tolist(), *row], 1 + len(row))
                add_picked(totals, logits, [[((index, option), 0) for option in options]], requests)
        return totals

    def logits_alone(self, tokens: Sequence[int], kept: int) -> torch.Tensor:
        """The logits of the last `kept` tokens after the soft prompt, [1, kept, vocabulary], without a cache."""
        inputs, mask = self.prompt_inputs([Request(np.asarray(tokens, dtype=np.int32), ())], left=False)
        if self._weights.prefix is not None:
            inputs["attention_mask"] = mask
        self._weights.restore_state()
        return self._weights.network(**inputs, use_cache=False, **self._keep_logits(kept)).logits[:, -kept:]

    def plain_logits(self, tokens: Sequence[int]) -> torch.Tensor:
        """What the network makes of a few tokens, [1, tokens, vocabulary]."""
        ids = torch.tensor([list(tokens)], device=self._weights.device)
        return self._weights.network(input_ids=ids, use_cache=False).logits

    def prompt_inputs(self, requests: Sequence[Request], *, left: bool) -> tuple[dict[str, object], torch.Tensor]:
        """What the network takes for these contexts, and the mask of all that it attends to, soft prompt included."""
        network, adapter = self._weights.network, self._weights.adapter
        padded: Padded = pad_rows(
            [request.context for request in requests], self._pad_id, device=self._weights.device, left=left
        )
        if (prefix := self._weights.prefix) is not None:
            rows = len(requests)
            mask = torch.cat([padded.mask.new_ones(rows, prefix.count), padded.mask], dim=1)
            return {"input_ids": padded.ids, "past_key_values": prefix.cache(rows)}, mask
        if adapter is None or adapter.virtual is None:
            return {"input_ids": padded.ids}, padded.mask
        embedded, mask = with_virtual_tokens(network, padded, adapter.virtual)
        return {"inputs_embeds": embedded}, mask

    @property
    def shares_cache(self) -> bool:
        """Whether prompts may be padded on the left and their cache selected row by row."""
        # A window is counted in places, so padding between a prefix and the first token would move the prefix out.
        return self._has_ordinary_cache and not (self._weights.prefix is not None and self._weights.prefix.shape.slides)

    @functools.cached_property
    def _has_ordinary_cache(self) -> bool:
        """Checked on a cache of one token."""
        if not {"position_ids", "past_key_values"} <= self._parameters:
            return False
        token = torch.tensor([[self._pad_id]], device=self._weights.device)
        try:
            cache = getattr(self._weights.network(input_ids=token, use_cache=True), "past_key_values", None)
        except REFUSALS:
            return False
        return isinstance(cache, DynamicCache) and all(
            type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in cache.layers
        )

    @functools.cached_property
    def _parameters(self) -> frozenset[str]:
        return frozenset(inspect.signature(self._weights.network.forward).parameters)

    def _keep_logits(self, count: int) -> dict[str, int]:
        return {"logits_to_keep": count} if "logits_to_keep" in self._parameters else {}


def _select(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """Some rows of a cache, any of them any number of times; the cache itself stays as it is."""
    selected = copy.copy(cache)
    selected.layers = [copy.copy(layer) for layer in cache.layers]
    selected.batch_select_indices(rows)
    return selected
