"""How a model represents a prompt: the hidden state of one layer at the first decoded token (Figure 4).

The first decoded token is where the answer begins: the decoder's start position in an encoder-decoder, the last one of
the prompt in a decoder-only model. Layers are numbered as the states that transformers returns: 0 for the embeddings, 1
for the output of the first block. The penultimate one (`hidden_states[-2]`), the default, is the input of the last
block, before any final normalisation.

Prompts share a padded batch only within one rotary regime, and where a trial at every length that the network's
configuration names gave the states of each prompt alone; else each prompt is read alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate.utils.memory import (
    clear_device_cache,
    should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
)
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.core import PENULTIMATE
from phraseproof.engine.decoder_start import shifted_right
from phraseproof.engine.padded import Padded, pad_rows, with_virtual_tokens
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, run_batches
from phraseproof.engine.trial import REFUSALS, Lengths, same_logits, trial_requests
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.ways import one_line_refusals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.models.huggingface.loaded import LoadedNetwork
    from phraseproof.models.huggingface.ways import NetworkFacts


class HiddenStateReader:
    """Reads contexts with a network and keeps one state of each.

    Args:
        loaded: the network, and the adapter attached to it (soft prompts at the input or in every layer).
        facts: at which lengths the network computes something else.
        joined: whether the network is decoder-only.
        pad_id: pads rows; what it is does not matter, because padding is masked.
        limit: how large a batch may grow.
        layer: which of the states of a pass is read.
    """

    def __init__(
        self,
        loaded: LoadedNetwork,
        facts: NetworkFacts,
        *,
        joined: bool,
        pad_id: int,
        limit: BatchLimit,
        layer: int = PENULTIMATE,
    ) -> None:
        self._network, self._adapter, self._state = loaded.network, loaded.adapter, loaded.state
        self._facts = facts
        self._passed: dict[Lengths, bool] = {}
        self._joined, self._pad_id, self._limit, self._layer = joined, pad_id, limit, layer
        self._device = str(self._network.get_input_embeddings().weight.device)

    def read(
        self, contexts: Sequence[tuple[int, ...]], *, on_done: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """The states [contexts, width] as float32; they do not depend on which contexts are read together.

        Args:
            contexts: token ids, already cut to what fits; equal ones are read once.
            on_done: called with the number of contexts finished since the last call.

        Raises:
            ModelError: a context whose state is not finite, or that does not fit in memory by itself.
        """
        distinct = list(dict.fromkeys(contexts))
        users = dict.fromkeys(distinct, 0)
        for context in contexts:
            users[context] += 1
        lengths = [len(context) for context in distinct]
        states: dict[tuple[int, ...], NDArray[np.float32]] = {}

        def run(batch: Sequence[int]) -> NDArray[np.float32]:
            with torch.inference_mode(), one_line_refusals(self._network):
                return self._states([distinct[index] for index in batch]).float().cpu().numpy()

        batches = self._batches(lengths)
        for batch, found in run_batches(
            batches, lengths, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
        ):
            if not np.isfinite(found).all():
                raise ModelError("a representation is not a finite number", hint="Try --dtype float32")
            states |= {distinct[index]: state for index, state in zip(batch, found, strict=True)}
            if on_done is not None:
                on_done(sum(users[distinct[index]] for index in batch))
        return np.stack([states[context] for context in contexts])

    def count_layers(self) -> int:
        """The number of states that a pass has, of a context of one token."""
        with torch.inference_mode(), one_line_refusals(self._network):
            return len(self._pass([(0,)])[0])

    def _batches(self, lengths: Sequence[int]) -> list[list[int]]:
        """Indices of contexts that are read together, by the tokens of each."""
        batches: list[list[int]] = []
        for regime, members in self._by_regime(lengths).items():
            places = self._facts.before + max(lengths[index] for index in members)
            pads = self._pads(places, regime)
            for batch in plan_batches([lengths[index] for index in members], self._limit):
                chosen = [members[place] for place in batch]
                batches += [chosen] if pads else [[index] for index in chosen]
        return batches

    def _by_regime(self, lengths: Sequence[int]) -> dict[int, list[int]]:
        """Indices of contexts, by what rotary frequencies depend on."""
        found: dict[int, list[int]] = {}
        for index, length in enumerate(lengths):
            found.setdefault(self._facts.regimes.of_length(self._facts.before + length), []).append(index)
        return found

    def _pads(self, places: int, regime: int) -> bool:
        """Whether contexts of different lengths, up to a number of tokens, may be padded to one."""
        most = self._facts.most_without_choice
        if most is not None and places > most:
            return False
        return all(self._pads_at(lengths) for lengths in self._facts.tried_at(places, regime))

    def _pads_at(self, lengths: Lengths) -> bool:
        """Whether made-up contexts, padded to one length, have the same states as each alone."""
        if lengths not in self._passed:
            requests = trial_requests(lengths, self._facts.vocabulary, self._facts.kept)
            contexts = list(dict.fromkeys(tuple(request.context.tolist()) for request in requests))
            sizes = list(map(len, contexts))
            groups = [[contexts[index] for index in members] for members in self._by_regime(sizes).values()]
            with torch.inference_mode():
                with one_line_refusals(self._network):
                    alone = [torch.cat([self._states([row]) for row in rows]) for rows in groups]
                try:
                    together = [self._states(rows) for rows in groups]
                except REFUSALS:
                    self._passed[lengths] = False
                else:
                    self._passed[lengths] = all(map(same_logits, together, alone))
        return self._passed[lengths]

    def _states(self, rows: Sequence[tuple[int, ...]]) -> torch.Tensor:
        """[contexts, width], of one pass."""
        states, places = self._pass(rows)
        state = states[self._layer]
        return state[torch.arange(len(rows), device=places.device), places]

    def _pass(self, rows: Sequence[tuple[int, ...]]) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
        """The states [contexts, positions, width] of every layer, and each context's position that is read."""
        self._state.restore()
        return self._decoder_only(rows) if self._joined else self._encoder_decoder(rows)

    def _decoder_only(self, rows: Sequence[tuple[int, ...]]) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
        # Padded on the right, where padding cannot reach what comes before it, whatever the architecture.
        padded = pad_rows(rows, self._pad_id, device=self._device)
        inputs, mask, virtual = self._inputs(padded)
        prefix = None if self._adapter is None else self._adapter.prefix
        if prefix is not None:
            mask = torch.cat([mask.new_ones(len(rows), prefix.count), mask], dim=1)
            inputs["past_key_values"] = prefix.cache(len(rows))
        if "logits_to_keep" in inspect.signature(self._network.forward).parameters:
            inputs["logits_to_keep"] = 1
        output = self._network(**inputs, attention_mask=mask, use_cache=False, output_hidden_states=True)
        last = torch.tensor([virtual + len(row) - 1 for row in rows], device=mask.device)
        return output.hidden_states, last

    def _encoder_decoder(self, rows: Sequence[tuple[int, ...]]) -> tuple[Sequence[torch.Tensor], torch.Tensor]:
        padded = pad_rows(rows, self._pad_id, device=self._device)
        inputs, mask, _ = self._inputs(padded)
        states = self._network.get_encoder()(**inputs, attention_mask=mask).last_hidden_state
        prefix = None if self._adapter is None else self._adapter.prefix
        output = self._network(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=mask,
            decoder_input_ids=self._start(len(rows)),
            past_key_values=None if prefix is None else prefix.cache(len(rows)),
            use_cache=False,
            output_hidden_states=True,
        )
        return output.decoder_hidden_states, torch.zeros(len(rows), dtype=torch.long, device=mask.device)

    def _inputs(self, padded: Padded) -> tuple[dict[str, object], torch.Tensor, int]:
        """The input of a network or an encoder, its mask, and the number of virtual tokens at its start."""
        if self._adapter is None or self._adapter.virtual is None:
            return {"input_ids": padded.ids}, padded.mask, 0
        embedded, mask = with_virtual_tokens(self._network, padded, self._adapter.virtual)
        return {"inputs_embeds": embedded}, mask, int(self._adapter.virtual.shape[0])

    def _start(self, rows: int) -> torch.Tensor:
        """The token that the decoder reads before it writes the first one: the model's own shift to the right."""
        labels = torch.zeros((rows, 1), dtype=torch.long, device=self._device)
        return shifted_right(self._network, labels)
