"""lm-evaluation-harness's Hugging Face backend on the same prompts, with its output head restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phraseproof.core import Prompt

Scores = list[tuple[float, ...]]


def load_peer(folder: Path, backend: str, batch_size: int, device: str) -> Any:
    """The peer's model, `seq2seq` or `causal`."""
    import torch
    from lm_eval.models.huggingface import HFLM
    from safetensors import safe_open

    backend_class: Any = HFLM
    model = backend_class(
        pretrained=str(folder), backend=backend, device=device, dtype="float32", batch_size=batch_size, max_length=4096
    )
    if backend == "seq2seq":
        # It calls tie_weights(), which overwrites an untied head under current transformers: put the head back.
        with safe_open(folder / "model.safetensors", "pt") as weights:
            head = weights.get_tensor("lm_head.weight").to(device)
        model.model.lm_head.weight = torch.nn.Parameter(head, requires_grad=False)
    return model


def peer_scores(model: Any, prompts: list[Prompt]) -> Scores:
    """Log-likelihoods of every option."""
    from lm_eval.api.instance import Instance

    requests = [
        Instance(request_type="loglikelihood", doc={}, arguments=(prompt.text, prompt.target_delimiter + option), idx=0)
        for prompt in prompts
        for option in prompt.options
    ]
    values = iter([value for value, _ in model.loglikelihood(requests, disable_tqdm=True)])
    return [tuple(next(values) for _ in prompt.options) for prompt in prompts]
