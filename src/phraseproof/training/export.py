"""Save a tuned model as an ordinary transformers folder; each file is replaced atomically."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from phraseproof.engine.network import Network
from phraseproof.errors import FileError
from phraseproof.files import publish
from phraseproof.models.huggingface.quiet import quiet_transformers

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import nn

    from phraseproof.models.huggingface.tokenization import Tokenizer
    from phraseproof.training.trainable_model import TrainableModel


def save_model(model: nn.Module, accelerator: Accelerator, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the network of a `TrainableModel` and its tokenizer into a folder; other files stay.

    Every process must call it. `config.json` is moved into place last, so a folder that has one is complete.

    Raises:
        FileError: the folder cannot be written.
    """
    trainable: TrainableModel = accelerator.unwrap_model(model)
    network: Network = trainable.network
    whole: dict[str, object] | None = None
    if any(hasattr(parameter, "to_local") for parameter in network.parameters()):  # sharded: gather it first
        state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
        whole = {name.removeprefix("network."): tensor for name, tensor in state.items()}
        # Tied weights have one name here, as in a network that is not sharded.
        first = {name for name, _ in network.named_parameters()}
        tied = {name for name, _ in network.named_parameters(remove_duplicate=False)} - first
        whole = {name: tensor for name, tensor in whole.items() if name not in tied}
    if accelerator.is_main_process:
        write_model(network, tokenizer, folder, whole)


def write_model(
    network: Network, tokenizer: Tokenizer, folder: Path, state: Mapping[str, object] | None = None
) -> None:
    """Write a network and its tokenizer into a folder; other files stay, and `config.json` is moved into place last.

    Args:
        network: a transformers model.
        tokenizer: its tokenizer.
        folder: where to.
        state: its weights, if they are not to be read from the network.

    Raises:
        FileError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".model-") as temporary, quiet_transformers():
            network.save_pretrained(temporary, **({} if state is None else {"state_dict": dict(state)}))
            tokenizer.save_pretrained(temporary)
            for path in sorted(Path(temporary).iterdir(), key=lambda path: path.name == "config.json"):
                publish(path, folder / path.name)
    except OSError as error:
        raise FileError("the model cannot be written", got=str(error), where=str(folder)) from error
