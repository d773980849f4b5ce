"""The provider of models in vLLM: `vllm/HUB-ID` or `vllm/FOLDER`. It resolves options and checks them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.checkpoint import Checkpoint
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int
from phraseproof.models.vllm.adapter import VllmAdapter
from phraseproof.models.vllm.engine import EngineSettings, VllmEngine, vllm_version
from phraseproof.models.vllm.model import VllmModel

_COUNTS = ("block_size", "max_num_batched_tokens", "max_num_seqs", "max_lora_rank", "tensor_parallel_size")
_DEFAULT_RANK = 16
"""vLLM's own maximum of a LoRA's rank; it takes powers of two."""

_KNOWN_ARGS = ("adapter", "dtype", "gpu_memory_utilization", "max_length", "quantization", "revision", *_COUNTS)


def load(name: str, options: ModelOptions) -> VllmModel:
    """Load configuration and tokenizer now, and the weights in vLLM at the first scoring.

    Args:
        name: `vllm/` and a hub id or a folder.
        options: as the user gave them. `--model-arg` takes tensor_parallel_size, gpu_memory_utilization and others of
            vLLM's own arguments.

    Raises:
        ModelError: no such model, an encoder-decoder, or an adapter that is neither a LoRA nor a soft prompt.
        UsageError: an option that vLLM does not have.
        MissingExtraError: vLLM is not installed.
    """
    vllm_version()
    model = name.partition("/")[2]
    if not model:
        raise UsageError("the model's name is empty", expected="vllm/ORG/NAME or vllm/FOLDER", where="--model")
    args = options.args
    check_argument_names(args, known=_KNOWN_ARGS, model=f"the vLLM model '{model}'")
    if options.batch_size is not None:
        raise UsageError(
            "vLLM sizes its batches by itself", where="--batch-size", hint="Limit them with --model-arg max_num_seqs=N"
        )
    if options.device not in {"auto", "cpu", "cuda"}:
        raise UsageError(
            f"the device '{options.device}' cannot be chosen for vLLM",
            where="--device",
            hint="Set CUDA_VISIBLE_DEVICES, or --model-arg tensor_parallel_size=N for several",
        )
    changed = dataclasses.replace(
        options,
        dtype=args.get("dtype", options.dtype),
        revision=args.get("revision", options.revision),
        adapter=Path(args["adapter"]) if "adapter" in args else options.adapter,
        max_length=positive_int(args["max_length"], name="max_length") if "max_length" in args else options.max_length,
        args={},
    )
    more: dict[str, int | float | bool | str] = {
        key: positive_int(args[key], name=key) for key in _COUNTS if key in args
    }
    if "gpu_memory_utilization" in args:
        more["gpu_memory_utilization"] = _share(args["gpu_memory_utilization"])
    if "quantization" in args:
        more["quantization"] = args["quantization"]
    adapter = None if changed.adapter is None else VllmAdapter(changed.adapter)
    if adapter is not None and adapter.largest_rank > _DEFAULT_RANK:
        more.setdefault("max_lora_rank", 1 << (adapter.largest_rank - 1).bit_length())
    checkpoint = Checkpoint(model, dataclasses.replace(changed, adapter=None), shown_as=name)
    if checkpoint.is_encoder_decoder:
        raise ModelError(
            f"'{model}' is an encoder-decoder, which vLLM does not score",
            where="--model",
            hint="Leave out 'vllm/' to load it with Hugging Face transformers",
        )
    settings = EngineSettings(
        model=model,
        revision=changed.revision,
        dtype=checkpoint.precision.dtype,
        max_tokens=changed.max_length,
        trust_remote_code=changed.trust_remote_code,
        lora=None if adapter is None else adapter.lora,
        soft_prompt=None if adapter is None else adapter.soft_prompt(checkpoint.config.get_text_config().hidden_size),
        more=more,
    )
    return VllmModel(checkpoint, VllmEngine(settings), changed, adapter)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise UsageError(
            "'gpu_memory_utilization' must be a share of the memory",
            expected="a number above 0 and at most 1",
            got=f"'{text}'",
            where="--model-arg gpu_memory_utilization",
        )
    return share
