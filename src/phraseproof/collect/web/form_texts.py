"""The owner's page of the form's own texts: the title, and of each task the description and the worked example."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from phraseproof.collect.preview import MAX_CHARACTERS, Preview
from phraseproof.collect.web.site import Visit


def texts(visit: Visit) -> Response:
    """The texts as annotators see them; empty fields show what the form says by itself."""
    project, site = visit.site.project, visit.site
    previews: dict[str, Preview] = {
        each.name: site.preview(each, each.worked_example, "zero-shot", answer=None, form="ask") for each in site.tasks
    }
    return visit.page(
        "texts.html.j2",
        tasks=list(zip(project.tasks, site.tasks, strict=True)),
        previews=previews,
        is_saved=visit.request.query_params.get("saved") == "yes",
    )


def change_texts(visit: Visit) -> Response:
    """Store the texts; an emptied field goes back to what the form says by itself."""
    project = visit.site.project

    def sent(name: str) -> str:
        return visit.form.get(name, "").replace("\r\n", "\n").strip()[:MAX_CHARACTERS]

    tasks = tuple(
        replace(task, description=sent(f"{number}.description"), worked_example=sent(f"{number}.worked"))
        for number, task in enumerate(project.tasks, start=1)
    )
    title = " ".join(sent("title").split()) or project.title
    visit.site.store.change_project(replace(project, title=title, tasks=tasks), by=visit.known_person.id)
    return visit.go("/owner/texts?saved=yes")
