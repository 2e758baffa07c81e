"""Reads policies: from a file, from the environment, and from the arguments of a `policy(...)` block."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudescope import settings
from claudescope._internal.exceptions import BadInputError, did_you_mean, require
from claudescope.resilience.engine.rules import PRIMARY
from claudescope.resilience.policies.resolve import Policy

if TYPE_CHECKING:
    from claudescope.resilience.policies.model import PolicyFile
    from claudescope.resilience.policies.sections import CallSection

__all__ = ["block", "load_policy", "policy_from_environment"]

_EXTRA = "resilience"
_FEATURE = "A policy file"


def load_policy(source: str | Path | None = None, *, environment: Mapping[str, str] | None = os.environ) -> Policy:
    """Read a policy.

    Args:
        source: The path of a file; None or `"default"` for the built-in policy.
        environment: Where the keys of targets are looked for; None not to look for them.

    Raises:
        BadInputError: The file can't be read or has mistakes. The message has one line for each, which starts with
            `file:line:`.
        MissingExtraError: A package is missing.
    """
    if source is None or str(source) == "default":
        return Policy()
    for module in ("pydantic", "yaml"):
        require(module, extra=_EXTRA, feature=_FEATURE)
    # Late, as the built-in policy needs neither package.
    from claudescope._internal.yaml_model import load_yaml_model
    from claudescope.resilience.policies.model import PolicyFile

    path = Path(source)
    file = load_yaml_model(path, PolicyFile, lambda loaded: _mistakes(loaded, environment))
    policy = Policy(file, str(path))
    _require_packages(policy)
    return policy


def policy_from_environment(environment: Mapping[str, str] = os.environ, *, check_keys: bool = True) -> Policy | None:
    """Read the policy that `CLAUDESCOPE_POLICY` names.

    Args:
        environment: The environment.
        check_keys: Whether the keys of targets have to be there.

    Returns:
        The policy; None where the variable is not set, empty or `off`.

    Raises:
        BadInputError: There is no such file, or it has mistakes. The message names the variable or `file:line:`.
    """
    value = settings.POLICY.read(environment)
    if value is None or value.lower() == "off":
        return None
    if value != "default" and not Path(value).is_file():
        raise BadInputError(
            f"{settings.POLICY.name}={value}: there is no such file. Expected the path of a policy file, `default` or "
            "`off`"
        )
    return load_policy(value, environment=environment if check_keys else None)


def block(**keys: Any) -> CallSection:
    """Check the arguments of a `policy(...)` block: the keys of a workflow; durations may be numbers of seconds.

    Raises:
        BadInputError: A key is unknown, or a value can't be used.
        MissingExtraError: A package is missing.
    """
    require("pydantic", extra=_EXTRA, feature="policy()")
    require("yaml", extra=_EXTRA, feature="policy()")  # the durations' types are with the YAML models
    # Late, as the built-in policy needs neither package.
    from pydantic import ValidationError

    from claudescope.resilience.policies.sections import CallSection

    known = [field.alias or name for name, field in CallSection.model_fields.items()]
    for name in keys:
        if name not in known:
            raise BadInputError(
                f"policy({name}=...): unknown key {name!r}.{did_you_mean(name, known)} Known keys: {', '.join(known)}"
            )
    try:
        return CallSection.model_validate(keys)
    except ValidationError as invalid:
        raise BadInputError("\n".join(_told(keys, error) for error in invalid.errors(include_url=False))) from None


def _told(keys: Mapping[str, Any], error: Any) -> str:
    place = [str(step) for step in error["loc"]]
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    if not place:
        return f"policy({', '.join(keys)}): {message}"
    shown = "" if error["type"] == "secret" else f", got {error['input']!r}"
    return f"policy({'.'.join(place)}=...): {message}{shown}"


def _mistakes(file: PolicyFile, environment: Mapping[str, str] | None) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """What is wrong between the sections of a file."""
    yield from _mistakes_of_routes(file)
    yield from _mistakes_of_keys(file, environment)
    # Late, as the built-in policy needs no table of models.
    from claudescope.resilience.policies.needs import lacks

    policy = Policy(file)
    for place, section, workflow in _sections(file):
        rules = policy.of(workflow)
        if rules.deadline is not None and rules.concurrency and rules.concurrency.queue_timeout >= rules.deadline:
            yield (*place, "concurrency"), f"queue_timeout is not below the deadline of {rules.deadline:g}s. Lower it"
        for name in ("connect", "first_token", "stall", "whole"):
            value = getattr(rules.timeouts, name)
            if rules.deadline is not None and value is not None and value > rules.deadline:
                yield (*place, "timeouts", name), f"{value:g}s is above the deadline of {rules.deadline:g}s. Lower it"
        for number, model in enumerate(section.models):
            missing = lacks(model, rules.needs)
            if missing:
                yield (*place, "models", number), f"{model} can't do what the calls need: {', '.join(missing)}"
    for number, budget in enumerate(file.budgets):
        if budget.then == "degrade" and not policy.of(budget.workflow).models:
            yield ("budgets", number, "then"), "degrade needs cheaper models. List them in models of the workflow"


def _sections(file: PolicyFile) -> Iterator[tuple[tuple[str, ...], CallSection, str | None]]:
    yield ("defaults",), file.defaults, None
    for name, section in file.workflows.items():
        yield ("workflows", name), section, name


def _mistakes_of_routes(file: PolicyFile) -> Iterator[tuple[tuple[int | str, ...], str]]:
    known = list(file.targets) or [PRIMARY]
    for place, section, _ in _sections(file):
        for number, name in enumerate(section.route or ()):
            if name not in known:
                message = f"there is no target {name!r}.{did_you_mean(name, known)} The targets are {', '.join(known)}"
                yield (*place, "route", number), message


def _mistakes_of_keys(
    file: PolicyFile, environment: Mapping[str, str] | None
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for name, target in file.targets.items():
        variable = target.api_key_env
        if environment is not None and variable is not None and not environment.get(variable, "").strip():
            message = f"the environment variable {variable} is not set, so that the target has no key"
            yield ("targets", name, "api_key_env"), message


def _require_packages(policy: Policy) -> None:
    """The packages of the features that the policy uses."""
    rules = [policy.of(workflow) for workflow in (None, *policy.workflows)]
    if policy.share is not None or any(each.cache is not None and each.cache.share for each in rules):
        require("redis", extra=_EXTRA, feature="share")
    if any(each.cache is not None for each in rules):
        require("cachetools", extra=_EXTRA, feature="cache")
