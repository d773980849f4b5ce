"""A Hugging Face checkpoint: configuration and tokenizer at once, weights at first use, errors in one line."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Generator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.garbage_collection import importing
from phraseproof.identity import file_hash, hub_commit
from phraseproof.models.huggingface.gguf import (
    as_plain_network,
    check_readable,
    check_settings,
    check_tensors,
    empty_folder,
    read_gguf,
    reading,
    set_positions,
    set_split,
)
from phraseproof.models.huggingface.model_files import check_model_file
from phraseproof.models.huggingface.quiet import quiet_transformers
from phraseproof.models.huggingface.tokenization import Tokenizer
from phraseproof.models.options import ModelOptions
from phraseproof.stored_hashes import stored_file_hash

_LOADED_WITH = ("transformers.modeling_utils", "transformers.models.auto.modeling_auto")
"""What transformers imports piece by piece while it reads any configuration and any weights: most of its modules."""

DTYPES = ("float32", "bfloat16", "float16")

_RECOMPUTED = (".inv_freq", ".masked_bias", ".attn.bias", ".attention.bias", ".position_ids")
"""Buffers that old checkpoints hold and that every network computes by itself. What else an architecture is known to
leave out, transformers does not report."""

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZER = ("tokenizer.json", "*.model", "vocab.json", "vocab.txt", "merges.txt", "*.tiktoken", "vocab*.spm")
_SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
)


class Precision(NamedTuple):
    """Where the weights live and how exact they are: names that torch understands."""

    device: str
    dtype: str


class Checkpoint:
    """What is read of a model before anything is computed, and its weights on demand.

    Args:
        name: a hub id or a folder.
        options: as resolved by `huggingface.load`.
        attention: the attention implementation to ask transformers for, or `None` for its default.
        shown_as: what the model is called in runs and messages, where that is not `name`.
        gguf: the GGUF file that holds all of the model; `name` is then a label.

    Attributes:
        config, tokenizer: as transformers reads them.
        gguf: the header of the GGUF file, if the model is one.
        precision: device and dtype in use.

    Raises:
        ModelError: no such model, hub out of reach, not a model folder, remote code that is not allowed.
        UsageError: a dtype or device that does not exist here.
        MissingExtraError: torch or transformers is not installed.
    """

    def __init__(
        self,
        name: str,
        options: ModelOptions,
        *,
        attention: str | None = None,
        shown_as: str | None = None,
        gguf: Path | None = None,
    ) -> None:
        _require_packages()
        self.name = shown_as or name
        self.gguf = None if gguf is None else read_gguf(gguf)
        # transformers gets an empty folder with a GGUF file, so that no other model's settings are read with it.
        self._location = name if gguf is None else empty_folder()
        self.options = options
        self._attention = attention
        self.folder = Path(name) if gguf is None and Path(name).is_dir() else None
        if self.gguf is not None:
            check_readable(self.gguf, own_tokenizer="tokenizer" not in options.args)
        elif self.folder is None and (_looks_like_path(name) or Path(name).is_file()):
            problem = f"the file '{name}' is not a model folder" if Path(name).is_file() else f"no folder '{name}'"
            raise ModelError(problem, where="--model", hint="Check the path, or give a hub id (org/name)")
        if self.folder is not None:
            _check_folder(self.folder)
        with reading(self.gguf):
            with _one_line_errors(name, "the configuration"), quiet_transformers():
                from transformers import AutoConfig

                self.config: NetworkConfig = AutoConfig.from_pretrained(self._location, **self._source())
            if self.gguf is not None:
                set_positions(self.gguf, self.config)
            self._check_family()
            with _one_line_errors(name, "the tokenizer"), quiet_transformers():
                self.tokenizer = self._read_tokenizer()
        self.precision = _precision(options, self.config)

    @property
    def is_encoder_decoder(self) -> bool:
        """Which of the two families the configuration declares."""
        return bool(self.config.is_encoder_decoder)

    @property
    def architecture(self) -> str:
        """The model class that the configuration names, or else its model type."""
        names: list[str] = self.config.architectures or []
        if names:
            return names[0]
        return _model_classes(encoder_decoder=self.is_encoder_decoder).get(
            self.config.model_type, str(self.config.model_type)
        )

    @property
    def weight_bytes(self) -> int | None:
        """The size of the files with the weights; `None` for a hub id, whose weights may not be on this machine."""
        if self.gguf is not None:
            return self.gguf.size
        if self.folder is None:
            return None
        paths = {path for pattern in _weight_patterns(self.folder) for path in self.folder.glob(pattern)}
        return sum(path.stat().st_size for path in paths)

    @functools.cached_property
    def revision(self) -> str:
        """The hub's commit, or a hash of the folder's configuration, tokenizer and weights, or of the GGUF file."""
        if self.gguf is not None:
            return self.gguf.content_hash()
        if self.folder is None:
            return hub_commit(str(self._location), self.options.revision) or self.options.revision or "unknown"
        patterns = [*_SETTINGS, *_TOKENIZER, *_weight_patterns(self.folder)]
        if self.options.trust_remote_code:
            patterns.append("*.py")
        paths = sorted({path for pattern in patterns for path in self.folder.glob(pattern)})
        return stored_file_hash(*paths)

    @functools.cached_property
    def given_tokenizer(self) -> str | None:
        """A hash of the files of the tokenizer that is used in place of a GGUF file's; `None` for the model's own."""
        given = self.options.args.get("tokenizer")
        if given is None:
            return None
        return file_hash(*sorted({path for pattern in (*_SETTINGS, *_TOKENIZER) for path in Path(given).glob(pattern)}))

    def load_network(self) -> Network:
        """Read the weights: evaluation mode, no gradients, on the chosen device.

        `tie_weights` is never called on top of what loading does: under transformers 5 it overwrites the untied output
        head of Flan-T5 and its like.

        Raises:
            ModelError: weights that are missing, damaged, incomplete or of other shapes than the configuration says.
        """
        import torch
        import transformers

        family = transformers.AutoModelForSeq2SeqLM if self.is_encoder_decoder else transformers.AutoModelForCausalLM
        extra = {"attn_implementation": self._attention} if self._attention else {}
        with _one_line_errors(self.name, "the weights"), quiet_transformers(), reading(self.gguf):
            loaded: Any = family.from_pretrained(
                self._location,
                config=self.config,
                dtype=getattr(torch, self.precision.dtype),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported below, with names
                **extra,
                **self._source(),
            )
            network, info = loaded
            # A weight that is not in the file is drawn at random, and every score would be noise.
            mismatched = {entry[0] for entry in info["mismatched_keys"]}
            missing = set(info["missing_keys"]) - mismatched
            if missing or mismatched:
                problem = "are incomplete" if missing else "do not have the shapes that its config.json says"
                names = sorted(missing or mismatched)
                shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
                raise ModelError(
                    f"the weights of '{self.name}' {problem}",
                    expected=f"all weights of {type(network).__name__}",
                    got=f"none for {shown}" if missing else f"other shapes for {shown}",
                )
            unused = sorted(name for name in info["unexpected_keys"] if not name.endswith(_RECOMPUTED))
            if unused:
                shown = ", ".join(unused[:3]) + (f" and {len(unused) - 3} more" if len(unused) > 3 else "")
                raise ModelError(
                    f"the weights of '{self.name}' are not those that its config.json describes",
                    expected=f"only weights that {type(network).__name__} uses",
                    got=f"unused ones: {shown}",
                )
            if self.gguf is not None:
                check_tensors(self.gguf, network)
                as_plain_network(network, self.name)
            network = network.to(self.precision.device).eval()
        return network.requires_grad_(False)

    def again(self) -> Checkpoint:
        """The same checkpoint, to be loaded once more."""
        other = copy.copy(self)
        other.config = copy.deepcopy(self.config)  # loading writes into it
        return other

    def with_tokenizer(self, tokenizer: Tokenizer) -> Checkpoint:
        """The same checkpoint, read with another tokenizer."""
        other = copy.copy(self)
        other.tokenizer = tokenizer
        return other

    def in_float32(self) -> Checkpoint:
        """The same checkpoint, to be loaded in float32."""
        other = self.again()
        other.precision = self.precision._replace(dtype="float32")
        return other

    def _check_family(self) -> None:
        known = _model_classes(encoder_decoder=self.is_encoder_decoder)
        if self.config.model_type not in known and not getattr(self.config, "auto_map", None):
            raise ModelError(
                f"'{self.name}' is not a language model that can score text",
                expected="an encoder-decoder or a decoder-only language model",
                got=f"a model of the type {self.config.model_type}",
                hint=_TEXT_ALONE if _reads_more_than_text(self.config) else None,
            )
        if self.gguf is not None:
            check_settings(self.gguf, self.config)

    def _read_tokenizer(self) -> Tokenizer:
        from transformers import AutoTokenizer

        if self.gguf is None:
            return AutoTokenizer.from_pretrained(self._location, **self._source())
        given = self.options.args.get("tokenizer")
        if given is not None:
            if not Path(given).is_dir():
                raise UsageError(f"no folder '{given}'", where="--model-arg tokenizer")
            return AutoTokenizer.from_pretrained(given)
        tokenizer: Tokenizer = AutoTokenizer.from_pretrained(self._location, **self._source())
        set_split(self.gguf, tokenizer)
        return tokenizer

    def _source(self) -> dict[str, object]:
        if self.gguf is not None:
            return {"gguf_file": str(self.gguf.path)}
        source: dict[str, object] = {"trust_remote_code": self.options.trust_remote_code}
        if self.folder is None and self.options.revision is not None:
            source["revision"] = self.options.revision
        return source


def _require_packages() -> None:
    with importing(*_LOADED_WITH):
        for package in ("torch", "transformers"):
            try:
                import_module(package)
            except ImportError:
                raise MissingExtraError("a Hugging Face model", extra="hf", package=package) from None
        for module in _LOADED_WITH:
            with contextlib.suppress(ImportError, RuntimeError):  # reading the configuration says why
                import_module(module)


def _model_classes(*, encoder_decoder: bool) -> Mapping[str, str]:
    """The names of the language models of one family, by type of model."""
    from transformers.models.auto import modeling_auto

    if encoder_decoder:
        return {**modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES}
    return {**modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES}


_TEXT_ALONE = (
    "A model that also reads images or sound is scored only where transformers has a class for its text alone; "
    "save its text decoder as a separate model"
)


def _reads_more_than_text(config: NetworkConfig) -> bool:
    return any(getattr(config, f"{sense}_config", None) is not None for sense in ("vision", "audio"))


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name


def _check_folder(folder: Path) -> None:
    for wanted, patterns in (
        ("a config.json", ("config.json",)),
        ("weights (*.safetensors)", _WEIGHTS),
        ("a tokenizer (tokenizer.json or a vocabulary)", _TOKENIZER),
    ):
        if not any(next(folder.glob(pattern), None) for pattern in patterns):
            if (folder / "adapter_config.json").exists():
                hint = "This is an adapter: give its base model as --model and this folder as --adapter"
            else:
                hint = "A model folder is what save_pretrained writes for a model and its tokenizer"
            raise ModelError(f"'{folder}' is not a model folder", expected=wanted, got="none there", hint=hint)
    for path in sorted({path for pattern in (*_WEIGHTS, *_TOKENIZER, *_SETTINGS) for path in folder.glob(pattern)}):
        check_model_file(path)


def _weight_patterns(folder: Path) -> tuple[str, ...]:
    """The weight files that loading reads: safetensors where there are any."""
    if next(folder.glob("*.safetensors"), None):
        return ("*.safetensors", "*.safetensors.index.json")
    return ("pytorch_model*.bin", "pytorch_model.bin.index.json")


def _precision(options: ModelOptions, config: NetworkConfig) -> Precision:
    import torch

    if options.device != "auto":
        device = options.device
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise UsageError(
                f"the device '{device}' cannot be used here",
                expected="auto, cpu, or a device that torch finds (cuda:0, mps)",
                got=None if "device string" in str(error) else str(error).splitlines()[0],
                where="--device",
            ) from error
    elif torch.cuda.is_available():
        device = "cuda"
    else:
        device = "mps" if torch.backends.mps.is_available() else "cpu"
    if options.dtype != "auto":
        if options.dtype not in DTYPES:
            raise UsageError(
                f"unknown dtype '{options.dtype}'",
                expected=f"one of: auto, {', '.join(DTYPES)}",
                where="--dtype",
            )
        return Precision(device, options.dtype)
    if device == "cpu":  # half precision is slow there, and most CPUs emulate it
        return Precision(device, "float32")
    declared = str(getattr(config, "dtype", None) or torch.float32).removeprefix("torch.")
    return Precision(device, declared if declared in DTYPES else "float32")


@contextlib.contextmanager
def _one_line_errors(name: str, part: str) -> Generator[None]:
    """Turn what transformers, the hub client and safetensors raise while reading into one `ModelError`."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except (
        ArithmeticError,
        StrictDataclassError,  # a setting of another type than its class says
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
        SafetensorError,
    ) as error:
        text = " ".join(str(error).split())
        if "trust_remote_code" in text:
            raise ModelError(
                f"'{name}' needs code that its repository ships, which is not run by default",
                hint="If you trust that repository, add --model-arg trust_remote_code=true",
            ) from error
        if "couldn't connect" in text.lower() or "offline mode" in text.lower():
            raise ModelError(
                f"'{name}' is not a folder, and the Hugging Face hub cannot be reached for it",
                hint="Check the name and the connection, or give a folder that holds the model",
            ) from error
        if "repo id" in text.lower() or "is not a valid model identifier" in text:
            raise ModelError(
                f"no model '{name}': neither a folder nor on the hub", where="--model", got=_short(text)
            ) from error
        raise ModelError(f"cannot read {part} of '{name}'", got=_short(text)) from error


def _short(text: str) -> str:
    return text if len(text) <= 240 else text[:237] + "..."
