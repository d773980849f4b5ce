"""Decoder-only networks: a prompt is computed once, and its options continue from its cache."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Sequence

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from phraseproof.engine.packed_causal_lm import PackedCausalLM, VirtualTokens
from phraseproof.engine.padded import Padded, add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import PackingSupport, probe_causal_lm
from phraseproof.models.huggingface.backend import Backend, BatchScorer

_UNLIMITED = 1_000_000_000
"""Tokenizers without a limit report a larger number."""


class CausalLMBackend(Backend):
    """GPT-2, Llama and other decoder-only networks.

    There are three ways, from fast to general:

    * Packed: all prompts of a batch and their options in one row without padding, shared prefixes computed once. Only
      for networks that give the same scores this way (`engine/probe.py`).
    * Cached: prompts are padded on the left, and the vocabulary is projected for the last token only. Tokens after an
      option's first one are read in a second pass over the cache. Needs an ordinary key-value cache and explicit
      positions.
    * In full: each prompt and option in a row of its own. For all others, such as recurrent networks.
    """

    is_decoder_only = True

    @property
    def context_limit(self) -> int | None:
        asked = self._checkpoint.options.max_length
        return self._declared_limit if asked is None else asked

    @functools.cached_property
    def _declared_limit(self) -> int | None:
        """Cached: it is needed for every option, and transformers is slow to answer."""
        config = self._checkpoint.config.get_text_config()
        for name in ("n_positions", "max_position_embeddings", "n_ctx"):
            limit: int | None = getattr(config, name, None)
            if limit:
                return limit
        declared: int = self._checkpoint.tokenizer.model_max_length
        return declared if declared < _UNLIMITED else None

    def kept(self, context_tokens: int, option_tokens: int) -> int:
        if self.context_limit is None:
            return context_tokens
        # An option's last token is only predicted, never read.
        soft_tokens = self._weights.virtual_tokens + self._weights.prefix_tokens
        return min(context_tokens, self.context_limit - soft_tokens - (option_tokens - 1))

    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        return context_tokens + sum(map(len, share_rows([option[:-1] for option in options]).rows))

    def schedule(self, requests: Sequence[Request], limit: BatchLimit) -> Schedule:
        if not self._packs or requests[0].steps:
            return super().schedule(requests, limit)
        return scheduler.shared(requests, limit, before=self._weights.virtual_tokens, scored_weight=self._scored_weight)

    def batch_scorer(self, limit: BatchLimit) -> BatchScorer:
        if not self._packs or (packing := self._packing) is None:
            return super().batch_scorer(limit)
        adapter = self._weights.adapter
        soft = VirtualTokens() if adapter is None else VirtualTokens(adapter.virtual, adapter.prefix)
        # It keeps keys and values between batches, so it lives as long as one schedule.
        packed = PackedCausalLM(self._weights.network, soft, packing.last_layer)

        def score(batch: Sequence[Request]) -> list[list[float]]:
            return self._score_greedy_path(batch) if batch[0].steps else packed.score(batch)

        return score

    @property
    def _packs(self) -> bool:
        """Whether prompts share one row without padding; assumed until the weights are loaded."""
        if self._attention_is_chosen:
            return False
        if not self._weights.is_loaded:
            return True
        # Attention windows count places, and a prefix takes places: together they need padded batches.
        prefix = self._weights.prefix
        return self._packing is not None and not (prefix is not None and prefix.shape.slides)

    @property
    def scoring_path(self) -> str:
        if self._packs:
            return "one row without padding, shared beginnings computed once"
        return "padded batches over a cache" if self._shares_cache else "each prompt and option in full"

    @functools.cached_property
    def _packing(self) -> PackingSupport | None:
        return probe_causal_lm(self._weights.network)

    def _score_batch(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        totals = [[0.0] * len(request.options) for request in requests]
        if self._shares_cache:
            self._score_with_cache(requests, limit, totals)
        else:
            self._score_in_full(requests, limit, totals)
        return totals

    def _score_with_cache(self, requests: Sequence[Request], limit: BatchLimit, totals: list[list[float]]) -> None:
        inputs, mask = self._prompt_inputs(requests, left=True)
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
        picks: list[list[tuple[tuple[int, int], int]]] = []
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
            padded = pad_rows([rows[index] for index in chunk], self.pad_id, device=self._weights.device)
            steps = torch.arange(padded.ids.shape[1], device=mask.device)
            logits = self._weights.network(
                input_ids=padded.ids,
                attention_mask=torch.cat([mask[chosen], padded.mask], dim=1),
                position_ids=lengths[chosen, None] + steps,
                past_key_values=_select(cache, chosen),
                use_cache=True,
            ).logits
            add_picked(totals, logits, [picks[index] for index in chunk], requests)

    def _score_in_full(self, requests: Sequence[Request], limit: BatchLimit, totals: list[list[float]]) -> None:
        """Prompt and option in one row each, padded on the right, where padding cannot reach what comes before it."""
        rows: list[Request] = []
        starts: list[int] = []
        picks: list[list[tuple[tuple[int, int], int]]] = []
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
            inputs, mask = self._prompt_inputs(chosen, left=False)
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

    def generation_inputs(self, requests: Sequence[Request]) -> dict[str, object]:
        inputs, mask = self._prompt_inputs(requests, left=True)
        if self._weights.prefix is not None:
            # `generate` skips as many tokens as the cache holds; their ids are never read.
            ids = inputs["input_ids"]
            assert isinstance(ids, torch.Tensor), "a prefix lies in the cache, so the input stays token ids"
            inputs["input_ids"] = torch.cat([ids[:, :1].expand(-1, self._weights.prefix_tokens), ids], dim=1)
        return {**inputs, "attention_mask": mask}

    @property
    def generates_in_batches(self) -> bool:
        return self._shares_cache

    def _score_greedy_path(self, requests: Sequence[Request]) -> list[list[float]]:
        if self._shares_cache:
            return super()._score_greedy_path(requests)
        # Padding on the left would reach a recurrent model's states: one prompt at a time.
        return [totals for request in requests for totals in super(CausalLMBackend, self)._score_greedy_path([request])]

    def _prompt_inputs(self, requests: Sequence[Request], *, left: bool) -> tuple[dict[str, object], torch.Tensor]:
        """What the network takes for these contexts, and the mask of all that it attends to, soft prompt included."""
        network, adapter = self._weights.network, self._weights.adapter
        padded: Padded = pad_rows(
            [request.context for request in requests], self.pad_id, device=self._weights.device, left=left
        )
        if (prefix := self._weights.prefix) is not None:
            rows = len(requests)
            mask = torch.cat([padded.mask.new_ones(rows, prefix.count), padded.mask], dim=1)
            return {"input_ids": padded.ids, "past_key_values": prefix.cache(rows)}, mask
        if adapter is None or adapter.virtual is None:
            return {"input_ids": padded.ids}, padded.mask
        embedded, mask = with_virtual_tokens(network, padded, adapter.virtual)
        return {"inputs_embeds": embedded}, mask

    @functools.cached_property
    def _parameters(self) -> frozenset[str]:
        return frozenset(inspect.signature(self._weights.network.forward).parameters)

    def _keep_logits(self, count: int) -> dict[str, int]:
        return {"logits_to_keep": count} if "logits_to_keep" in self._parameters else {}

    @property
    def _shares_cache(self) -> bool:
        """Whether prompts may be padded on the left and their cache selected row by row."""
        # A window is counted in places, so padding between a prefix and the first token would move the prefix out.
        return self._has_ordinary_cache and not (self._weights.prefix is not None and self._weights.prefix.shape.slides)

    @functools.cached_property
    def _has_ordinary_cache(self) -> bool:
        """Asked of one token's cache."""
        if not {"position_ids", "past_key_values"} <= self._parameters:
            return False
        token = torch.tensor([[self.pad_id]], device=self._weights.device)
        cache = getattr(self._weights.network(input_ids=token, use_cache=True), "past_key_values", None)
        return isinstance(cache, DynamicCache) and all(
            type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in cache.layers
        )


def _select(cache: DynamicCache, rows: torch.Tensor) -> DynamicCache:
    """Some rows of a cache, any of them any number of times; the cache itself stays as it is."""
    selected = copy.copy(cache)
    selected.layers = [copy.copy(layer) for layer in cache.layers]
    selected.batch_select_indices(rows)
    return selected
