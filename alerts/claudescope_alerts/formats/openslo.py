"""OpenSLO v1 (https://openslo.com/): exports and imports objectives.

An exported objective has an annotation from which it is imported without loss. An objective of another tool is imported
from its queries, which must select counters or histograms of the catalogue.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, cast

import promql_parser
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope.schema.catalogue import METRICS
from claudescope_alerts.promql.numbers import format_number
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.sli import events_of
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.objectives import Objective, Selection, Sli

__all__ = ["export_openslo", "import_openslo"]

_ANNOTATION: Final = "claudescope/objective"


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Metadata(_Lenient):
    name: str
    annotations: dict[str, str] = {}


class _QuerySpec(_Lenient):
    query: str


class _Source(_Lenient):
    type: str = "Prometheus"
    spec: _QuerySpec


class _Metric(_Lenient):
    source: _Source = Field(alias="metricSource")


class _Ratio(_Lenient):
    bad: _Metric | None = None
    good: _Metric | None = None
    total: _Metric


class _IndicatorSpec(_Lenient):
    ratio: _Ratio = Field(alias="ratioMetric")


class _Indicator(_Lenient):
    spec: _IndicatorSpec


class _Window(_Lenient):
    duration: Literal["28d", "30d", "90d"]
    rolling: Literal[True] = Field(default=True, alias="isRolling")


class _Target(_Lenient):
    target: Decimal = Field(gt=0, lt=1)


class _SloSpec(_Lenient):
    indicator: _Indicator
    windows: list[_Window] = Field(alias="timeWindow", min_length=1, max_length=1)
    method: Literal["Occurrences"] = Field(alias="budgetingMethod")
    objectives: list[_Target] = Field(min_length=1, max_length=1)


class _Slo(_Lenient):
    version: Literal["openslo/v1"] = Field(alias="apiVersion")
    kind: Literal["SLO"]
    metadata: _Metadata
    spec: _SloSpec


def export_openslo(spec: Spec, selectors: SelectorBuilder) -> str:
    """All objectives of a spec, one document each."""
    return yaml.safe_dump_all(
        [_document(spec, objective, selectors) for objective in spec.objectives], sort_keys=False, width=1000
    )


def _document(spec: Spec, objective: Objective, selectors: SelectorBuilder) -> dict[str, Any]:
    events = events_of(objective.sli, selectors)

    def source(query: str) -> dict[str, Any]:
        return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}

    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": objective.name,
            "annotations": {_ANNOTATION: objective.model_dump_json(exclude_defaults=True)},
        },
        "spec": {
            "description": f"{format_number(objective.target)} % over {objective.window}",
            "service": spec.service.name,
            "indicator": {
                "metadata": {"name": objective.name},
                "spec": {
                    "ratioMetric": {
                        "counter": False,
                        "bad": source(events.bad("5m")),
                        "total": source(events.total("5m")),
                    }
                },
            },
            "timeWindow": [{"duration": objective.window, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.name, "target": float(objective.target / 100)}],
        },
    }


def import_openslo(path: Path) -> list[Objective]:
    """Read the objectives of an OpenSLO file.

    Raises:
        BadInputError: The file can't be read, or has an objective that claudescope does not support. The message names
            the file and the line of the document.
    """
    try:
        nodes = list(yaml.compose_all(path.read_text(encoding="utf-8"), yaml.SafeLoader))
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInputError(f"{path}: can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: not valid YAML: {error}") from None
    objectives: list[Objective] = []
    for node, document in zip(nodes, documents, strict=True):
        line = node.start_mark.line + 1
        if not isinstance(document, dict) or cast("dict[str, Any]", document).get("kind") != "SLO":
            continue
        try:
            objectives.append(_objective(_Slo.model_validate(document)))
        except ValidationError as invalid:
            mistake = invalid.errors(include_url=False)[0]
            place = ".".join(str(step) for step in mistake["loc"])
            raise BadInputError(f"{path}:{line}: {place}: {mistake['msg'].removeprefix('Value error, ')}") from None
        except ValueError as error:
            raise BadInputError(f"{path}:{line}: {error}") from None
    if not objectives:
        raise BadInputError(f"{path}:1: no document of kind SLO and apiVersion openslo/v1. Expected at least one")
    return objectives


def _objective(slo: _Slo) -> Objective:
    own = slo.metadata.annotations.get(_ANNOTATION)
    if own is not None:
        return Objective.model_validate(json.loads(own))
    ratio = slo.spec.indicator.spec.ratio
    if ratio.bad is None:
        raise ValueError("ratioMetric: expected bad and total. From good and total, bad events can't be selected")
    sli = Sli(preset="custom", bad=_selection(ratio.bad), total=_selection(ratio.total))
    return Objective(
        name=slo.metadata.name,
        target=slo.spec.objectives[0].target * 100,
        window=slo.spec.windows[0].duration,
        sli=sli,
    )


def _selection(metric: _Metric) -> Selection:
    """The events that a query counts: its one selector, without the functions around it."""
    query = metric.source.spec.query
    selectors: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    if len(selectors) != 1:
        raise ValueError(
            f"the query {query!r} has {len(selectors)} selectors. Expected one, such as sum(rate(metric[5m]))"
        )
    (selector,) = selectors
    known = {
        f"{candidate.prometheus}{'_count' if candidate.instrument == 'histogram' else ''}": candidate
        for candidate in METRICS
        if candidate.instrument in {"counter", "histogram"}
    }
    found = known.get(selector.name or "")
    if found is None:
        raise ValueError(f"claudescope has no metric {selector.name!r}.{did_you_mean(selector.name or '', known)}")
    labels = {label.prometheus: label.name for label in found.labels}
    match: dict[str, list[str]] = {}
    for matcher in selector.matchers.matchers:
        if matcher.op not in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.Re):  # they have no hash
            raise ValueError(f"the query {query!r}: expected = or =~ for {matcher.name}. Other values can't be listed")
        match[labels.get(matcher.name, matcher.name)] = matcher.value.split("|")
    return Selection(metric=found.name, match=match)
