"""The OpenTelemetry resource of each process."""

from __future__ import annotations

import os
import uuid
from typing import Any, Final

from opentelemetry.sdk.resources import OTELResourceDetector, ProcessResourceDetector, Resource

__all__ = ["ProcessResource", "detect"]

_PROCESS: Final = ("process.pid", "process.parent_pid", "process.executable.name", "process.runtime.name")
"""Attributes of the process. Its arguments and its owner are omitted, as they may be private."""


class ProcessResource(Resource):
    """A resource whose `service.instance.id` and process attributes are those of the current process.

    A provider that was created before a fork keeps its resource object. With this one, the child's telemetry has the
    child's attributes. Each process has a random instance id
    (https://opentelemetry.io/docs/specs/semconv/resource/service/), unless the environment sets one.

    Args:
        base: The attributes common to all processes.
    """

    def __init__(self, base: Resource) -> None:
        super().__init__(base.attributes, base.schema_url)
        self._base: Final = base
        self._renew()

    def _renew(self) -> None:
        process = ProcessResourceDetector().detect().attributes
        own = {name: process[name] for name in _PROCESS if name in process}
        instance = {"service.instance.id": _instance_ids.setdefault(os.getpid(), str(uuid.uuid4()))}
        self._now = Resource(instance).merge(Resource(own)).merge(self._base)
        self._pid = os.getpid()

    @property
    def attributes(self) -> Any:  # the SDK's versions differ in its type
        """The attributes of this process."""
        if self._pid != os.getpid():
            # Without a lock, which a fork may leave held. Two threads that renew at once get the same result.
            self._renew()
        return self._now.attributes

    def merge(self, other: Resource) -> ProcessResource:
        """Return this resource updated with `other`'s attributes, for every process."""
        kept = {name: value for name, value in (other.attributes or {}).items() if name not in _OF_A_PROCESS}
        return ProcessResource(self._base.merge(Resource(kept, other.schema_url)))


_instance_ids: Final[dict[int, str]] = {}
"""Instance ids by process id, of this process and its ancestors."""

_OF_A_PROCESS: Final = (*_PROCESS, "service.instance.id")


def detect(service_name: str | None) -> ProcessResource:
    """Create the resource from OpenTelemetry's standard variables and detectors.

    Args:
        service_name: The service name. Overrides `OTEL_SERVICE_NAME`.
    """
    found = Resource.create({} if service_name is None else {"service.name": service_name})
    given = OTELResourceDetector().detect().attributes
    # Newer SDKs also detect instance and process, but only once, in the process that creates the provider.
    base = {name: value for name, value in found.attributes.items() if name not in _OF_A_PROCESS or name in given}
    return ProcessResource(Resource(base, found.schema_url))
