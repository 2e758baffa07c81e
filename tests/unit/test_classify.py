"""Every error that a call can end in has the kind that the table of the signals gives it."""

from __future__ import annotations

import builtins
import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_args

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudescope.schema import classify as classify_module
from claudescope.schema.classify import classify, classify_response
from claudescope.schema.error_types import ERROR_TYPES, ErrorType, ErrorTypeName, Owner, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

sdk: Any = anthropic


def _optional(name: str) -> ModuleType | None:
    """A module that only some versions of the SDK bring, so that this file serves all of them."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


http: Any = _optional("httpx2") if hasattr(sdk._exceptions, "httpx2") else _optional("httpx")
_error_classes: Any = _optional("anthropic._error_classes")
_error_type: Any = _optional("anthropic.types.shared.error_type")

REQUEST = http.Request("POST", "https://api.anthropic.com/v1/messages")

# kind, retry, fault, in budget, pages: the table of the signals' specification, in its order.
SPECIFIED: list[tuple[str, Retry, Owner, bool, bool]] = [
    ("rate_limit_error", "retry_after", "quota", True, False),
    ("ramp_limit_error", "retry_after", "quota", True, False),
    ("spend_limit_error", "never", "account", True, True),
    ("overloaded_error", "backoff_longer", "provider", True, False),
    ("api_error", "backoff", "provider", True, False),
    ("timeout_error", "once", "provider", True, False),
    ("client_timeout_error", "once", "either", True, False),
    ("connection_error", "backoff", "network", True, False),
    ("pool_timeout_error", "never", "local", False, False),
    ("stream_interrupted_error", "by_app", "provider", True, False),
    ("authentication_error", "never", "account", True, True),
    ("permission_error", "never", "account", True, False),
    ("billing_error", "never", "account", True, True),
    ("not_found_error", "never", "caller", False, False),
    ("request_too_large", "never", "caller", False, False),
    ("content_policy_error", "never", "caller", False, False),
    ("invalid_request_error", "never", "caller", False, False),
    ("response_validation_error", "never", "caller", False, False),
    ("circuit_open_error", "later", "local", True, False),
    ("unknown_error", "never", "unknown", True, False),
]

# What each error that the SDK knows becomes: by kind, by status, the error codes (None for the bare status).
DELIBERATE: Mapping[str, Mapping[int, tuple[str | None, ...]]] = {
    "rate_limit_error": {429: (None,)},
    "ramp_limit_error": {429: ("ramp_limit_exceeded",)},
    "spend_limit_error": {
        402: ("linked_organization_spend_limit_reached",),
        429: ("contract_spend_limit_reached", "enforced_spend_limit_reached"),
    },
    "overloaded_error": {529: (None, "compaction_unavailable")},
    "api_error": {
        501: (None,),
        503: (None, "cmek_context_unavailable", "cmek_key_unreachable", "registration_pending"),
    },
    "timeout_error": {
        400: ("external_key_validation_timed_out", "request_body_timeout"),
        408: (None,),
        504: (None,),
    },
    "client_timeout_error": {499: (None,)},
    "authentication_error": {401: (None,)},
    "billing_error": {402: (None, "linked_organization_billing_unavailable")},
    "permission_error": {
        400: ("cmek_key_disabled", "cmek_key_network_blocked", "organization_on_hold"),
        403: (
            None,
            "api_key_scope_missing",
            "cannot_sign_out_managed_member",
            "cannot_sign_out_membership_admin",
            "cannot_sign_out_owner",
            "cannot_sign_out_privileged_member",
            "claude_tag_writes_not_enabled",
            "compliance_configuration_restricted",
            "environment_create_disabled",
            "environment_update_disabled",
            "organization_level_scoped_api_key_required",
            "sandbox_egress_restricted",
            "spend_limits_admin_api_writes_not_enabled",
            "user_profile_billing_not_authorized",
            "user_profile_not_billable",
        ),
    },
    "not_found_error": {
        404: (
            None,
            "environment_not_found",
            "file_expired",
            "rbac_group_managed_settings_not_found",
            "rbac_group_not_found",
            "rbac_role_not_found",
            "slack_channel_set_up_environment_not_found",
            "thread_not_found",
        )
    },
    "request_too_large": {413: (None, "request_body_too_large_after_decoding"), 431: (None,)},
    "invalid_request_error": {
        400: (
            None,
            "already_member",
            "available_tools_limit_exceeded",
            "bundle_attachment_not_supported",
            "bundle_on_call",
            "cannot_invite_emails_with_unverified_domains",
            "cannot_remove_last_member",
            "cannot_sign_out_primary_owner",
            "cannot_sign_out_self",
            "claude_code_key_creator_not_member",
            "claude_code_version_too_old",
            "cmek_feature_unsupported",
            "compaction_block_ambiguous",
            "compaction_block_misplaced",
            "compaction_content_mismatch",
            "compaction_incomplete_turn",
            "compaction_nothing_to_summarize",
            "compaction_signature_invalid",
            "compaction_too_many_tool_references",
            "compaction_tool_changes_mismatch",
            "email_domain_not_allowed",
            "environment_archived",
            "external_key_in_workspace_policy",
            "external_key_validation_failed",
            "file_not_downloadable",
            "invalid_config_type_change",
            "invalid_metadata",
            "invite_already_exists",
            "key_profile_mismatch",
            "org_api_key_limit_exceeded",
            "org_member_limit_exceeded",
            "organization_not_enrolled_in_beta",
            "organization_type_not_supported",
            "parent_organization_required",
            "rbac_group_grants_owner_access",
            "rbac_group_order_limit_exceeded",
            "rbac_group_owner_access_unconfirmed",
            "request_body_encoding_invalid",
            "request_body_encoding_unsupported",
            "scan_failed",
            "settings_document_limit_exceeded",
            "settings_history_limit_exceeded",
            "slack_channel_set_up_settings_refused",
            "image_dimensions_too_large",
            "storage_quota_exceeded",
            "thread_already_continued",
            "thread_continue_in_flight",
            "thread_fingerprint_mismatch",
            "thread_unsupported_request",
            "tool_name_conflict",
            "tool_reference_unresolved",
            "unsupported_charset",
            "user_profile_not_found",
            "user_profile_required",
            "workspace_api_key_limit_exceeded",
            "workspace_member_limit_exceeded",
            "workspace_policy_violation",
        ),
        409: (
            None,
            "concurrent_membership_change",
            "external_key_changed",
            "plugin_name_taken",
            "scan_pending",
            "skill_name_taken",
            "skill_read_blocked_undecryptable",
            "slack_channel_set_up_settings_conflict",
        ),
        412: (None, "heartbeat_precondition_failed"),
        422: (None,),
    },
}
CHECKED_AGAINST = (2, 12)
"""The newest SDK whose codes and types were looked at one by one: a release of it must not turn this suite red."""

_NEWER = tuple(int(part) for part in anthropic.__version__.split(".")[:2]) > CHECKED_AGAINST

BY_CODE = [
    (status, code, kind)
    for kind, statuses in DELIBERATE.items()
    for status, codes in statuses.items()
    for code in codes
]

# The type that the API documents for the status.
DOCUMENTED_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}

BY_TYPE = [
    ("invalid_request_error", "invalid_request_error"),
    ("conflict_error", "invalid_request_error"),
    ("memory_path_conflict_error", "invalid_request_error"),
    ("memory_precondition_failed_error", "invalid_request_error"),
    ("authentication_error", "authentication_error"),
    ("billing_error", "billing_error"),
    ("permission_error", "permission_error"),
    ("not_found_error", "not_found_error"),
    ("request_too_large", "request_too_large"),
    ("rate_limit_error", "rate_limit_error"),
    ("timeout_error", "timeout_error"),
    ("api_error", "api_error"),
    ("overloaded_error", "overloaded_error"),
    ("internalServerException", "api_error"),
    ("modelStreamErrorException", "api_error"),
    ("modelTimeoutException", "timeout_error"),
    ("serviceUnavailableException", "overloaded_error"),
    ("throttlingException", "rate_limit_error"),
    ("validationException", "invalid_request_error"),
]


def body_of(type_: object = None, *, code: object = None, message: object = "Do not repeat me.") -> dict[str, Any]:
    """The API's error envelope."""
    error: dict[str, Any] = {"type": type_, "message": message}
    if code is not None:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": "req_1"}


CLIENT = sdk.Anthropic(api_key="k", http_client=http.Client(transport=http.MockTransport(http.Response)))


def status_error(status: int, body: object) -> BaseException:
    """The exception that the SDK itself makes of a response."""
    response = http.Response(status, request=REQUEST)
    error: BaseException = CLIENT._make_status_error("Do not repeat me.", body=body, response=response)
    return error


def raised(error: BaseException, *, origin: BaseException | None = None) -> BaseException:
    """The exception as `raise error from origin` leaves it."""
    error.__cause__ = origin
    return error


def raised_during(error: BaseException, other: BaseException) -> BaseException:
    """The exception as it is after it was raised while another was handled."""
    error.__context__ = other
    return error


def fake(name: str, module: str, *bases: type[BaseException]) -> type[BaseException]:
    """A class as another version or a library that is not installed would bring it."""
    return type(name, bases or (Exception,), {"__module__": module})


class CircuitOpenError(Exception):
    """A stand-in for the breaker's own exception, which is told by its name."""


def test_table_is_the_specified_one() -> None:
    """The rows say what the specification of the signals says, in its order."""
    assert [(k.name, k.retry, k.owner, k.in_budget, k.pages) for k in ERROR_TYPES.values()] == SPECIFIED


def test_names_are_the_literal() -> None:
    """The `Literal` of the names and the table hold the same names in the same order."""
    assert list(get_args(ErrorTypeName)) == list(ERROR_TYPES)
    assert list(ERROR_TYPES) == [row.name for row in ERROR_TYPES.values()]


def test_words_are_the_literals() -> None:
    """Every retry advice and every fault that is declared is used."""
    assert set(get_args(Retry)) == {k.retry for k in ERROR_TYPES.values()}
    assert set(get_args(Owner)) == {k.owner for k in ERROR_TYPES.values()}


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda k: k.name)
def test_retryable_follows_the_advice(kind: ErrorType) -> None:
    """A client may repeat a call by itself exactly where the advice gives it a delay."""
    assert (kind.retry not in {"never", "later", "by_app"}) == kind.retryable


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda k: k.name)
def test_messages_are_for_end_users(kind: ErrorType) -> None:
    """A message for end users is a whole sentence without a word of how the app is built."""
    words = kind.message.lower().replace(".", " ").replace(",", " ").split()
    internals = {"api", "anthropic", "claude", "http", "key", "token", "tokens", "quota", "billing", "schema"}
    assert set() == internals & set(words)
    assert kind.message.endswith(".")


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda k: k.name)
def test_advice_and_sources_are_there(kind: ErrorType) -> None:
    """Every kind tells operators what to do and documentation where it comes from."""
    assert kind.advice.endswith(".")
    assert kind.sources


def test_table_cannot_be_changed() -> None:
    """Neither the table nor a row can be written to."""
    with pytest.raises(TypeError):
        ERROR_TYPES["api_error"] = ERROR_TYPES["unknown_error"]  # type: ignore[index] # pyright: ignore[reportIndexIssue]
    with pytest.raises(AttributeError):
        ERROR_TYPES["api_error"].pages = True  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_public_names() -> None:
    """What the module exports is there."""
    assert all(hasattr(classify_module, name) for name in classify_module.__all__)


def test_every_error_class_of_the_sdk_has_a_deliberate_kind() -> None:
    """No status and code that the SDK knows is missing from the table above; a newer SDK's count as the bare type."""
    known = set(_error_classes.ERROR_CLASSES) if _error_classes else set[tuple[int, str | None]]()
    missing = known - {(status, code) for status, code, _ in BY_CODE}
    if _NEWER:
        missing = {
            (status, code)
            for status, code in missing
            if classify_response(status, body_of(code=code)) != classify_response(status, body_of())
        }
    assert set() == missing


def test_every_error_type_of_the_sdk_has_a_deliberate_kind() -> None:
    """No type that the SDK knows is missing from the table above; those of a newer SDK count by their status."""
    known = set(get_args(_error_type.ErrorType)) if _error_type else set[str]()
    missing = known - {type_ for type_, _ in BY_TYPE}
    if _NEWER:
        missing = {type_ for type_ in missing if classify_response(429, body_of(type_)).name != "rate_limit_error"}
    assert set() == missing


@pytest.mark.parametrize(("status", "code", "expected"), BY_CODE)
def test_code_decides(status: int, code: str | None, expected: str) -> None:
    """Each error the SDK knows has its kind, as an exception of the SDK with and without the body's type."""
    typed = body_of(DOCUMENTED_TYPES.get(status), code=code)
    assert expected == classify(status_error(status, typed)).name
    assert expected == classify_response(status, body_of(code=code)).name


@pytest.mark.parametrize("status", [200, 400, 500, None])
@pytest.mark.parametrize(("type_", "expected"), BY_TYPE)
def test_type_decides_over_status(type_: str, expected: str, status: int | None) -> None:
    """The body's type counts more than a status that says less."""
    assert expected == classify_response(status, body_of(type_)).name


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "unknown_error"),
        (0, "unknown_error"),
        (200, "api_error"),
        (302, "unknown_error"),
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (408, "timeout_error"),
        (409, "invalid_request_error"),
        (412, "invalid_request_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (424, "api_error"),
        (429, "rate_limit_error"),
        (431, "request_too_large"),
        (499, "client_timeout_error"),
        (500, "api_error"),
        (501, "api_error"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (520, "api_error"),
        (522, "timeout_error"),
        (524, "timeout_error"),
        (529, "overloaded_error"),
        (599, "api_error"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        None,
        "<html>Bad gateway</html>",
        b"\xff\xfe\x00",
        "",
        "[" * 100_000,
        '{"a": 1}' + " " * 100_001,
        [],
        ["x"],
        {},
        {"error": "flat"},
        {"message": "of Bedrock"},
        {"error": {"code": 7, "status": "INTERNAL"}},
        [{"error": {"code": 7, "message": "of Vertex"}}],
        body_of("a_type_of_the_future", code="a_code_of_the_future"),
        body_of(["not", "a", "string"], code={"not": "a string"}),
        body_of(message=["not a string"]),
    ],
    ids=lambda body: str(body)[:40],
)
def test_status_decides_where_the_body_says_nothing(status: int | None, body: object, expected: str) -> None:
    """A body without a known code or type leaves it to the status."""
    assert expected == classify_response(status, body).name


TEXT = json.dumps(body_of("rate_limit_error", code="ramp_limit_exceeded"))


@pytest.mark.parametrize("body", [TEXT, TEXT.encode(), bytearray(TEXT.encode())])
def test_body_as_text_or_bytes(body: object) -> None:
    """A body that was not decoded yet is decoded."""
    assert classify_response(429, body).name == "ramp_limit_error"


def test_bare_error_object() -> None:
    """A gateway that sends the error without its envelope is understood."""
    assert classify_response(500, {"type": "overloaded_error", "message": "x"}).name == "overloaded_error"


@pytest.mark.parametrize(("status", "expected"), [(413, "request_too_large"), (431, "request_too_large")])
def test_too_large_is_not_just_invalid(status: int, expected: str) -> None:
    """A size limit stays visible where the body's type only calls the request invalid."""
    assert expected == classify_response(status, body_of("invalid_request_error")).name


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Output blocked by content filtering policy", "content_policy_error"),
        ("This request appears to violate our Usage Policy.", "content_policy_error"),
        (
            "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
            "spend_limit_error",
        ),
        ("You have reached your specified workspace API usage limits.", "spend_limit_error"),
        ("Your credit balance is too low to access the Anthropic API.", "billing_error"),
        ("This organization has been disabled.", "permission_error"),
        ("max_tokens: Field required", "invalid_request_error"),
        ("x" * 5000 + "credit balance is too low", "invalid_request_error"),
        (None, "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("status", [400, 200])
def test_wording_decides_only_for_invalid_requests(message: str | None, expected: str, status: int) -> None:
    """The cases without a code are told by their message, in a response as in a stream."""
    assert expected == classify(status_error(status, body_of("invalid_request_error", message=message))).name


@pytest.mark.parametrize(
    ("status", "type_", "expected"),
    [
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "api_error", "api_error"),
        (422, "invalid_request_error", "invalid_request_error"),
    ],
)
def test_wording_never_overrides_a_type(status: int, type_: str, expected: str) -> None:
    """A message that quotes one of the phrases changes nothing where the API has said what it is."""
    body = body_of(type_, message="Your credit balance is too low")
    assert expected == classify(status_error(status, body)).name


def test_error_event_in_a_stream() -> None:
    """An error event makes an `APIStatusError` with status 200, and its type decides."""
    error = status_error(200, body_of("overloaded_error"))
    assert getattr(error, "status_code", None) == 200
    assert classify(error).name == "overloaded_error"


def test_error_event_that_is_no_json() -> None:
    """An error event whose data can't be decoded is a failure of the provider."""
    assert classify(status_error(200, "upstream went away")).name == "api_error"


def _timeout(*, origin: BaseException | None = None) -> BaseException:
    return raised(sdk.APITimeoutError(request=REQUEST), origin=origin)


def _connection(*, origin: BaseException | None = None) -> BaseException:
    return raised(sdk.APIConnectionError(request=REQUEST), origin=origin)


def _validation_error() -> BaseException:
    pydantic: Any = importlib.import_module("pydantic")
    try:
        pydantic.TypeAdapter(int).validate_python("x")
    except ValueError as error:
        return error
    raise AssertionError


RESPONSE = http.Response(200, request=REQUEST)
BROKEN = "peer closed connection without sending complete message body (incomplete chunked read)"

BY_CLASS: list[tuple[str, BaseException, str]] = [
    ("timeout, a subclass of connection error", _timeout(), "client_timeout_error"),
    ("timeout of a read", _timeout(origin=http.ReadTimeout("x")), "client_timeout_error"),
    ("timeout of the pool", _timeout(origin=http.PoolTimeout("x")), "pool_timeout_error"),
    (
        "timeout of the pool, deep",
        _timeout(origin=raised(OSError(), origin=http.PoolTimeout("x"))),
        "pool_timeout_error",
    ),
    ("connection", _connection(), "connection_error"),
    ("connection refused", _connection(origin=http.ConnectError("x")), "connection_error"),
    ("connection broke before the headers", _connection(origin=http.ReadError("x")), "connection_error"),
    (
        "connection closed before the headers",
        _connection(origin=http.RemoteProtocolError("x")),
        "connection_error",
    ),
    ("connection held back", _connection(origin=CircuitOpenError()), "circuit_open_error"),
    ("raw read timeout", http.ReadTimeout("x"), "client_timeout_error"),
    ("raw connect timeout", http.ConnectTimeout("x"), "client_timeout_error"),
    ("raw pool timeout", http.PoolTimeout("x"), "pool_timeout_error"),
    ("raw read error", http.ReadError("x"), "stream_interrupted_error"),
    ("raw incomplete body", http.RemoteProtocolError(BROKEN), "stream_interrupted_error"),
    ("raw corrupt compression", http.DecodingError("x", request=REQUEST), "stream_interrupted_error"),
    ("raw connect error", http.ConnectError("x"), "connection_error"),
    ("raw write error", http.WriteError("x"), "connection_error"),
    ("raw proxy error", http.ProxyError("x"), "connection_error"),
    ("raw local protocol error", http.LocalProtocolError("x"), "connection_error"),
    ("raw unsupported protocol", http.UnsupportedProtocol("x"), "connection_error"),
    (
        "raw status error",
        http.HTTPStatusError("x", request=REQUEST, response=http.Response(429)),
        "rate_limit_error",
    ),
    ("raw status error without status", fake("HTTPStatusError", "httpx")(), "unknown_error"),
    (
        "httpcore read error",
        fake("ReadError", "httpcore", fake("NetworkError", "httpcore"))(),
        "stream_interrupted_error",
    ),
    (
        "httpcore network error",
        fake("ConnectError", "httpcore2", fake("NetworkError", "httpcore2"))(),
        "connection_error",
    ),
    ("httpcore protocol error", fake("ProtocolError", "httpcore")(), "connection_error"),
    (
        "the SDK's schema refused",
        sdk.APIResponseValidationError(response=RESPONSE, body=None),
        "response_validation_error",
    ),
    ("pydantic", _validation_error(), "response_validation_error"),
    (
        "pydantic 1",
        fake("ValidationError", "pydantic.error_wrappers", ValueError)(),
        "response_validation_error",
    ),
    ("JSON", json.JSONDecodeError("x", "y", 0), "response_validation_error"),
    ("own breaker", CircuitOpenError(), "circuit_open_error"),
    ("no credentials file", fake("CredentialsError", "anthropic")(), "authentication_error"),
    (
        "no key at all",
        TypeError('"Could not resolve authentication method. Expected api_key or auth_token to be set."'),
        "authentication_error",
    ),
    ("any type error", TypeError("unsupported operand"), "unknown_error"),
    ("type error without a message", TypeError(), "unknown_error"),
    ("base of the SDK", sdk.AnthropicError("x"), "unknown_error"),
    ("unrelated", KeyError("x"), "unknown_error"),
    ("an app's own name clash", fake("ReadError", "app")(), "unknown_error"),
    ("interrupt", KeyboardInterrupt(), "unknown_error"),
]


@pytest.mark.parametrize(("error", "expected"), [row[1:] for row in BY_CLASS], ids=[row[0] for row in BY_CLASS])
def test_class_decides_without_a_response(error: BaseException, expected: str) -> None:
    """An exception without a response is told by its class and by what caused it."""
    assert expected == classify(error).name


TRANSPORT: list[tuple[Callable[[Any], BaseException], str]] = [
    (lambda request: http.PoolTimeout("x", request=request), "pool_timeout_error"),
    (lambda request: http.ReadTimeout("x", request=request), "client_timeout_error"),
    (lambda request: http.ConnectError("x", request=request), "connection_error"),
    (lambda request: http.RemoteProtocolError("x", request=request), "connection_error"),
    (lambda _: CircuitOpenError(), "circuit_open_error"),
]


@pytest.mark.parametrize(("make", "expected"), TRANSPORT)
def test_through_the_sdk(make: Callable[[Any], BaseException], expected: str) -> None:
    """What a transport raises is told after the SDK has wrapped it in its own way."""

    def fail(request: Any) -> Any:
        raise make(request)

    client = sdk.Anthropic(api_key="k", max_retries=0, http_client=http.Client(transport=http.MockTransport(fail)))
    with pytest.raises(sdk.APIConnectionError) as caught, client:
        client.messages.create(model="claude-opus-5-5", max_tokens=8, messages=[{"role": "user", "content": "Hi"}])
    assert expected == classify(caught.value).name


def rate_limit() -> BaseException:
    """An error to be found in a chain."""
    return status_error(429, body_of("rate_limit_error"))


def test_cause_is_followed() -> None:
    """An app's exception raised from the SDK's has the SDK's kind."""
    assert classify(raised(ValueError("mine"), origin=rate_limit())).name == "rate_limit_error"


def test_context_is_followed() -> None:
    """An app's exception raised while the SDK's was handled has the SDK's kind."""
    assert classify(raised_during(KeyError("mine"), rate_limit())).name == "rate_limit_error"


def test_suppressed_context_is_not_followed() -> None:
    """`raise … from None` says that the one has nothing to do with the other."""
    error = raised_during(KeyError("mine"), rate_limit())
    error.__suppress_context__ = True
    assert classify(error).name == "unknown_error"


def test_cause_counts_more_than_context() -> None:
    """What was named as the cause decides, not what happened to be handled."""
    error = raised_during(KeyError("mine"), rate_limit())
    error.__cause__ = _connection()
    assert classify(error).name == "connection_error"


def test_own_kind_counts_more_than_the_cause() -> None:
    """An exception that is known by itself is not looked behind."""
    assert classify(raised(rate_limit(), origin=_connection())).name == "rate_limit_error"


def group(*members: object) -> BaseException:
    """An exception group, on Python 3.10 too."""
    error = fake("BaseExceptionGroup", "builtins")("group")
    error.exceptions = members  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (group(KeyError(), rate_limit(), _connection()), "rate_limit_error"),
        (group(group(KeyError()), group(_connection())), "connection_error"),
        (group(raised(KeyError(), origin=rate_limit()), _connection()), "rate_limit_error"),
        (group("no exception", 7), "unknown_error"),
        (group(), "unknown_error"),
        (raised(group(KeyError()), origin=rate_limit()), "rate_limit_error"),
    ],
)
def test_groups_are_opened(error: BaseException, expected: str) -> None:
    """The first member of a group that is known decides, then what the group was raised from."""
    assert expected == classify(error).name


def test_builtin_group() -> None:
    """The interpreter's own exception group, which is new in Python 3.11, is opened like the backport."""
    groups = [cls for name, cls in vars(builtins).items() if name == "ExceptionGroup"]
    kinds = [classify(cls("x", [KeyError(), rate_limit()])).name for cls in groups]
    assert ["rate_limit_error"] * len(groups) == kinds


def test_cycles_end() -> None:
    """Exceptions that are each other's cause are looked at once."""
    first, second = KeyError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert classify(first).name == "unknown_error"
    timeout = sdk.APITimeoutError(request=REQUEST)
    timeout.__cause__ = timeout
    assert classify(timeout).name == "client_timeout_error"


def test_depth_is_bounded() -> None:
    """A chain of a thousand exceptions is given up on, not walked to its end."""
    error: BaseException = rate_limit()
    for _ in range(1000):
        wrapper = ValueError()
        wrapper.__cause__ = error
        error = wrapper
    assert classify(error).name == "unknown_error"


def test_hostile_exceptions_do_no_harm() -> None:
    """An exception or body whose attributes raise is an unknown error."""

    class HostileError(sdk.APIStatusError):  # type: ignore[misc]
        @property
        def body(self) -> object:
            raise RuntimeError

        def __init__(self) -> None:
            Exception.__init__(self)

    class HostileBody(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            raise RuntimeError(key, default)

    assert classify(HostileError()).name == "unknown_error"
    assert classify_response(400, HostileBody()).name == "unknown_error"


def test_status_that_is_no_number() -> None:
    """A mock in place of a response makes no difference but that the status is unknown."""
    error = status_error(429, None)
    error.status_code = "429"  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    assert classify(error).name == "unknown_error"


def test_classes_made_at_run_time_are_forgotten() -> None:
    """The memory of classes stays bounded, and what is forgotten is found again."""
    for i in range(1200):
        assert classify(fake(f"Made{i}", "app")()).name == "unknown_error"
    assert len(classify_module._rules) <= 512  # pyright: ignore[reportPrivateUsage]
    assert classify(rate_limit()).name == "rate_limit_error"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([t for t, _ in BY_TYPE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "type", "details", "error_code", "message", "x"]), inner)
    ),
    max_leaves=10,
)


@given(status=st.none() | st.integers(0, 700), body=json_values | st.binary(max_size=30) | st.text(max_size=30))
def test_any_response_has_a_kind(status: int | None, body: object) -> None:
    """Whatever a server sends, the answer is a row of the table."""
    assert classify_response(status, body) is ERROR_TYPES[classify_response(status, body).name]


def test_nothing_of_the_error_gets_out() -> None:
    """The result is the table's own row, whatever the message said."""
    secret = "sk-ant-secret"
    kind = classify(status_error(400, body_of("invalid_request_error", message=secret)))
    assert kind is ERROR_TYPES["invalid_request_error"]
    assert secret not in repr(kind)


def test_imports_nothing_of_the_sdk() -> None:
    """Classifying works, and costs no import, in a process without the SDK."""
    code = (
        "import sys, claudescope.schema.classify as e; e.classify(ValueError());"
        "print([m for m in ('anthropic', 'httpx', 'httpx2', 'httpcore', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
