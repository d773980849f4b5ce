"""Aligning a soft prompt against a plain PEFT and PyTorch loop: the same models, wordings, loss and steps, one thread.

Each side runs in its own processes, so that peak memory is measured separately. A step is the paper's: four batches of
one example in four wordings, and the paper's loss (PT+KL, λ 0.8, reference detached). The baseline runs batch by batch,
as loops do; ours as a training runs them. Both sides run the same steps from the same soft prompt; the run stops if
losses differ by more than 1e-5 of their size, or gradients by more than 1e-3 of theirs.

The bound beside the ratio is that of a loop which does only the least work (`work.py`) at the speed of this core's
fastest product, measured in the same process.

`python -m benchmarks.alignment [STEPS [REPEATS]]`
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import json
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.alignment.work import Example, least_flops, peak_flops
from benchmarks.shapes import LETTERS, build_llama, build_t5, prompt_text, questions

WORDINGS = (
    "The following is a multiple choice question.",
    "Please act as an expert to choose the best answer from the choices below. Give your choice alone, no other words.",
    "Solve this question, which asks for a deep understanding of its field.",
    "You know a great deal about many domains. Write one of A, B, C or D to say which answer to the question is right.",
)
VIRTUAL_TOKENS = 10
WEIGHT_OF_KL = 0.8
BATCHES = 4
STEPS = 2
REPEATS = 3


def examples(folder: Path, count: int, *, texts_first: bool = False) -> list[Example]:
    from transformers import AutoConfig, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    joined = not AutoConfig.from_pretrained(folder).is_encoder_decoder
    found: list[Example] = []
    for index, (question, options) in enumerate(questions(count)):
        body = prompt_text(question, options).split("\n\n", 1)[1]
        texts = [f"{body}\n\n{wording}\n" if texts_first else f"{wording}\n\n{body}" for wording in WORDINGS]
        contexts = [tuple(tokenizer(text)["input_ids"]) for text in texts]
        answer = tokenizer((" " if joined else "") + LETTERS[index % 4], add_special_tokens=False)["input_ids"]
        found.append((contexts, (*answer, tokenizer.eos_token_id)))
    return found


def start_of(width: int) -> Any:
    import torch

    return torch.randn(VIRTUAL_TOKENS, width, generator=torch.Generator().manual_seed(3))


def loss_of(logits: Any, targets: Any) -> Any:
    """PT+KL of one example, the reference in row 0, written out: the same for both sides."""
    import torch

    logprobs = torch.log_softmax(logits, -1)
    entropy = -logprobs.gather(-1, targets[..., None]).mean()
    reference = logprobs[:1].detach()
    divergence = (logprobs[1:].exp() * (logprobs[1:] - reference)).sum() / (len(logits) - 1)
    return (1 - WEIGHT_OF_KL) * entropy + WEIGHT_OF_KL * divergence


class Peft:
    """`get_peft_model`, a padded batch with an attention mask, logits of the whole batch, `backward`."""

    def __init__(self, folder: Path) -> None:
        import torch
        from peft import PromptTuningConfig, TaskType, get_peft_model
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

        self.joined = not AutoConfig.from_pretrained(folder).is_encoder_decoder
        base = AutoModelForCausalLM if self.joined else AutoModelForSeq2SeqLM
        network = base.from_pretrained(folder)
        config = PromptTuningConfig(
            task_type=TaskType.CAUSAL_LM if self.joined else TaskType.SEQ_2_SEQ_LM,
            num_virtual_tokens=VIRTUAL_TOKENS,
            num_transformer_submodules=1,
        )
        self.model: Any = get_peft_model(network, config).eval()
        (self.weight,) = (parameter for parameter in self.model.parameters() if parameter.requires_grad)
        with torch.no_grad():
            self.weight.copy_(start_of(int(self.weight.shape[1])))

    def step(self, batches: list[Example]) -> float:
        """Adds up the gradient; the step's loss."""
        total = 0.0
        for contexts, target in batches:
            loss = self._loss(contexts, target) / len(batches)
            loss.backward()
            total += float(loss.detach())
        return total

    def _loss(self, contexts: list[tuple[int, ...]], target: tuple[int, ...]) -> Any:
        import torch

        read = [context + target if self.joined else context for context in contexts]
        width = max(map(len, read))
        ids = torch.tensor([row + (0,) * (width - len(row)) for row in read])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in read])
        targets = torch.tensor([target] * len(read))
        if not self.joined:
            return loss_of(self.model(input_ids=ids, attention_mask=mask, labels=targets).logits, targets)
        logits = self.model(input_ids=ids, attention_mask=mask).logits
        starts = torch.tensor([VIRTUAL_TOKENS + len(context) - 1 for context in contexts])
        places = starts[:, None] + torch.arange(len(target))
        return loss_of(logits[torch.arange(len(read))[:, None], places], targets)


class PackedSteps:
    """Steps without padding, several batches in a pass, as a training runs them.

    Args:
        forward: a `TargetForward`.
        vocabulary: the number of tokens there are.
    """

    def __init__(self, forward: Any, vocabulary: int) -> None:
        self._forward, self._vocabulary = forward, vocabulary

    def step(self, batches: list[Example]) -> float:
        """Adds up the gradient; the step's loss. The answers of this benchmark are of one length."""
        import torch

        from phraseproof.engine.training.bucketing import merge_small_batches
        from phraseproof.engine.training.forward import TargetRow

        rows = [[TargetRow(context, target) for context in contexts] for contexts, target in batches]
        total = 0.0
        for run in merge_small_batches(rows, self._vocabulary):
            found = self._forward([row for index in run for row in rows[index]])
            of_batches = zip(found.logits.split(len(WORDINGS)), found.targets.split(len(WORDINGS)), strict=True)
            loss = torch.stack([loss_of(logits, targets) for logits, targets in of_batches]).sum() / len(batches)
            loss.backward()
            total += float(loss.detach())
        return total


class Ours(PackedSteps):
    """`TargetForward`, with the weights loaded and frozen as an evaluation loads them."""

    def __init__(self, folder: Path) -> None:
        import torch

        from phraseproof.alignment.soft_prompt import SoftPrompt
        from phraseproof.engine.training.forward import TargetForward
        from phraseproof.models import ModelOptions, load_model
        from phraseproof.models.huggingface.model import HuggingFaceModel

        model = load_model(str(folder), ModelOptions(device="cpu"))
        assert isinstance(model, HuggingFaceModel)
        network = model.network
        soft = SoftPrompt.create(
            network,
            n=VIRTUAL_TOKENS,
            placement="input",
            init="random-vocabulary",
            seed=0,
            tokenizer=model.tokenizer,
        )
        self.weight = soft.weight
        with torch.no_grad():
            self.weight.copy_(start_of(int(self.weight.shape[1])))
        forward = TargetForward(network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=soft)
        super().__init__(forward, int(network.get_input_embeddings().weight.shape[0]))


SIDES = {"peft": Peft, "ours": Ours}


def measure(name: str, folder: Path, out: Path, steps: int) -> None:
    """One side in this process: losses and gradients to a file, tokens per CPU second and peak memory to stdout."""
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    asked = examples(folder, BATCHES * steps)
    work = [asked[first : first + BATCHES] for first in range(0, len(asked), BATCHES)]
    side = SIDES[name](folder)
    optimizer = torch.optim.AdamW([side.weight], lr=5e-4, weight_decay=1e-5)
    side.step(work[0][:1])  # the setup at first use is not timed
    losses: list[float] = []
    gradients: list[Any] = []
    started = time.process_time()
    for batches in work:
        optimizer.zero_grad()
        losses.append(side.step(batches))
        gradient = side.weight.grad
        assert gradient is not None
        gradients.append(gradient.clone())
        optimizer.step()
    seconds = time.process_time() - started
    tokens = sum(len(context) + VIRTUAL_TOKENS + len(target) for contexts, target in asked for context in contexts)
    torch.save({"losses": losses, "gradients": gradients}, out)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    least, peak = least_flops(folder, work, VIRTUAL_TOKENS), peak_flops()
    found = {"tokens_per_second": tokens / seconds, "peak_mb": peak_mb, "gflops": peak / 1e9}
    print(json.dumps({**found, "share": least / seconds / peak}))


def check_equal(ours: Path, theirs: Path) -> tuple[float, float]:
    """The worst relative difference of losses, and of gradients."""
    import torch

    one, other = torch.load(ours), torch.load(theirs)
    pairs = list(zip(one["losses"], other["losses"], strict=True))
    loss = max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs)
    steps = zip(one["gradients"], other["gradients"], strict=True)
    gradient = max(float((a - b).norm() / b.norm()) for a, b in steps)
    assert loss < 1e-5, f"losses differ by {loss}"
    assert gradient < 1e-3, f"gradients differ by {gradient}"
    return loss, gradient


def run(side: str, folder: Path, out: Path, steps: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.alignment", side, str(folder), str(out), str(steps)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout)


def main(steps: int, repeats: int) -> None:
    print(f"torch {version('torch')}, transformers {version('transformers')}, peft {version('peft')}; one thread")
    print(
        f"{steps} steps of {BATCHES} examples in {len(WORDINGS)} wordings; medians of {repeats} interleaved repeats\n"
    )
    columns = ("peft tok/s", "ours tok/s", "ratio", "bound", "GFLOP/s", "peft share", "ours share")
    columns += ("peft MB", "ours MB", "loss diff", "grad diff")
    print(f"{'model':<22}" + "".join(f"{column:>12}" for column in columns))
    texts = [prompt_text(*question) for question in questions(2000)]
    with tempfile.TemporaryDirectory() as home:
        shapes = (
            ("flan-t5-small shape", build_t5(Path(home, "t5"), texts)),
            ("84M Llama shape", build_llama(Path(home, "llama"), texts)),
        )
        for name, folder in shapes:
            files = {side: Path(home, f"{folder.name}-{side}.pt") for side in SIDES}
            found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
            for _ in range(repeats):
                for side, file in files.items():
                    found[side].append(run(side, folder, file, steps))
            ratio = statistics.median(
                ours["tokens_per_second"] / theirs["tokens_per_second"]
                for ours, theirs in zip(found["ours"], found["peft"], strict=True)
            )
            middle = {
                side: {key: statistics.median(one[key] for one in some) for key in some[0]}
                for side, some in found.items()
            }
            loss, gradient = check_equal(files["ours"], files["peft"])
            print(
                f"{name:<22}{middle['peft']['tokens_per_second']:>12.0f}{middle['ours']['tokens_per_second']:>12.0f}"
                f"{ratio:>11.2f}x{1 / middle['peft']['share']:>11.2f}x{middle['ours']['gflops']:>12.0f}"
                f"{middle['peft']['share']:>12.0%}{middle['ours']['share']:>12.0%}"
                f"{middle['peft']['peak_mb']:>12.0f}{middle['ours']['peak_mb']:>12.0f}"
                f"{loss:>12.0e}{gradient:>12.0e}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        numbers = [int(argument) for argument in sys.argv[1:]]
        main(*[*numbers, *(STEPS, REPEATS)[len(numbers) :]])
