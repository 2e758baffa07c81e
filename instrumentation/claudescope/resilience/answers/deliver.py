"""Gives the app an answer that no target gave, as the SDK would give it.

The message becomes a response of the SDK's HTTP library, and the client itself makes of it what the app asked for: a
message, a parsed one, a stream of events, or a raw response. So types and helpers are the SDK's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from claudescope._internal import internal_errors
from claudescope._internal.json_values import is_array, is_object
from claudescope.probe.sdk import library_of_class
from claudescope.resilience.answers.messages import events_of

__all__ = ["deliver", "deliver_async", "message_of", "scope_of"]

_PARSED: Final = ("parsed_output", "parsed")
_SCOPE_HEADERS: Final = ("x-api-key", "authorization", "anthropic-beta", "anthropic-workspace-id")


def deliver(
    client: Any, message: Mapping[str, Any], cast_to: Any, options: Any, *, stream: bool, stream_cls: Any
) -> Any:
    """What a sync client would return for the message: takes what its `_request` takes."""
    return client._process_response(**_arguments(client, message, cast_to, options, stream, stream_cls))  # noqa: SLF001 - the SDK's own way


async def deliver_async(
    client: Any, message: Mapping[str, Any], cast_to: Any, options: Any, *, stream: bool, stream_cls: Any
) -> Any:
    """As `deliver`, for an async client."""
    arguments = _arguments(client, message, cast_to, options, stream, stream_cls)
    return await client._process_response(**arguments)  # noqa: SLF001 - the SDK's own way


def _arguments(
    client: Any, message: Mapping[str, Any], cast_to: Any, options: Any, stream: bool, stream_cls: Any
) -> dict[str, Any]:
    its_client: object = client._client  # noqa: SLF001 - the SDK shows its HTTP client nowhere else
    http = library_of_class(cast("Any", type(its_client)))
    given: Any = options.headers
    headers = (
        {name: value for name, value in given.items() if isinstance(value, str)} if hasattr(given, "items") else {}
    )
    request = http.Request("POST", str(client.base_url), headers=headers)
    kind = "text/event-stream" if stream else "application/json"
    content = events_of(message) if stream else json.dumps(message).encode()
    response = http.Response(200, headers={"content-type": kind}, content=content, request=request)
    made = client._maybe_override_cast_to(cast_to, options)  # noqa: SLF001 - of `with_raw_response` and its like
    return {
        "cast_to": made,
        "options": options,
        "response": response,
        "stream": stream,
        "stream_cls": stream_cls,
        "retries_taken": 0,
    }


def message_of(result: Any) -> dict[str, Any] | None:
    """The message in what a call without a stream returned, as the API's JSON. Never raises.

    Args:
        result: A message, a parsed one, or a raw response that was read.

    Returns:
        None where there is none.
    """
    try:
        response = getattr(result, "http_response", None)
        if response is not None:
            decoded = json.loads(response.content) if response.is_success else None
            return decoded if is_object(decoded) and decoded.get("type") == "message" else None
        if getattr(result, "type", None) != "message" or not callable(getattr(result, "to_dict", None)):
            return None
        message = cast("dict[str, Any]", result.to_dict(mode="json"))
        content = message.get("content")
        for block in content if is_array(content) else []:
            for name in _PARSED if is_object(block) else ():
                block.pop(name, None)
    except Exception:  # noqa: BLE001 - a streaming response was not read, or the app's own class is unlike the SDK's
        internal_errors.record("answers")
        return None
    return message


def scope_of(client: Any, options: Any) -> str:
    """What tells the accounts and the beta features of calls apart, as a hash. Never raises."""
    try:
        headers = {str(name).lower(): value for name, value in dict(client.default_headers).items()}
        given: Any = options.headers
        headers |= {str(name).lower(): value for name, value in dict(given).items()} if hasattr(given, "items") else {}
        parts = [str(client.base_url), str(options.url), *(str(headers.get(name, "")) for name in _SCOPE_HEADERS)]
    except Exception:  # noqa: BLE001 - a client that is unlike the SDK's shares with nobody
        internal_errors.record("answers")
        parts = [str(id(client))]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
