"""A collecting project with its form, and browsers that visit it without a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from phraseproof.collect.invitations import token_of
from phraseproof.collect.records import Project, ProjectTask, Role
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore
from phraseproof.collect.web.app import application
from support.collect_tasks import tickets

BASE = "http://127.0.0.1:8000"
TASK = "tickets"


class CollectSite:
    """A project in a folder, its application, and what a test needs of both.

    Attributes:
        store: the project.
        app: the application.
    """

    def __init__(self, folder: Path, *, base_url: str = BASE, rate_scale: float = 1.0, rows: int = 2) -> None:
        description = "Which team answers <b>a customer's message</b>?"
        tasks = (ProjectTask(TASK, "tickets.yaml", description),)
        self.store = CollectStore.create(folder, Project("Tickets", "CC0-1.0", tasks, zero_shot=rows, few_shot=1))
        self.base_url = base_url
        self.app = application(folder, base_url=base_url, tasks={TASK: tickets()}, rate_scale=rate_scale)

    def token(self, name: str, role: Role = "annotator", *, days: float = 30) -> str:
        """The token of a new invitation."""
        made = self.store.invite(name, expires=now() + timedelta(days=days), role=role)
        return token_of(self.store.folder, made)

    def browser(self) -> Visitor:
        """A browser that has not visited yet."""
        return Visitor(self)

    def annotator(self, name: str = "Ada") -> Visitor:
        """A browser whose person has agreed and begun."""
        return self.browser().enter(self.token(name), agree="yes")

    def owner(self) -> Visitor:
        """An owner's browser."""
        return self.browser().enter(self.token("Olga", "owner"))

    def id_of(self, name: str) -> str:
        """The id of a person's invitation."""
        return self.store.invitation_called(name).id


class Visitor:
    """A browser with cookies; forms repeat the secret that the last page gave it."""

    def __init__(self, site: CollectSite) -> None:
        self.client = TestClient(site.app, base_url=site.base_url, follow_redirects=False)
        self.csrf = ""

    def enter(self, token: str, **fields: str) -> Visitor:
        """Open a link, and press its button."""
        assert self.get(f"/i/{token}").status_code == 200
        answer = self.post(f"/i/{token}", **fields)
        assert answer.status_code == 303, answer.text
        return self

    def get(self, path: str, **headers: str) -> Any:
        """A page."""
        answer = self.client.get(path, headers=headers)
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer

    def post(self, path: str, /, **fields: str) -> Any:
        """Send a form."""
        return self.send(path, fields, {})

    def send(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """Send a form with headers."""
        return self.client.post(path, data={"csrf": self.csrf, **fields}, headers=dict(headers))

    def save(self, row: str, text: str, *, base: int = 0, **fields: str) -> Any:
        """What the script sends at a pause while a person writes."""
        more = {f"row.{name}": value for name, value in fields.items()}
        return self.post(f"/tasks/1/{row}", **{"row.text": text, "row.base": str(base), **more})
