"""Encoder-decoder networks: the encoder reads a prompt once, the decoder scores each option as its whole target."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.engine.packed_causal_lm import VirtualTokens
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.padded import add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import probe_seq2seq_lm
from phraseproof.models.huggingface.backend import Backend


class Seq2SeqLMBackend(Backend):
    """T5, BART and other encoder-decoder networks.

    Networks built like T5 read prompts without padding, and the options of each prompt as one token trie
    (`engine/packed_seq2seq_lm.py`). All others use padded batches, in which options that differ only in their last
    token share a decoder row; so one row per prompt scores all its letters.
    """

    is_decoder_only = False

    @property
    def context_limit(self) -> int | None:
        if self._checkpoint.options.max_length is not None:
            return self._checkpoint.options.max_length
        config = self._checkpoint.config
        # Relative positions have no limit; n_positions in such a configuration is only the training length.
        if getattr(config, "relative_attention_num_buckets", None):
            return None
        limit: int | None = getattr(config, "max_position_embeddings", None)
        return limit

    def kept(self, context_tokens: int, option_tokens: int) -> int:
        limit = self.context_limit
        if limit is None:
            return context_tokens
        # A prefix takes positions of the decoder, virtual tokens at the input take positions of the encoder.
        fits = option_tokens + self._weights.prefix_tokens <= limit
        return min(context_tokens, limit - self._weights.virtual_tokens) if fits else 0

    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        rows = share_rows([option[:-1] for option in options]).rows
        return context_tokens + sum(1 + len(row) for row in rows)

    def schedule(self, requests: Sequence[Request], limit: BatchLimit) -> Schedule:
        padded = requests[0].steps or self._attention_is_chosen
        # Until the weights are loaded, the network is assumed to be one that can be packed.
        if padded or (self._weights.is_loaded and self._packed is None):
            return super().schedule(requests, limit)
        return scheduler.packed(
            requests, limit, before=self._weights.virtual_tokens, first=1, scored_weight=self._scored_weight
        )

    @property
    def scoring_path(self) -> str:
        return "padded batches" if self._packed is None else "one row without padding, options as one tree"

    @functools.cached_property
    def _packed(self) -> PackedSeq2SeqLM | None:
        return None if self._attention_is_chosen else probe_seq2seq_lm(self._weights.network)

    def _score_batch(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        if (packed := self._packed) is not None:
            adapter = self._weights.adapter
            return packed.score(
                requests, VirtualTokens() if adapter is None else VirtualTokens(adapter.virtual, adapter.prefix)
            )
        return self._score_padded(requests, limit)

    def _score_padded(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        network = self._weights.network
        states, mask = self._encode(requests)
        rows: list[tuple[int, ...]] = []
        request_of_row: list[int] = []
        picks: list[list[tuple[int, int]]] = []
        for index, request in enumerate(requests):
            shared = share_rows([self._decoder_inputs(option) for option in request.options])
            picks += [[] for _ in shared.rows]
            for option, row in enumerate(shared.row_of):
                picks[len(rows) + row].append((index, option))
            rows += shared.rows
            request_of_row += [index] * len(shared.rows)
        totals = [[0.0] * len(request.options) for request in requests]
        width, prefix = int(states.shape[1]), self._weights.prefix
        for chunk in plan_batches([self._row_weight(width, len(row)) for row in rows], limit):
            chosen = torch.tensor([request_of_row[index] for index in chunk], device=states.device)
            logits = network(
                encoder_outputs=BaseModelOutput(last_hidden_state=states[chosen]),
                attention_mask=mask[chosen],
                decoder_input_ids=pad_rows(
                    [rows[index] for index in chunk], self.pad_id, device=self._weights.device
                ).ids,
                past_key_values=None if prefix is None else prefix.cache(len(chunk)),
                use_cache=False,
            ).logits
            add_picked(totals, logits, [[(place, 0) for place in picks[index]] for index in chunk], requests)
        return totals

    def generation_inputs(self, requests: Sequence[Request]) -> dict[str, object]:
        states, mask = self._encode(requests)
        inputs: dict[str, object] = {
            "encoder_outputs": BaseModelOutput(last_hidden_state=states),
            "attention_mask": mask,
        }
        if (prefix := self._weights.prefix) is not None:
            inputs["past_key_values"] = prefix.cache(len(requests))
        return inputs

    def _encode(self, requests: Sequence[Request]) -> tuple[torch.Tensor, torch.Tensor]:
        """The encoder's states [requests, tokens, width] and their mask [requests, tokens], virtual tokens first."""
        network, adapter = self._weights.network, self._weights.adapter
        padded = pad_rows([request.context for request in requests], self.pad_id, device=self._weights.device)
        if adapter is None or adapter.virtual is None:
            inputs, mask = {"input_ids": padded.ids}, padded.mask
        else:
            embedded, mask = with_virtual_tokens(network, padded, adapter.virtual)
            inputs = {"inputs_embeds": embedded}
        states = network.get_encoder()(**inputs, attention_mask=mask).last_hidden_state
        return states, mask

    def _decoder_inputs(self, option: tuple[int, ...]) -> tuple[int, ...]:
        """What the decoder reads to predict an option: the model's own shift to the right."""
        labels = torch.tensor([option], device=self._weights.device)
        shifted: list[int] = self._weights.network.prepare_decoder_input_ids_from_labels(labels=labels)[0].tolist()
        return tuple(shifted)
