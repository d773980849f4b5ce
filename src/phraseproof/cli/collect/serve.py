"""`phraseproof collect serve`: the web form of a project, which is made or resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import PROJECT
from phraseproof.cli.completion import complete_tasks

if TYPE_CHECKING:
    from phraseproof.collect.store import CollectStore

SERVER = "Server"


def serve(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK...",
            help="Names or YAML files of tasks; none to resume the project in --out.",
            autocompletion=complete_tasks,
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The project's folder; an existing project is resumed.")],
    data_dir: options.DataDir = None,
    title: Annotated[str | None, typer.Option(help="The form's heading.", rich_help_panel=PROJECT)] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            help="The licence that annotators agree to, as its name or whole text; CC0-1.0 unless given.",
            rich_help_panel=PROJECT,
        ),
    ] = None,
    zero_shot: Annotated[
        int | None,
        typer.Option(min=0, max=200, help="Zero-shot wordings per task; 6 unless given.", rich_help_panel=PROJECT),
    ] = None,
    few_shot: Annotated[
        int | None,
        typer.Option(min=0, max=200, help="Few-shot wordings per task; 6 unless given.", rich_help_panel=PROJECT),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on; not loopback: needs --base-url.", rich_help_panel=SERVER),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.", rich_help_panel=SERVER)
    ] = 8000,
    base_url: Annotated[
        str | None,
        typer.Option(help="The address under which people reach the form, as https://HOST.", rich_help_panel=SERVER),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IP",
            help="The IP address of a proxy whose forwarded headers are believed; repeatable.",
            rich_help_panel=SERVER,
        ),
    ] = None,
) -> None:
    """Serve the web form in which people write wordings; prints the owner's link.

    The first call makes the project, later ones resume it. The owner's pages invite people, review and export.
    Ctrl-C ends the server; nothing that was saved is lost.
    """
    from phraseproof.collect.web.owner_link import owner_link
    from phraseproof.collect.web.server import listen, require_packages
    from phraseproof.collect.web.server import serve as answer

    require_packages()
    listening = listen(host, port, base_url)
    with listening.sock, _project(tasks or [], out, data_dir, title, licence, zero_shot, few_shot) as store:
        terminal.note(f"the form is at {listening.base_url}; Ctrl-C ends it")
        typer.echo(f"owner: {owner_link(store, listening.base_url)}")
        answer(store, listening, trusted_proxies=tuple(trusted_proxy or ()))


def _project(
    names: list[str],
    out: Path,
    data_dir: Path | None,
    title: str | None,
    licence: str | None,
    zero_shot: int | None,
    few_shot: int | None,
) -> CollectStore:
    """The project of a folder: resumed if there is one, else made."""
    from phraseproof.collect.project_tasks import LICENCE, new_project, project_tasks
    from phraseproof.collect.store import DATABASE, CollectStore
    from phraseproof.errors import UsageError

    given = {"title": title, "licence": licence, "zero_shot": zero_shot, "few_shot": few_shot}
    if (out / DATABASE).exists():
        store = CollectStore.open(out)
        if names:
            found = [task.name for task in project_tasks(names, data_dir=data_dir, warn=terminal.warn)]
            kept = [task.name for task in store.project.tasks]
            if found != kept:
                raise UsageError(
                    "the project has other tasks",
                    expected=", ".join(kept),
                    got=", ".join(found),
                    where=str(out),
                    hint="Leave the tasks out to resume it, or name another --out",
                )
        for field, value in given.items():
            stored = getattr(store.project, field)
            if value is not None and value != stored:
                raise UsageError(
                    f"the project has another {field.replace('_', '-')}",
                    expected=str(stored),
                    got=str(value),
                    where=str(out),
                    hint="Leave the option out to resume the project",
                )
        return store
    if not names:
        raise UsageError("a new project needs a task", where="TASK", hint="`phraseproof tasks list` names them all")
    return new_project(
        out,
        names,
        title=title,
        licence=licence or LICENCE,
        zero_shot=6 if zero_shot is None else zero_shot,
        few_shot=6 if few_shot is None else few_shot,
        data_dir=data_dir,
        warn=terminal.warn,
    )
