"""The result as JSON, for programs."""

from __future__ import annotations

import dataclasses
import json

from claudescope.audit.formats.summary import summary_data
from claudescope.audit.scan import Outcome

__all__ = ["as_json"]


def as_json(outcome: Outcome) -> str:
    """Return `{"findings": […], "calls": […], "summary": {…}}`, each finding and call with all its attributes."""
    findings = [
        {**dataclasses.asdict(finding), "fingerprint": outcome.fingerprints.get(finding, "")}
        for finding in outcome.report.findings
    ]
    calls = [dataclasses.asdict(call) for call in outcome.report.calls]
    return json.dumps({"findings": findings, "calls": calls, "summary": summary_data(outcome)}, indent=2) + "\n"
