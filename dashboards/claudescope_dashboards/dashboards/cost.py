"""What Claude costs, who spends it, on which tokens, what the cache saves, and how fast the day's budget goes."""

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
    TOKEN_USAGE,
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
from claudescope_dashboards.grafana.palette import BAD, GOOD, TOKENS, WARNING
from claudescope_dashboards.grafana.panels import Column, Query, Step, drill_down, stat, table, time_series
from claudescope_dashboards.queries import CHAT, RANGE, Queries

__all__ = ["MULTIPLES", "READ_MULTIPLES", "cost"]

MULTIPLES: Final = {"cache write 5m": 1.25, "cache write 1h": 2.0, "output": 5.0}
"""What a token costs, as a multiple of an uncached input token of the same model: the same for all current models
(https://docs.claude.com/en/docs/about-claude/pricing, as of November 2026)."""

READ_MULTIPLES: Final = {".*(fable-5-[12]|mythos-5-2).*": 0.025, ".*(opus|sonnet)-5-5.*": 0.05, ".*": 0.1}
"""The same for tokens read from the cache, by pattern of the model; the first that matches holds."""

_INPUT, _OUTPUT = Match(TOKEN_TYPE, ("input",)), Match(TOKEN_TYPE, ("output",))
_SHORT, _LONG = Match(CACHE_TTL, ("5m",)), Match(CACHE_TTL, ("1h",))
_ESTIMATE = "An estimate from the cost and the published multiples of cached tokens. "


def cost(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "cost",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(8, _money(queries), widths=(8, 8, 8), title="Money"),
            Row(8, _per_call(queries), title="Per call"),
            Row(8, _tokens(queries), title="Tokens"),
            Row(8, _cache(queries), widths=(5, 5, 5, 5, 4), title="Cache and tools"),
        ],
        description="What does Claude cost, who spends it on which tokens, and what does the cache save?",
        time_from="now-24h",
    )


class _Usage:
    """Tokens by class, each as a rate or an increase over a window."""

    def __init__(self, queries: Queries, *by: Label, window: str = "$__rate_interval", function: str = "rate") -> None:
        def total(metric: Any, *matches: Match, part: Any = "") -> str:
            return queries.total(metric, *matches, by=by, part=part, window=window, function=function)

        self.input = total(TOKEN_USAGE, _INPUT, part="sum")
        self.output = total(TOKEN_USAGE, _OUTPUT, part="sum")
        self.read = total(CACHE_READ_TOKENS)
        self.short, self.long = total(CACHE_WRITE_TOKENS, _SHORT), total(CACHE_WRITE_TOKENS, _LONG)
        self.reasoning = total(REASONING_TOKENS)
        self.cost = total(COST)

        self.cheaper = " or ".join(
            f"{1 - multiple:g} * {total(CACHE_READ_TOKENS, Match(RESPONSE_MODEL, (pattern,), patterns=True))}"
            for pattern, multiple in READ_MULTIPLES.items()
        )

    @property
    def saved(self) -> str:
        """US dollars that the cache saved: what it read for less, without what writing it cost more.

        The price of an input token follows from the cost, as every other class costs a fixed multiple of it. Tokens
        must be by `RESPONSE_MODEL`.
        """
        dearer = (
            f"{MULTIPLES['cache write 5m'] - 1:g} * {self.short} + {MULTIPLES['cache write 1h'] - 1:g} * {self.long}"
        )
        weighed = f"{self.input} + {MULTIPLES['output']:g} * {self.output} + {dearer} - ({self.cheaper})"
        return f"sum({self.cost} / ({weighed} > 0) * (({self.cheaper}) - {dearer.replace(' + ', ' - ')}))"


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    usage = _Usage(queries, window=RANGE, function="increase")
    saved = _Usage(queries, RESPONSE_MODEL, window=RANGE, function="increase").saved
    unpriced = queries.total(UNPRICED_CALLS, window=RANGE, function="increase")
    calls = queries.calls(CHAT, window=RANGE, function="increase")
    limit = spec.thresholds.cost_per_call_usd
    return [
        stat(
            "Cost",
            Query(usage.cost, instant=True),
            description="US dollars that the API billed in the time range, as far as prices are known. It has no "
            "threshold: the pace beside it has.",
            unit="currencyUSD",
            steps=(Step("blue"),),
            decimals=2,
            graph=False,
        ),
        stat(
            "Pace of a day",
            Query(f"86400 * {queries.total(COST, window='1h')}"),
            description="What a day costs at the pace of the last hour. Orange: over the day's budget. Red: three "
            "times; find the workflow below, and stop it if it loops.",
            unit="currencyUSD",
            steps=colour_steps.pace(spec),
            decimals=2,
        ),
        stat(
            "Cost per call",
            Query(f"{usage.cost} / ({calls} > 0)", instant=True),
            description="Mean cost of a call to a model in the time range. If it rises, so did tokens per call, the "
            "model, or the cache lost its hits: see the row Per call.",
            unit="currencyUSD",
            steps=colour_steps.rising(float(limit) / 2, float(limit)) if limit is not None else (Step("blue"),),
            decimals=4,
            graph=False,
        ),
        stat(
            "Input read from cache",
            Query(queries.ratio(usage.read, usage.input), instant=True),
            description="Share of input tokens that came from the prompt cache. Red: hardly any; put what does not "
            "change first in the prompt, and mark it with cache_control.",
            unit="percentunit",
            steps=colour_steps.falling(0.05, 0.3),
            decimals=1,
            graph=False,
        ),
        stat(
            "Saved by the cache",
            Query(saved, instant=True),
            description=_ESTIMATE + "Red: it cost more to write than it saved; entries expire before they are read.",
            unit="currencyUSD",
            steps=(Step(BAD), Step(GOOD, 0)),
            decimals=2,
            graph=False,
        ),
        stat(
            "Calls without a price",
            Query(unpriced, instant=True),
            description="Calls whose tokens are known and whose price is not: they are in no cost. Red: add a price "
            "for their model, or update genai-prices.",
            unit="short",
            steps=(Step(GOOD), Step(BAD, 1)),
            decimals=0,
            graph=False,
        ),
    ]


def _money(queries: Queries) -> list[Any]:
    budget = queries.spec.thresholds.daily_budget_usd
    workflow = queries.label(WORKFLOW)
    colours = {"page-fast": BAD, "ticket-fast": WARNING, "ticket-slow": "yellow"}
    steps: tuple[Step, ...] = ()
    told = "The spec has no daily budget: set thresholds.daily_budget_usd."
    if budget is not None:
        lines = sorted((float(pace.factor * budget), colours[name]) for name, pace in SPEND_RATE_TIERS.items())
        steps = (Step("transparent"), *(Step(colour, value) for value, colour in lines))
        told = "An alert fires where its window is above its line: " + ", ".join(
            f"{float(pace.factor * budget):g} US dollars over {write_minutes(pace.long)}"
            for pace in SPEND_RATE_TIERS.values()
        )
    return [
        time_series(
            "Cost an hour, by model",
            Query(f"3600 * {queries.total(COST, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="US dollars an hour by the model that answered. A model that nobody planned for: look for a "
            "default that changed.",
            unit="currencyUSD",
            stacked=True,
        ),
        time_series(
            "Cost an hour, by workflow",
            Query(f"3600 * {queries.total(COST, by=(WORKFLOW,))}", queries.legend(WORKFLOW)),
            description="US dollars an hour by workflow. The largest band is where caching, batching or a smaller "
            "model pay most.",
            unit="currencyUSD",
            stacked=True,
            links=[drill_down("Only this workflow", uid("cost", queries), workflow=workflow)],
        ),
        time_series(
            "Pace against the budget of a day",
            *(
                Query(f"86400 * {queries.total(COST, window=write_minutes(pace.long))}", write_minutes(pace.long))
                for pace in SPEND_RATE_TIERS.values()
            ),
            description=f"US dollars a day at the pace of each window. {told}.",
            unit="currencyUSD",
            steps=steps,
            colours={write_minutes(pace.long): colours[name] for name, pace in SPEND_RATE_TIERS.items()},
        ),
    ]


def _per_call(queries: Queries) -> list[Any]:
    by = (RESPONSE_MODEL,)
    type_ = queries.legend(TOKEN_TYPE)
    return [
        time_series(
            "Cost per call, by model",
            Query(f"{queries.total(COST, by=by)} / ({queries.calls(CHAT, by=by)} > 0)", queries.legend(*by)),
            description="US dollars that a call to each model costs. A step up: longer prompts or answers, or a cache "
            "that is no longer hit.",
            unit="currencyUSD",
            decimals=4,
        ),
        time_series(
            "Cost per call, against the usual",
            Query(queries.recorded(COST_PER_CALL.now.name), "now"),
            Query(queries.recorded(COST_PER_CALL.baseline.name), "usual"),
            description="The last hour, and the median of the same hour on earlier days, once there are three. Twice "
            "the usual fires an alert. Recorded by rules: variables do not narrow it.",
            unit="currencyUSD",
            decimals=4,
            empty="Needs three days of history",
        ),
        time_series(
            "Tokens per call, against the usual",
            Query(queries.recorded(TOKENS_PER_CALL.now.name), f"{type_} now"),
            Query(queries.recorded(TOKENS_PER_CALL.baseline.name), f"{type_} usual"),
            description="The last hour, and the median of the same hour on earlier days. Twice or half the usual "
            "fires an alert: look for a change of prompts, tools, history or max_tokens.",
            unit="short",
            empty="Needs three days of history",
        ),
        table(
            "Cost by workflow and model",
            Column(
                queries.total(COST, by=(WORKFLOW, RESPONSE_MODEL), window=RANGE, function="increase"),
                "Cost",
                "currencyUSD",
            ),
            Column(
                queries.calls(CHAT, by=(WORKFLOW, RESPONSE_MODEL), window=RANGE, function="increase"), "Calls", "short"
            ),
            labels={queries.label(WORKFLOW): "Workflow", queries.label(RESPONSE_MODEL): "Model"},
            description="Who spent what on which model in the time range, dearest first. It names no owner: it says "
            "where a saving would count.",
            sort="Cost",
            links={
                "Workflow": [drill_down("Only this workflow", uid("cost", queries), workflow=queries.label(WORKFLOW))]
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
            f"Tokens a minute, by {title}",
            Query(f"60 * {queries.total(TOKEN_USAGE, by=(label,), part='sum')}", queries.legend(label)),
            description=f"Input and output tokens of each {title}. The largest band uses the rate limit up: cache, "
            "shorten or batch it.",
            unit="short",
            stacked=True,
        )

    return [
        time_series(
            "Tokens a minute, by class",
            *(Query(f"60 * clamp_min({expr}, 0)", name) for name, expr in classes.items()),
            description="What is billed at which price: output costs five times an uncached input token, a cache read "
            "a tenth. Much blue: cache more. Much purple: shorter answers.",
            unit="short",
            stacked=True,
            colours=TOKENS,
        ),
        by(WORKFLOW, "workflow"),
        by(RESPONSE_MODEL, "model"),
    ]


def _cache(queries: Queries) -> list[Any]:
    model, flow = _Usage(queries, RESPONSE_MODEL), _Usage(queries, WORKFLOW)
    return [
        time_series(
            "Cache hits by model",
            Query(queries.ratio(model.read, model.input), queries.legend(RESPONSE_MODEL)),
            description="Share of input tokens read from the prompt cache. A fall to 0: something at the start of the "
            "prompt changes with every call, such as a date.",
            unit="percentunit",
            high=1,
        ),
        time_series(
            "Cache hits by workflow",
            Query(queries.ratio(flow.read, flow.input), queries.legend(WORKFLOW)),
            description="Share of input tokens read from the prompt cache. Workflows at 0 with many tokens gain most "
            "from cache_control.",
            unit="percentunit",
            high=1,
        ),
        time_series(
            "Saved by the cache, an hour",
            Query(f"3600 * {_Usage(queries, RESPONSE_MODEL).saved}", "saved"),
            description=_ESTIMATE + "Below 0: entries are written and not read; lengthen their ttl, or stop.",
            unit="currencyUSD",
            low=None,
        ),
        time_series(
            "Calls without a price, by model",
            Query(f"60 * {queries.total(UNPRICED_CALLS, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="A minute. Above 0 the cost is too low: add a price for the model, or update genai-prices.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Uses of server tools",
            Query(f"60 * {queries.total(SERVER_TOOL_USES, by=(SERVER_TOOL,))}", queries.legend(SERVER_TOOL)),
            description="A minute, as the usage reports them. Web searches are billed each: a rise is a rise in cost.",
            unit="cpm",
            stacked=True,
            empty="None used",
        ),
    ]
