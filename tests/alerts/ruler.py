"""A stand-in for the rules API of Mimir, Cortex and Grafana Cloud."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from claudescope_alerts.formats.mimir import MAX_RULES
from tests.servers import serving

__all__ = ["NAMESPACE", "ruler"]

NAMESPACE = "claudescope-claude"
_RULE_KEYS = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}


@contextmanager
def ruler(groups: dict[str, Any], calls: list[str], max_groups: int = 70) -> Generator[str]:
    """Serve the rules API of Mimir until the block ends. It needs a tenant and receives one group at a time.

    Args:
        groups: The groups that it holds, by name.
        calls: Receives the method of each request.
        max_groups: How many groups it takes; Mimir's default is 70.

    Yields:
        Its base URL.
    """

    async def rules(request: Request) -> Response:  # noqa: PLR0911 # one line for each refusal
        if request.headers.get("X-Scope-OrgID") != "team":
            return Response("no org id", 401)
        calls.append(request.method)
        if request.method == "GET":
            document = {NAMESPACE: list(groups.values())}
            return Response(yaml.safe_dump(document)) if groups else Response("no rule groups found", 404)
        if request.headers.get("Content-Type") != "application/yaml":
            return Response("expected YAML", 415)
        group = yaml.safe_load(await request.body())
        if not isinstance(group, dict) or not group.get("name") or not group.get("rules"):
            return Response("no group", 400)
        if unknown := {key for rule in group["rules"] for key in rule} - _RULE_KEYS:
            return Response(f"field {min(unknown)} not found in type rulefmt.Rule", 400)
        if len(group["rules"]) > MAX_RULES:
            limit = f"limit: {MAX_RULES} actual: {len(group['rules'])}"
            return Response(f"per-user rules per rule group limit ({limit}) exceeded", 400)
        if len(groups) >= max_groups and group["name"] not in groups:
            return Response(f"per-user rule groups limit (limit: {max_groups}) exceeded", 400)
        groups[str(group["name"])] = group
        return JSONResponse({"status": "success", "data": None, "errorType": "", "error": ""}, 202)

    async def delete(request: Request) -> Response:
        if request.headers.get("X-Scope-OrgID") != "team":
            return Response("no org id", 401)
        calls.append(request.method)
        if groups.pop(request.path_params["group"], None) is None:
            return Response("group does not exist", 404)
        return JSONResponse({"status": "success", "data": None, "errorType": "", "error": ""}, 202)

    base = "/prometheus/config/v1/rules/" + NAMESPACE
    routes = [Route(base, rules, methods=["GET", "POST"]), Route(base + "/{group}", delete, methods=["DELETE"])]
    with serving(*routes) as root:
        yield root + "/prometheus"
