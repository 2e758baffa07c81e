"""The generated dashboards: up to date, complete, and without unknown names."""

from __future__ import annotations

import copy
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

import claudescope_dashboards
from claudescope._internal.exceptions import BadInputError
from claudescope.pricing.price_book import PriceBook
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts.build import groups_of, write_build
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards import build as building
from claudescope_dashboards.build import build, dashboards_of, is_generated
from claudescope_dashboards.dashboards.cost import MULTIPLES, READ_MULTIPLES
from claudescope_dashboards.grafana.layout import SCHEMA_VERSION, TITLES, Row, dashboard
from claudescope_dashboards.grafana.palette import ERROR_TYPE_COLOURS, OWNER_COLOURS
from claudescope_dashboards.grafana.panels import Query, stat
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import lint, panels_of, queries_of
from claudescope_dashboards.queries import Queries
from tests.dashboards.conftest import default_dashboards, default_files

_GENERATED = Path(claudescope_dashboards.__file__).parent / "generated"
_SCREEN, _BROWSER, _GRAFANA = 1080, 120, 130
"""Pixels: the height of a screen, of a browser's bars, and of Grafana's bars with the row of variables."""


def test_the_committed_output_is_current() -> None:
    """`claudescope dashboards build --out dashboards/claudescope_dashboards/generated` would change nothing."""
    committed = {
        path.relative_to(_GENERATED).as_posix(): path.read_text(encoding="utf-8")
        for path in _GENERATED.rglob("*")
        if path.is_file()
    }
    assert committed.keys() == default_files().keys()
    assert [name for name, text in default_files().items() if committed[name] != text] == []
    assert build(load_spec()) == dict(default_files())


def test_the_overview_fits_one_screen() -> None:
    """The overview needs no scrolling in a browser window at 1080p."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in default_dashboards()["overview"]["panels"])
    assert rows * 38 - 8 <= _SCREEN - _BROWSER - _GRAFANA


def test_identities_are_stable() -> None:
    """Alerts link to the overview's uid, and readers bookmark the others."""
    assert {name: dashboard["uid"] for name, dashboard in default_dashboards().items()} == {
        "overview": "claudescope-overview",
        "errors": "claudescope-errors",
        "latency": "claudescope-latency",
        "cost": "claudescope-cost",
        "limits": "claudescope-limits",
        "slo": "claudescope-slo",
        "fleet": "claudescope-fleet",
    }
    assert {dashboard["schemaVersion"] for dashboard in default_dashboards().values()} == {SCHEMA_VERSION}


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        ("sum(rate(gen_ai_client_operation_durations_count[5m]))", "a series that does not exist"),
        ('sum(rate(claude_client_retries_total{model="x"}[5m]))', "a label that it does not have"),
        ('sum(rate(claude_client_retries_total{error_type="rate_limit"}[5m]))', "a value that the label never has"),
        ("sum by (modle) (rate(claude_client_retries_total[5m]))", "a label that does not exist"),
        ("claude_slo:burn_rate:4h", "a series that does not exist"),
        ("sum(", "not PromQL"),
        ("sum(rate(claude_client_retries_total[1m]))", "a window of the spec of 5m or more"),
        ("sum(rate(claude_client_retries_total[5m]))", "without $job and $instance"),
        ('sum(claude_client_retries_total{job=~"$job", instance=~"$instance"})', "shows the counter"),
        ('claude_slo:burn_rate:1h{slo="$slo"}', "which the dashboard does not have"),
    ],
)
def test_a_panel_with_an_unknown_name_fails_the_build(monkeypatch: pytest.MonkeyPatch, expr: str, problem: str) -> None:
    """The build fails with a message that names the dashboard and the panel."""

    def misspelt(queries: Queries) -> dict[str, Any]:
        panel = stat("Misspelt", Query(expr), description="Red: fix it.", unit="short")
        return dashboard("overview", queries, [Row(4, [panel])], description="One mistake")

    monkeypatch.setattr(building, "DASHBOARDS", {"overview": misspelt})
    with pytest.raises(BadInputError, match="overview: Misspelt: A: ") as refused:
        build(load_spec())
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda panel: panel.pop("title"), "has no title"),
        (lambda panel: panel.pop("description"), "has no description"),
        (lambda panel: panel["fieldConfig"]["defaults"].pop("unit"), "has no unit"),
        (lambda panel: panel["targets"].clear(), "has no query"),
        (
            lambda panel: panel["targets"][0].update(datasource={"uid": "abc"}),
            "the data source that the reader selected",
        ),
        (lambda panel: panel.update(description="A number."), "does not say what to do"),
        (lambda panel: panel.update(id=3), "two panels have the id 3"),
        (lambda panel: panel["gridPos"].update(x=3), "overlaps another panel"),
        (
            lambda panel: panel["fieldConfig"]["defaults"]["links"][0].update(url="/d/gone?x"),
            "which is not a dashboard",
        ),
    ],
)
def test_each_lint_rule_finds_its_problem(change: Any, problem: str) -> None:
    """Each rule is broken once, on the first panel of the overview."""
    dashboards: Any = copy.deepcopy(dict(default_dashboards()))
    change(panels_of(dashboards["overview"])[0])
    assert problem in "\n".join(lint(dashboards, groups_of(load_spec()), load_spec()))


def test_every_error_type_and_every_owner_has_one_colour() -> None:
    """An error type has the same colour in every panel, and no two error types share one."""
    assert ERROR_TYPE_COLOURS.keys() == ERROR_TYPES.keys()
    assert OWNER_COLOURS.keys() == {row.owner for row in ERROR_TYPES.values()}
    assert len(set(ERROR_TYPE_COLOURS.values())) == len(ERROR_TYPE_COLOURS)
    shown: dict[str, set[str]] = {}
    for one in default_dashboards().values():
        for panel in panels_of(one):
            for override in panel["fieldConfig"]["overrides"]:
                for found in override["properties"]:
                    if found["id"] == "color" and override["matcher"]["options"] in ERROR_TYPES:
                        shown.setdefault(override["matcher"]["options"], set()).add(found["value"]["fixedColor"])
    assert shown == {error_type: {colour} for error_type, colour in ERROR_TYPE_COLOURS.items()}


def test_links_keep_the_time_and_the_variables() -> None:
    """Every drill-down carries the time range and all variables; the clicked value replaces its variable."""
    links = [
        link["url"]
        for one in default_dashboards().values()
        for link in re.findall(r'"(/d/[^"]+)"', building.json_text(one))
        for link in [{"url": link}]
    ]
    assert len(links) > 20
    for url in links:
        assert "${__url_time_range}" in url
        for name in ("datasource", "job", "instance", "model", "workflow"):
            assert (f"${{{name}:queryparam}}" in url) != (f"var-{name}=${{__field.labels." in url), url


def test_each_objective_has_its_row() -> None:
    """Another objective in the spec adds a row with the thresholds of its tiers."""
    document = load_spec().model_dump(by_alias=True)
    extra = {"name": "quick", "target": 90, "sli": {"preset": "claude-duration", "threshold": "20.48s"}}
    spec = Spec.model_validate(
        {**document, "objectives": [*document["objectives"], {**extra, "tiers": ["ticket-slow"]}]}
    )
    panels = dashboards_of(spec)["slo"]["panels"]
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert [row.partition(":")[0] for row in rows] == [goal.name for goal in spec.objectives]
    assert rows[-1] == "quick: 90 % over 30d"
    burns = [panel for panel in panels if panel["title"] == "Burn rate by window"]
    steps = [step["value"] for step in burns[-1]["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps == [None, 1]


@pytest.mark.parametrize("naming", ["without-suffixes", "utf8", "victoriametrics"])
def test_other_namings_and_services_have_dashboards(naming: str) -> None:
    """Names with dots are quoted, every query has the service's labels, and uids are unique per service."""
    changed = {"naming": naming, "namespace": "acme", "service": {"name": "checkout", "labels": {"team": "shop"}}}
    dashboards = dashboards_of(Spec.model_validate({**load_spec().model_dump(by_alias=True), **changed}))
    for name, one in dashboards.items():
        assert one["uid"] == f"claudescope-checkout-{name}"
        assert one["title"] == f"Claude · checkout · {TITLES[name]}"  # type: ignore[index]
        for place, expr in queries_of(one):
            promql_parser.parse(Resolver().resolve(expr))
            if "claude.workflow" in expr:
                assert 'team="shop"' in expr, place
    text = building.json_text(dashboards["overview"]).replace('\\"', '"')
    dotted = naming != "without-suffixes"
    assert ('{"acme_gen_ai.client.operation.duration' if dotted else "acme_gen_ai_client_operation_duration") in text


def test_builds_leave_other_files_alone(tmp_path: Path) -> None:
    """A second build changes nothing, and a build never touches a file that it did not write."""
    files = dict(default_files())
    assert len(write_build(files, tmp_path, is_generated)) == len(files)
    assert write_build(files, tmp_path, is_generated) == []
    (tmp_path / "dashboards/mine.json").write_text('{"title": "mine"}', encoding="utf-8")
    fewer = {name: text for name, text in files.items() if not name.endswith("fleet.json")}
    assert sorted(write_build(fewer, tmp_path, is_generated)) == ["dashboards/fleet.json", "import/fleet.json"]
    assert (tmp_path / "dashboards/mine.json").exists()
    with pytest.raises(BadInputError, match="not written by claudescope"):
        write_build({"dashboards/mine.json": "{}"}, tmp_path, is_generated)


@pytest.mark.parametrize(
    "model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2", "claude-opus-4-8"]
)
def test_the_multiples_of_cached_tokens_are_those_of_the_price_list(model: str) -> None:
    """The cache savings are computed from them."""
    found = PriceBook().resolve(model, "anthropic", datetime(2026, 11, 1, tzinfo=timezone.utc))
    if found is None:
        pytest.skip(f"this genai-prices has no {model}: newer ones need Python 3.11")
    price = found.price
    assert float(price.output / price.input) == MULTIPLES["output"]
    assert float(price.cache_write_5m / price.input) == MULTIPLES["cache write 5m"]
    assert float(price.cache_write_1h / price.input) == MULTIPLES["cache write 1h"]
    multiple = next(value for pattern, value in READ_MULTIPLES.items() if re.fullmatch(pattern, model))
    assert float(price.cache_read / price.input) == multiple


def test_panels_of_percentiles_say_how_accurate_they_are() -> None:
    """Every panel whose query asks for a percentile says so once, in the form of the spec; no other panel does."""
    for form in ("auto", "classic", "native"):
        spec = Spec.model_validate({**load_spec().model_dump(by_alias=True), "histograms": form})
        for name, one in dashboards_of(spec).items():
            for panel in panels_of(one):
                text, exprs = panel["description"], " ".join(target["expr"] for target in panel["targets"])
                asks = "histogram_quantile" in exprs or re.search(r":\w+_p95:", exprs) is not None
                assert text.count("may be off by up to a factor of 2") == asks, (name, panel["title"])
                assert ("by 5 %" in text) == (asks and form != "classic"), (name, panel["title"])


@pytest.mark.parametrize(("objectives", "says"), [(1, ""), (25, "--server-side"), (90, "Divide the objectives")])
def test_a_large_configmap_says_how_to_apply_it(objectives: int, says: str) -> None:
    """Above the limit of `kubectl apply` the file says so with the sizes; above that of Kubernetes it is refused."""
    objective = load_spec().objectives[0]
    goals = [objective.model_copy(update={"name": f"objective-{number}"}) for number in range(objectives)]
    spec = load_spec().model_copy(update={"objectives": goals})
    if says.startswith("Divide"):
        with pytest.raises(BadInputError, match=rf"claudescope-slo has [\d,]+ bytes for {objectives} .*{says}"):
            build(spec)
        return
    text = build(spec)["kubernetes/dashboards.yml"]
    comment = "".join(line for line in text.splitlines()[1:3] if line.startswith("#"))
    assert says in comment
    sizes = [len(json.dumps(manifest)) for manifest in yaml.safe_load_all(text)]
    assert (max(sizes) > 262_144) == bool(comment) == bool(says)
    assert f"{max(sizes):,}" in comment or not comment
