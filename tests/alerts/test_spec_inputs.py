"""Whatever a spec says, it is built or refused with a line; and the public JSON Schema says the same as the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from claudescope._internal.exceptions import BadInputError
from claudescope_alerts.build import build
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from tests.alerts.spec_documents import bent_documents, documents, schema, written

_SETTINGS = settings(
    deadline=None,
    derandomize=True,
    # A build takes a second, so shrinking a document would take minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much,
                           HealthCheck.data_too_large],
)  # fmt: skip


def _loaded(folder: Path, text: str) -> Spec | str:
    """The spec, or the message that refuses it. Every line of a message names the file and a line of it."""
    path = folder / "claudescope.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return load_spec(path)
    except BadInputError as refused:
        for line in str(refused).splitlines():
            assert re.match(rf"{re.escape(str(path))}:\d+: .", line), line
        return str(refused)


def _schema_mistakes(text: str) -> list[str]:
    document: Any = json.loads(json.dumps(yaml.safe_load(text), default=str))
    validator = jsonschema.Draft202012Validator(schema())
    return [f"{mistake.json_path}: {mistake.message[:100]}" for mistake in validator.iter_errors(document)]


@settings(_SETTINGS, max_examples=12)
@given(document=documents())
def test_whatever_loads_builds(tmp_path: Path, document: dict[str, Any]) -> None:
    """Rules and dashboards of every spec that the loader accepts pass the lints."""
    text = written(document)
    spec = _loaded(tmp_path, text)
    if isinstance(spec, Spec):
        assert _schema_mistakes(text) == []
        assert build(spec)
        assert dashboards_of(spec)


@settings(_SETTINGS, max_examples=300)
@given(document=bent_documents())
def test_a_bent_value_is_refused_with_its_line_or_harmless(tmp_path: Path, document: dict[str, Any]) -> None:
    """NaN, a flag for a number, an empty text or list, a wrong type at each key; what loads, the schema accepts."""
    text = written(document)
    if isinstance(_loaded(tmp_path, text), Spec):
        assert _schema_mistakes(text) == []


_SPEC = "version: 1\nobjectives:\n  - {name: a, target: 99.5, sli: {preset: claude-availability}}\n"


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (3, "99.5", "0.995", r"in percent. Write 99\.5 for a ratio of 0\.995"),
        (3, "99.5", "99.99999", r"at most 99\.9999, such as 99\.5, got '99\.99999'"),
        (3, "99.5", "'99.5'", r"without quotes or a unit, got '99\.5'"),
        (3, "99.5", ".nan", r"expected a percentage .* got '\.nan'"),
        (3, "name: a", "name: a-", r"lower-case letters, digits and hyphens between them"),
        (3, "name: a", "name: on", r"got 'on', which YAML reads as true or false. Quote it"),
        (3, "name: a", "tiers: [page-fast, page-fast], name: a", r"'page-fast' is there twice. Remove one"),
        (3, "name: a", "min_failures: true, name: a", r"expected a whole number, got 'true'"),
        (3, "name: a", "min_failures: 010, name: a", r"YAML reads 010 as a number of another form"),
        (3, "availability}", "availability, owner: [caller]}", r"no error of theirs counts"),
        (3, "availability}", "availability, models: ['']}", r"at least one character"),
        (4, "", "thresholds: {error_type_ratio: .nan}", r"expected a ratio such as '5%' .* got '\.nan'"),
        (4, "", "thresholds: {p95_floor: 30m}", r"expected a duration from 10ms to 10m, got '30m'"),
        (4, "", "thresholds: {p95_floor: 2}", r"expected a duration with its unit"),
        (4, "", "thresholds: {p95_over_baseline: 1.01}", r"expected a factor from 1\.1 to 1000"),
        (4, "", "thresholds: {absent_after: 1ms}", r"from 1m to 12h, in whole minutes"),
        (4, "", "thresholds: {daily_budget_usd: .inf}", r"expected US dollars from 0\.01"),
        (4, "", "service: {labels: {__name__: x}}", r"'__name__' is not the name of a label"),
        (4, "", "service: {labels: {le: '5'}}", r"the label 'le' is one of claudescope's own"),
        (4, "", "service: {labels: {error_type: x}}", r"the label 'error_type' is one of claudescope's own"),
        (4, "", "service: {labels: {job: ''}}", r"at least one character"),
        (4, "", "service: {alert_labels: {severity: page}}", r"the label 'severity' has a value already"),
        (4, "", "service: {deployment_labels: [model]}", r"the label 'model' has a meaning already"),
        (4, "", "service: {labels: {service: x}}\nfleet_rollup: true", r"fleet_rollup sums over the label 'service'"),
        (4, "", "links: {runbooks: docs/runbooks.md}", r"expected a URL that starts with http://"),
        (4, "", "links: {runbooks: 'https://a.example/{{ $labels.x }}'}", r"expected a URL that starts"),
        (4, "", "links: {grafana: 'https://a.example/?orgId=1'}", r"expected a URL without '\?'"),
        (4, "", "links: {grafana: 'https://me:secret@a.example'}", r"without a login"),
        (4, "", "routing: {deadman: {url: 'localhost:80'}}", r"expected a URL that starts"),
        (4, "", "routing: {deadman: {url: 'http://x', every: 0s}}", r"from 10s to 1h"),
        (4, "", "routing: {page: {pagerduty_key_file: ''}}", r"at least one character"),
        (4, "", "routing: {ticket: {hours: {days: []}}}", r"at least 1 item"),
        (4, "", "routing: {ticket: {hours: {to: 17:00}}}", r"YAML reads 17:00 as a number of another form. Quote it"),
        (4, "", "routing: {ticket: {hours: {holidays: [2026]}}}", r"expected a date such as 2026-12-25"),
        (4, "", "routing: {ticket: {hours: {zone: localtime}}}", r"expected the IANA name"),
        (4, "", "routing: {ticket: {hours: {zone: Europe/Chisinau, hold: pagerduty}}}", r"PagerDuty has no time zone"),
        (4, "", "fleet_rollup: 'yes'", r"expected true or false, got 'yes'"),
        (1, "version: 1", "version: true", r"expected 1, got 'true'"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, line: int, old: str, new: str, message: str) -> None:
    """The message has the line, the value and the mend."""
    text = _SPEC.replace(old, new, 1) if old else f"{_SPEC}{new}\n"
    refused = _loaded(tmp_path, text)
    assert isinstance(refused, str), "it was accepted"
    assert re.search(message, refused), refused
    assert f"claudescope.yaml:{line}:" in refused or "fleet_rollup" in message, refused


def test_too_deep_a_file_is_refused(tmp_path: Path) -> None:
    """A message and no traceback."""
    assert "nested too deeply" in str(_loaded(tmp_path, "[" * 5_000))


def test_labels_may_have_any_value(tmp_path: Path) -> None:
    """Quotes, backslashes and what Grafana takes for a variable stay what they are, in rules and in dashboards."""
    labels = {"job": 'a"b$model\\d [[model]] ${model} é😀'}
    spec = _loaded(tmp_path, _SPEC + written({"service": {"labels": labels, "alert_labels": {"team": "$model"}}}))
    assert isinstance(spec, Spec), spec
    assert build(spec)
    text = json.dumps(dashboards_of(spec), ensure_ascii=False)
    assert "u0024model" in text
    assert "b$model" not in text
    assert "[[model]]" not in text
