"""The page of audit rules, from the rules themselves."""

from __future__ import annotations

from claudescope.audit.own_rules import ALL_RULES
from claudescope.audit.rules import Rule
from generators.markdown import page, table

__all__ = ["audit_rules"]


def audit_rules() -> str:
    """Every rule: what it finds, why it matters, and an example of both sides."""
    rules = sorted(ALL_RULES.values(), key=lambda rule: rule.name)
    return page(
        "Audit rules",
        "The rules of `claudescope audit`. [Audit your code](../audit.md) shows how to run it, to ignore a finding and "
        "to switch a rule off.",
        table(
            ["rule", "severity", "finds"],
            ([f"[`{rule.name}`](#{rule.name})", rule.severity, rule.summary] for rule in rules),
        ),
        *map(_section, rules),
    )


def _section(rule: Rule) -> str:
    # `py`, as blocks of `python` are examples that readers run.
    return (
        f"## {rule.name}\n\n{rule.summary} Severity: {rule.severity}.\n\n**Why.** {rule.why}\n\n"
        f"Bad:\n\n```py\n{rule.bad.strip()}\n```\n\nGood:\n\n```py\n{rule.good.strip()}\n```"
    )
