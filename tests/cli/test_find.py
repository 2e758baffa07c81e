"""`claudescope find` leads from any id of a call to all others."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from typer.testing import CliRunner

import claudescope
from claudescope._internal.exceptions import BadInputError
from claudescope.cli import app
from claudescope.sinks.json_formatter import formatter
from claudescope.web import correlation
from tests.scripted import REQUEST, ScriptedAPI, error, message

_RUNNER = CliRunner()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a request with two calls, one of which fails, and of a call outside of it."""
    path = tmp_path / "calls.jsonl"
    handler = logging.FileHandler(path)
    handler.setFormatter(formatter())
    logger = logging.getLogger("claudescope.calls")
    logger.addHandler(handler)
    before, logger.level = logger.level, logging.INFO
    claudescope.instrument(logs=True)
    try:
        script = ScriptedAPI(message(), error(500, "api_error", request_id="req_failed"), message())
        client = script.client(max_retries=0)
        token = correlation.enter("order-17")
        with trace.use_span(TracerProvider().get_tracer("test").start_span("request")):
            client.messages.create(**REQUEST)
            with pytest.raises(Exception, match="No"):
                client.messages.create(**REQUEST)
        correlation.leave(token)
        client.messages.create(**REQUEST)
    finally:
        claudescope.uninstrument()
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
    return path


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_id_leads_to_the_others(log: Path) -> None:
    """The consumer's id finds both calls of its request, and the API's and the trace's find them again."""
    lines = _lines(log)
    assert len(lines) == 3
    result = _RUNNER.invoke(app, ["find", "order-17", str(log), "--json"])
    assert [json.loads(line) for line in result.stdout.splitlines()] == lines[:2]
    failed = lines[1]
    for searched in (
        "req_failed",
        failed["span_id"],
        failed["trace_id"].upper(),
        f"00-{failed['trace_id']}-{'0' * 16}-01",
    ):
        result = _RUNNER.invoke(app, ["find", searched, str(log)])
        assert result.exit_code == 0
        assert "order-17" in result.stdout
        assert "api_error" in result.stdout


def test_what_is_not_there(log: Path) -> None:
    """No call: exit 1, and how many lines were read."""
    result = _RUNNER.invoke(app, ["find", "order-18", str(log)])
    assert (result.exit_code, result.stdout) == (1, "0 calls of order-18 in 3 lines.\n")


def test_compressed_and_mixed_logs(log: Path, tmp_path: Path) -> None:
    """A log may be compressed, and other lines in it are counted."""
    mixed = tmp_path / "mixed.jsonl.gz"
    mixed.write_bytes(gzip.compress(b"Started.\n[1]\n\n" + log.read_bytes() + b"\xff\xfe\n"))
    result = _RUNNER.invoke(app, ["find", "req_failed", str(mixed)])
    assert result.exit_code == 0
    assert result.stdout.startswith("1 call of req_failed in 3 lines, and 3 that are no JSON.")


@pytest.mark.parametrize(
    ("content", "name", "searched", "expected"),
    [
        (b"plain text\n", "app.log", "x", "no line is a JSON object"),
        (b"", "app.log", "x", "no line is a JSON object"),
        (None, "none.log", "x", "can't be read: No such file"),
        (b"no gzip", "app.gz", "x", "can't be read: Not a gzipped file"),
        (b"{}\n", "app.log", "  ", "the id is empty"),
    ],
)
def test_bad_input(tmp_path: Path, content: bytes | None, name: str, searched: str, expected: str) -> None:
    """The message names the file and what was expected."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    result = _RUNNER.invoke(app, ["find", searched, str(path)])
    assert isinstance(result.exception, BadInputError)
    assert expected in str(result.exception)
