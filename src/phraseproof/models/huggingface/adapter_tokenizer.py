"""The tokenizer and the chat template that a training saved with its adapter.

Trainings that add tokens or choose a chat template save both into the adapter's folder. The adapter was trained with
them, so it is measured with them: the embeddings grow to the size that the adapter's weights have, as they do in PEFT's
and lm-evaluation-harness's loading code.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.engine.network import Network
from phraseproof.errors import ModelError
from phraseproof.files import read_json, read_utf8
from phraseproof.identity import file_hash
from phraseproof.models.huggingface.quiet import quiet_transformers
from phraseproof.models.huggingface.tokenization import Tokenizer

_WEIGHTS = "adapter_model.safetensors"
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")
_SETTINGS = (
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("chat_template.jinja", "chat_template.json"),
)


class AdapterTokenizer(NamedTuple):
    """The tokenizer to use with an adapter.

    Attributes:
        tokenizer: the one in the adapter's folder, or the base model's with the folder's chat template.
        differs: how it differs from the base model's, for people; empty if it does not.
        content_hash: of the folder's files; empty if it does not differ.
    """

    tokenizer: Tokenizer
    differs: str = ""
    content_hash: str = ""


def adapter_tokenizer(folder: Path, base: Tokenizer, *, trust_remote_code: bool) -> AdapterTokenizer:
    """The tokenizer that an adapter was trained with, as far as its folder tells.

    Args:
        folder: the adapter's.
        base: the base model's tokenizer.
        trust_remote_code: whether code in the folder may run.

    Raises:
        ModelError: the folder's tokenizer cannot be read, or gives the base model's tokens other ids.
    """
    differences: list[str] = []
    tokenizer = base
    if any((folder / name).is_file() for name in _VOCABULARIES):
        tokenizer = _load(folder, trust_remote_code=trust_remote_code)
        added = _added_tokens(folder, base, tokenizer)
        if added:
            differences.append(f"{added} added token{'' if added == 1 else 's'}")
        if not tokenizer.chat_template:
            tokenizer.chat_template = base.chat_template
    elif (template := _template(folder)) is not None:
        tokenizer = copy.copy(base)
        tokenizer.chat_template = template
    if tokenizer.chat_template != base.chat_template:
        differences.append("a chat template")
    return _with_hash(folder, tokenizer, differences)


def grow_embeddings(network: Network, folder: Path, num_tokens: int) -> None:
    """Give the network as many embeddings as the adapter's weights have.

    Args:
        network: the base model, before the adapter is attached.
        folder: the adapter's.
        num_tokens: how many tokens the adapter's tokenizer has.

    Raises:
        ModelError: the tokenizer has tokens that neither the base model nor the adapter has an embedding for.
    """
    rows = int(network.get_input_embeddings().weight.shape[0])
    saved = _saved_rows(network, folder)
    if saved is not None and saved != rows:
        with quiet_transformers():
            network.resize_token_embeddings(saved, mean_resizing=False)
        network.requires_grad_(False)
        rows = saved
    if num_tokens > rows:
        raise ModelError(
            f"the adapter '{folder}' cannot be used: its tokenizer has tokens without embeddings",
            expected=f"embeddings of {num_tokens} tokens in the adapter's weights",
            got=f"{rows} in the base model" if saved is None else f"{rows}",
            where="--adapter",
            hint="Save them with the adapter: modules_to_save with the model's embeddings and output layer",
        )


def _load(folder: Path, *, trust_remote_code: bool) -> Tokenizer:
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            loaded: Tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise ModelError(
            f"the adapter '{folder}' cannot be used: the tokenizer in its folder cannot be read",
            got=" ".join(str(error).split())[:200],
            where="--adapter",
        ) from error
    return loaded


def _added_tokens(folder: Path, base: Tokenizer, own: Tokenizer) -> int:
    """How many tokens the adapter's tokenizer has beyond the base model's."""
    ids: dict[str, int] = base.get_vocab()
    own_ids: dict[str, int] = own.get_vocab()
    for token, index in ids.items():
        if own_ids.get(token) != index:
            raise ModelError(
                f"the adapter '{folder}' cannot be used: the tokenizer in its folder is not the base model's",
                expected=f"the id {index} for the token {token!r}",
                got="no such token" if token not in own_ids else f"the id {own_ids[token]}",
                where="--adapter",
                hint="Give the base model that the adapter was trained on as --model",
            )
    return len(own_ids) - len(ids)


def _template(folder: Path) -> str | None:
    """A chat template that is a separate file in the folder."""
    file = folder / "chat_template.jinja"
    try:
        if file.is_file():
            return read_utf8(file)
        for name in ("chat_template.json", "tokenizer_config.json"):
            if (folder / name).is_file():
                content: object = read_json(folder / name)
                found = cast("dict[str, object]", content).get("chat_template") if isinstance(content, dict) else None
                if isinstance(found, str):
                    return found
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the adapter '{folder}' cannot be used: its chat template cannot be read",
            got=str(error),
            where="--adapter",
        ) from error
    return None


def _with_hash(folder: Path, tokenizer: Tokenizer, differences: list[str]) -> AdapterTokenizer:
    if not differences:
        return AdapterTokenizer(tokenizer)
    files = [folder / name for name in (*_VOCABULARIES, *_SETTINGS) if (folder / name).is_file()]
    return AdapterTokenizer(tokenizer, " and ".join(differences), file_hash(*sorted(files)))


def _saved_rows(network: Network, folder: Path) -> int | None:
    """How many input embeddings the adapter's weights hold; `None` if they hold none."""
    from safetensors import SafetensorError, safe_open

    modules = network.named_modules(remove_duplicate=False)
    names = [name for name, module in modules if module is network.get_input_embeddings()]
    try:
        with safe_open(str(folder / _WEIGHTS), framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - the file is no mapping
                if any(f".{name}." in f".{key}" for name in names) and key.endswith("weight") and "lora" not in key:
                    return int(file.get_slice(key).get_shape()[0])
    except (OSError, SafetensorError):
        return None  # attaching the adapter reports what is wrong with the file
    return None
