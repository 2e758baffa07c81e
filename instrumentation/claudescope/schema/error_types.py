"""The table of error types: what `claudescope.schema.classify` classifies errors into."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERROR_TYPES", "ErrorType", "ErrorTypeName", "Owner", "Retry"]

ErrorTypeName = Literal[
    "rate_limit_error",
    "ramp_limit_error",
    "spend_limit_error",
    "overloaded_error",
    "api_error",
    "timeout_error",
    "client_timeout_error",
    "connection_error",
    "pool_timeout_error",
    "stream_interrupted_error",
    "authentication_error",
    "permission_error",
    "billing_error",
    "not_found_error",
    "request_too_large",
    "content_policy_error",
    "invalid_request_error",
    "response_validation_error",
    "circuit_open_error",
    "unknown_error",
]
"""Every value that `error.type` can have."""

Retry = Literal["backoff", "backoff_longer", "retry_after", "once", "later", "by_app", "never"]
"""What to do with the failed call.

- `backoff`: repeat it after a delay that grows exponentially and is jittered.
- `backoff_longer`: the same, with a longer first delay, because the provider needs time to recover.
- `retry_after`: wait as long as the `retry-after` header says, or back off where there is none.
- `once`: repeat it once. Each attempt may take minutes and may be billed.
- `later`: do not repeat it now. The app's circuit breaker decides when calls are sent again.
- `by_app`: only the app knows whether the part that it received is useful, and can make the call again.
- `never`: the same call fails in the same way until somebody changes something.
"""

Owner = Literal["quota", "provider", "network", "account", "local", "caller", "either", "unknown"]
"""Who can fix an error.

- `provider`: Anthropic, or the platform that serves the model.
- `quota`: whoever can change the rate limits or the traffic of the organization.
- `network`: whoever runs the network between the app and the API.
- `account`: whoever manages the API keys, the billing and the permissions of the organization.
- `local`: whoever runs the process that made the call.
- `caller`: whoever wrote the code that made the request.
- `either`: the app or the provider; the error does not say which.
- `unknown`: the error does not say.
"""

_AUTOMATIC: Final = frozenset({"backoff", "backoff_longer", "retry_after", "once"})


@dataclass(frozen=True, slots=True)
class ErrorType:
    """One type of error, and how to handle it.

    Attributes:
        name: Its name, the value of `error.type`.
        retry: What to do with the failed call.
        owner: Who can fix it.
        in_budget: Whether it counts against the error budget: it does where users get worse service for a reason
            that is not in their own request.
        pages: Whether it pages even at a low rate: every call fails until a person acts.
        sources: The statuses and conditions that it is recognised by, for documentation.
        advice: What an on-call engineer should do.
        message: What to tell the app's end user. Polite, and without details of how the app is built.
    """

    name: ErrorTypeName
    retry: Retry
    owner: Owner
    in_budget: bool
    pages: bool
    sources: str
    advice: str
    message: str

    @property
    def retryable(self) -> bool:
        """Whether a client may repeat the call automatically, after the delay that `retry` names."""
        return self.retry in _AUTOMATIC


_BUSY = "The assistant is very busy right now. Please try again in a moment."
_TROUBLE = "The assistant is having trouble right now. Please try again in a moment."
_UNAVAILABLE = "The assistant is unavailable right now. Please try again later."
_CANNOT = "Sorry, the assistant could not process this request."

_ROWS: Final = (
    ErrorType(
        "rate_limit_error",
        retry="retry_after",
        owner="quota",
        in_budget=True,
        pages=False,
        sources="429",
        advice="The organization reached its rate limit. Lower concurrency, spread the load or cache more input; if "
        "it lasts, request a higher limit.",
        message=_BUSY,
    ),
    ErrorType(
        "ramp_limit_error",
        retry="retry_after",
        owner="quota",
        in_budget=True,
        pages=False,
        sources="429 with error_code ramp_limit_exceeded",
        advice="Traffic grew faster than the API allows. Raise it gradually, and stagger batch jobs.",
        message=_BUSY,
    ),
    ErrorType(
        "spend_limit_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=True,
        sources="429 with error_code enforced_spend_limit_reached or contract_spend_limit_reached, "
        "402 with error_code linked_organization_spend_limit_reached, 400 by its message",
        advice="The spend limit is reached, and every call fails until it is raised or the period ends. Raise it in "
        "the Claude Console, and find out which workload spent the money.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "overloaded_error",
        retry="backoff_longer",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="529, or an error event in a stream",
        advice="The API is overloaded. Check status.claude.com, pause optional traffic, and fall back to another "
        "model or region.",
        message=_BUSY,
    ),
    ErrorType(
        "api_error",
        retry="backoff",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="500, 502, 503 and other 5xx, 424 of Bedrock, or an error event in a stream",
        advice="The API failed. Check status.claude.com; if it lasts, send request ids to Anthropic support.",
        message=_TROUBLE,
    ),
    ErrorType(
        "timeout_error",
        retry="once",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="408, 504, 522, 524",
        advice="The API took too long to answer. Stream long answers, lower max_tokens, or use the Batches API.",
        message="The assistant took too long to answer. Please try again, perhaps with a shorter request.",
    ),
    ErrorType(
        "client_timeout_error",
        retry="once",
        owner="either",
        in_budget=True,
        pages=False,
        sources="the client's own timeout, 499",
        advice="No answer came within the client's timeout. Compare the timeout with the p99 latency, and stream "
        "long answers.",
        message="The assistant took too long to answer. Please try again, perhaps with a shorter request.",
    ),
    ErrorType(
        "connection_error",
        retry="backoff",
        owner="network",
        in_budget=True,
        pages=False,
        sources="DNS, connection refused or reset, TLS",
        advice="The app can't connect to the API. Check DNS, egress rules, proxy, TLS interception and the client's "
        "base_url.",
        message=_TROUBLE,
    ),
    ErrorType(
        "pool_timeout_error",
        retry="never",
        owner="local",
        in_budget=False,
        pages=False,
        sources="no free connection in the client's pool",
        advice="All connections of the HTTP client's pool were in use. Raise max_connections, lower concurrency, or "
        "look for streams that are never closed.",
        message=_BUSY,
    ),
    ErrorType(
        "stream_interrupted_error",
        retry="by_app",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="the connection broke while the body was read, or the body ended before message_stop",
        advice="Streams end before the answer is complete. Check status.claude.com, and the idle timeouts of proxies "
        "and load balancers between the app and the API.",
        message="The answer was cut off. Please try again.",
    ),
    ErrorType(
        "authentication_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=True,
        sources="401, or no credentials found",
        advice="The API key is missing, wrong, expired or revoked, and every call fails. Check the secret and its "
        "latest rollout.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "permission_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=False,
        sources="403, or an organization or encryption key that is disabled",
        advice="The API key may not do this. Check its workspace and scopes, access to the model, the status of the "
        "organization and, with customer-managed encryption, the encryption key.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "billing_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=True,
        sources="402, or the 400 that says the credit is used up",
        advice="The account can't be billed, and every call fails. Add credit or fix the payment method in the Claude "
        "Console.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "not_found_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="404",
        advice="The model, file or other resource does not exist. Look for a misspelt or retired model name.",
        message=_CANNOT,
    ),
    ErrorType(
        "request_too_large",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="413, 431",
        advice="The request is larger than the API accepts. Shorten the conversation history, or upload files "
        "through the Files API.",
        message="This is more than the assistant can take at once. Please shorten it and try again.",
    ),
    ErrorType(
        "content_policy_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="400 by its message",
        advice="The usage policy blocked the content. Review what the app sends, and handle the error like a refusal.",
        message="The assistant can't help with this request. Please try to put it differently.",
    ),
    ErrorType(
        "invalid_request_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="400, 409, 412, 422 and other 4xx",
        advice="The API rejected the request as invalid. Look for a recent change to parameters, tools or schemas.",
        message=_CANNOT,
    ),
    ErrorType(
        "response_validation_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="a successful response that a schema or a JSON parser rejected",
        advice="The answer was billed but does not match the schema. Check whether max_tokens cut it off, relax the "
        "schema, or use structured outputs.",
        message="The assistant's answer could not be used. Please try again.",
    ),
    ErrorType(
        "circuit_open_error",
        retry="later",
        owner="local",
        in_budget=True,
        pages=False,
        sources="CircuitOpenError of the app's circuit breaker",
        advice="The circuit breaker blocks calls because too many failed. Look at the error types that opened it.",
        message=_TROUBLE,
    ),
    ErrorType(
        "unknown_error",
        retry="never",
        owner="unknown",
        in_budget=True,
        pages=False,
        sources="everything else",
        advice="The error came neither from the API nor from the network. Read the stack trace.",
        message="Something went wrong. Please try again later.",
    ),
)

ERROR_TYPES: Final[Mapping[str, ErrorType]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every error type by its name, in the order of the documentation."""
