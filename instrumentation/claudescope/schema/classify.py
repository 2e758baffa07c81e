"""One classification of everything that can go wrong with a call to the Claude API.

An *error type* is a row of one table. Its name is the value of `error.type` on metrics and spans. The same row gives
Sentry its fingerprint, alerts their error budget, on-call engineers their advice and end users their message.

An error type has the API's own name where the API has one, so that these signals agree with the SDK's spans, and a name
of claudescope's only where the API's is too coarse. What decides, in this order: the `error_code` of the body, the
`type` of the body, the HTTP status, the class of the exception and of what caused it.

Nothing here imports the SDK or an HTTP library: exceptions are recognised by the names of their classes, so that one
module serves every SDK from 0.51 on, on httpx and on httpx2. The result is always a row of the table, so no text of a
response gets into it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from claudescope._internal.exception_chain import MAX_EXCEPTIONS, origin_of, walk
from claudescope.schema.error_types import ERROR_TYPES, ErrorType, ErrorTypeName

__all__ = ["CODES", "MESSAGES", "STATUSES", "TYPES", "classify", "classify_response"]

_UNKNOWN: Final = ERROR_TYPES["unknown_error"]
_INVALID: Final = ERROR_TYPES["invalid_request_error"]

# Codes of https://docs.claude.com/en/api/errors and of the SDK's ERROR_CLASSES that are more precise than the type or
# the status beside them. A code that is not here counts as its type alone, as the SDK's documentation asks.
CODES: Final[Mapping[str, ErrorTypeName]] = MappingProxyType(
    {
        "ramp_limit_exceeded": "ramp_limit_error",
        "enforced_spend_limit_reached": "spend_limit_error",
        "contract_spend_limit_reached": "spend_limit_error",
        "linked_organization_spend_limit_reached": "spend_limit_error",
        "linked_organization_billing_unavailable": "billing_error",
        # These come with status 400, though no change to the request would fix them.
        "organization_on_hold": "permission_error",
        "cmek_key_disabled": "permission_error",
        "cmek_key_network_blocked": "permission_error",
        "request_body_timeout": "timeout_error",
        "external_key_validation_timed_out": "timeout_error",
        "request_body_too_large_after_decoding": "request_too_large",
        "compaction_unavailable": "overloaded_error",
    }
)

TYPES: Final[Mapping[str, ErrorTypeName]] = MappingProxyType(
    {
        "invalid_request_error": "invalid_request_error",
        "conflict_error": "invalid_request_error",
        "memory_path_conflict_error": "invalid_request_error",
        "memory_precondition_failed_error": "invalid_request_error",
        "authentication_error": "authentication_error",
        "billing_error": "billing_error",
        "permission_error": "permission_error",
        "not_found_error": "not_found_error",
        "request_too_large": "request_too_large",
        "rate_limit_error": "rate_limit_error",
        "timeout_error": "timeout_error",
        "api_error": "api_error",
        "overloaded_error": "overloaded_error",
        # Amazon Bedrock's names in a stream, which the SDK passes on as the type of an `error` event.
        "internalServerException": "api_error",
        "modelStreamErrorException": "api_error",
        "modelTimeoutException": "timeout_error",
        "serviceUnavailableException": "overloaded_error",
        "throttlingException": "rate_limit_error",
        "validationException": "invalid_request_error",
    }
)

STATUSES: Final[Mapping[int, ErrorTypeName]] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        408: "timeout_error",
        413: "request_too_large",
        424: "api_error",  # Bedrock's ModelErrorException: the model failed, not the request
        429: "rate_limit_error",
        431: "request_too_large",
        499: "client_timeout_error",  # a proxy saw this side hang up before the answer
        504: "timeout_error",
        522: "timeout_error",  # Cloudflare's, which stands in front of the API, as is 524
        524: "timeout_error",
        529: "overloaded_error",
    }
)

_Rule = ErrorType | Callable[[BaseException], ErrorType | None]

_CACHED_CLASSES: Final = 512
_DECLARES: Final = "claudescope_error_type"
"""The attribute by which an exception declares its error type."""
_MESSAGE_LIMIT: Final = 1000
_BODY_LIMIT: Final = 100_000


def classify(error: BaseException) -> ErrorType:
    """Find the error type of an exception.

    Where the exception itself is not known, what it was raised from decides: the members of an exception group, then
    `__cause__`, then `__context__` unless that is suppressed. The first known one wins. An HTTP error counts whether or
    not it came from a call to Claude, and a cancellation is not recognised: the caller knows both.

    Two choices: an HTTP read error outside of the SDK's `APIConnectionError` is an interrupted stream, because the SDK
    does not wrap errors while a body is read. JSON that can't be decoded is a `response_validation_error`, like a
    pydantic validation error, because nearly always the app decodes what the model wrote.

    Args:
        error: Any exception. One of the SDK, of httpx or of httpx2, or an exception raised from one.

    Returns:
        A row of `ERROR_TYPES`; `unknown_error` for an exception that has nothing to do with a call. Never raises.
    """
    try:
        return _first_known(error)
    except Exception:  # noqa: BLE001 - a property of a third-party exception may raise anything
        return _UNKNOWN


def classify_response(status: int | None, body: object = None) -> ErrorType:
    """Find the error type of a response.

    Args:
        status: The HTTP status; None where it is not known. Below 400 for an `error` event in a stream, which
            is the provider's failure (`api_error`) unless its type is known.
        body: The body as decoded JSON, as text or as bytes; None where it is not known.

    Returns:
        A row of `ERROR_TYPES`; `unknown_error` where neither status nor body is known. Never raises.
    """
    try:
        return _of_response(status, body)
    except Exception:  # noqa: BLE001 - a body may be any object, with any `get`
        return _UNKNOWN


def _of_response(status: int | None, body: object) -> ErrorType:
    details = _error_object(body)
    name: ErrorTypeName | None = None
    if details is not None:
        extra = details.get("details")
        if isinstance(extra, dict):
            name = _lookup(CODES, cast("dict[str, object]", extra).get("error_code"))
        if name is None:
            name = _lookup(TYPES, details.get("type"))
    if name is None or (name == "invalid_request_error" and status in {413, 431}):
        name = _of_status(status)
    if name == "invalid_request_error":
        return _by_message(details, status) or _INVALID
    return ERROR_TYPES[name]


def _of_status(status: int | None) -> ErrorTypeName:
    if status is None:
        return "unknown_error"
    known = STATUSES.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return "invalid_request_error"
    if status >= 500 or 200 <= status < 300:
        return "api_error"
    return "unknown_error"


def _lookup(table: Mapping[str, ErrorTypeName], word: object) -> ErrorTypeName | None:
    return table.get(word) if isinstance(word, str) else None


def _error_object(body: object) -> dict[str, object] | None:
    """The part of a body that describes the error.

    The API nests it under `error`. Gateways and Bedrock send it bare, Vertex sends a list of one.
    """
    if isinstance(body, (bytes, bytearray, str)):
        body = _decode(body)
    if isinstance(body, list) and body:
        body = cast("list[object]", body)[0]
    if not isinstance(body, dict):
        return None
    fields = cast("dict[str, object]", body)
    nested = fields.get("error")
    return cast("dict[str, object]", nested) if isinstance(nested, dict) else fields


def _decode(body: bytes | bytearray | str) -> object:
    if len(body) > _BODY_LIMIT:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


# The only place where wording decides, because the API gives these cases no code. Wording may change: a message that is
# not recognised stays an invalid_request_error. Errors that have a code or a type of their own never get here.
MESSAGES: Final[tuple[tuple[str, ErrorTypeName], ...]] = (
    ("content filtering policy", "content_policy_error"),  # Output blocked by content filtering policy
    ("violate our usage policy", "content_policy_error"),
    ("reached your specified api usage limits", "spend_limit_error"),
    ("reached your specified workspace api usage limits", "spend_limit_error"),
    ("credit balance is too low", "billing_error"),
    ("organization has been disabled", "permission_error"),
)


def _by_message(details: dict[str, object] | None, status: int | None) -> ErrorType | None:
    if details is None or status not in {None, 200, 400}:
        return None
    message = details.get("message")
    if not isinstance(message, str):
        return None
    text = message[:_MESSAGE_LIMIT].lower()
    return next((ERROR_TYPES[name] for wording, name in MESSAGES if wording in text), None)


def _missing_credentials(error: BaseException) -> ErrorType | None:
    """The SDK reports a missing key as a plain `TypeError`, which is recognised by its message."""
    message = error.args[0] if error.args else None
    if isinstance(message, str) and "Could not resolve authentication method" in message:
        return ERROR_TYPES["authentication_error"]
    return None


def _first_known(error: BaseException) -> ErrorType:
    for current in walk(error):
        error_type = _own_type(current)
        if error_type is not None:
            return error_type
    return _UNKNOWN


_rules: dict[type[BaseException], _Rule | None] = {}


def _own_type(error: BaseException) -> ErrorType | None:
    rule = _rule_of(type(error))
    return rule if rule is None or isinstance(rule, ErrorType) else rule(error)


def _rule_of(cls: type[BaseException]) -> _Rule | None:
    try:
        return _rules[cls]
    except KeyError:
        pass
    rule = None
    for base in cls.__mro__:
        family = _FAMILIES.get(base.__module__.partition(".")[0], "")
        rule = _declared if _DECLARES in vars(base) else _CLASSES.get((family, base.__name__))
        if rule is not None:
            break
    if len(_rules) >= _CACHED_CLASSES:  # classes made at run time must not pile up
        _rules.clear()
    _rules[cls] = rule
    return rule


def _declared(error: BaseException) -> ErrorType | None:
    """The error type of an exception whose class says it, as those of a policy do."""
    name: object = getattr(error, _DECLARES, None)
    return ERROR_TYPES.get(name) if isinstance(name, str) else None


def _status_error(error: BaseException) -> ErrorType:
    status = getattr(error, "status_code", None)
    return _of_response(status if isinstance(status, int) else None, getattr(error, "body", None))


def _http_status_error(error: BaseException) -> ErrorType:
    # Of httpx's own `raise_for_status`; its body may not have been read, and reading it here could block.
    status = getattr(getattr(error, "response", None), "status_code", None)
    return _of_response(status if isinstance(status, int) else None, None)


def _connection_error(error: BaseException) -> ErrorType:
    """The SDK wraps every exception of a transport, so the reason is in the exception chain."""
    return _local_reason(error) or ERROR_TYPES["connection_error"]


def _timeout_error(error: BaseException) -> ErrorType:
    return _local_reason(error) or ERROR_TYPES["client_timeout_error"]


def _local_reason(error: BaseException) -> ErrorType | None:
    origin = origin_of(error)
    for _ in range(MAX_EXCEPTIONS):
        if origin is None:
            break
        rule = _rule_of(type(origin))
        if isinstance(rule, ErrorType) and rule.owner == "local":
            return rule
        origin = origin_of(origin)
    return None


_FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "anthropic": "sdk",
        "httpx": "http",
        "httpx2": "http",
        "httpcore": "http",
        "httpcore2": "http",
        "pydantic": "pydantic",
        "pydantic_core": "pydantic",
        "json": "json",
        "builtins": "builtins",
    }
)

_CLASSES: Final[Mapping[tuple[str, str], _Rule]] = MappingProxyType(
    {
        ("sdk", "APIStatusError"): _status_error,
        ("sdk", "APITimeoutError"): _timeout_error,
        ("sdk", "APIConnectionError"): _connection_error,
        ("sdk", "APIResponseValidationError"): ERROR_TYPES["response_validation_error"],
        ("sdk", "CredentialsError"): ERROR_TYPES["authentication_error"],
        ("http", "PoolTimeout"): ERROR_TYPES["pool_timeout_error"],
        ("http", "TimeoutException"): ERROR_TYPES["client_timeout_error"],
        ("http", "ReadError"): ERROR_TYPES["stream_interrupted_error"],
        ("http", "RemoteProtocolError"): ERROR_TYPES["stream_interrupted_error"],
        ("http", "DecodingError"): ERROR_TYPES["stream_interrupted_error"],
        ("http", "HTTPStatusError"): _http_status_error,
        ("http", "RequestError"): ERROR_TYPES["connection_error"],
        # httpcore's own classes have no common base.
        ("http", "NetworkError"): ERROR_TYPES["connection_error"],
        ("http", "ProtocolError"): ERROR_TYPES["connection_error"],
        ("http", "ProxyError"): ERROR_TYPES["connection_error"],
        ("http", "UnsupportedProtocol"): ERROR_TYPES["connection_error"],
        ("pydantic", "ValidationError"): ERROR_TYPES["response_validation_error"],
        ("json", "JSONDecodeError"): ERROR_TYPES["response_validation_error"],
        ("builtins", "TypeError"): _missing_credentials,
        ("", "CircuitOpenError"): ERROR_TYPES["circuit_open_error"],
    }
)
