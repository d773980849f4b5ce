"""Decoder-only networks: a prompt is computed once, and its options continue from its cache."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from transformers import AutoModelForCausalLM

from phraseproof.engine.cpu.half_products import rounding_of
from phraseproof.engine.generation.causal import CausalTextDecoder
from phraseproof.engine.network import Network
from phraseproof.engine.packed_causal_lm import PackedCausalLM, VirtualTokens
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, share_rows
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.probe import PackingSupport, probe_causal_lm
from phraseproof.engine.trial import REFUSALS, Lengths, agree, trial_requests
from phraseproof.models.huggingface.backend import Backend, BatchScorer
from phraseproof.models.huggingface.causal_unpacked import UnpackedCausalLM
from phraseproof.models.huggingface.quiet import quiet_transformers
from phraseproof.models.huggingface.ways import Way, Ways, check_causal, one_line_refusals

if TYPE_CHECKING:
    from phraseproof.engine.generation.texts import TextDecoder
    from phraseproof.models.huggingface.checkpoint import Checkpoint

_UNLIMITED = 1_000_000_000
"""Tokenizers without a limit report a larger number."""


class CausalLMBackend(Backend):
    """GPT-2, Llama and other decoder-only networks.

    There are four ways, from fast to safe; a network takes the first that gives the right scores when tried:

    * Packed: all prompts of a batch and their options in one row without padding, shared prefixes computed once
      (`engine/probe.py`).
    * Cached: prompts are padded on the left, and the vocabulary is projected for the last token only. Tokens after an
      option's first one are read in a second pass over the cache. Needs an ordinary key-value cache and explicit
      positions.
    * In full: each prompt and option in a separate row, padded on the right. Recurrent networks take it.
    * Alone: each prompt and option in a separate pass, as transformers computes them without batches.
    """

    is_decoder_only = True
    _is_checked = False

    @property
    def context_limit(self) -> int | None:
        asked = self._checkpoint.options.max_length
        return self._declared_limit if asked is None else asked

    @functools.cached_property
    def _declared_limit(self) -> int | None:
        """Cached: it is needed for every option, and transformers is slow to answer."""
        config = self._checkpoint.config.get_text_config()
        for name in ("n_positions", "max_position_embeddings", "n_ctx", "max_target_positions", "max_seq_len"):
            limit: int | None = getattr(config, name, None)
            if limit and limit > 0:  # XLNet says -1
                return limit - _unused_positions(self._checkpoint, limit)
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

    def _plan(self, requests: Sequence[Request], limit: BatchLimit, *, regime: int | None) -> Schedule:
        if regime != 0 or not self._packs or requests[0].steps:
            return super()._plan(requests, limit, regime=regime)
        return scheduler.shared(requests, limit, before=self._weights.virtual_tokens, scored_weight=self._scored_weight)

    def batch_scorer(self, limit: BatchLimit) -> BatchScorer:
        unpacked = super().batch_scorer(limit)
        if not self._packs or (packing := self._packing) is None:
            return unpacked
        # It keeps keys and values between batches, so it lives as long as one schedule.
        packed = PackedCausalLM(self._weights.network, self._soft, packing.last_layer)

        def score(batch: Sequence[Request]) -> list[list[float]]:
            if batch[0].steps or self._regime(batch[0]) != 0:
                return unpacked(batch)
            self._weights.restore_state()
            with one_line_refusals(self._weights.network):
                return packed.score(batch)

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
        return self._ways.of_short_requests.name

    @functools.cached_property
    def _packing(self) -> PackingSupport | None:
        self._weights.restore_state()
        packing = None if self._regimes.limit == 0 else probe_causal_lm(self._weights.network)
        if packing is None or not packing.is_causal:
            self._check_causal()
        if packing is None or not self._soft_tokens or self._packs_soft_prompt(packing):
            return packing
        if packing.last_layer is not None:
            packing.last_layer.remove()
        return None

    def _packs_soft_prompt(self, packing: PackingSupport) -> bool:
        """Whether prompts behind the soft prompt have the same scores in one row as each alone."""
        requests = trial_requests(Lengths(), self._weights.vocabulary_size, self.kept)
        network = self._weights.network
        with torch.inference_mode():
            with one_line_refusals(network):
                expected = self._unpacked.alone(requests)
            try:
                self._weights.restore_state()
                found = PackedCausalLM(network, self._soft, packing.last_layer).score(requests)
            except REFUSALS:
                return False
        return agree(found, expected, rounding_of(network))

    @property
    def _soft(self) -> VirtualTokens:
        adapter = self._weights.adapter
        return VirtualTokens() if adapter is None else VirtualTokens(adapter.virtual, adapter.prefix)

    def _check_causal(self) -> None:
        if not self._is_checked:
            self._weights.restore_state()
            with torch.inference_mode(), one_line_refusals(self._weights.network):
                check_causal(self._weights.network, self._trial_tokens, self._unpacked.plain_logits)
            self._is_checked = True

    @functools.cached_property
    def _unpacked(self) -> UnpackedCausalLM:
        return UnpackedCausalLM(self._weights, self.pad_id, self._row_weight)

    def _make_ways(self) -> Ways:
        unpacked, before = self._unpacked, self._soft_tokens
        self._check_causal()
        cached = Way("padded batches over a cache", unpacked.with_cache, lambda batch: before + _widest(batch))
        in_full = Way("each prompt and option in full", unpacked.in_full, lambda batch: before + _longest(batch))
        alone = Way("each prompt and option in a separate pass", unpacked.alone, _longest)
        return Ways([cached, in_full] if unpacked.shares_cache else [in_full], alone, self.facts())

    def generation_inputs(self, requests: Sequence[Request]) -> dict[str, object]:
        self._weights.restore_state()
        inputs, mask = self._unpacked.prompt_inputs(requests, left=True)
        if self._weights.prefix is not None:
            # `generate` skips as many tokens as the cache holds; their ids are never read.
            ids = inputs["input_ids"]
            assert isinstance(ids, torch.Tensor), "a prefix is in the cache, so the input stays token ids"
            inputs["input_ids"] = torch.cat([ids[:, :1].expand(-1, self._weights.prefix_tokens), ids], dim=1)
        return {**inputs, "attention_mask": mask}

    @property
    def generates_in_batches(self) -> bool:
        """Not where padding on the left would reach a recurrent network's states, or move another one's positions."""
        if self._regimes.limit is not None or not self._unpacked.shares_cache:
            return False
        return self._packs or self._ways.of_short_requests.score == self._unpacked.with_cache

    def _text_decoder(self) -> Callable[[], TextDecoder] | None:
        if not self._packs or (packing := self._packing) is None:
            return None
        network, soft = self._weights.network, self._soft
        return lambda: CausalTextDecoder(network, soft, packing.last_layer)

    def _logits_after(self, context: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        return self._unpacked.logits_alone([*context, *tokens], 1)[0, -1]

    def _score_greedy_path(self, requests: Sequence[Request]) -> list[list[float]]:
        if self.generates_in_batches:
            return super()._score_greedy_path(requests)
        return [totals for request in requests for totals in super(CausalLMBackend, self)._score_greedy_path([request])]


def _unused_positions(checkpoint: Checkpoint, size: int) -> int:
    """How many rows of the table of learned positions no token takes: those up to the padding token's.

    RoBERTa and its like count positions from there. No field of their configurations says so; the table's module does,
    so the network is built without weights. Only where there is a padding token and no rotary positions.

    Args:
        size: the number of positions that the configuration names.
    """
    config = checkpoint.config.get_text_config()
    if getattr(config, "pad_token_id", None) is None or getattr(config, "rope_parameters", None):
        return 0
    try:
        with quiet_transformers(), torch.device("meta"):
            network: Network = AutoModelForCausalLM.from_config(
                copy.deepcopy(checkpoint.config), trust_remote_code=checkpoint.options.trust_remote_code
            )
    except (*REFUSALS, OSError, ImportError):
        return 0  # loading the weights says why
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Embedding) and module.num_embeddings == size and "position" in name:
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def _longest(batch: Sequence[Request]) -> int:
    """The tokens of the longest prompt with its longest option, whose last token is not read."""
    return max(len(request.context) + max(map(len, request.options)) - 1 for request in batch)


def _widest(batch: Sequence[Request]) -> int:
    """The places of a batch that is padded twice: its contexts to the longest, then its options."""
    options = max(len(option) for request in batch for option in request.options)
    return max(len(request.context) for request in batch) + options - 1
