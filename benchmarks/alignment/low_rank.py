"""Aligning a LoRA or DoRA against PEFT's own loop: the same model, wordings, loss, adapter and optimizer, one thread.

PEFT's side is `get_peft_model`, a padded batch with an attention mask, transformers' forward pass, `backward`, AdamW,
batch by batch. Ours is what a training runs. Both start from the same random A and small random B (with B at zero, A
has no gradient). Each side runs in its own processes, interleaved; the run stops if losses differ by more than 1e-5 of
their size, or gradients by more than 1e-3 of theirs. CPU seconds include the optimizer.

In bfloat16, both sides load the frozen weights in it, and how far the first step's gradient is from that of PEFT's loop
in float32 is reported for each; the run stops if ours is further away.

With `--texts-first`, the question comes before the wording, so that the wordings of an example share it.

`python -m benchmarks.alignment.low_rank FOLDER [STEPS [REPEATS [lora|dora [float32|bfloat16]]]] [--texts-first]`,
FOLDER being a model's, or `shape` for the 84M Llama shape with random weights, `t5-shape` for flan-t5-small's.
"""

from __future__ import annotations

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

from benchmarks.alignment.__main__ import BATCHES, WORDINGS, PackedSteps, check_equal, examples, loss_of
from benchmarks.alignment.work import Example
from benchmarks.shapes import build_llama, build_t5, prompt_text, questions

RANK = 8
TEXTS_FIRST = "--texts-first"
SHAPES = {"shape": build_llama, "t5-shape": build_t5}


def adapt(network: Any, kind: str) -> list[Any]:
    """Inject the adapter and return its parameters in the order of their names."""
    import torch

    from phraseproof.alignment.low_rank import LowRankAdapter
    from phraseproof.alignment.settings import AlignmentSettings

    network.requires_grad_(False)
    LowRankAdapter.inject(network, AlignmentSettings(rank=RANK, seed=3), uses_dora=kind == "dora")
    found = {name: value for name, value in network.named_parameters() if ".lora_" in name}
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name in sorted(found):
            if "lora_B" in name:
                found[name].copy_(0.01 * torch.randn(found[name].shape, generator=generator))
            found[name].requires_grad_(True)
    return [found[name] for name in sorted(found)]


class Peft:
    """A plain loop."""

    def __init__(self, folder: Path, kind: str, precision: str) -> None:
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

        self.joined = not AutoConfig.from_pretrained(folder).is_encoder_decoder
        base = AutoModelForCausalLM if self.joined else AutoModelForSeq2SeqLM
        self.model: Any = base.from_pretrained(folder, dtype=precision).eval()
        self.weights = adapt(self.model, kind)

    def step(self, batches: list[Example]) -> float:
        """Add up the gradient; the step's loss."""
        total = 0.0
        for contexts, target in batches:
            loss = self._loss(contexts, target) / len(batches)
            loss.backward()
            total += float(loss.detach())
        return total

    def _loss(self, contexts: list[tuple[int, ...]], target: tuple[int, ...]) -> Any:
        import torch

        rows = [context + target if self.joined else context for context in contexts]
        width = max(map(len, rows))
        ids = torch.tensor([row + (0,) * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        targets = torch.tensor([target] * len(rows))
        if not self.joined:
            found = self.model(input_ids=ids, attention_mask=mask, labels=targets, use_cache=False)
            return loss_of(found.logits.float(), targets)
        logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        places = torch.tensor([len(context) - 1 for context in contexts])[:, None] + torch.arange(len(target))
        return loss_of(logits[torch.arange(len(rows))[:, None], places].float(), targets)


class Ours(PackedSteps):
    """`TargetForward`, with small batches merged as a training merges them."""

    def __init__(self, folder: Path, kind: str, precision: str) -> None:
        from phraseproof.engine.training.forward import TargetForward
        from phraseproof.models import ModelOptions, load_model
        from phraseproof.models.huggingface.model import HuggingFaceModel

        model = load_model(str(folder), ModelOptions(device="cpu", dtype=precision))
        assert isinstance(model, HuggingFaceModel)
        self.weights = adapt(model.network, kind)
        forward = TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=None)
        super().__init__(forward, int(model.network.get_input_embeddings().weight.shape[0]))


SIDES = {"peft": Peft, "ours": Ours}


def measure(name: str, folder: Path, out: Path, steps: int, kind: str, precision: str, order: str) -> None:
    """One side in this process: losses and gradients to a file, CPU seconds per step and peak memory to stdout."""
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    asked = examples(folder, BATCHES * steps, texts_first=order == TEXTS_FIRST)
    side = SIDES[name](folder, kind, precision)
    optimizer = torch.optim.AdamW(side.weights, lr=2e-4, weight_decay=1e-5)
    side.step(asked[:1])  # the setup at first use is not timed
    losses: list[float] = []
    gradients: list[Any] = []
    began = time.process_time()
    for first in range(0, len(asked), BATCHES):
        optimizer.zero_grad()
        losses.append(side.step(asked[first : first + BATCHES]))
        gradients.append(torch.cat([weight.grad.flatten() for weight in side.weights]))
        optimizer.step()
    seconds = (time.process_time() - began) / steps
    torch.save({"losses": losses, "gradients": gradients}, out)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tokens = sum(len(context) + len(target) for contexts, target in asked for context in contexts) // steps
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "tokens": tokens}))


def run_side(side: str, folder: Path, file: Path, *settings: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.alignment.low_rank", "side", side, str(folder), str(file), *settings]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout)


def compare_to_float32(files: dict[str, Path], exact: Path) -> str:
    """How far each side's first gradient is from the one in float32, relative to its length."""
    import torch

    expected = torch.load(exact)["gradients"][0]
    errors: dict[str, float] = {}
    for side, file in files.items():
        found = torch.load(file)["gradients"][0]
        errors[side] = float((found - expected).norm() / expected.norm())
    assert errors["ours"] <= errors["peft"], f"gradients are further from float32 than PEFT's: {errors}"
    return ", ".join(f"gradient of {side} {error:.1%} from float32" for side, error in errors.items())


def main(source: str, steps: int, repeats: int, kind: str, precision: str, order: str) -> None:
    print(f"torch {version('torch')}, transformers {version('transformers')}, peft {version('peft')}; one thread")
    first = "question" if order == TEXTS_FIRST else "wording"
    print(f"{kind}, rank {RANK}, {precision}, {first} first")
    print(f"{steps} steps of {BATCHES} examples in {len(WORDINGS)} wordings")
    with tempfile.TemporaryDirectory() as home:
        texts = [prompt_text(*question) for question in questions(2000)]
        folder = SHAPES[source](Path(home, source), texts) if source in SHAPES else Path(source).expanduser()
        files = {side: Path(home, f"{side}.pt") for side in SIDES}
        found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for repeat in range(repeats):
            for side, file in files.items():
                found[side].append(run_side(side, folder, file, str(steps), kind, precision, order))
                last = found[side][-1]
                print(
                    f"{repeat + 1} {side}: {last['seconds']:.1f} CPU s per step, {last['peak_mb']:.0f} MB", flush=True
                )
        pairs = list(zip(found["peft"], found["ours"], strict=True))
        ratios = [peft["seconds"] / ours["seconds"] for peft, ours in pairs]
        memory = statistics.median(ours["peak_mb"] / peft["peak_mb"] for peft, ours in pairs)
        if precision == "float32":
            loss, gradient = check_equal(files["ours"], files["peft"])
            agreement = f"losses differ by {loss:.0e}, gradients by {gradient:.0e}"
        else:
            exact = Path(home, "exact.pt")
            run_side("peft", folder, exact, str(steps), kind, "float32", order)
            agreement = compare_to_float32(files, exact)
        print(
            f"{found['ours'][0]['tokens']:.0f} tokens per step; ours is {statistics.median(ratios):.2f} times as fast "
            f"({min(ratios):.2f} to {max(ratios):.2f}), with {memory:.2f} times the memory; {agreement}"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["side"]:
        measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]), *sys.argv[6:9])
    else:
        given = [argument for argument in sys.argv[1:] if argument != TEXTS_FIRST]
        defaults = ("shape", "1", "3", "lora", "float32")
        source, steps, repeats, kind, precision = [*given, *defaults[len(given) :]]
        order = TEXTS_FIRST if TEXTS_FIRST in sys.argv else "--wordings-first"
        main(source, int(steps), int(repeats), kind, precision, order)
