"""Decoder-only networks without padding: many prompts and their options in one row, shared prefixes computed once."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from phraseproof.engine.attention import block_sdpa
from phraseproof.engine.attention.causal import NAME, KeysAndValues, PackedPass
from phraseproof.engine.attention.implementation import packed_attention
from phraseproof.engine.logprobs import log_probabilities
from phraseproof.engine.network import Network
from phraseproof.engine.plan.packed_layout import PackedPrompt, PackedSequence, pack_prompts
from phraseproof.engine.plan.prefix_tree import TokenTrie, token_trie
from phraseproof.engine.plan.request import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.engine.prefix_cache import KeyValuePrefix

_ONE_TOKEN = token_trie([(0,)])
"""Of a context whose next token is predicted, and nothing else: which token this is does not matter."""

_POSITION_WISE = ("q_proj", "o_proj", "c_proj", "dense")
"""The names of attention projections that depend on the querying token alone. Keys and values are not among them:
scored tokens read those of all tokens."""


class VirtualTokens(NamedTuple):
    """A soft prompt: virtual tokens' embeddings [tokens, width] before the input, or keys and values in every layer."""

    virtual: torch.Tensor | None = None
    prefix: KeyValuePrefix | None = None


NO_SOFT_PROMPT = VirtualTokens()


class PackedCausalLM:
    """Scores batches of requests; each batch reuses the keys and values that the batch before it kept.

    Args:
        network: a transformers model that `probe.py` found suitable.
        soft: the soft prompt in use.
        last_layer: set if the last layer can skip tokens that are not scored.
        in_blocks: compute attention in blocks of prompts instead of prompt by prompt; by default the faster on the
            device.

    Attributes:
        last_layer: the same.
    """

    def __init__(
        self,
        network: Network,
        soft: VirtualTokens = NO_SOFT_PROMPT,
        last_layer: LastLayer | None = None,
        *,
        in_blocks: bool | None = None,
    ) -> None:
        self._network = network
        self._soft = soft
        self.last_layer = last_layer
        embeddings = network.get_input_embeddings().weight
        self._device = embeddings.device
        self._in_blocks = block_sdpa.in_blocks(self._device) if in_blocks is None else in_blocks
        self._vocabulary = int(embeddings.shape[0])
        prefix = 0 if soft.prefix is None else soft.prefix.count
        virtual = 0 if soft.virtual is None else int(soft.virtual.shape[0])
        # Virtual tokens get ids after the vocabulary's, so that prefix sharing treats them like other tokens.
        # The keys and values of a prefix are known from the start, so its ids are never embedded: any will do.
        ids = [0] * prefix + list(range(self._vocabulary, self._vocabulary + virtual))
        self._lead: NDArray[np.int32] = np.asarray(ids, dtype=np.int32)
        self._held_tokens = self._next_held = self._lead[:prefix]
        self._held: dict[int, KeysAndValues] = {}
        if soft.prefix is not None:
            self._held = {
                layer: (keys[None], values[None]) for layer, (keys, values) in enumerate(soft.prefix.keys_values)
            }

    def score(self, requests: Sequence[Request]) -> list[list[float]]:
        """Log-probabilities, one list per request, parallel to its options.

        Args:
            requests: in the order of their contexts, with `shared` and `kept` set.
        """
        step = self.pass_over(requests)
        return option_scores(step, self.compute(step), requests)

    def pass_over(self, requests: Sequence[Request]) -> PackedPass:
        """The pass that `score` computes."""
        return self._pass(requests, [token_trie(request.options) for request in requests])

    def read(
        self,
        requests: Sequence[Request],
        collect: Callable[[Sequence[PackedSequence], int, torch.Tensor, torch.Tensor], None],
    ) -> torch.Tensor:
        """Logits of the token after each context, [requests, vocabulary].

        Args:
            requests: in the order of their contexts, with `shared` and `kept` set; their options are not read.
            collect: called in every layer with the sequences of the row, the layer's number, and the keys and values
                of all places, [1, key heads, places, head width]. The places of a context are its sequence's `keys`,
                those of the soft prompt first.
        """
        step = self._pass(requests, [_ONE_TOKEN] * len(requests))
        step.collect = lambda layer, keys, values: collect(step.row.units, layer, keys, values)
        return self.compute(step)

    @property
    def lead_tokens(self) -> int:
        """How many tokens of the soft prompt come before every context."""
        return len(self._lead)

    def _pass(self, requests: Sequence[Request], trees: Sequence[TokenTrie]) -> PackedPass:
        """The pass over these contexts, each followed by its tree."""
        lead = len(self._lead)
        parts = [
            PackedPrompt(np.concatenate([self._lead, request.context]), lead + request.shared, tree)
            for request, tree in zip(requests, trees, strict=True)
        ]
        first = parts[0].context
        # Held keys are used as far as their tokens are those of this context, so batches in an unplanned order cost
        # time and never change a score. The last token is computed again: its output predicts the options.
        row = pack_prompts(parts, min(_in_common(self._held_tokens, first), len(first) - 1))
        # What was held beyond the common prefix belongs to another context, so it is cut off.
        held = row.units[0].past
        self._next_held = parts[-1].context[: lead + requests[-1].kept]
        return PackedPass(
            row,
            {layer: (keys[:, :, :held], values[:, :, :held]) for layer, (keys, values) in self._held.items() if held},
            ends_in=None if self.last_layer is None else self.last_layer.attention,
            keep=len(self._next_held),
            in_blocks=self._in_blocks,
        )

    def compute(self, step: PackedPass) -> torch.Tensor:
        """Logits of the scored tokens, [scored, vocabulary]; what the pass kept is held for the next one."""
        logits = self._run(step)
        # Assigned last: after a pass that ran out of memory the state is unchanged, and a smaller batch can follow.
        self._held, self._held_tokens = step.kept, self._next_held
        return logits

    def with_last_layer(self, last_layer: LastLayer | None) -> PackedCausalLM:
        """As this one, holding the same keys and values, with another way to compute the last layer."""
        other = copy.copy(self)
        other.last_layer = last_layer
        return other

    def _run(self, step: PackedPass) -> torch.Tensor:
        ids = torch.from_numpy(step.row.tokens).to(self._device)
        scored = torch.tensor(step.row.scored, device=self._device)
        last_layer = contextlib.nullcontext() if self.last_layer is None else self.last_layer.narrowed_to(scored)
        with packed_attention(self._network, NAME), last_layer:
            # Positions are passed in because each prompt counts from its own first token, not from the row's. The cache
            # of transformers is off: it would keep the whole row, while a pass keeps only what the next one shares.
            logits = self._network(
                **self._inputs(ids),
                position_ids=torch.from_numpy(step.row.positions)[None].to(self._device),
                use_cache=False,
                logits_to_keep=scored,
                packed=step,
            ).logits
        return logits[0]

    def _inputs(self, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        if self._soft.virtual is None:
            return {"input_ids": ids[None]}
        return {"inputs_embeds": embedded(self._network, ids, self._soft.virtual)[None]}


def option_scores(step: PackedPass, logits: torch.Tensor, requests: Sequence[Request]) -> list[list[float]]:
    """Log-probabilities, one list per request, parallel to its options.

    Args:
        step: the pass over the requests.
        logits: of its scored tokens, [scored, vocabulary].
    """
    picks = step.row.picks
    values = log_probabilities(logits, [pick.rank for pick in picks], [pick.token for pick in picks])
    totals = [[0.0] * len(request.options) for request in requests]
    for pick, value in zip(picks, values, strict=True):
        totals[pick.part][pick.option] += value
    return totals


def embedded(network: Network, ids: torch.Tensor, virtual: torch.Tensor) -> torch.Tensor:
    """Embed ids, [tokens, width]; ids from the size of the vocabulary on are virtual tokens."""
    embeddings = network.get_input_embeddings()
    beyond = ids - embeddings.weight.shape[0]
    # Both sides are computed and chosen from: with a boolean index the host would wait for the device to count.
    words = embeddings(ids.masked_fill(beyond >= 0, 0))
    return torch.where(beyond[:, None] >= 0, virtual[beyond.clamp(min=0)].to(words), words)


class LastLayer:
    """Makes the last layer compute what follows its attention for the scored tokens only; nothing reads the others.

    Args:
        network: the whole model.
        attention: the attention of its last layer.
    """

    def __init__(self, network: nn.Module, attention: nn.Module) -> None:
        self.attention = attention
        self._rows: torch.Tensor | None = None
        self._width = 0
        layer = next(module for module in network.modules() if attention in module.children())
        modules = [child for name, child in attention.named_children() if name in _POSITION_WISE]
        modules += [child for name, child in layer.named_children() if name == "mlp"]
        # Hooks, because they leave the layer's own code in use, whatever its architecture does between these modules.
        self._handles = [
            handle
            for module in modules
            for handle in (module.register_forward_pre_hook(self._narrow), module.register_forward_hook(self._widen))
        ]

    def remove(self) -> None:
        """Leave the network as it was."""
        for handle in self._handles:
            handle.remove()

    @contextlib.contextmanager
    def narrowed_to(self, rows: torch.Tensor) -> Generator[None]:
        """Compute only these tokens of a row, inside the context."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    def _narrow(self, _: nn.Module, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if self._rows is None:
            return arguments
        self._width = arguments[0].shape[1]
        return (arguments[0][:, self._rows], *arguments[1:])

    def _widen(self, _: nn.Module, __: object, output: torch.Tensor) -> torch.Tensor:
        if self._rows is None:
            return output
        # Back to the row's full length: residual connections add this to the states of all tokens.
        whole = output.new_zeros(output.shape[0], self._width, *output.shape[2:])
        whole[:, self._rows] = output
        return whole


def _in_common(one: NDArray[np.int32], other: NDArray[np.int32]) -> int:
    """The length of the common prefix of two sequences."""
    size = min(len(one), len(other))
    differs = np.flatnonzero(one[:size] != other[:size])
    return int(differs[0]) if len(differs) else size
