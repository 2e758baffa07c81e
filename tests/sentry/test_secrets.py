"""Secrets of every kind, calls that fail in every way, every way to report them: no byte that a server got has one."""

from __future__ import annotations

import itertools

import pytest
import sentry_sdk

import claudescope
from claudescope.sentry import Options
from claudescope.sentry.quotes import SHORTEST_QUOTE, normalise
from tests.sentry.conftest import Start, personal_data
from tests.sentry.frameworks import FRAMEWORKS, integrations, make_app
from tests.sentry.ingest import recording
from tests.sentry.passing_on import FORMS, WAYS, Way, later
from tests.sentry.planted import ENDINGS, SECRETS, fail_with

_CASES = list(enumerate(itertools.product(ENDINGS, [*WAYS, None])))
_FORMS = list(FORMS.values())
_RUNS = list(itertools.product(FRAMEWORKS, [False, True]))


def _report(caught: Exception, way: Way | None, text: str, prompt: str) -> None:
    if way is None:
        raise caught
    # Later, a text of a few letters is any text: docs/sentry.md says how many make a quote.
    if way is not later or len(normalise(text)) >= SHORTEST_QUOTE:
        way(caught, text, prompt)


@pytest.mark.filterwarnings("ignore:The send_default_pii option:DeprecationWarning")
@pytest.mark.parametrize("run", range(len(_RUNS)), ids=lambda run: f"{_RUNS[run][0]}-{_RUNS[run][1]}")
@pytest.mark.parametrize(
    "step", [len(_RUNS), pytest.param(1, marks=[pytest.mark.release, pytest.mark.timeout(600)])], ids=["some", "all"]
)
def test_no_secret_reaches_a_server(start: Start, monkeypatch: pytest.MonkeyPatch, run: int, step: int) -> None:
    """Every ending is reported in every way: in one of the runs, or with `all` in each of them."""
    framework, pii = _RUNS[run]
    monkeypatch.setattr("sys.argv", ["app", SECRETS["prompt"]])
    with recording() as ingest:
        start(
            Options(burst=None),
            dsn=ingest.dsn,
            also=integrations(framework),
            transport_queue_size=10_000,
            attach_stacktrace=True,
            **personal_data(pii),
        )
        claudescope.instrument()
        cases = _CASES[run % step :: step]
        for number, (ending, way) in cases:

            def handle(prompt: str, number: int = number, ending: str = ending, way: Way | None = way) -> None:
                caught = fail_with(ending, prompt)
                _report(caught, way, _FORMS[(number + run) % len(_FORMS)](caught), prompt)

            with sentry_sdk.isolation_scope():
                make_app(framework, handle)(SECRETS["prompt"])
        sentry_sdk.flush(60)
        assert ingest.count >= len(cases) * 0.9
        assert {name: found for name, secret in SECRETS.items() if (found := ingest.find(secret))} == {}
