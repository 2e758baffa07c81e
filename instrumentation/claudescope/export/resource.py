"""Who sends the telemetry: a resource that knows which process it is in."""

from __future__ import annotations

import os
import uuid
from typing import Any, Final

from opentelemetry.sdk.resources import OTELResourceDetector, ProcessResourceDetector, Resource

__all__ = ["ProcessResource", "detect"]

_PROCESS: Final = ("process.pid", "process.parent_pid", "process.executable.name", "process.runtime.name")
"""What is told of the process. Its arguments and its owner are left out: they may hold what nobody should read."""


class ProcessResource(Resource):
    """A resource whose `service.instance.id` and process attributes are those of the process that asks.

    A provider that is made before a fork keeps its resource object; with this one, what the child sends names the
    child. Instances are told apart by a random id (https://opentelemetry.io/docs/specs/semconv/resource/service/),
    unless the environment gives one.

    Args:
        base: What holds for every process.
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
            # Without a lock, which a fork may leave held: two threads that renew at once renew alike.
            self._renew()
        return self._now.attributes

    def merge(self, other: Resource) -> ProcessResource:
        """This resource with `other`'s attributes on top, in every process."""
        kept = {name: value for name, value in (other.attributes or {}).items() if name not in _OF_A_PROCESS}
        return ProcessResource(self._base.merge(Resource(kept, other.schema_url)))


_instance_ids: Final[dict[int, str]] = {}
"""By process id: this process' own and those of its forebears."""

_OF_A_PROCESS: Final = (*_PROCESS, "service.instance.id")


def detect(service_name: str | None) -> ProcessResource:
    """The resource by the standard variables and detectors of OpenTelemetry.

    Args:
        service_name: Goes before `OTEL_SERVICE_NAME`.
    """
    found = Resource.create({} if service_name is None else {"service.name": service_name})
    given = OTELResourceDetector().detect().attributes
    # Newer SDKs detect an instance and a process too, once, for whatever process made the provider.
    base = {name: value for name, value in found.attributes.items() if name not in _OF_A_PROCESS or name in given}
    return ProcessResource(Resource(base, found.schema_url))
