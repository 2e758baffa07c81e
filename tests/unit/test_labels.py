"""Label sets stay few, whatever the wire and the app bring."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from claudescope.schema.catalogue import FINISH_REASON, SERVER_ADDRESS, WORKFLOW
from claudescope.sinks.labels import MAX_LABEL_SETS, Cap, LabelSets
from tests.records import make_record


def test_a_closed_set_lets_nothing_else_through() -> None:
    """A finish reason that the catalogue does not know is `other`."""
    cap = Cap(FINISH_REASON)
    assert [cap("end_turn"), cap("a reason of tomorrow")] == ["end_turn", "other"]


def test_an_open_set_keeps_the_first() -> None:
    """Values up to the cap are kept for good; later ones are `other`."""
    cap = Cap(WORKFLOW, 2)
    assert [cap("a"), cap("b"), cap("c"), cap("a")] == ["a", "b", "other", "a"]


def test_the_catalogue_sets_the_cap() -> None:
    """Without an override the label's own cap holds."""
    cap = Cap(SERVER_ADDRESS)
    kept = {cap(f"host{number}") for number in range(1000)}
    assert len(kept) == (SERVER_ADDRESS.cap or 0) + 1


def test_label_sets_are_the_same_object() -> None:
    """The same facts give the same set, so that it can be a key."""
    sets = LabelSets(100)
    assert sets.of_call(make_record()).ended is sets.of_call(make_record(duration=9.0)).ended


def test_missing_facts_give_no_label() -> None:
    """A call without a model and outside of a workflow has neither label."""
    labels = LabelSets(100).of_call(make_record(request_model=None, response_model=None, workflow=None)).ended
    assert labels.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "server.address": "api.anthropic.com",
    }


def test_combinations_are_bounded() -> None:
    """Label sets end at the bound, even where no single label is over its cap."""
    sets = LabelSets(100)
    found = {
        id(labels)
        for number in range(60)
        for model in range(60)
        for labels in sets.of_call(
            make_record(workflow=f"w{number}", request_model=f"m{model}", response_model=f"r{model}")
        )
    }
    assert len(found) == MAX_LABEL_SETS + 1


def test_a_hundred_thousand_names_stay_few() -> None:
    """Distinct names from many threads end in the cap and `other`, and memory does not follow them."""
    sets = LabelSets(100)

    def use(base: int) -> set[str]:
        return {
            sets.of_call(make_record(workflow=f"w{base + number}")).ended.attributes["claude.workflow"]
            for number in range(2_500)
        }

    with ThreadPoolExecutor(4) as pool:
        names = set().union(*pool.map(use, range(0, 10_000, 2_500)))
    assert len(names) == 101


def test_all_sets_of_a_call() -> None:
    """A call's start has no response model, its rate limits neither operation nor workflow; found once, kept."""
    sets = LabelSets(100)
    labels = sets.of_call(make_record())
    assert "gen_ai.response.model" not in labels.started.attributes
    assert labels.limits.attributes == {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5-5",
        "server.address": "api.anthropic.com",
    }
    assert sets.of_call(make_record(duration=9.0)) is labels


def test_calls_over_a_cap_are_not_kept() -> None:
    """What is looked up by the names that came is as bounded as the names that are told apart."""
    sets = LabelSets(2)
    for number in range(50):
        sets.of_call(make_record(workflow=f"w{number}"))
    assert len(sets._calls) == 2
