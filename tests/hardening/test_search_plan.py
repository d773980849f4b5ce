"""The sets of a search share no example and no wording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.core import Kind
from phraseproof.errors import UsageError
from phraseproof.hardening.search_plan import SearchInput, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.instructions.collections import Collection
from support.harden_data import make_task, make_wordings

SETTINGS = SearchSettings(("pt",), limit=21)
COLLECTION = Collection("mine", make_wordings(12))
TASK = make_task(size=50)


def test_three_sets_share_nothing_and_refitting_has_two_of_them() -> None:
    plan = plan_search(SearchInput([TASK], [COLLECTION], [make_task("other", 30)]), SETTINGS)
    sets = (plan.training, plan.validation, plan.test)
    examples = [{each.id for each in of.tasks[0].examples} for of in sets]
    wordings = [{item.name for item in of.wordings["parity"]} for of in sets]
    for parts, whole in ((examples, 50), (wordings, 12)):
        assert sum(map(len, parts)) == len(set.union(*parts)) == whole
    assert {each.id for each in plan.refitting.tasks[0].examples} == examples[0] | examples[1]
    assert {item.name for item in plan.refitting.wordings["parity"]} == wordings[0] | wordings[1]
    # An unseen task has every wording that neither training nor validation has.
    assert plan.unseen is not None
    assert {item.name for item in plan.unseen.wordings["other"]} == wordings[2]
    assert plan.check is None
    assert [each.name for each in plan.reported] == ["test", "unseen"]
    assert (plan.test.limit, plan.validation.limit) == (21, 100)
    assert [item.name for item in plan.test.collections[0].instructions] == [
        item.name for item in plan.test.wordings["parity"]
    ]


def test_further_wordings_are_for_tasks_that_no_training_sees() -> None:
    more = Collection("more", tuple(replace(item, ask=f"{item.ask}!", collection="more") for item in make_wordings(3)))
    given = SearchInput([TASK], [COLLECTION], [make_task("other", 30)], further=[more])
    plan = plan_search(given, SETTINGS)
    assert plan.unseen is not None
    names = {item.name for item in plan.unseen.wordings["other"]}
    assert names == {item.name for item in (*plan.test.wordings["parity"], *more.instructions)}
    assert plan._replace(unseen=None) == plan_search(SearchInput([TASK], [COLLECTION]), SETTINGS)


def test_sets_of_other_examples_wordings_or_samples_have_other_identities() -> None:
    given = SearchInput([TASK], [COLLECTION])
    same = plan_search(given, SETTINGS).test.identity
    assert plan_search(given, replace(SETTINGS, methods=("ft",))).test.identity == same
    for other in (replace(SETTINGS, seed=1), replace(SETTINGS, limit=22)):
        assert plan_search(given, other).test.identity != same


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SearchInput([], [COLLECTION]), "--tasks: no task is named"),
        (SearchInput([TASK], [COLLECTION], [TASK]), "task 'parity' is named twice"),
        (
            SearchInput([TASK], [COLLECTION], [replace(make_task("s", 30), kind=Kind.SUMMARIZATION)]),
            "task 's' has no options to choose from",
        ),
        (SearchInput([TASK], [COLLECTION], (), [make_task("o", 19)]), "--check: task 'o' has too few .* got 5 and 19"),
        (
            SearchInput([TASK], [Collection("mine", make_wordings(8))], [make_task("o", 30)]),
            None,
        ),
    ],
)
def test_what_cannot_be_split_is_refused(given: SearchInput, message: str | None) -> None:
    if message is None:
        unseen = plan_search(given, SETTINGS).unseen
        assert unseen is not None
        assert len(unseen.wordings["o"]) == 4
        return
    with pytest.raises(UsageError, match=f"^{message}"):
        plan_search(given, SETTINGS)


def test_a_limit_below_what_can_be_judged_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(UsageError, match=r"^--limit: too few examples .*at least 20 test examples per task, got 19"):
        plan_search(SearchInput([TASK], [COLLECTION]), replace(SETTINGS, limit=19))
