"""Encoder-decoder networks: the encoder reads a prompt once, the decoder scores each option as its whole target."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers.utils.generic import ModelOutput

from phraseproof.engine.decoder_start import decoder_start
from phraseproof.engine.generation.seq2seq import Seq2SeqTextDecoder
from phraseproof.engine.packed_causal_lm import VirtualTokens
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.padded import add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, share_rows
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import probe_seq2seq_lm
from phraseproof.models.huggingface.backend import Backend, BatchScorer
from phraseproof.models.huggingface.ways import Way, Ways, check_causal, one_line_refusals

if TYPE_CHECKING:
    from phraseproof.engine.generation.texts import TextDecoder


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
        for part in (config, getattr(config, "encoder", None)):
            for name in ("max_position_embeddings", "max_encoder_position_embeddings"):
                limit: int | None = getattr(part, name, None)
                if limit:
                    return limit
        return None

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

    def _plan(self, requests: Sequence[Request], limit: BatchLimit, *, regime: int | None) -> Schedule:
        padded = requests[0].steps or self._attention_is_chosen
        # Until the weights are loaded, the network is assumed to be one that can be packed.
        if padded or (self._weights.is_loaded and self._packed is None):
            return super()._plan(requests, limit, regime=regime)
        return scheduler.packed(
            requests, limit, before=self._weights.virtual_tokens, first=1, scored_weight=self._scored_weight
        )

    @property
    def scoring_path(self) -> str:
        return self._ways.of_short_requests.name if self._packed is None else _PACKED

    @functools.cached_property
    def _packed(self) -> PackedSeq2SeqLM | None:
        return None if self._attention_is_chosen else probe_seq2seq_lm(self._weights.network)

    def _make_ways(self) -> Ways:
        request = Request(np.asarray(self._trial_tokens, dtype=np.int32), ())
        inputs, _ = self._encoder_inputs([request])
        with torch.inference_mode(), one_line_refusals(self._weights.network):
            check_causal(
                self._weights.network,
                [self._start, *self._trial_tokens[1:]],
                lambda tokens: self._logits_alone(inputs, tokens),
            )
        padded = Way("padded batches", self._score_padded, self._places)
        alone = Way("each prompt and option in a separate pass", self._score_alone, self._places)
        return Ways([padded], alone, self.facts())

    def batch_scorer(self, limit: BatchLimit) -> BatchScorer:
        unpacked = super().batch_scorer(limit)
        if (packed := self._packed) is None:
            return unpacked
        adapter = self._weights.adapter
        soft = VirtualTokens() if adapter is None else VirtualTokens(adapter.virtual, adapter.prefix)

        def score(batch: Sequence[Request]) -> list[list[float]]:
            if batch[0].steps:
                return unpacked(batch)
            with one_line_refusals(self._weights.network):
                return packed.score(batch, soft)

        return score

    def _places(self, batch: Sequence[Request]) -> int:
        """The tokens of the longest sequence, the encoder's or the decoder's."""
        options = self._weights.prefix_tokens + max(len(option) for request in batch for option in request.options)
        return max(options, self._weights.virtual_tokens + max(len(request.context) for request in batch))

    def _score_alone(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:  # noqa: ARG002
        """Each prompt in a separate pass, and each option in another."""
        totals = [[0.0] * len(request.options) for request in requests]
        for index, request in enumerate(requests):
            readers: dict[tuple[int, ...], list[int]] = {}
            for option, tokens in enumerate(request.options):
                readers.setdefault((self._start, *tokens[:-1]), []).append(option)
            inputs, _ = self._encoder_inputs([request])
            for row, options in readers.items():
                logits = self._logits_alone(inputs, row)
                add_picked(totals, logits, [[((index, option), 0) for option in options]], requests)
        return totals

    def _logits_alone(self, inputs: dict[str, torch.Tensor], decoder: Sequence[int]) -> torch.Tensor:
        """[1, tokens, vocabulary], as the network computes them without masks and without an encoder's earlier work."""
        self._weights.restore_state()
        prefix = self._weights.prefix
        return self._weights.network(
            **inputs,
            decoder_input_ids=torch.tensor([list(decoder)], device=self._weights.device),
            past_key_values=None if prefix is None else prefix.cache(1),
            use_cache=False,
        ).logits

    def _score_padded(self, requests: Sequence[Request], limit: BatchLimit) -> list[list[float]]:
        network = self._weights.network
        states, mask = self._encode(requests)
        rows: list[tuple[int, ...]] = []
        request_of_row: list[int] = []
        picks: list[list[tuple[int, int]]] = []
        for index, request in enumerate(requests):
            shared = share_rows([(self._start, *option[:-1]) for option in request.options])
            picks += [[] for _ in shared.rows]
            for option, row in enumerate(shared.row_of):
                picks[len(rows) + row].append((index, option))
            rows += shared.rows
            request_of_row += [index] * len(shared.rows)
        totals = [[0.0] * len(request.options) for request in requests]
        width, prefix = int(mask.shape[1]), self._weights.prefix
        for chunk in plan_batches([self._row_weight(width, len(row)) for row in rows], limit):
            chosen = torch.tensor([request_of_row[index] for index in chunk], device=mask.device)
            logits = network(
                encoder_outputs=_rows_of(states, chosen),
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
        self._weights.restore_state()
        states, mask = self._encode(requests)
        inputs: dict[str, object] = {"encoder_outputs": states, "attention_mask": mask}
        if (prefix := self._weights.prefix) is not None:
            inputs["past_key_values"] = prefix.cache(len(requests))
        return inputs

    @property
    def generates_in_batches(self) -> bool:
        """Not where padding changes what an encoder makes of a prompt."""
        return self._packed is not None or self._ways.of_short_requests.score == self._score_padded

    def _text_decoder(self) -> Callable[[], TextDecoder] | None:
        if (packed := self._packed) is None or self._soft_tokens:
            return None
        return lambda: Seq2SeqTextDecoder(packed)

    def _logits_after(self, context: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        inputs, _ = self._encoder_inputs([Request(np.asarray(context, dtype=np.int32), ())])
        return self._logits_alone(inputs, [self._start, *tokens])[0, -1]

    def _score_greedy_path(self, requests: Sequence[Request]) -> list[list[float]]:
        if self.generates_in_batches:
            return super()._score_greedy_path(requests)
        alone = super()._score_greedy_path
        return [totals for request in requests for totals in alone([request])]

    def _encode(self, requests: Sequence[Request]) -> tuple[ModelOutput, torch.Tensor]:
        """What the encoder returns, and the mask of its states [requests, tokens], virtual tokens first."""
        inputs, mask = self._encoder_inputs(requests)
        return self._weights.network.get_encoder()(**inputs, attention_mask=mask), mask

    def _encoder_inputs(self, requests: Sequence[Request]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """What the encoder reads, and the mask of what is no padding."""
        adapter = self._weights.adapter
        padded = pad_rows([request.context for request in requests], self.pad_id, device=self._weights.device)
        if adapter is None or adapter.virtual is None:
            return {"input_ids": padded.ids}, padded.mask
        embedded, mask = with_virtual_tokens(self._weights.network, padded, adapter.virtual)
        return {"inputs_embeds": embedded}, mask

    @functools.cached_property
    def _start(self) -> int:
        return decoder_start(self._weights.network)


_PACKED = "one row without padding, options as one tree"


def _rows_of(states: ModelOutput, rows: torch.Tensor) -> ModelOutput:
    """Some rows of an encoder's output, which has its own class in some networks."""
    return type(states)(last_hidden_state=states["last_hidden_state"][rows])
