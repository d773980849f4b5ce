"""A GGUF file in llama.cpp, in this process: the weights stay quantised, and options are scored as a tree.

Its numbers are those of llama.cpp's kernels, which round what is multiplied with quantised weights to 8 bits. How far
that moves scores is measured on the same file, dequantised by transformers: by the self-test, and before a run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from phraseproof.core import Check, ModelIdentity, OptionScores, Prompt, TokenForecast
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.models.huggingface.chat_template import ChatTemplate, FormatsWithTemplate
from phraseproof.models.huggingface.executor import OnFinished, WindowScores
from phraseproof.models.huggingface.gguf import GGUFFile, gguf_path, read_gguf
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.requests import BuiltRequests, ContextWindow, RequestBuilder, planning_windows
from phraseproof.models.huggingface.tokenization import PromptTokenizer
from phraseproof.models.llamacpp.library import MAX_SEQUENCES, LlamaLibrary, version
from phraseproof.models.llamacpp.self_test import run_checks
from phraseproof.models.llamacpp.sequences import plan_sequences
from phraseproof.models.llamacpp.tokenizer import LlamaCppTokenizer
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int
from phraseproof.models.score_list import ScoreList
from phraseproof.models.streamed_scores import OnScores, collect_scores, require_options

PREFIX = "llamacpp/"
_KNOWN_ARGS = ("batch_size", "max_length", "threads")
_BATCH_TOKENS = 512


def load(name: str, options: ModelOptions) -> LlamaCppModel:
    """The provider for `llamacpp/FILE.gguf`.

    Raises:
        ModelError, UsageError, MissingExtraError: as `phraseproof.models.load_model` says.
    """
    path = gguf_path(name.removeprefix(PREFIX), ModelOptions())
    if path is None:
        raise ModelError(f"'{name}' does not name a GGUF file", expected="llamacpp/FILE.gguf", where="--model")
    args = options.args
    check_argument_names(args, known=_KNOWN_ARGS, model=f"'{name}'")
    for option, given in (
        ("--adapter", options.adapter is not None),
        ("--dtype", options.dtype != "auto"),
        ("--device", options.device not in {"auto", "cpu"}),
    ):
        if given:
            raise UsageError(
                f"{option} cannot be used with llamacpp/",
                where=option,
                hint="Without 'llamacpp/' the file is dequantised, and it can",
            )
    limit = positive_int(args["max_length"], name="max_length") if "max_length" in args else options.max_length
    size = positive_int(args["batch_size"], name="batch_size") if "batch_size" in args else options.batch_size
    threads = positive_int(args["threads"], name="threads") if "threads" in args else None
    return LlamaCppModel(name, read_gguf(path), options, max_length=limit, batch_size=size, threads=threads)


class LlamaCppModel(FormatsWithTemplate):
    """A GGUF file that llama.cpp computes with.

    Args:
        name: the name from the user, `llamacpp/FILE.gguf`.
        file: the file's header.
        options: the chat template's are used.
        max_length: the largest number of input tokens; by default the file's.
        batch_size: the number of prompts per call; by default, calls are sized by tokens.
        threads: how many threads compute; by default `OMP_NUM_THREADS`, or one per core.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
        ModelError: a file that llama.cpp cannot read.
    """

    def __init__(
        self,
        name: str,
        file: GGUFFile,
        options: ModelOptions,
        *,
        max_length: int | None = None,
        batch_size: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._name, self._file, self._options = name, file, options
        self._max_length, self._batch_size = max_length, batch_size
        self._library = LlamaLibrary(file.path, threads=threads)
        self.tokenizer = LlamaCppTokenizer(self._library, file.metadata)
        self._chat = ChatTemplate(self.tokenizer, options, model=name)
        self._prompts = PromptTokenizer(self.tokenizer, joined=True)
        self._requests = RequestBuilder(self._prompts, name)
        self._dequantised: HuggingFaceModel | None = None

    @functools.cached_property
    def identity(self) -> ModelIdentity:
        """The file's content, its types of blocks, and the version of llama.cpp."""
        settings = {**self._chat.settings, "gguf": self._file.quantization, "llama_cpp": version()}
        if (limit := self.context_limit) is not None:
            settings["max_length"] = str(limit)
        return ModelIdentity(
            name=self._name,
            revision=self._file.content_hash(),
            architecture=self._file.architecture,
            dtype=self._file.quantization.split()[0],
            settings=settings,
        )

    @property
    def context_limit(self) -> int | None:
        """The largest number of input tokens, or `None` without a limit."""
        trained = self._file.metadata.get(f"{self._file.architecture}.context_length")
        return self._max_length or (trained if isinstance(trained, int) and trained > 0 else None)

    @property
    def weight_bytes(self) -> int:
        """The size of the file."""
        return self._file.size

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt.

        Scores depend on which prompts are computed together by what llama.cpp's kernels round; the self-test says how
        much.

        Raises:
            ModelError: another method, a prompt without options, an option that cannot be scored.
        """
        return self.score_in_batches(prompts, limit=self._limit, method=method, on_done=on_done)

    def score_in_batches(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: BatchLimit,
        method: str = "loglikelihood",
        on_done: Callable[[int], None] | None = None,
    ) -> Sequence[OptionScores]:
        """As `score_options`, in batches up to `limit`."""
        stream = functools.partial(self._stream, limit=limit)
        return collect_scores(stream, prompts, ScoreList(), method=method, on_done=on_done)

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: OnScores,
    ) -> None:
        """As `score_options`, but hand over each prompt's scores after the batch that ends it.

        Raises:
            ModelError: as `score_options`.
        """
        self._dequantised = None
        self._stream(prompts, method=method, on_scores=on_scores, limit=self._limit)

    def _stream(self, prompts: Sequence[Prompt], *, method: str, on_scores: OnScores, limit: BatchLimit) -> None:
        start = 0
        for some in planning_windows(prompts):

            def hand_over(scores: WindowScores, finished: Sequence[int], start: int = start) -> None:
                for index in finished:
                    on_scores(start + index, scores.of(index))

            built = self._build(some, method)
            for index, error in built.refused.items():
                on_scores(start + index, error)
            self._score(built, limit, hand_over)
            start += len(some)

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of tokens of each prompt, special tokens included."""
        return self._prompts.count(prompts)

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """The tokens of one pass per option, and those that scoring computes. Does not load the weights."""
        naive = computed = 0
        for some in planning_windows(prompts):
            requests, _ = self._build(some, "loglikelihood")
            naive += sum(requests.facts(prompt).asked_tokens for prompt in range(len(requests)))
            plan = plan_sequences(requests.distinct(), self._limit, max_sequences=MAX_SEQUENCES)
            computed += sum(plan.computed)
        return TokenForecast(naive, computed)

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Check that scores can be trusted, and say how far they are from the dequantised model's.

        Raises:
            ModelError: weights that cannot be loaded.
        """
        return run_checks(self, [prompt for prompt in prompts if prompt.options])

    def in_float32(self) -> HuggingFaceModel:
        """The same file, dequantised to float32 by transformers.

        It is kept until `stream_scores` is called, as a run does after self-test and measurement of the error, so that
        both load it once; no longer, because it takes several times the memory of the file.

        Raises:
            ModelError: transformers cannot read it as it is meant.
            MissingExtraError: torch or transformers is not installed.
        """
        from phraseproof.models.huggingface import provider

        if self._dequantised is not None:
            return self._dequantised
        options = ModelOptions(
            dtype="float32",
            max_length=self._max_length,
            batch_size=self._batch_size,
            chat_template=self._options.chat_template,
            chat_template_args=self._options.chat_template_args,
            chat_date=self._options.chat_date,
        )
        try:
            self._dequantised = provider.load(str(self._file.path), options)
        except MissingExtraError as error:
            raise ModelError(str(error)) from error
        return self._dequantised

    @property
    def description(self) -> str:
        """How scores are computed, for the record."""
        return f"one tree of shared beginnings per call, float32 keys and values; {self._library.description}"

    def encode(self, prompts: Sequence[Prompt]) -> Sequence[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
        """The tokens of each prompt, and of its options."""
        return [(tokens.context, tokens.options) for tokens in self._prompts.encode(prompts)]

    @property
    def _limit(self) -> BatchLimit:
        return BatchLimit(tokens=_BATCH_TOKENS) if self._batch_size is None else BatchLimit(items=self._batch_size)

    def _kept(self, context_tokens: int, option_tokens: int) -> int:
        limit = self.context_limit
        # An option's last token is only predicted, never read.
        return context_tokens if limit is None else min(context_tokens, limit - (option_tokens - 1))

    def _build(self, prompts: Sequence[Prompt], method: str) -> BuiltRequests:
        if method != "loglikelihood":
            raise ModelError(
                f"llamacpp/ cannot score by the method '{method}'",
                expected="loglikelihood or loglikelihood_norm",
                where="--scoring",
            )
        require_options(prompts)
        window = ContextWindow(self._kept, self.context_limit, self._library.vocabulary_size)
        return self._requests.build(prompts, method, window)

    def _score(self, built: BuiltRequests, limit: BatchLimit, on_finished: OnFinished) -> WindowScores:
        deduplicated = built.requests
        requests = deduplicated.distinct()
        plan = plan_sequences(requests, limit, max_sequences=MAX_SEQUENCES)
        scores = WindowScores(deduplicated, Schedule(requests, [], plan.computed, plan.computed))
        if not plan.batches:
            return scores
        self._library.reserve(
            cells=max(batch.cells for batch in plan.batches), batch=max(len(batch.tokens) for batch in plan.batches)
        )
        self._library.forget()
        users = deduplicated.users()
        waiting = [len(deduplicated.waits_for(prompt)) for prompt in range(len(deduplicated))]
        values, starts = scores.requests
        for batch in plan.batches:
            for place, value in zip(batch.places, self._library.compute(batch), strict=True):
                values[starts[place.request] + place.option] += value
            finished: list[int] = []
            for request in batch.requests:
                for prompt in users[request]:
                    waiting[prompt] -= 1
                    if waiting[prompt] == 0:
                        finished.append(prompt)
            if finished:
                on_finished(scores, finished)
        return scores
