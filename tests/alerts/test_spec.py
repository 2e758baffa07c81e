"""A mistake in a spec is reported with file, line and what was expected, and nothing is written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from claudescope._internal.exceptions import BadInputError
from claudescope.cli import app, main
from claudescope_alerts.spec.model import DEFAULT_SPEC, json_schema, load_spec

_DEFAULT = DEFAULT_SPEC.read_text(encoding="utf-8")
_CUSTOM = "{preset: custom, bad: {metric: claude.client.retry}, total: {metric: claude.client.responses}}"
_RESPONSES = (
    "{{preset: custom, bad: {{metric: claude.client.responses, match: {{gen_ai.response.finish_reason: {0}}}}}, "
    "total: {{metric: claude.client.responses, match: {{gen_ai.response.finish_reason: {1}}}}}}}"
)
_BATCH = (
    "{preset: custom, per_model: true, bad: {metric: claude.client.batch.results, match: "
    "{claude.batch.outcome: [errored]}}, total: {metric: claude.client.batch.results}}"
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target: 99.5", "target: 90", r"target 90: the tier page-fast can never fire.*144 %.*93\.06"),
        ("claude-availability}", "claude-availabilty}", r"sli.preset: .*Did you mean 'claude-availability'"),
        ("threshold: 2.56s", "threshold: 3 parsecs", r"threshold: expected a duration such as .* got '3 parsecs'"),
        ("threshold: 2.56s", "threshold: 2s", r"no bucket that ends at 2s.*1\.28s or 2\.56s"),
        ("{preset: claude-availability}", _CUSTOM, r"Did you mean 'claude.client.retries'"),
        ("error_type_ratio: 5%", "error_type_ratio: 500%", r"expected a ratio such as '5%'"),
        ("zone: UTC", "zone: Mars/Base", r"zone: expected the IANA name .* got 'Mars/Base'"),
        ("days: mon-fri", "days: fri-mon", r"expected days such as 'mon-fri'"),
        ("name: provider", "name: availability", r"two objectives have the name 'availability'"),
        ("retry_ratio", "retry_ratios", r"unknown key 'retry_ratios'.*Did you mean 'retry_ratio'"),
        ("error_type_ratio: 5%", "error_type_ratio: 100%", r"below 100%"),
        (
            "{preset: claude-availability}",
            _RESPONSES.format("[refusal]", "[end_turn]"),
            r"bad counts .*'refusal', which total leaves out",
        ),
        ("{preset: claude-availability}", _RESPONSES.format("[refusal]", "[refusal]"), r"every event would be bad"),
        ("{preset: claude-availability}", _BATCH, r"claude.client.batch.results has no label 'gen_ai.request.model'"),
        ("{preset: claude-availability}", _CUSTOM.replace("retry", "active_calls"), r"counts no events"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    message: str,
) -> None:
    """Exit 2, one message with file and line, and no file."""
    spec, out = tmp_path / "claudescope.yaml", tmp_path / "out"
    assert old in _DEFAULT
    spec.write_text(_DEFAULT.replace(old, new, 1), encoding="utf-8")
    line = _DEFAULT[: _DEFAULT.index(old)].count("\n") + 1
    with pytest.raises(BadInputError) as mistake:
        load_spec(spec)
    message_match = re.match(rf"{re.escape(str(spec))}:(\d+): .*", str(mistake.value))
    assert message_match is not None, mistake.value
    # A mistake of a whole section is reported at its first line.
    assert int(message_match.group(1)) in ({line} if "two objectives" not in message else {line, line - 1, line - 2})
    assert re.search(message, str(mistake.value)), mistake.value
    monkeypatch.setattr(sys, "argv", ["claudescope", "alerts", "build", "--spec", str(spec), "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.err == f"claudescope: {mistake.value}\n"
    assert shown.out == ""
    assert not out.exists()


def test_a_process_with_a_bad_spec_ends_with_2(tmp_path: Path) -> None:
    """In a shell or a CI job the exit status is 2, and an earlier build stays unchanged."""
    spec, out = tmp_path / "claudescope.yaml", tmp_path / "out"
    spec.write_text(_DEFAULT.replace("target: 99.5", "target: 90"), encoding="utf-8")
    out.mkdir()
    command = [sys.executable, "-m", "claudescope", "alerts", "build", "--spec", str(spec), "--out", str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 # ours
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(rf"claudescope: {re.escape(str(spec))}:\d+: .*can never fire.*\n", done.stderr)
    assert list(out.iterdir()) == []


def test_the_published_schema_is_that_of_the_model() -> None:
    """The JSON Schema beside the default spec is what `claudescope alerts schema` prints, to the letter."""
    printed = CliRunner().invoke(app, ["alerts", "schema"])
    assert printed.exit_code == 0
    assert DEFAULT_SPEC.with_name("claudescope.schema.json").read_text(encoding="utf-8") == printed.stdout
    assert json.loads(printed.stdout)["required"] == ["version", "objectives"]


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every key of the schema, its properties, and whether it is required."""
    for name, section in [("Spec", schema), *schema["$defs"].items()]:
        for key, value in section.get("properties", {}).items():
            yield f"{name}.{key}", value, key in section.get("required", ())


def test_every_key_has_a_description_with_its_default() -> None:
    """Nested keys too: what the schema says is all that the documentation has."""
    keys = list(_keys(json.loads(json_schema())))
    assert len(keys) > 60
    for name, value, required in keys:
        description = value.get("description", "")
        assert description, name
        assert "\n" not in description, name
        assert (
            ("Required" in description) if required else re.search("Default: |No default|Required, unless", description)
        ), name


def test_a_duration_is_a_text_with_its_unit_in_the_schema() -> None:
    """An editor accepts what the file may say: `2.56s`, and no plain number."""
    threshold = json.loads(json_schema())["$defs"]["Thresholds"]["properties"]["absent_after"]
    assert (threshold["type"], threshold["default"]) == ("string", "10m")
    assert re.fullmatch(threshold["pattern"], "1h30m")
