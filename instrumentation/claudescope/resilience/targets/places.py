"""Says which target the app's own client is, and turns a request to it into one to another target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import anthropic

from claudescope._internal.json_values import is_object
from claudescope.probe.sdk import provider_of, region_of, server_of
from claudescope.resilience.body import mapping
from claudescope.resilience.engine.actions import Timeouts
from claudescope.resilience.engine.rules import PRIMARY, Target
from claudescope.resilience.targets.clients import Clients

__all__ = ["Destination", "Places", "body_of", "retargeted", "with_body", "with_timeouts"]

_DEFAULT_HOST: Final = "api.anthropic.com"
_KINDS: Final = (
    ("anthropic.lib.bedrock", "bedrock"),
    ("anthropic.lib.vertex", "vertex"),
    ("anthropic.lib.foundry", "foundry"),
    ("anthropic.lib.aws", "aws"),
)
_OF_THE_CLIENT: Final = frozenset({"authorization", "x-api-key", "api-key", "cookie", "host"})
"""Headers that belong to one target and must not reach another."""


def _kind_of(client: object) -> str:
    for base in type(client).__mro__:
        for module, kind in _KINDS:
            if base.__module__.startswith(module):
                return kind
    return "anthropic"


class Destination(NamedTuple):
    """Where an attempt goes.

    Attributes:
        client: The client that sends it.
        is_own: Whether that is the app's own client.
        provider: Its platform.
        server_address: Its host name.
        region: Its region, where prices depend on it.
    """

    client: Any
    is_own: bool
    provider: str
    server_address: str
    region: str | None


class Places:
    """The targets of a policy, as the drivers use them.

    Args:
        targets: The targets by name.
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self.targets = targets
        self.clients = Clients(targets)

    def own_name(self, client: Any, route: tuple[str, ...]) -> str:
        """The name of the target that the app's own client sends to.

        The first of the route that it fits, else any other target of the policy. Where none fits, it is `primary` for
        the API itself, and the host for anything else, so that each host has a circuit of its own.
        """
        targets = self.targets
        if targets:
            for name in (*route, *targets):
                target = targets.get(name)
                if target is not None and _is_own(target, client):
                    return name
        host, port = server_of(client)
        if host == _DEFAULT_HOST:
            return PRIMARY
        return host if port in {80, 443} else f"{host}:{port}"

    def destination(self, name: str, own_name: str, client: Any, *, is_async: bool) -> Destination:
        """Where an attempt at a target goes.

        Raises:
            BadInputError: The target's client can't be made.
        """
        is_own = name == own_name or name not in self.targets
        sender = client if is_own else self.clients.get(name, client, is_async=is_async)
        return Destination(sender, is_own, provider_of(sender), server_of(sender)[0], region_of(sender))

    def canonical(self, own_name: str, model: str | None) -> str | None:
        """The name that the policy uses for a model that the app asks its own client for."""
        target = self.targets.get(own_name)
        if target is None or model is None:
            return model
        return next((name for name, there in target.models.items() if there == model), model)


def _is_own(target: Target, client: Any) -> bool:
    if target.api_key_env is not None:
        return False
    if target.base_url is not None:
        return str(client.base_url).rstrip("/") == target.base_url.rstrip("/")
    kind = _kind_of(client)
    if kind != (target.client or "anthropic"):
        return False
    region = getattr(client, "aws_region", None) or getattr(client, "region", None)
    return target.region is None or target.region == region


def retargeted(options: Any, destination: Destination, app_client: Any, model: str | None) -> Any:
    """The options of a request to another target or for another model. The app's own are not changed.

    Args:
        options: The SDK's options of the request.
        destination: Where it goes.
        app_client: The client that the app called.
        model: The model by the name that the target knows it under; None to leave the body as it is.
    """
    changed = options.copy() if not hasattr(options, "model_copy") else options.model_copy()
    body: object = changed.json_data
    if model is not None and is_object(body):
        changed.json_data = {**body, "model": model}
    if not destination.is_own:
        changed.headers = _headers_for(options, app_client)
    return changed


def with_body(options: Any, body: Mapping[str, Any]) -> Any:
    """The options of a request with another body. The app's own are not changed."""
    changed = options.model_copy() if hasattr(options, "model_copy") else options.copy()
    changed.json_data = dict(body)
    changed.extra_json = None  # it is in the body
    return changed


def body_of(options: Any) -> Mapping[str, Any]:
    """The body of a request, with what the app gave as `extra_body`."""
    return {**mapping(options.json_data), **mapping(getattr(options, "extra_json", None))}


def _headers_for(options: Any, app_client: Any) -> dict[str, Any]:
    """The headers that a request takes with it: those of the request itself, and the betas of the client."""
    own = mapping(options.headers)
    headers = {name: value for name, value in own.items() if name.lower() not in _OF_THE_CLIENT}
    if not any(name.lower() == "anthropic-beta" for name in headers):
        defaults: Mapping[str, Any] = getattr(app_client, "_custom_headers", None) or {}
        headers |= {name: value for name, value in defaults.items() if name.lower() == "anthropic-beta"}
    return headers


def with_timeouts(own: Any, timeouts: Timeouts, *, stream: bool) -> tuple[Any, bool]:
    """The timeout of an attempt, as the SDK takes it, and whether the policy made it shorter than the app's.

    Args:
        own: The app's own timeout, which caps the policy's: seconds, a `Timeout`, or None for no limit.
        timeouts: The policy's.
        stream: Whether the response is a stream, whose read timeout holds for each piece.
    """
    given = own if isinstance(own, anthropic.Timeout) else anthropic.Timeout(own)
    limits = (timeouts.first_token, timeouts.whole)
    read = min((limit for limit in limits if limit is not None), default=None)
    if stream and timeouts.stall is not None and read is not None:
        read = max(read, timeouts.stall)
    shorter = read is not None and (given.read is None or read < given.read)
    if read is None and timeouts.connect is None:
        return own, False
    made = anthropic.Timeout(
        connect=_least(given.connect, timeouts.connect),
        read=_least(given.read, read),
        write=_least(given.write, read),
        pool=_least(given.pool, timeouts.connect),
    )
    return made, shorter


def _least(own: float | None, limit: float | None) -> float | None:
    if own is None or limit is None:
        return limit if own is None else own
    return min(own, limit)
