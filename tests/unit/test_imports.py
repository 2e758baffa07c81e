"""The schema loads alone: alerts and dashboards need nothing else of claudescope."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _loaded_by(module: str) -> set[str]:
    """The modules of a fresh interpreter that has imported `module`."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return set(done.stdout.split())


@pytest.mark.parametrize("name", ["attributes", "catalogue", "classify", "dashboard_uid", "error_types", "record"])
def test_the_schema_loads_alone(name: str) -> None:
    """Importing a module of the schema imports no SDK, no command line and no other part of claudescope."""
    loaded = _loaded_by(f"claudescope.schema.{name}")
    packages = {module.partition(".")[0] for module in loaded}
    assert (
        packages & {"anthropic", "httpx", "opentelemetry", "pydantic", "rich", "sentry_sdk", "typer", "yaml"} == set()
    )
    ours = {module.split(".")[1] for module in loaded if module.startswith("claudescope.")}
    assert ours <= {"_internal", "schema"}
