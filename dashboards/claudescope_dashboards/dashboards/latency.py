"""Latency: duration, time to first token, output speed and stalled streams."""

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
    """Build the dashboard."""
    return dashboard(
        "latency",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(9, _durations(queries), title="Call duration"),
            Row(8, _durations_by_label(queries), title="Duration by model and workflow"),
            Row(11, _first_tokens(queries), title="Time to first token"),
            Row(9, _streams(queries), title="Streaming"),
        ],
        description="Duration of calls, time to first token, output speed and stalled streams.",
    )


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    return [
        stat(
            "Duration p50 now",
            Query(queries.quantile(0.5, DURATION, CHAT)),
            description="Median duration of calls. This number has no threshold. Compare it with the p99: if both "
            "rise, responses have become longer.",
            unit="s",
            steps=(Step("blue"),),
        ),
        stat(
            "Duration p95 now",
            Query(queries.quantile(0.95, DURATION, CHAT)),
            description="95th percentile of the duration of calls. Red: more calls are slow than the objective allows; "
            "find the model below, then check status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            links=[drill_down("SLO & error budget", uid("slo", queries))],
        ),
        stat(
            "First token p95 now",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK)),
            description="95th percentile of the time from the start of a stream to its first token. Red: users wait "
            "too long; check whether prompts have grown or the cache hit ratio has dropped, then check "
            "status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-first-token"),
            links=[drill_down("Tokens & cost", uid("cost", queries))],
        ),
        stat(
            "Output speed now",
            Query(queries.quantile(0.5, OUTPUT_SPEED)),
            description="Median of the output tokens per second of streams. This number has no threshold, as models "
            "differ. Compare the models below.",
            unit="suffix: tok/s",
            steps=(Step("blue"),),
            decimals=0,
        ),
        stat(
            "Stalled streams now",
            Query(_stalled(queries)),
            description=f"Ratio of streams with a gap of more than {spec.thresholds.stall:g} s between events. Red: "
            "above the alert's threshold; check status.claude.com and buffering proxies.",
            unit="percentunit",
            steps=colour_steps.rising(float(spec.thresholds.stall_ratio) / 5, float(spec.thresholds.stall_ratio)),
            decimals=2,
        ),
        stat(
            "Calls in flight now",
            Query(f"sum({queries.gauge(ACTIVE_CALLS)})"),
            description="Calls that are waiting for a response. This number has no threshold. Near the size of the "
            "client's connection pool, calls begin to queue; enlarge the pool.",
            unit="short",
            steps=(Step("blue"),),
        ),
    ]


def _stalled(queries: Queries) -> str:
    le = bucket(STREAM_STALL, queries.spec.thresholds.stall)
    return f"1 - ({queries.within(STREAM_STALL, le)})"


def _quantiles(queries: Queries, metric: Metric, *matches: Any) -> list[Query]:
    return [
        Query(queries.quantile(quantile, metric, *matches), name, exemplars=name == "p99")
        for quantile, name in _QUANTILES.items()
    ]


def _durations(queries: Queries) -> list[Any]:
    spec, model = queries.spec, queries.label(REQUEST_MODEL)
    baseline = [
        Query(queries.recorded(DURATION_P95.now.name), queries.legend(model)),
        Query(queries.recorded(DURATION_P95.baseline.name), f"{queries.legend(model)} baseline"),
    ]
    return [
        time_series(
            "Duration percentiles",
            *_quantiles(queries, DURATION, CHAT),
            description="Percentiles of the duration of calls, including retries and the reading of streams. Points "
            "are exemplars that link to traces. If only the p99 rises, check retries and timeouts. If all rise, "
            "responses are longer or the provider is slow.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            scale="log",
            low=None,
            colours=_COLOURS,
        ),
        heatmap(
            "Duration distribution",
            Query(queries.by_bucket(DURATION, CHAT), "{{le}}", exemplars=True, format="heatmap"),
            description="Number of calls by duration. Two bands mean two types of work, or calls that were retried. "
            "Points are exemplars: click one to open its trace.",
            unit="s",
        ),
        time_series(
            "Duration p95 vs. baseline",
            *baseline,
            description="p95 of the last 10 minutes by model, and its baseline: the median of the same hour on earlier "
            "days. An alert fires at twice the baseline. The series are recorded by rules, so the variables for job, "
            "instance and workflow do not filter them.",
            unit="s",
            empty="Needs three days of history",
        ),
    ]


def _durations_by_label(queries: Queries) -> list[Any]:
    steps = colour_steps.latency(queries.spec, "claude-duration")
    return [
        time_series(
            f"Duration {quantile} by {title}",
            Query(queries.quantile(value, DURATION, CHAT, by=(label,)), queries.legend(label)),
            description=f"{quantile} of the duration of calls by {title}. If one {title} is slower than the others, "
            f"{advice}",
            unit="s",
            steps=steps if quantile == "p95" else (),
        )
        for quantile, value in (("p50", 0.5), ("p95", 0.95))
        for title, label, advice in (
            ("model", REQUEST_MODEL, "fall back to another. If all models are, check status.claude.com."),
            ("workflow", WORKFLOW, "check its prompts, its max_tokens and its tools."),
        )
    ]


def _first_tokens(queries: Queries) -> list[Any]:
    steps = colour_steps.latency(queries.spec, "claude-first-token")
    model = queries.legend(REQUEST_MODEL)
    return [
        time_series(
            "Time to first token percentiles",
            *_quantiles(queries, TIME_TO_FIRST_CHUNK),
            description="Percentiles of the time from the start of a stream to its first token. Above the threshold "
            "the objective is missed: check whether input tokens have grown or the cache hit ratio has dropped.",
            unit="s",
            steps=steps,
            colours=_COLOURS,
        ),
        time_series(
            "Time to first token p95 by model",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK, by=(REQUEST_MODEL,)), model),
            description="95th percentile of the time to first token by model. If only one model is slow, fall back to "
            "another. If all are, check the network and the length of prompts.",
            unit="s",
            steps=steps,
        ),
        time_series(
            "Time to first token p95 by workflow",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK, by=(WORKFLOW,)), queries.legend(WORKFLOW)),
            description="95th percentile of the time to first token by workflow. If only one workflow is slow, check "
            "the length of its prompts and its cache hit ratio.",
            unit="s",
            steps=steps,
        ),
        time_series(
            "Time to first token p95 vs. baseline",
            Query(queries.recorded(FIRST_TOKEN_P95.now.name), model),
            Query(queries.recorded(FIRST_TOKEN_P95.baseline.name), f"{model} baseline"),
            description="p95 of the last 10 minutes by model, and its baseline: the median of the same hour on earlier "
            "days. An alert fires at twice the baseline. The series are recorded by rules, so the variables for job, "
            "instance and workflow do not filter them.",
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
            Query(queries.quantile(0.5, OUTPUT_SPEED, by=(REQUEST_MODEL,)), model),
            Query(queries.quantile(0.1, OUTPUT_SPEED, by=(REQUEST_MODEL,)), f"{model} p10"),
            description="Median of the output tokens per second of streams by model, and the 10th percentile. If only "
            "the p10 falls, some streams stall. If the median falls too, the provider is slow.",
            unit="suffix: tok/s",
        ),
        time_series(
            "Longest gap between events",
            Query(queries.quantile(0.5, STREAM_STALL), "p50"),
            Query(queries.quantile(0.95, STREAM_STALL), "p95"),
            Query(queries.quantile(0.99, STREAM_STALL), "p99"),
            description=f"Percentiles of the longest gap between two events of a stream. A gap of more than {stall:g} "
            "s counts as a stall: check buffering proxies, then status.claude.com.",
            unit="s",
            steps=colour_steps.rising(stall / 4, stall),
            scale="log",
            low=None,
            colours=_COLOURS,
        ),
        time_series(
            "Stalled stream ratio",
            Query(_stalled(queries), f"over {stall:g} s"),
            description="Ratio of streams with a stall. Above the threshold an alert fires: check status.claude.com "
            "and buffering proxies.",
            unit="percentunit",
            steps=colour_steps.rising(
                float(queries.spec.thresholds.stall_ratio) / 5, float(queries.spec.thresholds.stall_ratio)
            ),
        ),
        time_series(
            "Calls in flight by workflow",
            Query(f"sum by {queries.by(WORKFLOW)} ({queries.gauge(ACTIVE_CALLS)})", queries.legend(WORKFLOW) or "none"),
            description="Calls that are waiting for a response, by workflow. If a line only rises, streams are not "
            "closed.",
            unit="short",
            stacked=True,
        ),
    ]
