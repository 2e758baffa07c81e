"""The reference pages say what the code says."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from types import ModuleType

import pytest

from claudescope import settings
from claudescope.audit.own_rules import ALL_RULES
from claudescope.schema.attributes import ATTRIBUTES, EVENTS
from claudescope.schema.catalogue import LABELS, METRICS
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.recorded_series import RECORDED_SERIES
from tests.docs.pages import ROOT

_DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generate() -> Generator[ModuleType]:
    """The module that writes the pages."""
    sys.path.insert(0, str(_DOCS))
    try:
        yield importlib.import_module("generate")
    finally:
        sys.path.remove(str(_DOCS))


def test_the_pages_are_current(generate: ModuleType) -> None:
    """Each committed page is what its writer writes now."""
    outdated = [name for name, writer in generate.PAGES.items() if (_DOCS / name).read_text("utf-8") != writer()]
    assert outdated == [], "run `make docs` and commit the result"


def test_every_key_of_the_spec_has_a_description(generate: ModuleType) -> None:
    """A key that nobody describes is a key that nobody can use."""
    assert generate.missing_descriptions() == []


def test_check_fails_on_an_outdated_page(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` names the page that differs and the command that writes it."""
    monkeypatch.setattr(generate, "PAGES", {"reference/signals.md": lambda: "something else"})
    assert generate.main(["--check"]) == 1
    assert "docs/reference/signals.md is outdated. Run `make docs`" in capsys.readouterr().err


def test_nothing_is_left_out() -> None:
    """Every variable, metric, label, attribute, recorded series, error type and section of the spec is on its page."""
    expected = {
        "environment.md": [setting.name for setting in settings.SETTINGS],
        "reference/signals.md": [*(metric.name for metric in METRICS), *(label.name for label in LABELS)],
        "reference/alerts.md": [series.name for series in RECORDED_SERIES],
        "reference/attributes.md": [*(each.name for each in ATTRIBUTES), *(event.name for event in EVENTS)],
        "reference/audit-rules.md": list(ALL_RULES),
        "reference/errors.md": list(ERROR_TYPES),
        "reference/spec.md": ["objectives[].sli.bad", "thresholds", "fleet_rollup", "token_file", "holidays"],
    }
    for name, words in expected.items():
        page = (_DOCS / name).read_text(encoding="utf-8")
        assert [word for word in words if f"`{word}`" not in page] == [], name


def test_the_api_reference_is_in_the_navigation(generate: ModuleType) -> None:
    """Every page of the Python API can be reached from the menu."""
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in generate.api_pages() if f"- {page}\n" not in menu] == []
