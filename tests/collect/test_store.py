"""The store keeps every text: in any order of writers, across processes, and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.collect.records import CollectedWording, ProjectTask
from phraseproof.collect.store import DATABASE, CollectStore
from phraseproof.errors import CollectError
from support.collecting import LATER, LICENCE, project_with, small_project

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.integers(0, 1), st.integers(1, 2), st.text(max_size=8), st.booleans()),
        st.tuples(st.sampled_from(["submit", "accept", "return", "edit"]), st.integers(0, 1)),
    ),
    max_size=15,
)


@settings(max_examples=12)
@given(steps=STEPS)
def test_any_order_of_two_writers_and_a_reviewer_keeps_every_text(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("project")
    first, people = project_with(folder, "Ada", "Ben")
    stores = (first, CollectStore.open(folder))  # as two processes have them
    written: dict[tuple[str, int], list[str]] = {}
    for number, step in enumerate(steps):
        store = stores[number % 2]
        match step:
            case ("save", int(who), int(row), str(text), bool(knows)):
                try:
                    wording = store.save(
                        people[who].id, "teams", "zero-shot", row, text, answer=None, base=1 if knows else None
                    )
                except CollectError:
                    continue  # accepted meanwhile
                assert wording.text == (text if text.strip() else "")
                texts = written.setdefault((people[who].id, row), [])
                if not texts or texts[-1] != wording.text:
                    texts.append(wording.text)
            case ("submit", int(who)):
                store.submit(people[who].id, "teams")
            case (str(action), int(who)):
                for wording in store.wordings(invitation_id=people[who].id):
                    text = _review(store, wording, action, f"edit {number}")
                    written[wording.invitation_id, wording.row] += [] if text is None else [text]
            case _:
                raise AssertionError(step)
    found = stores[0].wordings()
    assert {(each.invitation_id, each.row) for each in found} == written.keys()
    for wording in found:
        history = stores[1].history(wording.id)
        assert [each.number for each in history] == list(range(1, wording.revision + 1))
        assert (history[-1].text, history[-1].at) == (wording.text, wording.changed)
        texts = [each.text for each in history if each.action in {"saved", "edited"}]
        assert texts == written[wording.invitation_id, wording.row]
    for store in stores:
        store.close()


def _review(store: CollectStore, wording: CollectedWording, action: str, text: str) -> str | None:
    """Do one step of a review where it is allowed; return what was written."""
    if wording.status == "draft":
        return None
    if action == "edit":
        return store.edit(wording.id, text, by="boss").text
    if action == "return":
        store.send_back(wording.id, "again", by="boss")
    elif wording.status != "returned":
        store.accept(wording.id, by="boss")
    return None


def test_threads_that_write_the_same_row_lose_nothing(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")

    def write(name: str) -> None:
        for number in range(10):
            store.save(ada.id, "teams", "zero-shot", 1, f"{name} {number}", answer=None, base=None)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (wording,) = store.wordings()
    history = store.history(wording.id)
    assert sorted(each.text for each in history) == sorted(f"{name} {number}" for name in "abc" for number in range(10))
    store.close()


_WRITER = """
import sys
from pathlib import Path
from phraseproof.collect.store import CollectStore
store = CollectStore.open(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    store.save(sys.argv[2], "teams", "zero-shot", 1, f"text {number}", answer=None, base=number - 1)
    print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_was_promised(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path), ada.id], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        last = 0
        while last < 25:
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        promised = max([last, *map(int, process.stdout.read().split())])
    again = CollectStore.open(tmp_path)
    (wording,) = again.wordings()
    texts = [each.text for each in again.history(wording.id)]
    # What the last transaction wrote may be there although the process was killed before it said so.
    assert texts[:promised] == [f"text {number}" for number in range(1, promised + 1)]
    assert len(texts) <= promised + 1
    assert wording.text == texts[-1]
    assert again.save(ada.id, "teams", "zero-shot", 1, "after", answer=None, base=None).text == "after"
    again.close()
    store.close()


def test_progress_counts_rows_with_text(tmp_path: Path) -> None:
    store, (ada, ben) = project_with(tmp_path, "Ada", "Ben")
    store.invite("Boss", expires=LATER, role="owner")
    for row, text in ((1, "One"), (2, ""), (3, "Three")):
        store.save(ada.id, "teams", "zero-shot", row, text, answer=None, base=None)
    one, three = store.submit(ada.id, "teams")
    store.accept(one.id, by="boss")
    store.send_back(three.id, "Hm", by="boss")
    store.save(ben.id, "capitals", "few-shot", 1, "x", answer=None, base=None)
    found = [(e.pseudonym, e.task, e.draft, e.submitted, e.returned, e.accepted, e.asked) for e in store.progress()]
    assert found == [
        ("Ada", "teams", 0, 0, 1, 1, 3),
        ("Ada", "capitals", 0, 0, 0, 0, 3),
        ("Ben", "teams", 0, 0, 0, 0, 3),
        ("Ben", "capitals", 1, 0, 0, 0, 3),
    ]
    assert [each.text for each in store.wordings(task="teams", status="accepted")] == ["One"]


def test_the_data_of_a_person_is_gone_from_every_file(tmp_path: Path) -> None:
    store, (ada, ben) = project_with(tmp_path, "Adasecret", "Ben")
    for text in ("Secretfirst", "Secretlast"):
        store.save(ada.id, "teams", "zero-shot", 1, text, answer=None, base=None)
    (theirs,) = store.submit(ada.id, "teams")
    store.save(ben.id, "teams", "zero-shot", 1, "Bens", answer=None, base=None)
    (kept,) = store.submit(ben.id, "teams")
    store.accept(kept.id, by=ada.id)
    (tmp_path / "collect.version-0.sqlite").write_bytes((tmp_path / DATABASE).read_bytes())
    assert store.delete_person(ada.id) == 1
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    for secret in ("Secretfirst", "Secretlast", "Adasecret", "adasecret", ada.id, ada.token_id, theirs.id):
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
    assert b"Bens" in (tmp_path / DATABASE).read_bytes()
    assert store.history(kept.id)[-1].by == "deleted"
    assert store.history(theirs.id) == ()
    assert store.events()[-1].detail == "1 wordings"
    store.close()


def test_everything_is_plain_data_without_links(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    store.save(ada.id, "teams", "zero-shot", 2, "One", answer="letter", base=None)
    store.save(ada.id, "teams", "zero-shot", 2, "Two", answer=None, base=1)
    everything = json.loads(json.dumps(store.everything()))
    assert everything["project"]["title"] == store.project.title
    assert [each["name"] for each in everything["tasks"]] == ["teams", "capitals"]
    assert everything["invitations"][0]["licence"] == LICENCE
    (wording,) = everything["wordings"]
    assert (wording["text"], wording["row"]) == ("Two", 2)
    assert [(each["text"], each["answer"], each["base"]) for each in wording["history"]] == [
        ("One", "letter", None),
        ("Two", None, 1),
    ]
    assert ada.token_id not in json.dumps(everything)
    ben = store.invite("Ben", expires=LATER)
    store.save(ben.id, "teams", "zero-shot", 1, "Bens", answer=None, base=None)
    of_ada, of_ben = (store.everything(of=each.id) for each in (ada, ben))
    assert of_ada == {**store.everything(), **{key: of_ada[key] for key in ("invitations", "wordings", "events")}}
    assert "Bens" not in json.dumps(of_ada)
    assert ben.id not in json.dumps(of_ada)
    assert ada.id not in json.dumps(of_ben)
    assert "Bens" in json.dumps(of_ben)
    with pytest.raises(CollectError, match="there is no invitation"):
        store.everything(of="x")


def test_a_project_is_made_once_and_may_change(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    with pytest.raises(CollectError, match="holds a project already"):
        CollectStore.create(tmp_path, small_project())
    store.save(ada.id, "teams", "zero-shot", 1, "One", answer=None, base=None)
    with pytest.raises(CollectError, match="'teams' has wordings"):
        store.change_project(small_project(tasks=(ProjectTask("other", "other.yaml"),)))
    changed = small_project(tasks=(ProjectTask("other", "other.yaml", "About", "Like this"), ProjectTask("teams", "t")))
    store.change_project(changed)
    store.close()
    with CollectStore.open(tmp_path) as again:
        assert again.project == changed == store.project
        assert [each.text for each in again.wordings()] == ["One"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CollectError, match="cannot be made"):
        CollectStore.create(tmp_path / "file" / "project", small_project())
