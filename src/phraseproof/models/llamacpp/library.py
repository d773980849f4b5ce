"""llama.cpp's C interface as far as it is used here: a model, its vocabulary, and a memory of sequences."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from phraseproof.errors import MissingExtraError, ModelError
from phraseproof.models.llamacpp.sequences import TRUNK, SequenceBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pointer: TypeAlias = Any
"""An address in llama.cpp. The package types them as integers or as classes that differ."""

MAX_SEQUENCES = 256
"""llama.cpp's own limit of sequences in one memory."""

_ERROR = 4
_messages: deque[str] = deque(maxlen=8)
_kept_alive: list[object] = []


def bindings() -> ModuleType:
    """The package's low-level module, with llama.cpp's log kept off the terminal.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
    """
    try:
        library = import_module("llama_cpp.llama_cpp")
    except ImportError:
        raise MissingExtraError("llamacpp/FILE.gguf", extra="llamacpp", package="llama-cpp-python") from None
    if not _kept_alive:

        def log(level: int, text: bytes, _data: object) -> None:
            if level >= _ERROR:
                _messages.append(text.decode("utf-8", "replace").strip())

        callback = library.llama_log_callback(log)
        _kept_alive.append(callback)  # llama.cpp calls it until the process ends
        library.llama_log_set(callback, ctypes.c_void_p(0))
        library.llama_backend_init()
    return library


def version() -> str:
    """The release of llama-cpp-python, which pins one of llama.cpp."""
    return metadata.version("llama-cpp-python")


class LlamaLibrary:
    """A GGUF file in llama.cpp: its vocabulary at once, its weights when something is computed.

    Args:
        path: the file.
        threads: how many threads compute.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
        ModelError: a file that llama.cpp cannot read.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self._library = bindings()
        self._path = path
        self._threads = threads or int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        self._vocabulary_model = self._load(vocab_only=True)
        self._vocabulary: Pointer = self._library.llama_model_get_vocab(self._vocabulary_model)
        self._model: Pointer = None
        self._context: Pointer = None
        self._batch: Pointer = None
        self._room = (0, 0)

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids."""
        return int(self._library.llama_vocab_n_tokens(self._vocabulary))

    def tokenize(self, text: str, *, add_special: bool) -> list[int]:
        """Token ids; special tokens that the text spells out are read as such."""
        raw = text.encode("utf-8")
        room = len(raw) + 8
        tokens = (ctypes.c_int32 * room)()
        count = int(self._library.llama_tokenize(self._vocabulary, raw, len(raw), tokens, room, add_special, True))
        if count < 0:
            raise ModelError(f"llama.cpp cannot tokenise a text of {len(raw)} bytes", got=self._last_message())
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The text of a token, special ones included; not always whole characters."""
        room = 1024
        buffer = ctypes.create_string_buffer(room)
        count = int(self._library.llama_token_to_piece(self._vocabulary, token, buffer, room, 0, True))
        return buffer.raw[: max(0, count)]

    @property
    def description(self) -> str:
        """How it computes: the CPU's features that llama.cpp uses, and the number of threads."""
        features = self._library.llama_print_system_info().decode("utf-8", "replace")
        used = [part.split("=")[0].rpartition(":")[2].strip() for part in features.split("|") if part.endswith("= 1 ")]
        return f"llama.cpp with {', '.join(used)}; {self._threads} threads"

    def reserve(self, *, cells: int, batch: int) -> None:
        """Make room for this number of tokens in memory, and in one call. Loads the weights."""
        if cells <= self._room[0] and batch <= self._room[1]:
            return
        if self._model is None:
            self._model = self._load(vocab_only=False)
            self._check_kind()
        self._free_context()
        # One output per sequence is the least that llama.cpp takes.
        self._room = max(cells, self._room[0]), max(batch, self._room[1], MAX_SEQUENCES)
        wanted = self._library.llama_context_default_params()
        wanted.n_ctx = self._room[0] + 256  # it is rounded
        wanted.n_batch = wanted.n_ubatch = self._room[1]
        wanted.n_seq_max = MAX_SEQUENCES
        wanted.n_outputs_max = wanted.n_outputs_max_per_seq = self._room[1]
        wanted.n_threads = wanted.n_threads_batch = self._threads
        wanted.kv_unified = True  # sequences share what they have in common
        wanted.type_k = wanted.type_v = self._library.GGML_TYPE_F32
        wanted.flash_attn_type = self._library.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = self._library.llama_init_from_model(self._model, wanted)
        if not self._context:
            raise ModelError(
                f"llama.cpp has no memory for {self._room[0]} tokens of '{self._path}'",
                got=self._last_message(),
                hint="Try a smaller --max-length",
            )
        self._batch = self._library.llama_batch_init(self._room[1], 0, MAX_SEQUENCES)

    def compute(self, batch: SequenceBatch) -> list[float]:
        """The log-probabilities of a batch's places. Batches must come in the order of their plan.

        Raises:
            ModelError: llama.cpp refuses the batch.
        """
        library, memory = self._library, self._library.llama_get_memory(self._context)
        self._keep(memory, batch.kept)
        for leaf in batch.leaves:
            if leaf.held:
                library.llama_memory_seq_cp(memory, TRUNK, leaf.sequence, 0, leaf.held)
        # Nothing is computed for the trunk in this call; it becomes the last leaf afterwards.
        library.llama_memory_seq_rm(memory, TRUNK, -1, -1)
        self._fill(batch)
        failed = int(library.llama_decode(self._context, self._batch))
        if failed:
            raise ModelError(
                f"llama.cpp could not compute {len(batch.tokens)} tokens", got=self._last_message() or f"code {failed}"
            )
        found = self._read(batch)
        library.llama_memory_seq_cp(memory, batch.last.sequence, TRUNK, 0, batch.last.held)
        for leaf in batch.leaves:
            library.llama_memory_seq_rm(memory, leaf.sequence, -1, -1)
        return found

    def forget(self) -> None:
        """Empty the memory."""
        if self._context is not None:
            self._library.llama_memory_clear(self._library.llama_get_memory(self._context), False)

    def close(self) -> None:
        """Give the memory of weights and sequences back."""
        self._free_context()
        for model in (self._model, self._vocabulary_model):
            if model is not None:
                self._library.llama_model_free(model)
        self._model = self._vocabulary_model = None

    def _keep(self, memory: Pointer, kept: int) -> None:
        if not self._library.llama_memory_seq_rm(memory, TRUNK, kept, -1):
            raise ModelError(
                f"llama.cpp cannot keep the first part of a sequence of '{self._path}'",
                hint="Networks with a recurrent state are not supported with llamacpp/",
            )

    def _fill(self, batch: SequenceBatch) -> None:
        target = self._batch
        target.n_tokens = len(batch.tokens)
        rows = zip(batch.tokens, batch.positions, batch.sequences, batch.scored, strict=True)
        for row, (token, position, sequences, scored) in enumerate(rows):
            target.token[row] = token
            target.pos[row] = position
            target.n_seq_id[row] = len(sequences)
            numbers = target.seq_id[row]
            for index, sequence in enumerate(sequences):
                numbers[index] = sequence
            target.logits[row] = int(scored)

    def _read(self, batch: SequenceBatch) -> list[float]:
        logs: dict[int, NDArray[np.float32]] = {}
        totals: dict[int, float] = {}
        found: list[float] = []
        for place in batch.places:
            if place.row not in logs:
                pointer = self._library.llama_get_logits_ith(self._context, place.row)
                logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))
                highest = float(logits.max())
                logs[place.row] = logits
                totals[place.row] = highest + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
            found.append(float(logs[place.row][place.token]) - totals[place.row])
        return found

    def _check_kind(self) -> None:
        library = self._library
        if library.llama_model_has_encoder(self._model) or library.llama_model_is_recurrent(self._model):
            raise ModelError(
                f"'{self._path}' is not a decoder-only network with attention",
                hint="llamacpp/ scores only those; load the file without 'llamacpp/'",
            )

    def _load(self, *, vocab_only: bool) -> Pointer:
        wanted = self._library.llama_model_default_params()
        wanted.vocab_only = vocab_only
        wanted.n_gpu_layers = 0
        _messages.clear()
        model: Pointer = self._library.llama_model_load_from_file(os.fsencode(self._path), wanted)
        if not model:
            raise ModelError(f"llama.cpp cannot read '{self._path}'", got=self._last_message(), where="--model")
        return model

    def _last_message(self) -> str | None:
        return _messages[-1] if _messages else None

    def _free_context(self) -> None:
        if self._batch is not None:
            self._library.llama_batch_free(self._batch)
        if self._context is not None:
            self._library.llama_free(self._context)
        self._batch = self._context = None
