"""Scenario files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from claudescope._internal.exceptions import BadInputError
from claudescope.simulator import InjectedError, Match, Phase, Scenario, load_scenario, shipped_scenarios

from .asks import steady_with

NAMES = [
    "auth-expired",
    "cut-streams",
    "mid-stream-errors",
    "mixed",
    "overloaded",
    "rate-limit-storm",
    "regional-outage",
    "slow-first-token",
    "spend-limit",
    "steady",
]


def test_the_shipped_scenarios_load() -> None:
    """Each has its file's name and a description of one line."""
    shipped = shipped_scenarios()
    assert list(shipped) == NAMES
    for name, description in shipped.items():
        assert load_scenario(name).name == name
        assert description.endswith(".")
        assert "\n" not in description


def _refusal(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\ndescription: Mine.\n{text}", encoding="utf-8")
    with pytest.raises(BadInputError) as caught:
        load_scenario(path)
    return str(caught.value).replace(str(path), "mine.yaml").splitlines()


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    """All that a scenario can say, from a file."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\ndescription: Mine.\nerrors:\n"
        "  - {type: stall, share: 0.5, delay: 1m30s, after_events: 2, match: {stream: true}}\n",
        encoding="utf-8",
    )
    assert load_scenario(str(path)).errors == (
        InjectedError(type="stall", share=0.5, delay=90, after_events=2, match=Match(stream=True)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latncy: {}", "mine.yaml:3: latncy: unknown key 'latncy'. Did you mean 'latency'? Known keys: "),
        (
            "errors:\n  - type: overloaded\n",
            "mine.yaml:4: errors[0].type: expected ",
        ),
        (
            "errors:\n  - type: slow\n    delay: 5\n",
            "mine.yaml:5: errors[0].delay: expected a duration with its unit, such as '250ms', '20s' or '5m', got '5'",
        ),
        (
            "errors:\n  - type: slow\n    delay: fast\n",
            "mine.yaml:5: errors[0].delay: expected a duration such as '250ms', '20s', '5m' or '1h30m', got 'fast'",
        ),
        (
            "errors:\n  - {type: slow, share: 2}\n",
            "mine.yaml:4: errors[0].share: expected less than or equal to 1, got '2'",
        ),
        (
            "errors:\n  - type: slow\n    status: 500\n",
            "mine.yaml:5: errors[0].status: an injected 'slow' has no such parameter, got '500'",
        ),
        (
            "errors:\n  - type: api_error\n    status: 429\n",
            "mine.yaml:5: errors[0].status: expected 500 or 502 or 503 for 'api_error', got '429'",
        ),
        (
            "errors:\n  - {type: slow, share: 0.7}\n  - {type: hang, share: 0.7}\n",
            "mine.yaml:3: errors: the shares of the errors that apply to the same request add up to 1.4, above 1",
        ),
        ("phases:\n  - errors: []\n", "mine.yaml:4: phases[0]: the key 'for' is missing"),
        ("phases:\n  - for: 0s\n", "mine.yaml:4: phases[0].for: expected greater than 0, got '0s'"),
        ("limits: {requests: 0}", "mine.yaml:3: limits.requests: expected greater than 0, got '0'"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    """One line for each mistake, with what was expected."""
    (line,) = _refusal(tmp_path, text)
    assert line.startswith(message)


def test_an_unknown_scenario_names_the_shipped_ones() -> None:
    """With the nearest name."""
    with pytest.raises(
        BadInputError, match=r"no scenario 'stedy'\. Did you mean 'steady'\? The shipped .*auth-expired"
    ):
        load_scenario("stedy")
    with pytest.raises(BadInputError, match=r"^nowhere\.yaml: can't be read: No such file"):
        load_scenario("nowhere.yaml")


def test_shares_that_exclude_each_other_may_pass_one() -> None:
    """Only errors that apply to the same request are added up."""
    errors = (
        InjectedError(type="slow", match=Match(stream=True)),
        InjectedError(type="slow", match=Match(stream=False)),
    )
    assert Scenario(name="x", description="x", errors=errors).errors == errors
    with pytest.raises(ValidationError, match="phase 1 that apply"):
        Scenario(name="x", description="x", errors=errors, phases=(Phase(duration=1, errors=errors),))


def test_phases_follow_each_other() -> None:
    """They loop, or the last one holds; the scenario's own errors are there all the time."""
    own, first, second = (
        InjectedError(type="slow", share=0.1),
        InjectedError(type="hang"),
        InjectedError(type="refusal"),
    )
    phases = (
        Phase(duration=10, errors=(first.model_copy(update={"share": 0.5}),)),
        Phase(duration=20, errors=(second.model_copy(update={"share": 0.5}),)),
    )
    loops = steady_with(own, phases=phases)
    holds = steady_with(own, phases=phases, after_phases="hold")
    at = [0.0, 9.0, 10.0, 29.0, 30.0, 45.0]
    assert [loops.errors_at(time)[1].type for time in at] == ["hang", "hang", "refusal", "refusal", "hang", "refusal"]
    assert [holds.errors_at(time)[1].type for time in at][-2:] == ["refusal", "refusal"]
    assert all(loops.errors_at(time)[0] == own for time in at)
    assert steady_with(own).errors_at(5) == (own,)
