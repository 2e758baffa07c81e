"""Scenario files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from claudescope._internal.exceptions import BadInputError
from claudescope.simulator import Fault, Match, Phase, Scenario, load_scenario, shipped_scenarios

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
        "name: mine\ndescription: Mine.\nfaults:\n"
        "  - {kind: stall, share: 0.5, delay: 1m30s, after_events: 2, match: {stream: true}}\n",
        encoding="utf-8",
    )
    assert load_scenario(str(path)).faults == (
        Fault(kind="stall", share=0.5, delay=90, after_events=2, match=Match(stream=True)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latncy: {}", "mine.yaml:3: latncy: unknown key 'latncy'. Did you mean 'latency'? Known keys: "),
        (
            "faults:\n  - kind: overloaded\n",
            "mine.yaml:4: faults[0].kind: expected ",
        ),
        (
            "faults:\n  - kind: slow\n    delay: 5\n",
            "mine.yaml:5: faults[0].delay: expected a duration with its unit, such as '250ms', '20s' or '5m', got '5'",
        ),
        (
            "faults:\n  - kind: slow\n    delay: fast\n",
            "mine.yaml:5: faults[0].delay: expected a duration such as '250ms', '20s', '5m' or '1h30m', got 'fast'",
        ),
        (
            "faults:\n  - {kind: slow, share: 2}\n",
            "mine.yaml:4: faults[0].share: expected less than or equal to 1, got '2'",
        ),
        (
            "faults:\n  - kind: slow\n    status: 500\n",
            "mine.yaml:5: faults[0].status: the fault 'slow' has no such parameter, got '500'",
        ),
        (
            "faults:\n  - kind: api_error\n    status: 429\n",
            "mine.yaml:5: faults[0].status: expected 500 or 502 or 503 for 'api_error', got '429'",
        ),
        (
            "faults:\n  - {kind: slow, share: 0.7}\n  - {kind: hang, share: 0.7}\n",
            "mine.yaml:3: faults: the shares of the faults that can happen to one request add up to 1.4, over 1",
        ),
        ("phases:\n  - faults: []\n", "mine.yaml:4: phases[0]: the key 'for' is missing"),
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
    """Only faults that can happen to the same request are added up."""
    faults = (
        Fault(kind="slow", match=Match(stream=True)),
        Fault(kind="slow", match=Match(stream=False)),
    )
    assert Scenario(name="x", description="x", faults=faults).faults == faults
    with pytest.raises(ValidationError, match="phase 1 that can happen"):
        Scenario(name="x", description="x", faults=faults, phases=(Phase(duration=1, faults=faults),))


def test_phases_follow_each_other() -> None:
    """They loop, or the last one holds; the scenario's own faults are there all the time."""
    own, first, second = Fault(kind="slow", share=0.1), Fault(kind="hang"), Fault(kind="refusal")
    phases = (
        Phase(duration=10, faults=(first.model_copy(update={"share": 0.5}),)),
        Phase(duration=20, faults=(second.model_copy(update={"share": 0.5}),)),
    )
    loops = steady_with(own, phases=phases)
    holds = steady_with(own, phases=phases, after_phases="hold")
    at = [0.0, 9.0, 10.0, 29.0, 30.0, 45.0]
    assert [loops.faults_at(time)[1].kind for time in at] == ["hang", "hang", "refusal", "refusal", "hang", "refusal"]
    assert [holds.faults_at(time)[1].kind for time in at][-2:] == ["refusal", "refusal"]
    assert all(loops.faults_at(time)[0] == own for time in at)
    assert steady_with(own).faults_at(5) == (own,)
