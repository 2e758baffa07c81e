"""Tells the failures of Claude calls from the app's other exceptions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal, cast

from claudescope._internal.exception_chain import members_of, walk

__all__ = ["failure_of", "request_id_of", "retry_after_of"]

_HTTP: Final = frozenset({"httpx", "httpx2"})
_PARSERS: Final = frozenset({*_HTTP, "claudescope", "json", "pydantic"})
"""What the SDK parses responses with."""
_PATHS: Final = (
    "/v1/messages",
    "/v1/complete",
    "/v1/models",
    "/v1/files",
    ":rawPredict",
    ":streamRawPredict",
    "/model/",
)
"""What the path of a request to the Claude API has, at Anthropic, on Vertex AI or on Bedrock."""


def failure_of(error: BaseException) -> BaseException | None:
    """The failed Claude call that `error` is, or that it was explicitly raised from.

    Only members of an exception group and `__cause__` count. An exception that is raised while a failed call is
    handled, without `from`, is a mistake of the app.

    Args:
        error: Any exception that reached a request handler.

    Returns:
        The SDK's exception, one of a policy, or the HTTP library's error of a stream that broke; None for any other.
        Never raises.
    """
    try:
        if _is_failure(error):
            return error
        return next((found for found in walk(error, _causes) if _is_failure(found)), None)
    except Exception:  # noqa: BLE001 - an attribute of a third-party exception may raise anything
        return None


def _causes(error: BaseException) -> tuple[BaseException, ...]:
    return () if error.__cause__ is None else (error.__cause__,)


def _is_failure(error: BaseException) -> bool:
    family = _family_of(type(error))  # type: ignore[arg-type] # a class is hashable; mypy looks at its instances
    if family == "sdk":
        return True
    if not isinstance(error, Exception) or members_of(error):
        return False
    if isinstance(getattr(error, "claudescope_error_type", None), str):
        return True
    # The SDK does not wrap the errors of a body that breaks while it is read, nor those of a body that it can't parse.
    if family == "http":
        return any(part in _path_of(error) for part in _PATHS)
    return isinstance(error, ValueError) and _parsed_by_sdk(error)


def _parsed_by_sdk(error: ValueError) -> bool:
    """Whether the SDK itself raised while it parsed a response, and no function of the app that the SDK had called."""
    packages: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        packages.append(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    if "anthropic" not in packages:
        return False
    last = len(packages) - packages[::-1].index("anthropic")
    return all(package in _PARSERS for package in packages[last:])


@lru_cache(maxsize=256)
def _family_of(error_class: type[BaseException]) -> Literal["sdk", "http", "other"]:
    packages = {base.__module__.partition(".")[0] for base in error_class.__mro__}
    if "anthropic" in packages:
        return "sdk"
    return "http" if packages & _HTTP else "other"


def _path_of(error: BaseException) -> str:
    try:
        return str(cast("Any", error).request.url.path)
    except Exception:  # noqa: BLE001 - httpx raises a RuntimeError where the request was never set
        return ""


def _headers_of(error: BaseException) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return cast("Mapping[str, str]", headers) if hasattr(headers, "get") else {}


def retry_after_of(error: BaseException) -> float | None:
    """Seconds after which a failed call may succeed, as the policy or the API says; None where neither does.

    A date in the header `retry-after` is not read: the API sends seconds.
    """
    own: object = getattr(error, "retry_after", None)
    if not isinstance(own, (int, float)):
        try:
            own = float(_headers_of(error).get("retry-after", ""))
        except ValueError:
            return None
    return float(own) if math.isfinite(own) and own >= 0 else None


def request_id_of(error: BaseException) -> str | None:
    """The API's id of the failed request; None where no response came."""
    found: object = getattr(error, "request_id", None) or _headers_of(error).get("request-id")
    return found if isinstance(found, str) else None
