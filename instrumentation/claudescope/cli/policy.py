"""`claudescope policy`: checks policies of `claudescope.protect()`, and explains what they do."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claudescope._internal.exceptions import BadInputError, did_you_mean, require
from claudescope.cli.check_results import console

if TYPE_CHECKING:
    from claudescope.resilience.policies.resolve import Policy

__all__ = ["policy"]

policy = typer.Typer(
    help="Check and explain policies of claudescope.protect().", no_args_is_help=True, add_completion=False
)

FileArgument = Annotated[Path, typer.Argument(help="The policy file.")]


@policy.command()
def check(
    file: FileArgument,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Do not ask for the keys of targets in this environment, as in CI.")
    ] = False,
) -> None:
    """Check a policy file, and say what holds for each workflow. Exits with 2 and file:line on mistakes."""
    _require()
    # Late, as other commands work without the extra.
    from claudescope.resilience.policies.explain import describe
    from claudescope.resilience.policies.load import load_policy
    from claudescope.resilience.policies.needs import notes

    loaded = load_policy(file, environment=None if without_keys else os.environ)
    today = datetime.now(timezone.utc).date()
    out = console()
    for workflow in (None, *loaded.workflows):
        rules = loaded.of(workflow)
        out.print(f"{workflow or 'defaults'}: {describe(rules)}", markup=False, highlight=False)
        for note in notes(rules, today):
            out.print(f"  note: {note}", markup=False, highlight=False)
    used = {name for workflow in (None, *loaded.workflows) for name in loaded.of(workflow).route}
    for name in loaded.targets:
        if name not in used:
            out.print(f"note: no route has the target {name}", markup=False, highlight=False)
    out.print(f"{file}: no mistakes", markup=False, highlight=False)


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for completion and validation in editors."""
    _require()
    from claudescope.resilience.policies.model import json_schema  # late, as other commands work without the extra

    typer.echo(json_schema(), nl=False)


@policy.command()
def explain(
    workflow: Annotated[str, typer.Argument(help="The workflow; `defaults` for calls outside of one.")],
    error_type: Annotated[str, typer.Argument(help="The error type that every attempt fails with.")],
    file: Annotated[
        Path | None,
        typer.Option("--policy", help="The policy file. By default CLAUDESCOPE_POLICY, or else the built-in policy."),
    ] = None,
    retry_after: Annotated[
        str | None, typer.Option(help="What each response asks to wait, such as 30s. By default nothing.")
    ] = None,
) -> None:
    """Say step by step what happens to a call whose every attempt fails with one error type."""
    _require()
    # Late, as other commands work without the extra.
    from claudescope._internal.yaml_model import parse_duration
    from claudescope.resilience.policies.explain import explain as explained
    from claudescope.resilience.policies.load import load_policy, policy_from_environment

    loaded = load_policy(file, environment=None) if file else policy_from_environment(check_keys=False) or load_policy()
    try:
        seconds = None if retry_after is None else parse_duration(retry_after)
    except ValueError as error:
        raise BadInputError(f"--retry-after {retry_after}: {error}") from None
    out = console()
    out.print(f"{loaded.source}, {_name(loaded, workflow)}", markup=False, highlight=False)
    name = None if workflow == "defaults" else workflow
    for line in explained(loaded, name, error_type, retry_after=seconds):
        out.print(line, markup=False, highlight=False)


def _name(loaded: Policy, workflow: str) -> str:
    if workflow == "defaults" or workflow in loaded.workflows:
        return workflow
    return f"{workflow}: it has no section, so the defaults hold.{did_you_mean(workflow, loaded.workflows)}"


def _require() -> None:
    for module in ("pydantic", "yaml"):
        require(module, extra="resilience", feature="claudescope policy")
