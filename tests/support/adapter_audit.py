"""Adapters on a tiny network of any architecture: made, saved and computed by PEFT, loaded and scored by us."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from support import architectures, tiny_models
from support.architecture_audit import folder

SOFT = ("PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING")
KINDS = ("LORA", "IA3", *SOFT)
"""One injected kind that adds to what a layer gives, one that multiplies it, and the three kinds of soft prompts."""

VIRTUAL = 4
_STD = 0.2
_CLEAR = 10
"""An adapter proves something if it changes a score by so many times the difference from PEFT's pass."""


class AdapterAudit(NamedTuple):
    """What was found for one architecture and one kind of adapter.

    Attributes:
        worst: the largest difference from PEFT's own pass, in nats.
        change: the largest change of a score by the adapter, in nats.
        by_peft: what PEFT raised where it cannot make or compute the adapter; empty where it can.
        refused: our refusal, in one line; empty where the adapter was scored.
    """

    worst: float = 0.0
    change: float = 0.0
    by_peft: str = ""
    refused: str = ""

    @property
    def result(self) -> str:
        """One cell of the table in docs/architectures.md."""
        if self.by_peft:
            return "PEFT refuses"
        if self.refused:
            return "refused"
        if self.change < _CLEAR * max(self.worst, 1e-6):
            return "no effect"
        return "yes" if self.worst < 1e-4 else f"**off by {self.worst:.1g}**"


def audit_adapters(name: str, *, encoder_decoder: bool, kinds: Sequence[str] = KINDS) -> dict[str, AdapterAudit]:
    """Make, save, load and score an adapter of each kind on a tiny network of this architecture."""
    path = folder(name, encoder_decoder=encoder_decoder)
    base = _score(path, None, name)
    if isinstance(base, str):
        return {kind: AdapterAudit(refused=base) for kind in kinds}
    return {kind: _audit(path, kind, base, name, encoder_decoder) for kind in kinds}


def prompts() -> list[Prompt]:
    """Short ones, one beyond the windows of the tiny networks, with letters and with texts."""
    first, second, third, fourth = tiny_models.sentences(4, seed=31)
    long = " ".join([third, fourth, first])
    return [
        Prompt(" ".join(first.split()[:4]), ("A", "B")),
        Prompt(second, ("red green blue", "the heart")),
        Prompt(" ".join(long.split()[:24]), ("A", "red green")),
    ]


class _Scored(NamedTuple):
    model: Any
    scores: list[float]


def _score(path: Path, adapter: Path | None, name: str) -> _Scored | str:
    """The scores of all options, together and each prompt alone, or the refusal."""
    from phraseproof.errors import ModelError

    longest = architectures.POSITIONS if name.endswith("/dynamic") else None
    try:
        model: Any = load_model(str(path), ModelOptions(device="cpu", adapter=adapter, max_length=longest))
        chosen = prompts()
        together = [value for scores in model.score_options(chosen) for value in scores.logprobs]
        alone = [value for prompt in chosen for value in model.score_options([prompt])[0].logprobs]
    except ModelError as error:
        return str(error)
    return _Scored(model, together + alone)


def _audit(path: Path, kind: str, base: _Scored, name: str, encoder_decoder: bool) -> AdapterAudit:
    with tempfile.TemporaryDirectory() as place:
        saved = Path(place)
        try:
            theirs = _made(path, kind, saved, encoder_decoder=encoder_decoder)
            expected = _by_peft(theirs, base.model.encode(prompts()))
        except Exception as error:  # noqa: BLE001 - PEFT and transformers raise anything
            return AdapterAudit(by_peft=f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")
        found = _score(path, saved, name)
    if isinstance(found, str):
        return AdapterAudit(refused=found)
    differences = [abs(one - other) for one, other in zip(found.scores, expected * 2, strict=True)]
    changes = [abs(one - other) for one, other in zip(found.scores, base.scores, strict=True)]
    worst = max(differences)
    return AdapterAudit(worst=worst if worst == worst else float("inf"), change=max(changes))


def _by_peft(model: Any, encoded: Sequence[Any]) -> list[float]:
    """Each option's log-probability by one pass of PEFT's model, as if it had computed nothing before."""
    remembers = "dynamic" in str(model.config) or any(hasattr(part, "set_attention_type") for part in model.modules())
    return [
        pass_of_peft(copy.deepcopy(model) if remembers else model, each.context, option)
        for each in encoded
        for option in each.options
    ]


def _made(path: Path, kind: str, saved: Path, *, encoder_decoder: bool) -> Any:
    """PEFT's model with an adapter of random weights, which is saved in a folder.

    PEFT's refusals that a user can answer in the adapter's configuration are answered there.
    """
    import transformers

    auto = transformers.AutoModelForSeq2SeqLM if encoder_decoder else transformers.AutoModelForCausalLM
    asked: dict[str, Any] = {}
    while True:
        network: Any = auto.from_pretrained(path).eval()
        try:
            return make(network, peft_config(kind, encoder_decoder=encoder_decoder, **asked), saved)
        except ValueError as error:
            if "incompatible with Mamba" in str(error) and not asked:
                asked = {"exclude_modules": ["out_proj", "conv1d"]}
            elif "Please specify" in str(error) and not asked:
                width = int(network.get_input_embeddings().weight.shape[1])
                asked = {"num_attention_heads": 4, "num_layers": 2, "token_dim": width}
            else:
                raise


def make(network: Any, config: Any, saved: Path) -> Any:
    """PEFT's model of a network, with an adapter of random weights, which is saved in a folder."""
    import peft

    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = peft.get_peft_model(network, config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    drawn = torch.randn_like(parameter) * _STD
                    parameter.copy_(1 + drawn if "ia3" in name else drawn)
        model.save_pretrained(str(saved))
    return model.eval()


def peft_config(kind: str, *, encoder_decoder: bool, **asked: Any) -> Any:
    """An ordinary configuration of an adapter, on every linear layer where it is injected.

    Args:
        asked: what PEFT asks for where it does not find it in the network's configuration.
    """
    import peft

    given: dict[str, Any] = {"task_type": "SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM", **asked}
    if kind in SOFT:
        given["num_virtual_tokens"] = VIRTUAL
    match kind:
        case "LORA":
            return peft.LoraConfig(r=2, target_modules="all-linear", **given)
        case "IA3":
            return peft.IA3Config(target_modules="all-linear", feedforward_modules=[], **given)
        case "PROMPT_TUNING":
            return peft.PromptTuningConfig(**given)
        case "P_TUNING":
            return peft.PromptEncoderConfig(encoder_hidden_size=16, **given)
        case _:
            return peft.PrefixTuningConfig(**given)


def pass_of_peft(model: Any, context: Sequence[int], option: Sequence[int]) -> float:
    """The log-probability of an option: one pass of PEFT's model over prompt and option alone."""
    read = torch.tensor([list(context)])
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            start = model.config.decoder_start_token_id
            decoder = torch.tensor([[start, *option[:-1]]])
            inputs = {"decoder_input_ids": decoder}
        else:
            read = torch.tensor([[*context, *option[:-1]]])
            inputs = {}
        output = model(input_ids=read, attention_mask=torch.ones_like(read), use_cache=False, **inputs)
    logprobs = torch.log_softmax(output.logits[0, -len(option) :].float(), dim=-1)
    return float(logprobs[range(len(option)), list(option)].sum())
