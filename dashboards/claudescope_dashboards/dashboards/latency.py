"""How long calls take, how long until their first token, how fast they write, and where they stand still."""

from __future__ import annotations

from typing import Any

from claudescope.schema.catalogue import (
    ACTIVE_CALLS,
    DURATION,
    OUTPUT_SPEED,
    REQUEST_MODEL,
    STREAM_STALL,
    TIME_TO_FIRST_CHUNK,
    WORKFLOW,
    Metric,
)
from claudescope.schema.recorded_series import DURATION_P95, FIRST_TOKEN_P95
from claudescope_alerts.spec.fields import bucket
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.panels import Query, Step, drill_down, heatmap, stat, time_series
from claudescope_dashboards.queries import CHAT, Queries

__all__ = ["latency"]

_QUANTILES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99"}
_COLOURS = {"p50": "green", "p90": "yellow", "p95": "orange", "p99": "red"}


def latency(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "latency",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(9, _durations(queries), title="Duration of calls"),
            Row(8, _by(queries, DURATION, "duration", "claude-duration"), title="Duration, by model and workflow"),
            Row(8, _first_tokens(queries), title="Time to the first token"),
            Row(8, _streams(queries), title="While an answer is written"),
        ],
        description="How long do calls take, and who waits for what?",
    )


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    return [
        stat(
            "Duration, p50",
            Query(queries.quantile(0.5, DURATION, CHAT)),
            description="Half of the calls take longer. It has no threshold: compare it with the p99; if both rise "
            "alike, answers have become longer.",
            unit="s",
            steps=(Step("blue"),),
        ),
        stat(
            "Duration, p95",
            Query(queries.quantile(0.95, DURATION, CHAT)),
            description="One call in twenty takes longer. Red: more calls are slow than the objective allows; find "
            "the model below, then check status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            links=[drill_down("SLO & error budget", uid("slo", queries))],
        ),
        stat(
            "First token, p95",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK)),
            description="One stream in twenty takes longer to show its first token. Red: readers wait; look whether "
            "prompts have grown or caching stopped, then at status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-first-token"),
            links=[drill_down("Tokens & cost", uid("cost", queries))],
        ),
        stat(
            "Output speed, median",
            Query(queries.quantile(0.5, OUTPUT_SPEED)),
            description="Tokens a second of the median stream. It has no threshold, as models differ: compare the "
            "lines of each below.",
            unit="suffix: tok/s",
            steps=(Step("blue"),),
            decimals=0,
        ),
        stat(
            "Streams that stall",
            Query(_stalled(queries)),
            description=f"Share of streams that stood still for more than {spec.thresholds.stall:g} s. Red: over the "
            "alert's threshold; check status.claude.com, and proxies on the way that buffer.",
            unit="percentunit",
            steps=colour_steps.rising(float(spec.thresholds.stall_ratio) / 5, float(spec.thresholds.stall_ratio)),
            decimals=2,
        ),
        stat(
            "In flight",
            Query(f"sum({queries.gauge(ACTIVE_CALLS)})"),
            description="Calls that wait for an answer now. It grows with the duration and with the load: near the "
            "size of the client's connection pool, calls begin to queue.",
            unit="short",
            steps=(Step("blue"),),
        ),
    ]


def _stalled(queries: Queries) -> str:
    le = bucket(STREAM_STALL, queries.spec.thresholds.stall)
    every = queries.total(STREAM_STALL, part="count")
    return f"({every} - {queries.total(STREAM_STALL, part='bucket', le=le)}) / ({every} > 0)"


def _quantiles(queries: Queries, metric: Metric, *matches: Any) -> list[Query]:
    return [
        Query(queries.quantile(quantile, metric, *matches), name, exemplars=name == "p99")
        for quantile, name in _QUANTILES.items()
    ]


def _durations(queries: Queries) -> list[Any]:
    spec, model = queries.spec, queries.label(REQUEST_MODEL)
    usual = [
        Query(queries.recorded(DURATION_P95.now.name), f"{queries.legend(model)} now"),
        Query(queries.recorded(DURATION_P95.baseline.name), f"{queries.legend(model)} usual"),
    ]
    return [
        time_series(
            "Quantiles",
            *_quantiles(queries, DURATION, CHAT),
            description="Seconds that calls take, retries and reading included; points are exemplars that lead to "
            "traces. p99 alone rises: retries or timeouts. All rise: longer answers or a slow provider.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            scale="log",
            low=None,
            colours=_COLOURS,
        ),
        heatmap(
            "Distribution",
            Query(queries.total(DURATION, CHAT, by=("le",), part="bucket"), "{{le}}", exemplars=True, format="heatmap"),
            description="How many calls took how long. Two bands: two kinds of work, or calls that a retry made late. "
            "A point is an exemplar: click it for its trace.",
            unit="s",
        ),
        time_series(
            "p95 against the usual",
            *usual,
            description="p95 of the last 10 minutes of each model, and the median of the same hour on earlier days, "
            "once there are three. Twice the usual fires an alert. Recorded by rules: job, instance and workflow do "
            "not narrow it.",
            unit="s",
            empty="Needs three days of history",
        ),
    ]


def _by(queries: Queries, metric: Metric, name: str, preset: Any, *matches: Any) -> list[Any]:
    matches = matches or (CHAT,) if metric is DURATION else matches
    steps = colour_steps.latency(queries.spec, preset)
    return [
        time_series(
            f"{quantile} by {title}",
            Query(queries.quantile(value, metric, *matches, by=(label,)), queries.legend(label)),
            description=f"{quantile} of the {name} for each {title}. One line above the others is where to look: "
            f"{advice}",
            unit="s",
            steps=steps if quantile == "p95" else (),
        )
        for quantile, value in (("p50", 0.5), ("p95", 0.95))
        for title, label, advice in (
            ("model", REQUEST_MODEL, "the provider's if a larger and a smaller model move together."),
            ("workflow", WORKFLOW, "its prompts, its max_tokens and its tools."),
        )
    ]


def _first_tokens(queries: Queries) -> list[Any]:
    steps = colour_steps.latency(queries.spec, "claude-first-token")
    model = queries.legend(REQUEST_MODEL)
    return [
        time_series(
            "Quantiles",
            *_quantiles(queries, TIME_TO_FIRST_CHUNK),
            description="Seconds from a stream's start to its first content. Above the line the objective is missed: "
            "see whether input tokens grew or the cache stopped hitting.",
            unit="s",
            steps=steps,
            colours=_COLOURS,
        ),
        time_series(
            "p95 by model",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK, by=(REQUEST_MODEL,)), model),
            description="Of each model. One model alone: its provider is slow, fall back to another. All: the network, "
            "or longer prompts.",
            unit="s",
            steps=steps,
        ),
        time_series(
            "p95 by workflow",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK, by=(WORKFLOW,)), queries.legend(WORKFLOW)),
            description="Of each workflow. One alone: its prompts have grown, or it lost its cache.",
            unit="s",
            steps=steps,
        ),
        time_series(
            "p95 against the usual",
            Query(queries.recorded(FIRST_TOKEN_P95.now.name), f"{model} now"),
            Query(queries.recorded(FIRST_TOKEN_P95.baseline.name), f"{model} usual"),
            description="p95 of the last 10 minutes, and the median of the same hour on earlier days, once there are "
            "three. Twice the usual fires an alert. Recorded by rules: other variables do not narrow it.",
            unit="s",
            empty="Needs three days of history",
        ),
    ]


def _streams(queries: Queries) -> list[Any]:
    stall = queries.spec.thresholds.stall
    model = queries.legend(REQUEST_MODEL)
    return [
        time_series(
            "Output speed by model",
            Query(queries.quantile(0.5, OUTPUT_SPEED, by=(REQUEST_MODEL,)), f"{model} median"),
            Query(queries.quantile(0.1, OUTPUT_SPEED, by=(REQUEST_MODEL,)), f"{model} slowest tenth"),
            description="Tokens a second from the first content to the last. If the slowest tenth falls away from the "
            "median, some streams stall; if both fall, the provider is loaded.",
            unit="suffix: tok/s",
        ),
        time_series(
            "Longest gap within a stream",
            Query(queries.quantile(0.5, STREAM_STALL), "p50"),
            Query(queries.quantile(0.95, STREAM_STALL), "p95"),
            Query(queries.quantile(0.99, STREAM_STALL), "p99"),
            description=f"Seconds without an event. A gap over {stall:g} s counts as a stall: check proxies that "
            "buffer, then status.claude.com.",
            unit="s",
            steps=colour_steps.rising(stall / 4, stall),
            scale="log",
            low=None,
            colours=_COLOURS,
        ),
        time_series(
            "Share of streams that stall",
            Query(_stalled(queries), f"over {stall:g} s"),
            description="Above the line the alert on stalls fires.",
            unit="percentunit",
            steps=colour_steps.rising(
                float(queries.spec.thresholds.stall_ratio) / 5, float(queries.spec.thresholds.stall_ratio)
            ),
        ),
        time_series(
            "Calls in flight, by workflow",
            Query(f"sum by {queries.by(WORKFLOW)} ({queries.gauge(ACTIVE_CALLS)})", queries.legend(WORKFLOW) or "none"),
            description="Calls that wait for an answer. A line that climbs and never falls: streams that are never "
            "closed.",
            unit="short",
            stacked=True,
        ),
    ]
