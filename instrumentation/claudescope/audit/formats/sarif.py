"""The result as SARIF 2.1.0, as GitHub code scanning reads it.

GitHub keeps 25,000 results of an upload and shows 5,000, so the worst come first. It matches results of two uploads by
`primaryLocationLineHash`, and shows the help of a rule beside each result.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from claudescope._internal.version import VERSION
from claudescope.audit.formats.summary import SEVERITIES, level
from claudescope.audit.model import Confidence, Finding, Severity
from claudescope.audit.own_rules import ALL_RULES
from claudescope.audit.rules import Rule
from claudescope.audit.scan import Outcome

__all__ = ["MAX_RESULTS", "as_sarif"]

MAX_RESULTS: Final = 25_000
"""GitHub refuses files with more results."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_RANK: Final[Mapping[Confidence, float]] = {"high": 90.0, "medium": 60.0, "low": 30.0}
_PROBLEM: Final[Mapping[Severity, str]] = {"error": "error", "warning": "warning", "note": "recommendation"}
# GitHub shows a rule with this score among security alerts: 7.0 and more is high, 4.0 and more medium.
_SECURITY: Final = {"hard-coded-key": "8.0", "error-shown-to-user": "4.3"}


def as_sarif(outcome: Outcome) -> str:
    """Return a SARIF log with one run: every rule, and at most `MAX_RESULTS` results."""
    worst_first = sorted(outcome.report.findings, key=lambda finding: SEVERITIES.index(level(finding)))
    rules = [*ALL_RULES.values()]
    indices = {rule.name: index for index, rule in enumerate(rules)}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "claudescope",
                        "semanticVersion": VERSION,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "automationDetails": {"id": "claudescope-audit/"},
                "originalUriBaseIds": {
                    "SRCROOT": {"description": {"text": "The root of the repository."}},
                },
                "results": [_result(each, outcome, indices) for each in worst_first[:MAX_RESULTS]],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    security = {"security-severity": _SECURITY[rule.name]} if rule.name in _SECURITY else {}
    return {
        "id": rule.name,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}"[:1000]},
        "help": {
            "text": f"{rule.why}\n\nInstead of:\n\n{rule.bad}\n\nwrite:\n\n{rule.good}",
            "markdown": f"{rule.why}\n\nInstead of\n\n{_fenced(rule.bad)}\n\nwrite\n\n{_fenced(rule.good)}",
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "tags": ["reliability", *(["security"] if security else [])],
            "problem.severity": _PROBLEM[rule.severity],
            **security,
        },
    }


def _fenced(code: str) -> str:
    return f"```python\n{code.strip()}\n```"


def _result(finding: Finding, outcome: Outcome, indices: Mapping[str, int]) -> dict[str, Any]:
    index = {"ruleIndex": indices[finding.rule]} if finding.rule in indices else {}
    name = outcome.fingerprints.get(finding)
    return {
        "ruleId": finding.rule,
        **index,
        "level": level(finding),
        "rank": _RANK[finding.confidence],
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.path, errors="surrogateescape"), "uriBaseId": "SRCROOT"},
                    "region": {"startLine": max(finding.line, 1)},
                }
            }
        ],
        **({"partialFingerprints": {"primaryLocationLineHash": name}} if name else {}),
        "properties": {"confidence": finding.confidence},
    }
