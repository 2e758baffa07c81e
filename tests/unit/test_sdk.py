"""What the SDK's requests, clients and responses are called here."""

from __future__ import annotations

import importlib.metadata

import anthropic
import pytest

from claudescope.probe.sdk import SUPPORTED, http_library, operation_of, provider_of, span_name


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("post", "/v1/messages", "chat"),
        ("POST", "/v1/messages?beta=true", "chat"),
        ("post", "https://api.anthropic.com/v1/messages", "chat"),
        ("post", "/v1/messages/count_tokens", "count_tokens"),
        ("post", "/v1/messages/batches", "batches.create"),
        ("get", "/v1/messages/batches", "batches.list"),
        ("get", "/v1/messages/batches/msgbatch_1", "batches.retrieve"),
        ("get", "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results", "batches.results"),
        ("post", "/v1/messages/batches/msgbatch_1/cancel?beta=true", "batches.cancel"),
        ("delete", "/v1/messages/batches/msgbatch_1", "batches.delete"),
        ("get", "/v1/models", "models.list"),
        ("get", "/v1/models/claude-opus-5-5", "models.retrieve"),
        ("post", "/v1/files", "files.upload"),
        ("get", "/v1/files/file_1/content", "files.download"),
        ("post", "/v1/complete", "text_completion"),
        ("get", "/v1/messages", "other"),
        ("post", "/v1/something/new", "other"),
        ("post", "", "other"),
    ],
)
def test_operation(method: str, url: str, expected: str) -> None:
    """A request is named by its method and path; ids, queries and hosts don't matter."""
    assert operation_of(method, url) == expected


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("chat", "anthropic.messages.create"),
        ("count_tokens", "anthropic.messages.count_tokens"),
        ("batches.results", "anthropic.messages.batches.results"),
        ("models.list", "anthropic.models.list"),
        ("other", "anthropic.request"),
    ],
)
def test_span_name(operation: str, expected: str) -> None:
    """Our own spans are called as the SDK calls its own."""
    assert span_name(operation) == expected


def test_provider() -> None:
    """The platform is that of the client's class, or of the one it extends."""

    class Mine(anthropic.AnthropicBedrock):
        pass

    assert [
        provider_of(anthropic.Anthropic(api_key="k")),
        provider_of(anthropic.AsyncAnthropic(api_key="k")),
        provider_of(Mine(aws_region="us-east-1", aws_access_key="a", aws_secret_key="s")),
        provider_of(anthropic.AnthropicFoundry(api_key="k", resource="r")),
        provider_of(object()),
    ] == ["anthropic", "anthropic", "aws.bedrock", "azure.ai.foundry", "anthropic"]


def test_no_http_library_for_a_stand_in() -> None:
    """A response that an app's test made up belongs to no library."""
    assert http_library(object()) is None


def test_the_supported_range_is_the_declared_one() -> None:
    """The extra `instruments`, as installed, and what `instrument()` warns by say the same."""
    (declared,) = (
        requirement.partition(";")[0].strip()
        for requirement in importlib.metadata.requires("claudescope") or ()
        if requirement.startswith("anthropic") and "instruments" in requirement
    )
    first, end = (".".join(map(str, version)) for version in SUPPORTED)
    assert sorted(declared.removeprefix("anthropic").split(",")) == [f"<{end}", f">={first}"]
