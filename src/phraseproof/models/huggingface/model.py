"""A Hugging Face model with its capabilities: it scores options, writes text and gives representations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.core import (
    GREEDY,
    PENULTIMATE,
    Check,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
    TokenForecast,
)
from phraseproof.engine.network import Network
from phraseproof.engine.plan.batching import BatchLimit, batch_tokens
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.adapter_tokenizer import AdapterTokenizer, adapter_tokenizer
from phraseproof.models.huggingface.chat_template import ChatTemplate, FormatsWithTemplate
from phraseproof.models.huggingface.executor import Executor
from phraseproof.models.huggingface.loaded import LazyNetwork
from phraseproof.models.huggingface.requests import RequestBuilder
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens, Tokenizer
from phraseproof.models.streamed_scores import OnScores
from phraseproof.models.text_checks import check_texts

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from phraseproof.models.huggingface.adapters import AdapterFolder
    from phraseproof.models.huggingface.answer_writer import AnswerWriter
    from phraseproof.models.huggingface.backend import Backend
    from phraseproof.models.huggingface.checkpoint import Checkpoint
    from phraseproof.models.huggingface.hidden_states import HiddenStateReader


class HuggingFaceModel(FormatsWithTemplate):
    """A checkpoint and what scores, writes and represents with it. Each part has one task; this class connects them.

    Args:
        checkpoint: configuration, tokenizer, and the options (dtype, device, batch size, adapter, maximum length).

    Attributes:
        weights: the network, loaded on first use.
        backend: how networks of its family compute.
        executor: scores prompts in batches.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._adapter = _adapter_folder(checkpoint)
        self._adapter_tokenizer: AdapterTokenizer | None = None
        if self._adapter is not None:
            self._adapter_tokenizer = adapter_tokenizer(
                self._adapter.folder, checkpoint.tokenizer, trust_remote_code=checkpoint.options.trust_remote_code
            )
            checkpoint = checkpoint.with_tokenizer(self._adapter_tokenizer.tokenizer)
        self._checkpoint = checkpoint
        self.weights = LazyNetwork(checkpoint, self._adapter)
        self.backend = _backend(checkpoint, self.weights)
        self._chat = ChatTemplate(checkpoint.tokenizer, checkpoint.options, model=checkpoint.name)
        self._tokenizer = PromptTokenizer(checkpoint.tokenizer, joined=self.backend.is_decoder_only)
        self._requests = RequestBuilder(self._tokenizer, checkpoint.name)
        self.executor = Executor(self.weights, self.backend, self._requests)
        # Kept, because hashing a folder's weights takes seconds. A property, because the protocols have one.
        self._identity: ModelIdentity | None = None
        self._state_readers: dict[int, HiddenStateReader] = {}

    # ------------------------------------------------------------------------------------------------- capabilities

    @property
    def identity(self) -> ModelIdentity:
        """Name, revision, class, dtype, adapter, and the settings that change scores. Does not load the weights."""
        if self._identity is None:
            self._identity = self._identify()
        return self._identity

    def _identify(self) -> ModelIdentity:
        settings = dict(self._chat.settings)
        if self._adapter_tokenizer is not None and self._adapter_tokenizer.differs:
            settings["adapter_tokenizer"] = (
                f"{self._adapter_tokenizer.differs} ({self._adapter_tokenizer.content_hash[:16]})"
            )
        if (limit := self.context_limit) is not None:
            settings["max_length"] = str(limit)
        if (attention := self._checkpoint.options.args.get("attn_implementation")) is not None:
            settings["attn_implementation"] = attention
        if self.weights.has_half_products:
            settings["half_precision"] = "products"
        if self._checkpoint.gguf is not None:
            settings["gguf"] = self._checkpoint.gguf.quantization
        if (tokenizer := self._checkpoint.given_tokenizer) is not None:
            settings["tokenizer"] = tokenizer
        return ModelIdentity(
            name=self._checkpoint.name,
            revision=self._checkpoint.revision,
            architecture=self._checkpoint.architecture,
            dtype=self.dtype,
            adapter=self._adapter.content_hash if self._adapter else None,
            settings=settings,
        )

    @property
    def scores_alternatives(self) -> bool:
        """Requests have a prompt of their own each."""
        return True

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt. Scores do not depend on which prompts are scored together.

        Padding does not count as `computed_tokens`. Tokens that several prompts share count for the first of them.

        Raises:
            ModelError: an unknown method, a prompt without options, an option without tokens or longer than the
                model's context, memory that runs out on a single prompt, weights or an adapter that cannot be read.
        """
        return self.executor.score(prompts, method=method, limit=self._batch_limit, on_done=on_done)

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: OnScores,
    ) -> None:
        """As `score_options`, in the same batches, but hand over each prompt's scores after the batch that ends it.

        Raises:
            ModelError: as `score_options`.
        """
        self.executor.stream(prompts, method=method, limit=self._batch_limit, on_scores=on_scores)

    @property
    def weight_bytes(self) -> int | None:
        """The size of the files that hold the weights; `None` for a hub id."""
        return self._checkpoint.weight_bytes

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """The tokens of one pass per option, and those that scoring computes. Does not load the weights."""
        return self.executor.forecast(prompts)

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of tokens of each prompt, special tokens included. Does not load the weights."""
        return self._tokenizer.count(prompts)

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Continuations without special tokens, stripped of white space at their ends: see `generation.py`.

        Prompts are tokenised as they are. Prompts that leave no room for the new tokens are cut from the left.

        Raises:
            ModelError: a model that cannot generate, no room for the new tokens, memory that runs out on one prompt.
            UsageError: settings out of range.
        """
        texts = [""] * len(prompts)

        def keep(index: int, scores: OptionScores | ModelError) -> None:
            if isinstance(scores, ModelError):
                raise scores
            texts[index] = scores.text or ""

        self.write_answers(prompts, max_new_tokens=max_new_tokens, samplings=[sampling] * len(prompts), on_scores=keep)
        return texts

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: OnScores,
        stop: Sequence[str] = (),
    ) -> None:
        """Write texts as `generate` does, and hand over each one as soon as it is complete.

        Greedy texts of equal prompts are written once. A drawn text depends on the seed and the prompt's text alone.

        Raises:
            ModelError, UsageError: as `generate`.
        """
        self._writer.write(prompts, max_new_tokens=max_new_tokens, samplings=samplings, stop=stop, on_scores=on_scores)

    @property
    def _writer(self) -> AnswerWriter:
        from phraseproof.models.huggingface.answer_writer import AnswerWriter

        return AnswerWriter(self.weights, self.backend, self._requests, self._tokenizer, self._batch_limit)

    def count_layers(self) -> int:
        """The number of layers whose states can be read; loads the weights."""
        return self._state_reader(PENULTIMATE).count_layers()

    def represent(
        self, prompts: Sequence[Prompt], *, layer: int = PENULTIMATE, on_done: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """A layer's state at the first decoded token of each prompt: see `hidden_states.py`.

        Prompts that are too long are cut from the left, as they are for scoring an option of one token.

        Raises:
            ModelError: a state that is not finite, or memory that runs out on a single prompt.
        """
        contexts = [encoded.context for encoded in self.encode(prompts)]
        kept = [context[-max(1, self.backend.kept(len(context), 1)) :] for context in contexts]
        return self._state_reader(layer).read(kept, on_done=on_done)

    def _state_reader(self, layer: int) -> HiddenStateReader:
        """Kept, because it remembers what its trials found."""
        from phraseproof.models.huggingface.hidden_states import HiddenStateReader

        if layer not in self._state_readers:
            # In bfloat16 packed layers give other states, so they must not depend on what was scored before.
            self.weights.pack_layers()
            self._state_readers[layer] = HiddenStateReader(
                self.weights.load(),
                self.backend.facts(),
                joined=self.is_decoder_only,
                pad_id=self.pad_id,
                limit=self._batch_limit,
                layer=layer,
            )
        return self._state_readers[layer]

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Check that scores can be trusted: see `self_test.py` for what each check means.

        Raises:
            ModelError: weights or an adapter that cannot be loaded; this is an error, not a failed check.
        """
        from phraseproof.models.huggingface.self_test import SelfTestSubject, run_checks

        if prompts and not any(prompt.options for prompt in prompts):
            path = Check("generation path", passed=True, detail=self._writer.path())
            return [*check_texts(self, prompts, self.dtype), path]
        subject = SelfTestSubject(
            tokenizer=self.tokenizer,
            closing=self._tokenizer.closing,
            dtype=self.dtype,
            adapter=self.weights.load().adapter,
            encode=self.encode,
            executor=self.executor,
        )
        return run_checks(
            subject, [each for prompt in prompts for each in prompt.alternatives or (prompt,) if each.options]
        )

    @property
    def num_parameters(self) -> int:
        """The number of parameters, without an adapter's. Loads the weights."""
        return self.weights.load().num_parameters

    def in_float32(self) -> HuggingFaceModel | None:
        """The same model in float32, loaded when it first scores; `None` if it is in float32 already."""
        return None if self.dtype == "float32" else HuggingFaceModel(self._checkpoint.in_float32())

    def precision_warning(self) -> str | None:
        """That half precision is emulated on this CPU, or `None`."""
        from phraseproof.engine.cpu.half_products import emulated

        if self.device != "cpu" or not emulated(self.dtype):
            return None
        return f"{self.dtype} is emulated on this CPU: it takes less memory than --dtype float32, and more time"

    def encode(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """The tokens that the method `loglikelihood` scores."""
        return self._tokenizer.encode(prompts)

    # ------------------------------------------------------------------------------ what training needs (trainable.py)

    @property
    def tokenizer(self) -> Tokenizer:
        """The Hugging Face tokenizer."""
        return self._checkpoint.tokenizer

    @property
    def network(self) -> Network:
        """The transformers model. Loads the weights."""
        return self.weights.network

    @property
    def dtype(self) -> str:
        """The precision of the weights, by name."""
        return self._checkpoint.precision.dtype

    @property
    def device(self) -> str:
        """The device of the weights, as torch names it. Does not load them."""
        return self._checkpoint.precision.device

    @property
    def is_decoder_only(self) -> bool:
        """Whether prompt and answer are one sequence of tokens; else the model is an encoder-decoder."""
        return self.backend.is_decoder_only

    @property
    def context_limit(self) -> int | None:
        """The largest number of input tokens, or `None` without a limit."""
        return self.backend.context_limit

    @property
    def pad_id(self) -> int:
        """A token to pad with; any would do, because padding is masked."""
        return self.backend.pad_id

    @property
    def has_adapter(self) -> bool:
        """Whether the model was requested with an adapter."""
        return self._adapter is not None

    def with_plain_layers(self) -> HuggingFaceModel:
        """This model; or one that reads its weights again, if scoring has packed the linear layers of this one."""
        return self.read_again() if self.weights.has_packed_layers else self

    def read_again(self) -> HuggingFaceModel:
        """The same model, whose weights are read again when they are needed."""
        return HuggingFaceModel(self._checkpoint.again())

    def with_adapter(self, folder: Path) -> HuggingFaceModel:
        """The same model with the adapter in a folder; its weights are read again when they are needed.

        Raises:
            ModelError: the folder holds no adapter for it.
        """
        checkpoint = self._checkpoint.again()
        checkpoint.options = replace(checkpoint.options, adapter=folder)
        return HuggingFaceModel(checkpoint)

    @property
    def _batch_limit(self) -> BatchLimit:
        """The requested size, or 1,024 tokens per batch on a CPU and 16,384 on an accelerator."""
        if self._checkpoint.options.batch_size is not None:
            return BatchLimit(items=self._checkpoint.options.batch_size)
        return BatchLimit(tokens=batch_tokens(self.weights.device))


def _adapter_folder(checkpoint: Checkpoint) -> AdapterFolder | None:
    if checkpoint.options.adapter is None:
        return None
    from phraseproof.models.huggingface.adapters import AdapterFolder

    folder = AdapterFolder(checkpoint.options.adapter)
    folder.check_family(encoder_decoder=checkpoint.is_encoder_decoder)
    return folder


def _backend(checkpoint: Checkpoint, weights: LazyNetwork) -> Backend:
    if checkpoint.is_encoder_decoder:
        from phraseproof.models.huggingface.seq2seq_lm import Seq2SeqLMBackend

        return Seq2SeqLMBackend(checkpoint, weights)
    from phraseproof.models.huggingface.causal_lm import CausalLMBackend

    return CausalLMBackend(checkpoint, weights)
