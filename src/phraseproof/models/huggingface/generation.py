"""Texts through transformers' own `generate`: its settings and processors, and batches of contexts.

`answer_writer.py` takes this way for networks that the engine cannot pack, and for texts that rounding might change.
"""

from __future__ import annotations

import copy
import hashlib
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from transformers import LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.configuration_utils import GenerationMode
from transformers.generation.logits_process import (
    InfNanRemoveLogitsProcessor,
    LogitNormalization,
    MinPLogitsWarper,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)
from transformers.generation.stopping_criteria import EosTokenCriteria, MaxLengthCriteria
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.core import CutText, Sampling
from phraseproof.engine.generation.token_choice import Noise, NoisyScores, RoundingTies, TextProcessors
from phraseproof.engine.network import Network
from phraseproof.engine.padded import pad_rows
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, run_batches
from phraseproof.engine.plan.request import Request
from phraseproof.errors import UsageError
from phraseproof.models.huggingface.thought_marks import decoded
from phraseproof.models.huggingface.tokenization import Tokenizer
from phraseproof.models.stop_strings import stops_at

if TYPE_CHECKING:
    from transformers import GenerationConfig

_ROWS_ALONE = (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    MinPLogitsWarper,
    TypicalLogitsWarper,
    SuppressTokensLogitsProcessor,
    InfNanRemoveLogitsProcessor,
    LogitNormalization,
)
"""Processors that read neither the tokens nor other rows, so that texts may share their passes."""


class GenerationSetup(NamedTuple):
    """What generation needs of a model.

    Attributes:
        network: a transformers model that generates.
        tokenizer: its tokenizer.
        inputs: what `generate` takes to continue from contexts, in their order.
        pad_id: pads texts that end early.
        batches: whether several prompts may share a batch, because padding does not change their states.
    """

    network: Network
    tokenizer: Tokenizer
    inputs: Callable[[Sequence[Request]], dict[str, object]]
    pad_id: int
    batches: bool = True


class TextSettings(NamedTuple):
    """How the texts of a call are written.

    Attributes:
        most: the maximum number of new tokens.
        sampling: how tokens are chosen; its seed is not read.
        stop: texts that end a text.
        seeds: of the random numbers of each text; not read under greedy decoding.
    """

    most: int
    sampling: Sampling
    stop: Sequence[str]
    seeds: Sequence[int]

    def noise_of(self, texts: Sequence[int]) -> Noise | None:
        """For the draws of these texts, numbered by their places; `None` under greedy decoding."""
        return Noise([self.seeds[text] for text in texts]) if self.sampling.temperature > 0 else None


class GeneratedText(NamedTuple):
    """A text that a model wrote.

    Attributes:
        text: without special tokens, stop strings and white space at its ends; a `CutText` if it was cut.
        tokens: how many tokens were generated for it.
    """

    text: str
    tokens: int


class ModelChoices(NamedTuple):
    """How transformers would choose a model's next tokens.

    Attributes:
        config: the prepared settings.
        processors: what it applies to logits, in order.
        given: the tokens that processors see before the written ones, [1, tokens].
        can_be_followed: whether the engine can choose in the same way: tokens one by one, until an end token or the
            maximum number of tokens.
    """

    config: GenerationConfig
    processors: LogitsProcessorList
    given: torch.Tensor
    can_be_followed: bool

    @property
    def treat_rows_alone(self) -> bool:
        """Whether processors read neither the tokens nor other rows."""
        return all(type(each) in _ROWS_ALONE for each in self.processors)

    @property
    def as_processors(self) -> TextProcessors:
        """For the engine."""
        return TextProcessors(self.processors, self.given)


def check_sampling(sampling: Sampling, max_new_tokens: int) -> None:
    """Refuse settings that no model can follow.

    Raises:
        UsageError: names the setting.
    """
    if max_new_tokens < 1:
        raise UsageError("at least one new token is needed", got=str(max_new_tokens), where="max_new_tokens")
    if not 0 <= sampling.temperature < float("inf"):
        raise UsageError("the temperature is out of range", expected="0 or more", got=str(sampling.temperature))
    if not 0 < sampling.top_p <= 1:
        raise UsageError("top_p is out of range", expected="above 0, at most 1", got=str(sampling.top_p))
    if sampling.top_k < 0:
        raise UsageError("top_k is out of range", expected="0 (all tokens) or more", got=str(sampling.top_k))


def generation_config(setup: GenerationSetup, settings: TextSettings) -> GenerationConfig:
    """The model's own generation settings (its end tokens above all), with ours in place of theirs."""
    sampling = settings.sampling
    drawn = sampling.temperature > 0
    # A copy, because `generate` of the user's own code reads the same object. A `top_k` of 0 switches off the default
    # of 50, which would cut the distribution that `sampling` describes.
    config = copy.deepcopy(setup.network.generation_config)
    config.update(
        do_sample=drawn,
        num_beams=1,
        max_new_tokens=settings.most,
        max_length=None,
        temperature=sampling.temperature if drawn else None,
        top_k=sampling.top_k if drawn else None,
        top_p=sampling.top_p if drawn else None,
        stop_strings=None,  # those of the model are in `own_stop_strings`
    )
    if config.pad_token_id is None:
        config.pad_token_id = setup.pad_id
    return config


def own_stop_strings(network: Network) -> tuple[str, ...]:
    """The stop strings of the model's own generation settings."""
    own: str | list[str] | None = network.generation_config.stop_strings
    return (own,) if isinstance(own, str) else tuple(own or ())


def model_choices(setup: GenerationSetup, config: GenerationConfig, request: Request) -> ModelChoices:
    """How `generate` would choose the tokens after a context. Runs nothing but its preparations."""
    found: list[ModelChoices] = []

    def decode(
        model: Network,  # noqa: ARG001
        input_ids: torch.Tensor,
        logits_processor: LogitsProcessorList,
        stopping_criteria: StoppingCriteriaList,
        generation_config: GenerationConfig,
        **_: object,
    ) -> torch.Tensor:
        ends = all(type(each) in {MaxLengthCriteria, EosTokenCriteria} for each in stopping_criteria)
        one_by_one = generation_config.get_generation_mode() in {GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE}
        found.append(ModelChoices(generation_config, logits_processor, input_ids, ends and one_by_one))
        return input_ids

    if setup.network.config.is_encoder_decoder:
        padded = pad_rows([request.context], setup.pad_id, device=str(setup.network.device))
        # Given, so that the encoder is not run; only its shape is read.
        nothing = BaseModelOutput(last_hidden_state=torch.zeros(*padded.ids.shape, 1, device=padded.ids.device))
        inputs = {"input_ids": padded.ids, "attention_mask": padded.mask, "encoder_outputs": nothing}
    else:
        inputs = setup.inputs([request])
    setup.network.generate(**inputs, generation_config=config, custom_generate=decode)
    return found[0]


def generate_texts(
    setup: GenerationSetup,
    texts: Sequence[int],
    requests: Sequence[Request],
    settings: TextSettings,
    *,
    limit: BatchLimit,
    ties: RoundingTies | None,
) -> Iterator[tuple[int, GeneratedText]]:
    """Continue the contexts of `requests`, and yield each text after the batch that completes it.

    Args:
        texts: the numbers of the texts that are written.
        requests: of all texts.
        limit: how large a batch may grow.
        ties: texts of a batch that have near-ties are written again alone; `None` leaves them.

    Raises:
        ModelError: memory runs out on a single prompt.
    """
    from accelerate.utils.memory import (
        clear_device_cache,
        should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
    )

    if not texts:
        return
    config = generation_config(setup, settings)
    together = setup.batches and model_choices(setup, config, requests[texts[0]]).treat_rows_alone

    def run(batch: Sequence[int]) -> list[GeneratedText | None]:
        with torch.inference_mode():
            return _batch(setup, batch, [requests[text] for text in batch], settings, config, ties)

    lengths = [len(request.context) + settings.most for request in requests]
    alone = BatchLimit(items=1)
    for size in (limit if together else alone, alone):
        planned = plan_batches([lengths[text] for text in texts], size)
        batches = [[texts[place] for place in batch] for batch in planned]
        again: list[int] = []
        for batch, found in run_batches(
            batches, lengths, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
        ):
            for text, written in zip(batch, found, strict=True):
                if written is None:
                    again.append(text)
                else:
                    yield text, written
        texts = again


def _batch(
    setup: GenerationSetup,
    texts: Sequence[int],
    requests: Sequence[Request],
    settings: TextSettings,
    config: GenerationConfig,
    ties: RoundingTies | None,
) -> list[GeneratedText | None]:
    """One batch; `None` for texts that are to be written alone. A text alone has no near-ties."""
    inputs = setup.inputs(requests)
    ids = inputs.get("input_ids")
    # A decoder-only model repeats the tokens it was given (none, where it was given embeddings); a decoder starts with
    # its start token.
    given = int(ids.shape[1]) if isinstance(ids, torch.Tensor) else int("encoder_outputs" in inputs)
    if "encoder_outputs" in inputs and "past_key_values" not in inputs:
        # Some processors read the encoder's tokens.
        inputs["input_ids"] = pad_rows(
            [request.context for request in requests], setup.pad_id, device=str(setup.network.device)
        ).ids
    noise = settings.noise_of(texts)
    last = NoisyScores(len(texts), noise, ties if len(texts) > 1 else None)

    def decode(
        model: Network,
        input_ids: torch.Tensor,
        logits_processor: LogitsProcessorList,
        generation_config: GenerationConfig,
        **named: object,
    ) -> torch.Tensor:
        last.given = int(input_ids.shape[1])
        logits_processor.append(last)
        # The noise makes the highest score a draw.
        generation_config.do_sample = False
        return model._sample(  # noqa: SLF001 - the loop of `generate`, which takes no other one for its modes
            input_ids, logits_processor=logits_processor, generation_config=generation_config, **named
        )

    own: dict[str, Any] = {}
    if noise is not None or len(texts) > 1:
        own["custom_generate"] = decode
    if settings.stop:
        own["stopping_criteria"] = StoppingCriteriaList([_StopsAtText(setup.tokenizer, settings.stop, given)])
    sequences = setup.network.generate(**inputs, generation_config=config, **own)
    ends = end_tokens(config)
    written: list[GeneratedText | None] = []
    for row, tokens in enumerate(sequences[:, given:].tolist()):
        size = next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))
        if last.near_ties.get(row, size) < size:
            written.append(None)
            continue
        is_cut = size == settings.most and tokens[size - 1] not in ends
        written.append(as_written(setup.tokenizer, tokens[:size], settings.stop, is_cut=is_cut))
    return written


class _StopsAtText(StoppingCriteria):
    """Ends a sequence whose text has one of the stop strings."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str], given: int) -> None:
        self._tokenizer, self._stop, self._given = tokenizer, stop, given

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:  # noqa: ARG002 # pyright: ignore[reportIncompatibleMethodOverride] - transformers types booleans apart
        """Whether each row has ended, [rows]."""
        rows: list[list[int]] = input_ids[:, self._given :].tolist()
        return torch.tensor([has_stopped(self._tokenizer, row, self._stop) for row in rows], device=input_ids.device)


def has_stopped(tokenizer: Tokenizer, tokens: Sequence[int], stop: Sequence[str]) -> bool:
    """Whether the text of generated tokens has a stop string."""
    return stops_at(decoded(tokenizer, tokens), stop) is not None


def as_written(tokenizer: Tokenizer, tokens: Sequence[int], stop: Sequence[str], *, is_cut: bool) -> GeneratedText:
    """The text of generated tokens.

    Args:
        is_cut: whether they ended at the maximum number of tokens.
    """
    text = decoded(tokenizer, tokens)
    place = stops_at(text, stop)
    if place is not None:
        # The batch continues for its other texts, so tokens after the stop string are not counted.
        sizes = range(1, len(tokens) + 1)
        size = bisect(sizes, False, key=lambda size: has_stopped(tokenizer, tokens[:size], stop)) + 1
        return GeneratedText(text[:place].strip(), size)
    return GeneratedText(CutText(text.strip()) if is_cut else text.strip(), len(tokens))


def end_tokens(config: GenerationConfig) -> frozenset[int]:
    """The tokens that end a text."""
    ends: int | list[int] | None = config.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends])


def seed_of(seed: int, text: str) -> int:
    """The seed of one prompt's random numbers."""
    key = f"{seed}\0{text}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
