"""Cost and tokens: by model and workflow, against the daily budget, and the savings of the cache."""

from __future__ import annotations

from typing import Any, Final

from claudescope.schema.catalogue import (
    CACHE_READ_TOKENS,
    CACHE_TTL,
    CACHE_WRITE_TOKENS,
    COST,
    REASONING_TOKENS,
    RESPONSE_MODEL,
    SERVER_TOOL,
    SERVER_TOOL_USES,
    TOKEN_TYPE,
    TOKENS,
    UNPRICED_CALLS,
    WORKFLOW,
    Label,
)
from claudescope.schema.recorded_series import COST_PER_CALL, TOKENS_PER_CALL
from claudescope_alerts.promql.selectors import Match
from claudescope_alerts.rules.symptoms.cost import SPEND_RATE_TIERS
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, GOOD, WARNING
from claudescope_dashboards.grafana.palette import TOKENS as TOKEN_COLOURS
from claudescope_dashboards.grafana.panels import Query, Step, drill_down, stat, time_series
from claudescope_dashboards.grafana.tables import Column, table
from claudescope_dashboards.queries import CHAT, RANGE, Queries

__all__ = ["MULTIPLES", "READ_MULTIPLES", "cost"]

MULTIPLES: Final = {"cache write 5m": 1.25, "cache write 1h": 2.0, "output": 5.0}
"""Price of a token as a multiple of an uncached input token of the same model. All current models have the same
(https://docs.claude.com/en/docs/about-claude/pricing, as of November 2026)."""

READ_MULTIPLES: Final = {".*(fable-5-[12]|mythos-5-2).*": 0.025, ".*(opus|sonnet)-5-5.*": 0.05, ".*": 0.1}
"""The same for tokens read from the cache, by pattern of the model. The first pattern that matches applies."""

_INPUT, _OUTPUT = Match(TOKEN_TYPE, ("input",)), Match(TOKEN_TYPE, ("output",))
_SHORT, _LONG = Match(CACHE_TTL, ("5m",)), Match(CACHE_TTL, ("1h",))
_ESTIMATE = "estimated from the cost and the published price multiples of cached tokens. "


def cost(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    return dashboard(
        "cost",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(8, _cost(queries), widths=(8, 8, 8), title="Cost"),
            Row(10, _per_call(queries), widths=(5, 5, 6, 8), title="Cost per call"),
            Row(8, _tokens(queries), title="Token usage"),
            Row(9, _cache(queries), widths=(5, 5, 5, 5, 4), title="Cache and server tools"),
        ],
        description="Cost and token usage by model and workflow, the daily budget, and the savings of the cache.",
        time_from="now-24h",
    )


class _Usage:
    """Token usage by class, each as a rate or an increase over a window."""

    def __init__(self, queries: Queries, *by: Label, window: str = "$__rate_interval", function: str = "rate") -> None:
        def total(metric: Any, *matches: Match, part: Any = "") -> str:
            return queries.total(metric, *matches, by=by, part=part, window=window, function=function)

        self.input = total(TOKENS, _INPUT)
        self.output = total(TOKENS, _OUTPUT)
        self.read = total(CACHE_READ_TOKENS)
        self.short, self.long = total(CACHE_WRITE_TOKENS, _SHORT), total(CACHE_WRITE_TOKENS, _LONG)
        self.reasoning = total(REASONING_TOKENS)
        self.cost = total(COST)

        self.discount = " or ".join(
            f"{1 - multiple:g} * {total(CACHE_READ_TOKENS, Match(RESPONSE_MODEL, (pattern,), patterns=True))}"
            for pattern, multiple in READ_MULTIPLES.items()
        )

    @property
    def saved(self) -> str:
        """US dollars that the cache saved: the discount on its reads less the surcharge on its writes.

        The price of an input token follows from the cost, as every other class costs a fixed multiple of it. Tokens
        must be grouped by `RESPONSE_MODEL`.
        """
        surcharge = (
            f"{MULTIPLES['cache write 5m'] - 1:g} * {self.short} + {MULTIPLES['cache write 1h'] - 1:g} * {self.long}"
        )
        weighted = f"{self.input} + {MULTIPLES['output']:g} * {self.output} + {surcharge} - ({self.discount})"
        return f"sum({self.cost} / ({weighted} > 0) * (({self.discount}) - {surcharge.replace(' + ', ' - ')}))"


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    usage = _Usage(queries, window=RANGE, function="increase")
    saved = _Usage(queries, RESPONSE_MODEL, window=RANGE, function="increase").saved
    unpriced = queries.total(UNPRICED_CALLS, window=RANGE, function="increase")
    calls = queries.calls(CHAT, window=RANGE, function="increase")
    limit = spec.thresholds.cost_per_call_usd
    return [
        stat(
            "Cost in range",
            Query(usage.cost, instant=True),
            description="US dollars in the time range, for calls with a known price. This number has no threshold: see "
            "the daily cost beside it.",
            unit="currencyUSD",
            steps=(Step("blue"),),
            decimals=2,
        ),
        stat(
            "Daily cost",
            Query(f"86400 * {queries.total(COST, window='1h')}"),
            description="Cost of a day at the rate of the last hour. Orange: above the daily budget. Red: at least "
            "three times the budget; find the workflow below, and stop it if it loops.",
            unit="currencyUSD",
            steps=colour_steps.daily_cost(spec),
            decimals=2,
        ),
        stat(
            "Cost per call in range",
            Query(f"{usage.cost} / ({calls} > 0)", instant=True),
            description="Mean cost of a call in the time range. Red: above the alert's threshold; check the tokens per "
            "call, the model and the cache hit ratio below.",
            unit="currencyUSD",
            steps=colour_steps.rising(float(limit) / 2, float(limit)) if limit is not None else (Step("blue"),),
            decimals=4,
        ),
        stat(
            "Cache hits in range",
            Query(queries.ratio(usage.read, usage.input), instant=True),
            description="Ratio of input tokens that were read from the prompt cache. Red: below 5 %; put the constant "
            "part first in the prompt and mark it with cache_control.",
            unit="percentunit",
            steps=colour_steps.falling(0.05, 0.3),
            decimals=1,
        ),
        stat(
            "Savings in range",
            Query(saved, instant=True),
            description="US dollars that the cache saved, "
            + _ESTIMATE
            + "Red: writes cost more than reads saved; entries expire before they are read, so use a longer ttl.",
            unit="currencyUSD",
            steps=(Step(BAD), Step(GOOD, 0)),
            decimals=2,
        ),
        stat(
            "Unpriced in range",
            Query(unpriced, instant=True),
            description="Calls without a known price, which are missing from all costs. Red: add a price for their "
            "model, or update genai-prices.",
            unit="locale",
            steps=(Step(GOOD), Step(BAD, 1)),
            decimals=0,
        ),
    ]


def _cost(queries: Queries) -> list[Any]:
    budget = queries.spec.thresholds.daily_budget_usd
    workflow = queries.label(WORKFLOW)
    colours = {"page-fast": BAD, "ticket-fast": WARNING, "ticket-slow": "yellow"}
    steps: tuple[Step, ...] = ()
    alerts = "The spec has no daily budget: set thresholds.daily_budget_usd"
    if budget is not None:
        lines = sorted((float(pace.factor * budget), colours[name]) for name, pace in SPEND_RATE_TIERS.items())
        steps = (Step("transparent"), *(Step(colour, value) for value, colour in lines))
        alerts = "An alert fires while a window is above its threshold: " + ", ".join(
            f"{float(pace.factor * budget):g} US dollars over {write_minutes(pace.long)}"
            for pace in SPEND_RATE_TIERS.values()
        )
    return [
        time_series(
            "Cost per hour by model",
            Query(f"3600 * {queries.total(COST, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="US dollars per hour by model. If there is an unexpected model, look for a changed default.",
            unit="currencyUSD",
            stacked=True,
        ),
        time_series(
            "Cost per hour by workflow",
            Query(f"3600 * {queries.total(COST, by=(WORKFLOW,))}", queries.legend(WORKFLOW)),
            description="US dollars per hour by workflow. Caching, batching or a smaller model save most in the "
            "largest workflow.",
            unit="currencyUSD",
            stacked=True,
            links=[drill_down("Filter by this workflow", uid("cost", queries), workflow=workflow)],
        ),
        time_series(
            "Daily cost vs. budget",
            *(
                Query(f"86400 * {queries.total(COST, window=write_minutes(pace.long))}", write_minutes(pace.long))
                for pace in SPEND_RATE_TIERS.values()
            ),
            description=f"US dollars per day at the rate of each window. {alerts}.",
            unit="currencyUSD",
            steps=steps,
            colours={write_minutes(pace.long): colours[name] for name, pace in SPEND_RATE_TIERS.items()},
        ),
    ]


def _per_call(queries: Queries) -> list[Any]:
    by = (RESPONSE_MODEL,)
    token_type = queries.legend(TOKEN_TYPE)
    both = (WORKFLOW, RESPONSE_MODEL)
    cost = queries.total(COST, by=both, window=RANGE, function="increase")
    calls = queries.calls(CHAT, by=both, window=RANGE, function="increase")
    return [
        time_series(
            "Cost per call by model",
            Query(f"{queries.total(COST, by=by)} / ({queries.calls(CHAT, by=by)} > 0)", queries.legend(*by)),
            description="Mean cost of a call by model. If it jumps, check the length of prompts and responses, and the "
            "cache hit ratio.",
            unit="currencyUSD",
            decimals=4,
        ),
        time_series(
            "Cost per call vs. baseline",
            Query(queries.recorded(COST_PER_CALL.now.name), "current"),
            Query(queries.recorded(COST_PER_CALL.baseline.name), "baseline"),
            description="Cost per call in the last hour, and its baseline: the median of the same hour on earlier "
            "days. An alert fires at twice the baseline. The series are recorded by rules, so the variables do not "
            "filter them.",
            unit="currencyUSD",
            decimals=4,
            empty="Needs three days of history",
        ),
        time_series(
            "Tokens per call vs. baseline",
            Query(queries.recorded(TOKENS_PER_CALL.now.name), f"{token_type} current"),
            Query(queries.recorded(TOKENS_PER_CALL.baseline.name), f"{token_type} baseline"),
            description="Tokens per call in the last hour, and their baseline: the median of the same hour on earlier "
            "days. An alert fires at twice or half the baseline: check changes of prompts, tools, history and "
            "max_tokens.",
            unit="short",
            empty="Needs three days of history",
        ),
        table(
            "Cost by workflow and model",
            Column(cost, "Cost", "currencyUSD"),
            # Calls that failed have no model that answered.
            Column(f"{calls} and on {queries.by(*both)} {cost}", "Calls", "locale", decimals=0),
            labels={queries.label(WORKFLOW): "Workflow", queries.label(RESPONSE_MODEL): "Model"},
            description="Cost in the time range by workflow and model, highest first. Savings count most in the first "
            "rows.",
            sort="Cost",
            widths={"Cost": 90, "Calls": 80},
            links={
                "Workflow": [
                    drill_down("Filter by this workflow", uid("cost", queries), workflow=queries.label(WORKFLOW))
                ]
            },
        ),
    ]


def _tokens(queries: Queries) -> list[Any]:
    usage = _Usage(queries)
    uncached = f"{usage.input} - {usage.read} - {usage.short} - {usage.long}"
    classes = {
        "input": uncached,
        "cache read": usage.read,
        "cache write 5m": usage.short,
        "cache write 1h": usage.long,
        "output": f"{usage.output} - {usage.reasoning}",
        "reasoning": usage.reasoning,
    }

    def by(label: Label, title: str) -> Any:
        return time_series(
            f"Token usage per minute by {title}",
            Query(f"60 * {queries.total(TOKENS, by=(label,))}", queries.legend(label)),
            description=f"Input and output tokens per minute by {title}. The largest {title} uses most of the rate "
            "limit: cache, shorten or batch its calls.",
            unit="short",
            stacked=True,
        )

    return [
        time_series(
            "Token usage per minute by class",
            *(Query(f"60 * clamp_min({expr}, 0)", name) for name, expr in classes.items()),
            description="Tokens per minute by price class. An output token costs five times an uncached input token, a "
            "cache read at most a tenth. If input dominates, cache more. If output dominates, ask for shorter "
            "responses.",
            unit="short",
            stacked=True,
            colours=TOKEN_COLOURS,
        ),
        by(WORKFLOW, "workflow"),
        by(RESPONSE_MODEL, "model"),
    ]


def _cache(queries: Queries) -> list[Any]:
    model, flow = _Usage(queries, RESPONSE_MODEL), _Usage(queries, WORKFLOW)
    return [
        time_series(
            "Cache hit ratio by model",
            Query(queries.ratio(model.read, model.input), queries.legend(RESPONSE_MODEL)),
            description="Ratio of input tokens that were read from the prompt cache, by model. If it drops to 0, the "
            "start of the prompt changes with every call: look for a date or an id.",
            unit="percentunit",
            high=1,
        ),
        time_series(
            "Cache hit ratio by workflow",
            Query(queries.ratio(flow.read, flow.input), queries.legend(WORKFLOW)),
            description="Ratio of input tokens that were read from the prompt cache, by workflow. Workflows with many "
            "tokens and a low ratio gain most from cache_control.",
            unit="percentunit",
            high=1,
        ),
        time_series(
            "Cache savings per hour",
            Query(f"3600 * {_Usage(queries, RESPONSE_MODEL).saved}", "saved"),
            description="US dollars per hour that the cache saved, "
            + _ESTIMATE
            + "Below 0 entries are written but not read: use a longer ttl, or stop caching.",
            unit="currencyUSD",
            low=None,
        ),
        time_series(
            "Calls without a price by model",
            Query(f"60 * {queries.total(UNPRICED_CALLS, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="Calls without a known price, per minute. Above 0 the reported cost is too low: add a price "
            "for the model, or update genai-prices.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Server tool uses",
            Query(f"60 * {queries.total(SERVER_TOOL_USES, by=(SERVER_TOOL,))}", queries.legend(SERVER_TOOL)),
            description="Uses of server tools per minute. Each web search is billed, so the cost grows with them.",
            unit="cpm",
            stacked=True,
            empty="No server tools used",
        ),
    ]
