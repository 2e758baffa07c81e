"""The table of error kinds: what `claudescope.schema.classify` classifies into."""

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

- `backoff`: repeat it after an exponentially growing, jittered delay.
- `backoff_longer`: the same, from a longer first delay: the provider needs time to recover.
- `retry_after`: wait as long as the `retry-after` header says, else back off.
- `once`: repeat it once; each try may have taken minutes and may have been billed.
- `later`: not in this call. Our own circuit breaker decides when calls go out again.
- `by_app`: only the app knows whether what it has received is of use, and can start the call anew.
- `never`: the same call will fail the same way until somebody changes something.
"""

Owner = Literal["quota", "provider", "network", "account", "local", "caller", "either", "unknown"]
"""Who can mend it: `either` stands for client or provider, `local` for the process that called."""

_AUTOMATIC: Final = frozenset({"backoff", "backoff_longer", "retry_after", "once"})


@dataclass(frozen=True, slots=True)
class ErrorType:
    """One kind of error, and everything that anybody wants to know of it.

    Attributes:
        name: Its name, the value of `error.type`.
        retry: What to do with the failed call.
        owner: Who can mend it.
        in_budget: Whether it counts against the error budget, that is, whether users are worse served for a
            reason that is not in their own request.
        pages: Whether a single sustained occurrence pages: every call fails until a person acts.
        sources: What it is recognised by, for documentation.
        advice: What an operator should do.
        message: What to tell the app's end user: polite, and nothing of how the app is built.
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
        """Whether a client may repeat the call by itself, with the delay that `retry` names."""
        return self.retry in _AUTOMATIC


_BUSY = "The assistant is very busy right now. Please try again in a moment."
_TROUBLE = "The assistant is having trouble right now. Please try again in a moment."
_UNAVAILABLE = "The assistant is unavailable at the moment. We have been informed and are working on it."
_CANNOT = "Sorry, this request could not be processed."

_ROWS: Final = (
    ErrorType(
        "rate_limit_error",
        retry="retry_after",
        owner="quota",
        in_budget=True,
        pages=False,
        sources="429",
        advice="Spread the load, lower concurrency or cache more input; if it lasts, ask for a higher rate limit.",
        message=_BUSY,
    ),
    ErrorType(
        "ramp_limit_error",
        retry="retry_after",
        owner="quota",
        in_budget=True,
        pages=False,
        sources="429 with error_code ramp_limit_exceeded",
        advice="Usage grew faster than the ramp limit allows: raise traffic gradually, and stagger batch jobs.",
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
        advice="A spend limit is used up and every call fails until it is raised or the period ends: raise "
        "it in the Claude Console, or find out which workload spent it.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "overloaded_error",
        retry="backoff_longer",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="529, or an error event in a stream",
        advice="The API is overloaded: check status.claude.com, shed optional load, fall back to another model.",
        message=_BUSY,
    ),
    ErrorType(
        "api_error",
        retry="backoff",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="500, 502, 503 and other 5xx, 424 of Bedrock, or an error event in a stream",
        advice="The API failed: check status.claude.com; if it lasts, report request ids to support.",
        message=_TROUBLE,
    ),
    ErrorType(
        "timeout_error",
        retry="once",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="408, 504, 522, 524",
        advice="The API gave up on the request: stream long answers, lower max_tokens, or use the batch API.",
        message="The assistant took too long to answer. Please try again, perhaps with a shorter request.",
    ),
    ErrorType(
        "client_timeout_error",
        retry="once",
        owner="either",
        in_budget=True,
        pages=False,
        sources="the client's own timeout, 499",
        advice="No answer within the client's timeout: compare it with the p99 of the duration, and stream "
        "long answers.",
        message="The assistant took too long to answer. Please try again, perhaps with a shorter request.",
    ),
    ErrorType(
        "connection_error",
        retry="backoff",
        owner="network",
        in_budget=True,
        pages=False,
        sources="DNS, refused, reset, TLS",
        advice="No connection to the API: check DNS, egress rules, proxy, TLS interception and base_url.",
        message=_TROUBLE,
    ),
    ErrorType(
        "pool_timeout_error",
        retry="never",
        owner="local",
        in_budget=False,
        pages=False,
        sources="no free connection in the client's pool",
        advice="All connections of the client's pool were in use: raise max_connections of its HTTP client, "
        "lower concurrency, or look for streams that are never closed.",
        message=_BUSY,
    ),
    ErrorType(
        "stream_interrupted_error",
        retry="by_app",
        owner="provider",
        in_budget=True,
        pages=False,
        sources="the body broke, or ended before message_stop",
        advice="Streams end early: check status.claude.com, and idle timeouts of proxies and load balancers "
        "on the way.",
        message="The answer was cut off. Please try again.",
    ),
    ErrorType(
        "authentication_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=True,
        sources="401, or no credentials found",
        advice="The API key is missing, wrong, expired or revoked, and every call fails: check the secret "
        "and its rollout.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "permission_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=False,
        sources="403, or an organization or encryption key that is disabled",
        advice="The key may not do this: check its workspace and scopes, the model's availability, the "
        "organization's state and, with customer-managed encryption, the key.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "billing_error",
        retry="never",
        owner="account",
        in_budget=True,
        pages=True,
        sources="402, or the 400 that says the credit is used up",
        advice="The account can't be billed and every call fails: add credit or mend the payment method in "
        "the Console.",
        message=_UNAVAILABLE,
    ),
    ErrorType(
        "not_found_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="404",
        advice="The model, file or other resource does not exist: look for a misspelt or retired model name.",
        message=_CANNOT,
    ),
    ErrorType(
        "request_too_large",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="413, 431",
        advice="The request is larger than the API accepts: trim the history, or upload files through the Files API.",
        message="This is more than the assistant can take at once. Please shorten it and try again.",
    ),
    ErrorType(
        "content_policy_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="400 by its message",
        advice="Content was blocked by policy: review what the app sends, and handle it as a refusal.",
        message="The assistant can't help with this request. Please try to put it differently.",
    ),
    ErrorType(
        "invalid_request_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="400, 409, 412, 422 and other 4xx",
        advice="The API refused the request as malformed: look for a recent change of parameters, tools or schema.",
        message=_CANNOT,
    ),
    ErrorType(
        "response_validation_error",
        retry="never",
        owner="caller",
        in_budget=False,
        pages=False,
        sources="a good response that a schema or a JSON parser refused",
        advice="The answer did not fit the schema and was billed: check for max_tokens truncation, relax the "
        "schema, or use structured outputs.",
        message="The assistant's answer could not be used. Please try again.",
    ),
    ErrorType(
        "circuit_open_error",
        retry="later",
        owner="local",
        in_budget=True,
        pages=False,
        sources="our own circuit breaker",
        advice="Calls are held back because too many failed: the kinds that opened the breaker are what to look at.",
        message=_TROUBLE,
    ),
    ErrorType(
        "unknown_error",
        retry="never",
        owner="unknown",
        in_budget=True,
        pages=False,
        sources="everything else",
        advice="Not an error of the API or of the way to it: read the stack trace.",
        message="Something went wrong. Please try again later.",
    ),
)

ERROR_TYPES: Final[Mapping[str, ErrorType]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every error kind by its name, in the order of the documentation."""
