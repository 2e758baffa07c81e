"""Namespaces of the rulers of Mimir, Cortex and Grafana Cloud, as their command line tools load them."""

from __future__ import annotations

from typing import Any

from claudescope_alerts.spec.model import Spec

__all__ = ["namespace", "namespace_document"]


def namespace(spec: Spec) -> str:
    """The ruler's namespace of a spec. `push` changes nothing outside of it."""
    return f"claudescope-{spec.service.name}"


def namespace_document(groups: list[dict[str, Any]], spec: Spec) -> dict[str, Any]:
    """One namespace with all groups."""
    return {"namespace": namespace(spec), "groups": groups}
