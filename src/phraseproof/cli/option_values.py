"""Parse the values of options: lists, numbers, groups, the options of a model, a system prompt.

Each function raises `UsageError` for a text that it cannot parse. Nothing here imports more than
`errors` when it is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.errors import UsageError
from phraseproof.files import read_utf8

if TYPE_CHECKING:
    from phraseproof.evaluation.spec import EvaluationSpec
    from phraseproof.models import ModelOptions
    from phraseproof.models.price import Price


def joined(values: Sequence[str] | None) -> str:
    """The values of a repeatable option as one list separated by commas: `-t a -t b` means `-t a,b`."""
    return ",".join(values or ())


def read_names(values: Sequence[str] | None) -> tuple[str, ...]:
    """The names in a repeatable option whose values may hold several, separated by commas."""
    return tuple(name.strip() for name in joined(values).split(",") if name.strip())


def read_numbers(text: str, option: str) -> tuple[int, ...]:
    """One whole number, or several separated by commas.

    Raises:
        UsageError: a part of `text` is not a whole number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "not a number", expected="one number, or several separated by commas", got=text, where=option
        ) from None


def model_options(
    *,
    adapter: Path | None = None,
    dtype: str = "auto",
    device: str = "auto",
    batch_size: str = "auto",
    max_length: int | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    model_arg: Sequence[str] = (),
    chat_template: Path | None = None,
    chat_template_arg: Sequence[str] | None = None,
    chat_date: str | None = None,
) -> ModelOptions:
    """The options of the panel "Model" as the value that `load_model` takes.

    Raises:
        UsageError: a batch size that is not a number, or a `--model-arg` or `--chat-template-arg` without `=`.
    """
    from phraseproof.models import ModelOptions

    size: int | None = None
    if batch_size != "auto":
        if not batch_size.isdigit() or int(batch_size) < 1:
            raise UsageError(
                "not a batch size", expected="auto or a number from 1", got=batch_size, where="--batch-size"
            )
        size = int(batch_size)
    return ModelOptions(
        dtype=dtype,
        device=device,
        batch_size=size,
        adapter=adapter,
        revision=revision,
        trust_remote_code=trust_remote_code,
        max_length=max_length,
        chat_template=chat_template,
        chat_template_args={
            key: _plain_value(value)
            for key, value in read_pairs(chat_template_arg or (), "--chat-template-arg").items()
        },
        chat_date=chat_date,
        args=read_pairs(model_arg, "--model-arg"),
    )


BATCH_API = "batch_api"
"""The option of a served model for `--batch-api`."""

FULL_PRICE = (
    "the price of batches is not known, so the full one is used: OpenAI charges half. A file with prices can say so: "
    "batch_share: 0.5"
)


def with_base_url(model_arg: Sequence[str] | None, base_url: str | None) -> list[str]:
    """The values of `--model-arg`, with the value of `--base-url` added."""
    return [*(model_arg or []), *([f"base_url={base_url}"] if base_url else [])]


def with_server_options(
    spec: EvaluationSpec,
    *,
    max_requests: int | None,
    max_cost: float | None,
    price: Price | None,
    is_batched: bool,
) -> EvaluationSpec:
    """The spec with limits of requests and cost, and the batch API, as options of its model.

    Raises:
        UsageError: one of them for a model that is not behind a server, or a limit of cost without a price.
    """
    limits = {
        name: str(value)
        for name, value in (("max_requests", max_requests), ("max_cost", max_cost))
        if value is not None
    }
    if is_batched:
        limits[BATCH_API] = "true"
    if not limits:
        return spec
    if not spec.model.startswith("openai/"):
        flag = f"--{next(iter(limits)).replace('_', '-')}"
        raise UsageError(f"'{spec.model}' is not a model behind a server", where=flag, hint=f"Leave out {flag}")
    if max_cost is not None:
        if price is None:
            raise UsageError(
                "--max-cost requires --price-per-million",
                hint="Give the prices of a million input and output tokens, as in --price-per-million 0.15,0.60",
            )
        limits["price_per_million"] = f"{price.input!r},{price.output!r}"
        if price.batch_share != 1:
            limits["batch_share"] = repr(price.batch_share)
    from dataclasses import replace

    options = spec.model_options
    return spec.with_changes(model_options=replace(options, args={**options.args, **limits}))


def read_pairs(entries: Sequence[str], option: str) -> dict[str, str]:
    """The values of an option that is repeated as `NAME=VALUE`, by name.

    Raises:
        UsageError: one has no `=`, or no name.
    """
    found: dict[str, str] = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not (equals and key):
            raise UsageError("not an argument with its value", expected="KEY=VALUE", got=entry, where=option)
        found[key] = value
    return found


def _plain_value(text: str) -> str | bool | int | float:
    """Parse a value as JSON (`false`, `3`). A value that is not JSON is a text."""
    import json

    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | bool | int | float) else text


def read_system(text: str | None) -> str | None:
    """The system prompt: the text itself, or the content of the file with that name.

    Raises:
        UsageError: a file that cannot be read.
    """
    if text is None or "\n" in text or len(text) > 255:
        return text
    path = Path(text)
    if not path.is_file():
        if path.suffix in {".txt", ".md", ".jinja"} and " " not in text:
            raise UsageError(f"no file '{text}'", where="--system")
        return text
    try:
        return read_utf8(path).removesuffix("\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read '{text}'", got=str(error), where="--system") from error


def read_group_order(text: str | None) -> list[str]:
    """The names in `--group-order`.

    Raises:
        UsageError: a name is empty.
    """
    order = [] if text is None else [name.strip() for name in text.split(",")]
    if "" in order:
        raise UsageError("a group has no name", expected="GROUP,GROUP", got=repr(text), where="--group-order")
    return order


def read_groups(
    named: Sequence[str], observed: Sequence[str] | None, unobserved: Sequence[str] | None
) -> dict[str, str]:
    """The groups of wordings that the options name, in their order.

    Raises:
        UsageError: an entry is not GROUP=WORDINGS, or no entry is given.
    """
    groups: dict[str, str] = {}
    for entry in named:
        group, equals, members = entry.partition("=")
        group = group.strip()
        if not group.isprintable():
            raise UsageError("a group's name cannot be printed", got=repr(group), where="--instructions")
        if not (equals and group and members):
            raise UsageError(
                "not a group",
                expected="GROUP=WORDINGS",
                got=entry,
                where="--instructions",
                hint=None if equals else f"Give the wordings a group's name, as in --instructions mine={entry}",
            )
        groups[group] = f"{groups[group]},{members}" if group in groups else members
    for group, members in (("observed", joined(observed)), ("unobserved", joined(unobserved))):
        if members:
            groups[group] = f"{groups[group]},{members}" if group in groups else members
    if not groups:
        raise UsageError(
            "no wordings are named",
            where="--instructions",
            hint="Name a group, as in --instructions mine=prompt.yaml, or --unobserved composed",
        )
    return groups
