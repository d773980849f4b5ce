"""GGUF files: their header, checked before anything is loaded, and what transformers would leave out of them.

transformers reads such a file into an ordinary network: configuration, tokenizer and chat template come from its
metadata, and weights are dequantised. Settings and tensors that it does not know are skipped in silence, and the scores
would be those of another model; here they are refused by name.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import math
import tempfile
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.models.huggingface.gguf_header import TensorPlace, read_header
from phraseproof.models.options import ModelOptions
from phraseproof.stored_hashes import stored_hash

SUFFIX = ".gguf"
HINT = "llamacpp/FILE.gguf (pip install 'phraseproof[llamacpp]') reads it without transformers"

Scalar = str | int | float | bool
"""A value of the metadata; the number of entries of an array of texts; or an array of numbers as a list."""

_COMPARED = {
    "attention.key_length": ("head_dim", "d_kv"),
    "attention.layer_norm_epsilon": ("layer_norm_epsilon", "layer_norm_eps", "norm_epsilon", "norm_eps"),
    "attention.layer_norm_rms_epsilon": ("rms_norm_eps", "layer_norm_epsilon"),
    "attention.sliding_window": ("sliding_window",),
    "attention.value_length": ("head_dim", "d_kv"),
    "attn_logit_softcapping": ("attn_logit_softcapping",),
    "context_length": ("max_position_embeddings", "n_positions", "seq_length"),
    "decoder_block_count": ("num_decoder_layers",),
    "final_logit_softcapping": ("final_logit_softcapping",),
    "rope.dimension_count": ("rotated",),
}
"""Settings that transformers does not read for every architecture, and the fields that may hold the same number."""

_ROPE_FACTORS = "rope_freqs.weight"

_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}

_NEUTRAL: dict[str, tuple[Scalar, ...]] = {
    "attention.causal": (True,),
    "attention.clamp_kqv": (0,),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "rope.scaling.factor": (0, 1),
    "rope.scaling.type": ("none",),
}
"""Settings that change nothing while they have one of these values."""

_WITHOUT_EFFECT = frozenset(
    {"rope.scaling.finetuned", "rope.scaling.original_context_length", "tensor_data_layout", "use_parallel_residual"}
)
"""Settings that change nothing by themselves."""

_PLAIN_SPLITS = frozenset({"gpt-2", "gpt2", "jais", "mpt", "olmo", "phi-2"})
"""Byte-level tokenizers that split texts as GPT-2's does. transformers does so for every name that it does not know."""

_SINGLE_DIGITS = frozenset({"codeshell", "command-r", "exaone", "refact", "smollm", "starcoder"})
"""Those that first set every digit apart."""


@dataclass(frozen=True, slots=True)
class GGUFFile:
    """The header of a GGUF file.

    Attributes:
        path: where it is, absolute.
        metadata: by name; of an array of texts, the number of its entries.
        tensors: the names and places of the tensors.
        quantization: how many tensors there are of each type, as `Q8_0 210, F32 61`.
        size: in bytes.
    """

    path: Path
    metadata: Mapping[str, object]
    tensors: tuple[TensorPlace, ...]
    quantization: str
    size: int

    @property
    def architecture(self) -> str:
        """The kind of network, by llama.cpp's name."""
        return str(self.metadata["general.architecture"])

    def content_hash(self) -> str:
        """A hash of the file's bytes."""
        return stored_hash([self.path], self._hash_bytes, kind="bytes")

    def _hash_bytes(self) -> str:
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def gguf_path(name: str, options: ModelOptions) -> Path | None:
    """The GGUF file that a model's name, or a folder with `gguf_file`, names; `None` for any other model.

    Raises:
        UsageError: `gguf_file` with a model that is not a folder.
        ModelError: no such file.
    """
    file = options.args.get("gguf_file")
    if file is None:
        if not name.lower().endswith(SUFFIX) or Path(name).is_dir():
            return None
        path = Path(name)
    elif Path(name).is_dir():
        path = Path(name) / file
    else:
        raise UsageError(
            f"'{name}' is not a folder", expected="the folder that holds the file", where="--model-arg gguf_file"
        )
    if not path.is_file():
        raise ModelError(f"no GGUF file '{path}'", where="--model", hint="Check the path")
    return path.absolute()


def read_gguf(path: Path) -> GGUFFile:
    """Read and check the header.

    Raises:
        ModelError: a file that is damaged, cut, one of several parts, or of a kind that transformers does not read.
        MissingExtraError: the package `gguf` is not installed.
    """
    if find_spec("gguf") is None:  # transformers reads the weights with it
        raise MissingExtraError("a GGUF file", extra="gguf", package="gguf")
    header = read_header(path)
    _check_parts(path, header.metadata)
    if "general.architecture" not in header.metadata:
        raise ModelError(f"the GGUF file '{path}' does not say which architecture it has", where="--model")
    if not header.tensors:
        raise ModelError(f"the GGUF file '{path}' has no tensors", where="--model", hint="It holds a vocabulary only")
    size, needed = path.stat().st_size, max(tensor.end for tensor in header.tensors)
    if needed > size:
        raise ModelError(
            f"the GGUF file '{path}' is cut",
            expected=f"{needed} bytes",
            got=str(size),
            where="--model",
            hint="Copy it again",
        )
    kinds = Counter(tensor.kind for tensor in header.tensors)
    counted = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return GGUFFile(path, header.metadata, tuple(header.tensors), counted, size)


def _check_parts(path: Path, metadata: Mapping[str, object]) -> None:
    parts = metadata.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise ModelError(
            f"'{path}' is one of {parts} parts of a model",
            where="--model",
            hint="Join them first with llama.cpp's tool: llama-gguf-split --merge FIRST-PART JOINED.gguf",
        )


def check_readable(file: GGUFFile, *, own_tokenizer: bool) -> None:
    """Refuse a file whose architecture or tokenizer transformers cannot read as it is meant.

    Args:
        own_tokenizer: whether the file's tokenizer is used, not that of a folder.

    Raises:
        ModelError: one of these.
    """
    known = _architectures()
    if file.architecture not in known:
        raise ModelError(
            f"transformers cannot read GGUF files of the architecture '{file.architecture}'",
            expected=f"one of: {', '.join(sorted(known))}",
            where="--model",
            hint=HINT,
        )
    if not own_tokenizer:
        return
    kind = file.metadata.get("tokenizer.ggml.model")
    if kind is None or not file.metadata.get("tokenizer.ggml.tokens"):
        raise ModelError(
            f"the GGUF file '{file.path}' has no tokenizer",
            where="--model",
            hint="Give a folder that has the model's: --model-arg tokenizer=FOLDER",
        )
    if kind == "gpt2" and _split_of(file) is None:
        raise ModelError(
            f"how the tokenizer of '{file.path}' splits texts is not known",
            got=f"tokenizer.ggml.pre = {file.metadata.get('tokenizer.ggml.pre')}",
            where="--model",
            hint="Give a folder that has the model's tokenizer: --model-arg tokenizer=FOLDER",
        )


def set_split(file: GGUFFile, tokenizer: object) -> None:
    """Let a byte-level tokenizer set digits apart, where the file says so and transformers does not know it."""
    if file.metadata.get("tokenizer.ggml.model") == "gpt2" and _split_of(file) == "digits":
        from tokenizers import pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        assert isinstance(tokenizer, PreTrainedTokenizerFast)
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore[reportAttributeAccessIssue]
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )


def _split_of(file: GGUFFile) -> str | None:
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    name = file.metadata.get("tokenizer.ggml.pre")
    # Files of GPT-2 and its like that are older than this field do not have it.
    if name is None or name in _PLAIN_SPLITS or name in GGUF_PRE_TOKENIZER_SPLITS:
        return "known"
    return "digits" if name in _SINGLE_DIGITS else None


def check_settings(file: GGUFFile, config: NetworkConfig) -> None:
    """Refuse settings of the file that transformers leaves out and that its configuration does not repeat.

    Raises:
        ModelError: names the first of them.
    """
    from transformers.integrations.ggml import GGUF_CONFIG_MAPPING
    from transformers.integrations.gguf.gguf_config_mapping import GGUF_CONFIG_ARCHS

    if file.architecture in GGUF_CONFIG_ARCHS:
        return
    read: Mapping[str, str | None] = GGUF_CONFIG_MAPPING.get(
        file.architecture, GGUF_CONFIG_MAPPING.get(str(config.model_type), {})
    )
    prefix = f"{file.architecture}."
    for key, value in file.metadata.items():
        setting = key.removeprefix(prefix)
        if setting == key or read.get(setting) is not None or setting in _WITHOUT_EFFECT:
            continue
        if setting == "attention.sliding_window" and _at_least(value, file.metadata.get(f"{prefix}context_length")):
            continue  # a window that is never full
        if value in _NEUTRAL.get(setting, ()) or _same(value, config, _COMPARED.get(setting, ())):
            continue
        raise ModelError(
            f"the GGUF file '{file.path}' has a setting that transformers does not read",
            got=f"{key} = {value}",
            where="--model",
            hint=HINT,
        )


def _same(value: object, config: NetworkConfig, fields: Sequence[str]) -> bool:
    for field in fields:
        other = _rotated(config) if field == "rotated" else _head_size(config) if field == "head_dim" else None
        other = getattr(config, field, other)
        if isinstance(value, int | float) and isinstance(other, int | float):
            return math.isclose(value, other, rel_tol=1e-6)
    return False


def _at_least(value: object, other: object) -> bool:
    return isinstance(value, int) and isinstance(other, int) and value >= other


def _head_size(config: NetworkConfig) -> int | None:
    width, heads = getattr(config, "hidden_size", None), getattr(config, "num_attention_heads", None)
    return width // heads if width and heads else None


def _rotated(config: NetworkConfig) -> int | None:
    """How many numbers of a head are rotated by its position."""
    size: int | None = getattr(config, "head_dim", None) or _head_size(config)
    share = (getattr(config, "rope_parameters", None) or {}).get("partial_rotary_factor")
    return None if size is None else int(size * (share or getattr(config, "partial_rotary_factor", None) or 1.0))


def set_positions(file: GGUFFile, config: NetworkConfig) -> None:
    """Let the configuration scale rotary positions as Llama 3.1 does, where the file's factors are those.

    The file holds one factor per frequency and transformers computes them from four numbers, of which published models
    vary the largest factor only. Other factors are left to `check_tensors`, which refuses them.
    """
    place = next((tensor for tensor in file.tensors if tensor.name == _ROPE_FACTORS and tensor.kind == "F32"), None)
    if place is None or config.model_type != "llama":
        return
    import numpy as np

    count = (place.end - place.start) // 4
    factors = np.fromfile(file.path, dtype="<f4", count=count, offset=place.start).astype(np.float64)
    base = config.rope_parameters["rope_theta"]
    plain = base ** -(np.arange(0, 2 * count, 2) / (2 * count))
    largest, turns = float(factors.max()), _LLAMA3["original_max_position_embeddings"] * plain / (2 * math.pi)
    smooth = np.clip((turns - 1) / (_LLAMA3["high_freq_factor"] - 1), 0, 1)
    if np.allclose(factors, 1 / ((1 - smooth) / largest + smooth), rtol=1e-4):
        config.rope_parameters = {"rope_type": "llama3", "rope_theta": base, "factor": largest, **_LLAMA3}


def _has_llama3_positions(config: NetworkConfig) -> bool:
    return (getattr(config, "rope_parameters", None) or {}).get("rope_type") == "llama3"


def check_tensors(file: GGUFFile, network: Network) -> None:
    """Refuse tensors of the file that transformers leaves out.

    Raises:
        ModelError: names the first of them.
    """
    from transformers.integrations.gguf.gguf_conversion_mapping import GGUF_ARCHS
    from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map

    if file.architecture in GGUF_ARCHS:  # transformers itself reports what it does not use
        return
    processor = TENSOR_PROCESSORS.get(file.architecture, TensorProcessor)(config=network.config.to_dict())
    used = get_gguf_hf_weights_map(network, processor)
    read = {*used, *([_ROPE_FACTORS] if _has_llama3_positions(network.config) else ())}
    unused = [tensor.name for tensor in file.tensors if tensor.name not in read]
    if unused:
        raise ModelError(
            f"the GGUF file '{file.path}' has tensors that transformers does not read",
            got=", ".join(unused[:3]) + (f" and {len(unused) - 3} more" if len(unused) > 3 else ""),
            where="--model",
            hint=HINT,
        )


_READING = threading.RLock()


@contextlib.contextmanager
def reading(file: GGUFFile | None) -> Generator[None]:
    """Let transformers read a GGUF file without bars of progress, and quickly; it offers no switches for that.

    Otherwise it reads the header for every part, which takes a second, and makes the table of tensors' names for every
    module of a network. Does nothing without a file.
    """
    if file is None:
        yield
        return
    bars, package = (import_module(name).__dict__ for name in ("transformers.modeling_gguf_pytorch_utils", "gguf"))
    # By one thread at a time: another one would put back what this one has put there, a header read once and for all.
    with _READING:
        plain = {name: package[name] for name in ("GGUFReader", "get_tensor_name_map")}
        bar = bars["tqdm"]
        package.update({name: functools.cache(make) for name, make in plain.items()})
        bars["tqdm"] = functools.partial(bar, disable=True)
        try:
            yield
        finally:
            package.update(plain)
            bars["tqdm"] = bar


def as_plain_network(network: Network, name: str) -> None:
    """Let a dequantised network be treated as an ordinary one, by training and by whatever saves it."""
    network.config.name_or_path = name
    for config in {id(each): each for each in (network.config, network.config.get_text_config())}.values():
        if hasattr(config, "quantization_config"):
            del config.quantization_config
    network.is_quantized = False
    for attribute in ("hf_quantizer", "quantization_method"):
        if hasattr(network, attribute):
            delattr(network, attribute)


@functools.cache
def empty_folder() -> str:
    """A folder without files, until this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="phraseproof-")
    atexit.register(folder.cleanup)
    return folder.name


def _architectures() -> set[str]:
    from transformers.integrations.gguf.gguf_config_mapping import GGUF_CONFIG_ARCHS
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    names = set(GGUF_SUPPORTED_ARCHITECTURES) - {"general", "tokenizer"}
    # llama.cpp spells some of them in another way.
    spelt = {"qwen2_moe": "qwen2moe", "qwen3_moe": "qwen3moe", "minimax_m2": "minimax-m2", "gpt_oss": "gpt-oss"}
    return {spelt.get(name, name) for name in names} | set(GGUF_CONFIG_ARCHS)
