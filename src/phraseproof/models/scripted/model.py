"""A deterministic fake with every capability and without torch, for tests and for machines without a model."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.core import (
    GREEDY,
    PENULTIMATE,
    ChatMessage,
    Check,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
    TokenForecast,
)
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.options import ModelOptions, check_argument_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Score = Callable[[Prompt, str], float]
Write = Callable[[Prompt, Sampling], str]

_KNOWN_ARGS = ("answers", "chat", "delay_s", "rule", "seed")
_METHODS = ("loglikelihood", "paper")


class ScriptedModel:
    """Scores options by a rule instead of a network. The same prompt always gets the same answer, on every machine.

    Args:
        score: a score for one option of a prompt (the higher the better); `None` draws one from a hash of the seed,
            the prompt's text and the option. Scores are turned into log-probabilities that sum to one over the options.
        seed: the seed of the default score.
        delay_s: seconds to sleep for each prompt, so that a run takes some time.
        has_chat_template: whether the model declares its own chat template.
        name: the name in its identity.
        write: the text that the model writes, by prompt and sampling.
        writes: the name of `write` in the model's identity, so that other answers are another model.
    """

    def __init__(
        self,
        score: Score | None = None,
        *,
        seed: int = 0,
        delay_s: float = 0.0,
        has_chat_template: bool = False,
        name: str = "scripted",
        write: Write | None = None,
        writes: str | None = None,
    ) -> None:
        self._write = write
        self._writes = {} if writes is None else {"answers": writes}
        self._score = score or _random(seed)
        self._seed = seed
        self._delay_s = delay_s
        self._has_chat_template = has_chat_template
        self._name = name
        self._rule = "random" if score is None else _rule_name(score)

    @property
    def identity(self) -> ModelIdentity:
        """Name, rule and seed: all that the scores depend on."""
        return ModelIdentity(
            name=self._name,
            revision="1",
            architecture="ScriptedModel",
            settings={"rule": self._rule, "seed": str(self._seed), **self._writes},
        )

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        """Score by the rule; both methods give the same. Tokens are words separated by white space."""
        if method not in _METHODS:
            raise ModelError(f"unknown scoring method '{method}'", expected=f"one of: {', '.join(_METHODS)}")
        scored: list[OptionScores] = []
        for prompt in prompts:
            if not prompt.options:
                raise ModelError("a prompt without options cannot be scored", got=repr(prompt.text[-60:]))
            if self._delay_s:
                time.sleep(self._delay_s)
            words = len(prompt.text.split())
            of_options = tuple(len(option.split()) for option in prompt.options)
            computed = words + sum(of_options)
            logprobs = _normalise([self._score(prompt, option) for option in prompt.options])
            asked = words * len(prompt.options) + sum(of_options)
            scored.append(OptionScores(logprobs, words, computed, asked_tokens=asked, option_tokens=of_options))
            if on_done is not None:
                on_done(1)
        return scored

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: Callable[[int, OptionScores | ModelError], None],
    ) -> None:
        """Call `score_options` for one prompt after the other, so that a subclass overrides only that method."""
        for index, prompt in enumerate(prompts):
            on_scores(index, self.score_options([prompt], method=method)[0])

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of words of each prompt."""
        return [len(prompt.text.split()) for prompt in prompts]

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """Count the words to read, option by option, and with each distinct prompt read once."""
        asked = unique = 0
        seen: set[str] = set()
        for prompt in prompts:
            words = len(prompt.text.split())
            option_words = sum(len(option.split()) for option in prompt.options)
            asked += words * len(prompt.options) + option_words
            unique += option_words
            if prompt.text not in seen:
                seen.add(prompt.text)
                unique += words
        return TokenForecast(asked, unique)

    @property
    def has_chat_template(self) -> bool:
        """The argument `has_chat_template`."""
        return self._has_chat_template

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """Format `<user>...</user>` and `<assistant>...</assistant>` turns, with an open assistant turn at the end."""
        if not self._has_chat_template:
            raise ModelError(f"the model '{self._name}' has no chat template")
        turns = [f"<{message.role}>{message.content}</{message.role}>\n" for message in messages]
        return "".join(turns) + "<assistant>"

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Make the checks that need no tokenizer: repeated scoring agrees, and options differ."""
        scorable = [prompt for prompt in prompts if prompt.options]
        together = self.score_options(scorable)
        alone = [self.score_options([prompt])[0] for prompt in scorable]
        distinct = all(len(set(prompt.options)) == len(prompt.options) for prompt in scorable)
        return [
            Check("batch invariance", together == alone, f"prompts scored alone and together: {len(scorable)}"),
            Check("no doubled BOS", True, "a scripted model has no special tokens"),
            Check("options tokenise apart", distinct, "options are compared as texts"),
        ]

    def count_layers(self) -> int:
        """The average, and its tangent."""
        return 2

    def represent(
        self, prompts: Sequence[Prompt], *, layer: int = PENULTIMATE, on_done: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Average the vectors of a prompt's words, [prompts, 8], drawn from their hashes: similar prompts are close.

        The layer after it has the hyperbolic tangent of the average.
        """
        import numpy as np

        rows: list[NDArray[np.float64]] = []
        for prompt in prompts:
            words = prompt.text.lower().split() or [""]
            digests = [hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest() for word in words]
            rows.append(np.mean([np.frombuffer(digest, dtype=np.uint8) / 128.0 - 1.0 for digest in digests], axis=0))
            if on_done is not None:
                on_done(1)
        states = np.array(rows, dtype=np.float32)
        return (states, np.tanh(states))[layer]

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Write the best option's first words, or the prompt's own last words if it has no options.

        A `write` rule replaces both. If `sampling` is not greedy, its seed chooses which of the prompt's words.
        """
        texts: list[str] = []
        for prompt in prompts:
            if self._delay_s:
                time.sleep(self._delay_s)
            if self._write is not None:
                texts.append(self._write(prompt, sampling))
            elif prompt.options:
                scores = [self._score(prompt, option) for option in prompt.options]
                words = prompt.options[scores.index(max(scores))].split()
                texts.append(" ".join(words[:max_new_tokens]))
            else:
                words = prompt.text.split()
                end = len(words) if sampling.temperature == 0 else 1 + sampling.seed % max(1, len(words))
                texts.append(" ".join(words[:end][-max_new_tokens:]))
        return texts


def load(name: str, options: ModelOptions) -> ScriptedModel:
    """Load the model `scripted`; `--model-arg` takes answers, seed, delay_s, rule and chat."""
    check_argument_names(options.args, known=_KNOWN_ARGS, model=name)
    if options.adapter is not None:
        raise UsageError(f"the model '{name}' cannot take an adapter", where="--adapter")
    args = options.args
    seed = _number(args.get("seed", "0"), name="seed", as_type=int)
    delay_s = _number(args.get("delay_s", "0"), name="delay_s", as_type=float)
    if not 0 <= delay_s < math.inf:
        raise UsageError("'delay_s' must not be negative", got=args["delay_s"], where="--model-arg delay_s")
    rule = args.get("rule", "random")
    if rule != "random" and rule not in _RULES:
        raise UsageError(
            f"unknown rule '{rule}'", expected=f"one of: {', '.join(['random', *_RULES])}", where="--model-arg rule"
        )
    chat = args.get("chat", "false")
    if chat not in {"true", "false"}:
        raise UsageError("'chat' must be true or false", got=f"'{chat}'", where="--model-arg chat")
    write = writes = None
    if "answers" in args:
        from phraseproof.models.scripted.prepared_answers import read_answers

        write, writes = read_answers(Path(args["answers"]))
    return ScriptedModel(
        _RULES.get(rule),
        seed=int(seed),
        delay_s=delay_s,
        has_chat_template=chat == "true",
        name=name,
        write=write,
        writes=writes,
    )


def _random(seed: int) -> Score:
    def score(prompt: Prompt, option: str) -> float:
        key = "\0".join((str(seed), prompt.text, option)).encode(errors="surrogatepass")
        drawn = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
        return -math.log((drawn + 1) / 2**64)

    return score


def _first(prompt: Prompt, option: str) -> float:
    return -float(prompt.options.index(option))


def _longest(prompt: Prompt, option: str) -> float:  # noqa: ARG001 - every rule has the same signature
    return len(option) / 10


def _overlap(prompt: Prompt, option: str) -> float:
    words = set(option.lower().split())
    return 3 * len(words & set(prompt.text.lower().split())) / max(1, len(words))


_RULES: dict[str, Score] = {"first": _first, "longest": _longest, "overlap": _overlap}


def _rule_name(score: Score) -> str:
    names = {function: name for name, function in _RULES.items()}
    return names.get(score) or getattr(score, "__qualname__", type(score).__name__)


def _normalise(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores)
    if not math.isfinite(highest):  # no finite sum to divide by, so the rule's scores are returned unchanged
        return tuple(scores)
    total = highest + math.log(sum(math.exp(score - highest) for score in scores))
    return tuple(score - total for score in scores)


def _number(text: str, *, name: str, as_type: Callable[[str], float]) -> float:
    try:
        return as_type(text)
    except ValueError:
        raise UsageError(f"'{name}' must be a number", got=f"'{text}'", where=f"--model-arg {name}={text}") from None
