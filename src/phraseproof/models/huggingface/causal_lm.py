"""Decoder-only models: a prompt is read once, and its options go on from what it left in the cache."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from phraseproof.engine.packed_causal_lm import PackedDecoder, Soft
from phraseproof.engine.padded import Padded, add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Agenda, Job
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import Packing, try_packing
from phraseproof.models.huggingface.executor import OnFinished, WindowScores
from phraseproof.models.huggingface.model import HuggingFaceModel

_UNLIMITED = 1_000_000_000
"""Tokenizers that know no limit say a number above this one."""


class DecoderOnlyModel(HuggingFaceModel):
    """GPT-2, Llama and their like.

    A model that gives the same scores that way (`packing_trial.py`) reads all prompts of a batch and their options in
    one row without padding, whatever they share computed once (`packed_decoder.py`). The general way is for all others:
    where the model keeps an ordinary key-value cache and takes explicit positions, prompts are read padded on the left
    with the vocabulary projected for the last token alone, and whatever the options have beyond their first token is
    read in a second pass over the cache. Any other model (recurrent ones, say) reads each prompt and option in full.
    """

    joined = True
    _decoder: PackedDecoder | None = None

    @property
    def context_limit(self) -> int | None:
        asked = self._checkpoint.options.max_length
        return self._declared_limit if asked is None else asked

    @functools.cached_property
    def _declared_limit(self) -> int | None:
        """Asked for with every option, and looked up once: transformers takes its time."""
        config = self._checkpoint.config.get_text_config()
        for name in ("n_positions", "max_position_embeddings", "n_ctx"):
            limit: int | None = getattr(config, name, None)
            if limit:
                return limit
        declared: int = self._checkpoint.tokenizer.model_max_length
        return declared if declared < _UNLIMITED else None

    def _kept(self, context_tokens: int, option_tokens: int) -> int:
        if self.context_limit is None:
            return context_tokens
        # An option's last token is only predicted, never read.
        soft_tokens = self._virtual_tokens + self._prefix_tokens
        return min(context_tokens, self.context_limit - soft_tokens - (option_tokens - 1))

    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        return context_tokens + sum(map(len, share_rows([option[:-1] for option in options]).rows))

    def _schedule(self, jobs: Sequence[Job], limit: BatchLimit) -> Schedule:
        if not self._packs or jobs[0].steps:
            return super()._schedule(jobs, limit)
        return scheduler.shared(jobs, limit, before=self._virtual_tokens, scored_weight=self._scored_weight)

    def _run(
        self, agenda: Agenda, planned: Schedule, limit: BatchLimit, on_finished: OnFinished | None
    ) -> WindowScores:
        adapter = self.ready.adapter
        if self._packs and (packing := self._packing) is not None:
            soft = Soft() if adapter is None else Soft(adapter.virtual, adapter.prefix)
            self._decoder = PackedDecoder(self.ready.network, soft, packing.last_layer)
        try:
            return super()._run(agenda, planned, limit, on_finished)
        finally:
            self._decoder = None

    @property
    def _packs(self) -> bool:
        """Whether prompts share one row without padding; taken for granted until the weights are loaded."""
        if self._attention_is_chosen:
            return False
        if "ready" not in vars(self):
            return True
        # A window is counted in places, so a prefix and windows go the general way.
        return self._packing is not None and not (self._prefix is not None and self._prefix.shape.slides)

    @property
    def _path(self) -> str:
        if self._packs:
            return "one row without padding, shared beginnings computed once"
        return "padded batches over a cache" if self._shares_cache else "each prompt and option in full"

    @functools.cached_property
    def _packing(self) -> Packing | None:
        return try_packing(self.ready.network)

    def _score_batch(self, jobs: Sequence[Job], limit: BatchLimit) -> list[list[float]]:
        if self._decoder is not None:
            return self._decoder.score(jobs)
        totals = [[0.0] * len(job.options) for job in jobs]
        if self._shares_cache:
            self._score_with_cache(jobs, limit, totals)
        else:
            self._score_in_full(jobs, limit, totals)
        return totals

    def _score_with_cache(self, jobs: Sequence[Job], limit: BatchLimit, totals: list[list[float]]) -> None:
        inputs, mask = self._prompt_inputs(jobs, left=True)
        needs_more = any(len(option) > 1 for job in jobs for option in job.options)
        output = self.ready.network(
            **inputs,
            attention_mask=mask,
            position_ids=(mask.cumsum(dim=-1) - 1).clamp(min=0)[:, self._prefix_tokens :],
            use_cache=needs_more,
            **self._keep_logits(1),
        )
        first = output.logits[:, -1:]
        heads = [Job(job.context, tuple(option[:1] for option in job.options)) for job in jobs]
        add_picked(
            totals,
            first,
            [[((job, option), 0) for option in range(len(head.options))] for job, head in enumerate(heads)],
            heads,
        )
        if needs_more:
            self._score_rest(jobs, limit, totals, cache=output.past_key_values, mask=mask)

    def _score_rest(
        self, jobs: Sequence[Job], limit: BatchLimit, totals: list[list[float]], *, cache: Any, mask: Any
    ) -> None:
        """Add what options have beyond their first token, read over the prompts' cache."""
        rows: list[tuple[int, ...]] = []
        job_of_row: list[int] = []
        picks: list[list[tuple[tuple[int, int], int]]] = []
        for index, job in enumerate(jobs):
            longer = [option for option, tokens in enumerate(job.options) if len(tokens) > 1]
            shared = share_rows([job.options[option][:-1] for option in longer])
            picks += [[] for _ in shared.rows]
            for option, row in zip(longer, shared.row_of, strict=True):
                picks[len(rows) + row].append(((index, option), 1))
            rows += shared.rows
            job_of_row += [index] * len(shared.rows)
        lengths = mask.sum(dim=-1)
        width = int(mask.shape[1])
        for chunk in plan_batches([self.row_weight(width, len(row)) for row in rows], limit):
            chosen = torch.tensor([job_of_row[index] for index in chunk], device=mask.device)
            padded = pad_rows([rows[index] for index in chunk], self.pad_id, device=self._device)
            steps = torch.arange(padded.ids.shape[1], device=mask.device)
            logits = self.ready.network(
                input_ids=padded.ids,
                attention_mask=torch.cat([mask[chosen], padded.mask], dim=1),
                position_ids=lengths[chosen, None] + steps,
                past_key_values=_select(cache, chosen),
                use_cache=True,
            ).logits
            add_picked(totals, logits, [picks[index] for index in chunk], jobs)

    def _score_in_full(self, jobs: Sequence[Job], limit: BatchLimit, totals: list[list[float]]) -> None:
        """Prompt and option in one row each, padded on the right, where padding cannot reach what comes before it."""
        rows: list[Job] = []
        starts: list[int] = []
        picks: list[list[tuple[tuple[int, int], int]]] = []
        for index, job in enumerate(jobs):
            context = tuple(job.context.tolist())
            shared = share_rows([option[:-1] for option in job.options])
            picks += [[] for _ in shared.rows]
            for option, row in enumerate(shared.row_of):
                picks[len(rows) + row].append(((index, option), 0))
            rows += [Job(np.asarray(context + row, dtype=np.int32), ()) for row in shared.rows]
            starts += [len(context) - 1] * len(shared.rows)
        virtual = self._virtual_tokens
        for chunk in plan_batches([self.row_weight(len(row.context), len(row.context)) for row in rows], limit):
            chosen = [rows[index] for index in chunk]
            inputs, mask = self._prompt_inputs(chosen, left=False)
            earliest = min(starts[index] for index in chunk) + virtual
            kept = int(mask.shape[1]) - self._prefix_tokens - earliest
            output = self.ready.network(**inputs, attention_mask=mask, use_cache=False, **self._keep_logits(kept))
            logits = output.logits[:, -kept:]
            # Each row's first scored token moves to the front.
            moved = [starts[index] + virtual - earliest for index in chunk]
            steps = torch.arange(kept, device=mask.device)
            offsets = (torch.tensor(moved, device=mask.device)[:, None] + steps).clamp(max=kept - 1)
            aligned = logits.gather(1, offsets[..., None].expand(-1, -1, logits.shape[-1]))
            add_picked(totals, aligned, [picks[index] for index in chunk], jobs)

    def _generation_inputs(self, jobs: Sequence[Job]) -> dict[str, Any]:
        inputs, mask = self._prompt_inputs(jobs, left=True)
        if self._prefix is not None:
            # `generate` takes the first tokens for what the cache holds; which tokens stand there does not matter.
            ids = inputs["input_ids"]
            inputs["input_ids"] = torch.cat([ids[:, :1].expand(-1, self._prefix_tokens), ids], dim=1)
        return {**inputs, "attention_mask": mask}

    @property
    def _writes_in_batches(self) -> bool:
        return self._shares_cache

    def _free_run(self, jobs: Sequence[Job]) -> list[list[float]]:
        if self._shares_cache:
            return super()._free_run(jobs)
        # Padding on the left would reach a recurrent model's states: one prompt at a time.
        return [totals for job in jobs for totals in super(DecoderOnlyModel, self)._free_run([job])]

    def _prompt_inputs(self, jobs: Sequence[Job], *, left: bool) -> tuple[dict[str, Any], Any]:
        """What the network takes for these contexts, and the mask of all that it attends to, soft prompt included."""
        network, adapter = self.ready.network, self.ready.adapter
        padded: Padded = pad_rows([job.context for job in jobs], self.pad_id, device=self._device, left=left)
        if (prefix := self._prefix) is not None:
            rows = len(jobs)
            mask = torch.cat([padded.mask.new_ones(rows, prefix.count), padded.mask], dim=1)
            return {"input_ids": padded.ids, "past_key_values": prefix.cache(rows)}, mask
        if adapter is None or adapter.virtual is None:
            return {"input_ids": padded.ids}, padded.mask
        embedded, mask = with_virtual_tokens(network, padded, adapter.virtual)
        return {"inputs_embeds": embedded}, mask

    @functools.cached_property
    def _parameters(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.ready.network.forward).parameters)

    def _keep_logits(self, count: int) -> dict[str, int]:
        return {"logits_to_keep": count} if "logits_to_keep" in self._parameters else {}

    @property
    def _shares_cache(self) -> bool:
        """Whether prompts may be padded on the left and their cache selected row by row."""
        # A window is counted in places, so padding between a prefix and the first token would move the prefix out.
        return self._has_ordinary_cache and not (self._prefix is not None and self._prefix.shape.slides)

    @functools.cached_property
    def _has_ordinary_cache(self) -> bool:
        """Asked of one token's cache."""
        if not {"position_ids", "past_key_values"} <= self._parameters:
            return False
        token = torch.tensor([[self.pad_id]], device=self._device)
        cache = getattr(self.ready.network(input_ids=token, use_cache=True), "past_key_values", None)
        return isinstance(cache, DynamicCache) and all(
            type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in cache.layers
        )


def _select(cache: Any, rows: Any) -> Any:
    """Some rows of a cache, any of them any number of times; the cache itself stays as it is."""
    selected = copy.copy(cache)
    selected.layers = [copy.copy(layer) for layer in cache.layers]
    selected.batch_select_indices(rows)
    return selected
