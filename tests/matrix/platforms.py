"""The clients of every platform, as their own classes, with credentials that open nothing."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import anthropic

from tests.scripted import Answer, Event, ScriptedAPI, events, server_sent

__all__ = ["ANTHROPIC", "PLATFORMS", "Platform", "event_stream"]


@dataclass(frozen=True)
class Platform:
    """Where the SDK sends its requests.

    Attributes:
        name: The client's class.
        provider: The provider of its records.
        server: The host of its records.
        options: What the client is made with.
        frame: How it sends an event.
        stream_type: The media type of its streams.
        since: The first of the tested versions that has it.
        premium: What its prices are of Anthropic's own: a region of one's own costs a tenth more.
        beta_stream_since: The first of the tested versions whose beta has the stream helper.
    """

    name: str
    provider: str = "anthropic"
    server: str = "api.anthropic.com"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    frame: Callable[[Event], bytes] = server_sent
    stream_type: str = "text/event-stream"
    since: str = "0.51.0"
    premium: Decimal = Decimal(1)
    beta_stream_since: str = "0.51.0"

    def client(self, api: ScriptedAPI, *, is_async: bool, **options: Any) -> Any:
        """A client of this platform that asks `api`."""
        if is_async:
            return api.async_client(getattr(anthropic, f"Async{self.name}"), **{**self.options, **options})
        return api.client(getattr(anthropic, self.name), **{**self.options, **options})

    def stream(self, body: list[Event] | None = None, *, breaks: BaseException | None = None) -> Answer:
        """A stream of events, each a chunk of its own."""
        chunks = [self.frame(event) for event in (events("a", "b", "c") if body is None else body)]
        return Answer(body=chunks, headers={"content-type": self.stream_type}, breaks=breaks)


def _string_header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()


def event_stream(event: Event) -> bytes:
    """An event in the binary framing of `application/vnd.amazon.eventstream`; an `error` as an exception of its own."""
    headers = {":content-type": "application/json"}
    if event["type"] == "error":
        headers |= {":message-type": "exception", ":exception-type": "serviceUnavailableException"}
        payload = json.dumps({"message": event["error"]["message"]}).encode()
    else:
        headers |= {":message-type": "event", ":event-type": "chunk"}
        payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    packed = b"".join(_string_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", len(packed) + len(payload) + 16, len(packed))
    head = prelude + struct.pack("!I", binascii.crc32(prelude)) + packed + payload
    return head + struct.pack("!I", binascii.crc32(head))


_AWS: Final = {"aws_region": "us-east-1", "aws_access_key": "id", "aws_secret_key": "secret"}

ANTHROPIC: Final = Platform("Anthropic")

PLATFORMS: Final = (
    Platform(
        "AnthropicBedrock",
        "aws.bedrock",
        "bedrock-runtime.us-east-1.amazonaws.com",
        _AWS,
        event_stream,
        "application/vnd.amazon.eventstream",
        beta_stream_since="0.125.0",
        premium=Decimal("1.1"),
    ),
    Platform(
        "AnthropicBedrockMantle",
        "aws.bedrock",
        "bedrock-mantle.us-east-1.api.aws",
        _AWS,
        since="0.108.0",
        premium=Decimal("1.1"),
    ),
    Platform(
        "AnthropicVertex",
        "gcp.vertex_ai",
        "us-east5-aiplatform.googleapis.com",
        {"region": "us-east5", "project_id": "project", "access_token": "token"},
        beta_stream_since="0.108.0",
        premium=Decimal("1.1"),
    ),
    Platform(
        "AnthropicGoogleCloud",
        "anthropic",
        "claude.googleapis.com",
        {"project": "project", "workspace_id": "wrkspc_1", "token_provider": lambda: "token"},
        since="0.125.0",
    ),
    Platform(
        "AnthropicFoundry",
        "azure.ai.foundry",
        "resource.services.ai.azure.com",
        {"api_key": "key", "resource": "resource"},
        since="0.108.0",
    ),
    Platform(
        "AnthropicAWS",
        "anthropic",
        "aws-external-anthropic.us-east-1.api.aws",
        {**_AWS, "workspace_id": "wrkspc_1"},
        since="0.108.0",
    ),
)
