"""The pocket models: tiny models that are shipped as ordinary model folders. `pocket` is `pocket/small`.

They are found by name among the package's data; `phraseproof.pocket` trains them.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from phraseproof.errors import ModelError
from phraseproof.models.huggingface import provider
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.options import ModelOptions

DEFAULT_SIZE = "small"


def folder(name: str) -> Path:
    """The folder of `pocket` or `pocket/SIZE`.

    Raises:
        ModelError: no such size.
    """
    size = name.partition("/")[2] or DEFAULT_SIZE
    weights = Path(str(resources.files("phraseproof") / "pocket" / "weights"))
    sizes = sorted(path.name for path in weights.iterdir() if path.is_dir())
    if size not in sizes:
        raise ModelError(
            f"no pocket model is called '{name}'",
            expected=f"one of: pocket, {', '.join(f'pocket/{each}' for each in sizes)}",
            where="--model",
        )
    return weights / size


def load(name: str, options: ModelOptions) -> HuggingFaceModel:
    """The provider for `pocket` and `pocket/SIZE`.

    Raises:
        ModelError, UsageError, MissingExtraError: as `phraseproof.models.load_model` says.
    """
    return provider.load(str(folder(name)), options, shown_as=name)
