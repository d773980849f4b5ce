"""Encoder-decoder models: the encoder reads a prompt once, the decoder scores each option as its whole target."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.engine.packed_causal_lm import Soft
from phraseproof.engine.packed_seq2seq_lm import PackedEncoderDecoder
from phraseproof.engine.padded import add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Job
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import try_packing_encoder_decoder
from phraseproof.models.huggingface.model import HuggingFaceModel


class EncoderDecoderModel(HuggingFaceModel):
    """T5, BART and their like.

    A model of T5's kind reads prompts without padding, and the options of each as one tree
    (`packed_encoder_decoder.py`). The general way is for all others: options that differ only in their last token share
    one decoder row; so one row a prompt serves all its letters.
    """

    joined = False

    @property
    def context_limit(self) -> int | None:
        if self._checkpoint.options.max_length is not None:
            return self._checkpoint.options.max_length
        config = self._checkpoint.config
        # Relative positions have no end; what such a configuration calls n_positions is only the training length.
        if getattr(config, "relative_attention_num_buckets", None):
            return None
        limit: int | None = getattr(config, "max_position_embeddings", None)
        return limit

    def _kept(self, context_tokens: int, option_tokens: int) -> int:
        limit = self.context_limit
        if limit is None:
            return context_tokens
        # A prefix takes the decoder's room, virtual tokens at the input the encoder's.
        fits = option_tokens + self._prefix_tokens <= limit
        return min(context_tokens, limit - self._virtual_tokens) if fits else 0

    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        rows = share_rows([option[:-1] for option in options]).rows
        return context_tokens + sum(1 + len(row) for row in rows)

    def _schedule(self, jobs: Sequence[Job], limit: BatchLimit) -> Schedule:
        if jobs[0].steps or self._attention_is_chosen or ("ready" in vars(self) and self._packed is None):
            return super()._schedule(jobs, limit)
        return scheduler.packed(jobs, limit, before=self._virtual_tokens, first=1, scored_weight=self._scored_weight)

    @property
    def _path(self) -> str:
        return "padded batches" if self._packed is None else "one row without padding, options as one tree"

    @functools.cached_property
    def _packed(self) -> PackedEncoderDecoder | None:
        return None if self._attention_is_chosen else try_packing_encoder_decoder(self.ready.network)

    def _score_batch(self, jobs: Sequence[Job], limit: BatchLimit) -> list[list[float]]:
        if (packed := self._packed) is not None:
            adapter = self.ready.adapter
            return packed.score(jobs, Soft() if adapter is None else Soft(adapter.virtual, adapter.prefix))
        network = self.ready.network
        states, mask = self._encode(jobs)
        rows: list[tuple[int, ...]] = []
        job_of_row: list[int] = []
        picks: list[list[tuple[int, int]]] = []
        for index, job in enumerate(jobs):
            shared = share_rows([self._decoder_inputs(option) for option in job.options])
            picks += [[] for _ in shared.rows]
            for option, row in enumerate(shared.row_of):
                picks[len(rows) + row].append((index, option))
            rows += shared.rows
            job_of_row += [index] * len(shared.rows)
        totals = [[0.0] * len(job.options) for job in jobs]
        width, prefix = int(states.shape[1]), self._prefix
        for chunk in plan_batches([self.row_weight(width, len(row)) for row in rows], limit):
            chosen = torch.tensor([job_of_row[index] for index in chunk], device=states.device)
            logits = network(
                encoder_outputs=BaseModelOutput(last_hidden_state=states[chosen]),
                attention_mask=mask[chosen],
                decoder_input_ids=pad_rows([rows[index] for index in chunk], self.pad_id, device=self._device).ids,
                past_key_values=None if prefix is None else prefix.cache(len(chunk)),
                use_cache=False,
            ).logits
            add_picked(totals, logits, [[(place, 0) for place in picks[index]] for index in chunk], jobs)
        return totals

    def _generation_inputs(self, jobs: Sequence[Job]) -> dict[str, Any]:
        states, mask = self._encode(jobs)
        inputs = {"encoder_outputs": BaseModelOutput(last_hidden_state=states), "attention_mask": mask}
        if (prefix := self._prefix) is not None:
            inputs["past_key_values"] = prefix.cache(len(jobs))
        return inputs

    def _encode(self, jobs: Sequence[Job]) -> tuple[Any, Any]:
        """The encoder's states [jobs, tokens, width] and their mask [jobs, tokens], virtual tokens first."""
        network, adapter = self.ready.network, self.ready.adapter
        padded = pad_rows([job.context for job in jobs], self.pad_id, device=self._device)
        if adapter is None or adapter.virtual is None:
            inputs, mask = {"input_ids": padded.ids}, padded.mask
        else:
            embedded, mask = with_virtual_tokens(network, padded, adapter.virtual)
            inputs = {"inputs_embeds": embedded}
        states = network.get_encoder()(**inputs, attention_mask=mask).last_hidden_state
        return states, mask

    def _decoder_inputs(self, option: tuple[int, ...]) -> tuple[int, ...]:
        """What the decoder reads to predict an option: the model's own shift to the right."""
        labels = torch.tensor([option], device=self._device)
        shifted: list[int] = self.ready.network.prepare_decoder_input_ids_from_labels(labels=labels)[0].tolist()
        return tuple(shifted)
