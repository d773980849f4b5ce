"""The forward pass of training: logits at target positions only, with as little computation as gives equal numbers.

* The vocabulary is projected only where a target token is predicted.
* Rows are cut into batches by length, so that padding never costs more than a further batch would. Rows between which
  the network's rotary frequencies change share no batch (`engine/length_thresholds.py`).
* Padding is on the right. A decoder never attends there, so it needs no mask; an encoder gets one only
  where there is padding.
* Frozen weights get no gradients.
* Rows whose loss is detached run without a graph.
* On a CPU, a frozen model with a soft prompt at its input or low-rank adapters, in float32 or, decoder-only, bfloat16,
  is run without any padding, what rows have in common (a decoder their beginnings, an encoder whole prompts) computed
  once (`packed_causal_lm.py`, `packed_seq2seq_lm.py`), if a trial gave the same logits.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.engine.decoder_start import shifted_right
from phraseproof.engine.length_thresholds import rotary_regimes
from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.engine.padded import pad_rows
from phraseproof.engine.pass_state import PassState
from phraseproof.engine.training.bucketing import TargetRow, bucket_by_length
from phraseproof.engine.training.low_rank import is_low_rank
from phraseproof.engine.training.packed_causal_lm import PackedCausalLMForTraining
from phraseproof.engine.training.packed_seq2seq_lm import PackedSeq2SeqLMForTraining
from phraseproof.engine.training.projection import ProjectedPlaces

if TYPE_CHECKING:
    from phraseproof.engine.prefix_cache import KeyValuePrefix

_BATCH_COSTS = 32
"""The fixed cost of a batch, in tokens: smaller products, and Python. A rough measurement."""

IGNORED = -100
"""Pads targets, as torch's losses expect it."""


class TrainableTokens(Protocol):
    """Virtual tokens that gradients flow to: at the input, or as keys and values in every decoder layer."""

    @property
    def count(self) -> int:
        """How many virtual tokens there are."""
        ...

    @property
    def virtual(self) -> Tensor | None:
        """At the input: the virtual tokens' embeddings [virtual tokens, width]; else `None`."""
        ...

    def prefix(self, dtype: torch.dtype) -> KeyValuePrefix | None:
        """In the layers: keys and values in that precision; else `None`."""
        ...


class TargetLogits(NamedTuple):
    """What a network says about the rows' targets, teacher-forced.

    Attributes:
        logits: [rows, target tokens, vocabulary], float32; row r's target token j is predicted by `logits[r, j]`.
            Zero where `mask` is off.
        targets: [rows, target tokens], int64, padded with -100.
        mask: [rows, target tokens], bool; on for target tokens.
        prefix_states: [rows, virtual tokens, width]: the encoder's last layer at the soft prompt, if requested.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    prefix_states: Tensor | None


class _Part(NamedTuple):
    logits: Tensor
    prefix_states: Tensor | None


class TargetForward:
    """Runs rows through a network, with a soft prompt or without one; gradients flow to whatever requires them.

    Args:
        network: a transformers model; trained weights require gradients, frozen ones do not.
        joined: decoder-only (prompt and target are one sequence); else an encoder-decoder.
        pad_id: a token to pad with.
        soft: virtual tokens at the input or in every decoder layer, or `None`.
    """

    def __init__(self, network: Network, *, joined: bool, pad_id: int, soft: TrainableTokens | None) -> None:
        self._network = network
        self._joined = joined
        self._pad_id = pad_id
        self._soft = soft
        self._regimes = rotary_regimes(network.config)
        self._state = PassState(network)

    def __call__(
        self, rows: Sequence[TargetRow], *, need_prefix_states: bool = False, without_graph: Collection[int] = ()
    ) -> TargetLogits:
        """Logits of the rows' target tokens.

        Args:
            rows: prompts and targets, in any lengths that the model can read.
            need_prefix_states: also give the encoder's states at the soft prompt.
            without_graph: rows whose logits are needed only as numbers; no gradient flows through them.

        Raises:
            ValueError: `need_prefix_states` without an encoder or without a soft prompt at its input.
        """
        if need_prefix_states and (self._joined or self._soft is None or self._soft.virtual is None):
            raise ValueError("only an encoder with a soft prompt at its input has states there")
        detached = set(without_graph)
        targets = pad_rows([row.target for row in rows], self._pad_id, device=str(self._device))
        mask = targets.mask.bool()
        parts: list[_Part] = []
        order: list[int] = []
        packed = None if torch.is_autocast_enabled(self._device.type) else self._packed
        for with_graph in (True, False):
            group = [index for index in range(len(rows)) if (index not in detached) is with_graph]
            if not group:
                continue
            with contextlib.nullcontext() if with_graph else torch.no_grad():
                for regime, members in self._by_regime(rows, group).items():
                    way = packed if regime == _ONE_REGIME else None
                    for chosen in [members] if way else self._batches(rows, members):
                        own = [rows[index] for index in chosen]
                        parts.append(self._run(own, int(mask.shape[1]), need_prefix_states, way))
                        order += chosen
        back = torch.tensor(order, device=self._device).argsort()
        logits = torch.cat([part.logits for part in parts])[back]
        states = [part.prefix_states for part in parts if part.prefix_states is not None]
        return TargetLogits(
            logits,
            targets.ids.masked_fill(~mask, IGNORED),
            mask,
            torch.cat(states)[back] if states else None,
        )

    @property
    def is_packed(self) -> bool:
        """Whether rows are run without padding, except under autocast: then more of them at once cost no more each."""
        return self._packed is not None

    @property
    def _device(self) -> torch.device:
        device: torch.device = self._network.get_input_embeddings().weight.device
        return device

    def _by_regime(self, rows: Sequence[TargetRow], group: Sequence[int]) -> dict[tuple[int, int], list[int]]:
        """Rows by what rotary frequencies depend on: the tokens of the encoder (or of the one row), and the decoder's.

        A target's last token is only predicted, and an encoder-decoder reads one token before it.
        """
        found: dict[tuple[int, int], list[int]] = {}
        soft = 0 if self._soft is None else self._soft.count
        for index in group:
            context, target = len(rows[index].context), len(rows[index].target)
            if self._joined:
                regime = self._regimes.of_length(soft + context + target - 1), 0
            else:
                at_input = self._virtual_tokens
                regime = self._regimes.of_length(at_input + context), self._regimes.of_length(soft - at_input + target)
            found.setdefault(regime, []).append(index)
        return found

    def _batches(self, rows: Sequence[TargetRow], group: Sequence[int]) -> list[list[int]]:
        """Which rows go through the network together. An encoder-decoder's all do: its encoder batches for itself."""
        if not self._joined:
            return [list(group)]
        # A target's last token is only predicted, never read.
        lengths = [len(rows[index].context) + len(rows[index].target) - 1 for index in group]
        return [[group[place] for place in batch] for batch in bucket_by_length(lengths, batch_costs=_BATCH_COSTS)]

    @functools.cached_property
    def _packed(self) -> PackedCausalLMForTraining | PackedSeq2SeqLMForTraining | None:
        """The pass without padding, for a network and a machine that it is made for."""
        network, virtual = self._network, None if self._soft is None else self._soft.virtual
        is_adapted = any(is_low_rank(name) for name, _ in network.named_parameters())
        if virtual is None and (self._soft is not None or not is_adapted):
            return None
        if not _asks_for_nothing(network.config) or not _is_frozen_and_whole(network) or self._regimes.limit == 0:
            return None
        if self._joined:
            return PackedCausalLMForTraining.try_on(network)
        if _precision(network) != torch.float32:
            return None
        if len(network.get_input_embeddings().weight) <= _LARGEST_ID:
            return None
        try:
            packed = PackedSeq2SeqLMForTraining(network, self._pad_id)
        except (ValueError, AttributeError):
            return None  # of another structure
        with torch.no_grad():
            plain = self._run(_TRIAL, 3, False).logits
            try:
                same = [self._run_packed(packed, _TRIAL, 3, False).logits]
                ways = (True, False) if packed.can_absorb else (False,)
                same += [packed.logits(_TRIAL[:1], virtual, absorbs=absorbs).logits for absorbs in ways]
            except TypeError:
                return None  # an encoder or a decoder that does not pass further arguments on to its attention
        close = 1e-4 * max(1.0, float(plain.abs().max()))
        return packed if all(torch.allclose(found, plain[: len(found)], atol=close) for found in same) else None

    def _run_packed(
        self,
        packed: PackedCausalLMForTraining | PackedSeq2SeqLMForTraining,
        rows: Sequence[TargetRow],
        width: int,
        need_prefix_states: bool,
    ) -> _Part:
        virtual = None if self._soft is None else self._soft.virtual
        if isinstance(packed, PackedCausalLMForTraining):
            logits = packed.logits(rows, virtual)
            return _Part(torch.stack([functional.pad(own, (0, 0, 0, width - len(own))) for own in logits]), None)
        logits, states = packed.logits(rows, virtual)
        logits = functional.pad(logits, (0, 0, 0, width - int(logits.shape[1])))
        return _Part(_targets_only(logits, rows, width), states if need_prefix_states else None)

    def _run(
        self,
        rows: Sequence[TargetRow],
        width: int,
        need_prefix_states: bool,
        packed: PackedCausalLMForTraining | PackedSeq2SeqLMForTraining | None = None,
    ) -> _Part:
        self._state.restore()
        if packed is not None:
            return self._run_packed(packed, rows, width, need_prefix_states)
        return (
            self._decoder_only(rows, width) if self._joined else self._encoder_decoder(rows, width, need_prefix_states)
        )

    def _decoder_only(self, rows: Sequence[TargetRow], width: int) -> _Part:
        padded = pad_rows([row.context + row.target[:-1] for row in rows], self._pad_id, device=str(self._device))
        virtual = self._virtual_tokens
        starts = torch.tensor([virtual + len(row.context) - 1 for row in rows], device=self._device)
        places = starts[:, None] + torch.arange(width, device=self._device)
        places = places.clamp(max=virtual + int(padded.ids.shape[1]) - 1)
        with ProjectedPlaces(self._network, places) as projected:
            output = self._network(**self._embedded(padded.ids), **self._cache(len(rows)), use_cache=False)
        return _Part(_targets_only(projected.logits(output), rows, width), None)

    def _encoder_decoder(self, rows: Sequence[TargetRow], width: int, need_prefix_states: bool) -> _Part:
        states, mask = self._encode([row.context for row in rows])
        longest = max(len(row.target) for row in rows)
        labels = torch.full((len(rows), longest), self._pad_id, device=self._device)
        for index, row in enumerate(rows):
            labels[index, : len(row.target)] = torch.tensor(row.target, device=self._device)
        output = self._network(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=None if bool(mask.all()) else mask,
            decoder_input_ids=shifted_right(self._network, labels),
            use_cache=False,
            **self._cache(len(rows)),
        )
        prefix_states = states[:, : self._virtual_tokens] if need_prefix_states else None
        logits = functional.pad(output.logits, (0, 0, 0, width - longest))
        return _Part(_targets_only(logits, rows, width), prefix_states)

    @property
    def _virtual_tokens(self) -> int:
        """Tokens that the soft prompt adds to the input."""
        return self._soft.count if self._soft is not None and self._soft.virtual is not None else 0

    def _embedded(self, ids: Tensor) -> dict[str, Tensor]:
        """What the network takes for rows padded on the right: ids, or embeddings behind the soft prompt."""
        virtual = None if self._soft is None else self._soft.virtual
        if virtual is None:
            return {"input_ids": ids}
        embedded = self._network.get_input_embeddings()(ids)
        return {"inputs_embeds": torch.cat([virtual.to(embedded).expand(len(ids), -1, -1), embedded], dim=1)}

    def _encode(self, contexts: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
        """The encoder's states [contexts, tokens, width] and their mask [contexts, tokens], the soft prompt first.

        A context that several rows have, as those of its options, is encoded once.
        """
        different = list(dict.fromkeys(contexts))
        place_of = {context: place for place, context in enumerate(different)}
        places = torch.tensor([place_of[context] for context in contexts], device=self._device)
        lengths = [len(context) for context in different]
        longest = max(lengths)
        parts: list[Tensor] = []
        masks: list[Tensor] = []
        order: list[int] = []
        for batch in bucket_by_length(lengths, batch_costs=_BATCH_COSTS):
            padded = pad_rows([different[index] for index in batch], self._pad_id, device=str(self._device))
            mask = torch.cat([padded.mask.new_ones(len(batch), self._virtual_tokens), padded.mask], dim=1)
            states = self._network.get_encoder()(
                **self._embedded(padded.ids), attention_mask=None if bool(padded.mask.all()) else mask
            ).last_hidden_state
            missing = longest - int(padded.ids.shape[1])
            parts.append(functional.pad(states, (0, 0, 0, missing)))
            masks.append(functional.pad(mask, (0, missing)))
            order += batch
        back = torch.tensor(order, device=self._device).argsort()[places]
        return torch.cat(parts)[back], torch.cat(masks)[back]

    def _cache(self, rows: int) -> dict[str, object]:
        """The soft prompt in the decoder's layers, for this number of rows."""
        if self._soft is None:
            return {}
        prefix = self._soft.prefix(self._network.get_input_embeddings().weight.dtype)
        return {} if prefix is None else {"past_key_values": prefix.cache(rows)}


_ONE_REGIME = (0, 0)
"""The regime of rows within the limit up to which rotary frequencies are the same: of most networks, all rows."""

_TRIAL = (
    TargetRow((5, 9, 14, 3, 8, 21, 2, 17), (7, 12, 6)),
    TargetRow((5, 9, 14, 3), (16, 22)),
    TargetRow((5, 9, 14, 3, 8, 21, 2, 17), (11,)),
)
_LARGEST_ID = max(token for row in _TRIAL for token in (*row.context, *row.target))


def _asks_for_nothing(config: NetworkConfig) -> bool:
    """Whether attention is torch's own, which transformers takes where the user names no other."""
    return getattr(config, "_attn_implementation", None) == "sdpa"


def _is_frozen_and_whole(network: nn.Module) -> bool:
    """Whether every weight is in this process's memory, all in one precision, and none is trained but adapters'.

    Adapters are in float32.
    """
    frozen = _precision(network)
    return frozen is not None and all(
        type(weight) is nn.Parameter
        and (not weight.requires_grad or is_low_rank(name))
        and weight.device.type == "cpu"
        and weight.dtype == (torch.float32 if is_low_rank(name) else frozen)
        and not hasattr(weight, "_fsdp_flattened")
        for name, weight in network.named_parameters()
    )


def _precision(network: nn.Module) -> torch.dtype | None:
    """The precision of all frozen weights: float32 or bfloat16; else `None`. float16 on a CPU is slow and overflows."""
    found = {weight.dtype for name, weight in network.named_parameters() if not is_low_rank(name)}
    return found.pop() if len(found) == 1 and found <= {torch.float32, torch.bfloat16} else None


def _targets_only(logits: Tensor, rows: Sequence[TargetRow], width: int) -> Tensor:
    """Logits in float32, zero behind a row's last target token."""
    lengths = torch.tensor([len(row.target) for row in rows], device=logits.device)
    logits = logits.float()
    if int(lengths.min()) == width:
        return logits
    beyond = torch.arange(width, device=logits.device) >= lengths[:, None]
    return logits.masked_fill(beyond[..., None], 0.0)
