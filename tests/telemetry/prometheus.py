"""Starts a real Prometheus that has the days of calls in it, and what the generated rules made of them.

Series of rules are written by `promtool`, which asks a running Prometheus: so they are written in rounds, each after a
restart that takes in what the round before has written.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import yaml

from tests.components import require
from tests.servers import run_server, wait_for
from tests.telemetry.history import Span, write_history

__all__ = ["alert_as_recording", "history_of", "rounds_of", "serve", "with_history"]

_CACHE: Final = Path(__file__).resolve().parents[2] / ".cache" / "telemetry"
_KEPT: Final = "--storage.tsdb.retention.time=100y"
_ALERTS: Final = "ALERTS"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Rule = dict[str, Any]


@contextmanager
def serve(data: Path, folder: Path, rules: Iterable[str] = (), options: Iterable[str] = ()) -> Generator[str]:
    """Run Prometheus on a folder of blocks, and give its URL.

    Args:
        data: The blocks.
        folder: Where its configuration and log go.
        rules: Rule files, as text, that it shows. It does not evaluate them: the blocks have their series.
        options: Further options of its command line.

    Raises:
        MissingComponentError: Prometheus was not fetched.
    """
    names: list[str] = []
    for number, text in enumerate(rules):
        (folder / f"rules-{number}.yml").write_text(text, encoding="utf-8")
        names.append(f"rules-{number}.yml")
    config = {"global": {"evaluation_interval": "1d"}, "rule_files": names}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command: list[str | Path] = [
        require("sid", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--web.listen-address=127.0.0.1:0",
        "--query.lookback-delta=5m",
        "--log.level=warn",
        _KEPT,
        *options,
    ]
    log = folder / "prometheus.log"
    with run_server(command, log) as url:
        wait_for("Prometheus is ready", lambda: _is_ready(url), log)
        yield url


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=10) as answer:  # noqa: S310 # ours
            return bool(answer.status == 200)
    except OSError:
        return False


def _promtool(*arguments: str | Path) -> None:
    command = [require("sid", "promtool"), "tsdb", "create-blocks-from", "--max-block-duration=1000h", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # ours
    if done.returncode:
        raise RuntimeError(f"promtool could not write the history: {done.stderr or done.stdout}")


def _seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smhd])", duration).groups()  # type: ignore[union-attr] # written by us
    return int(number) * _SECONDS[unit]


def alert_as_recording(rule: Rule) -> Rule:
    """An alerting rule as a recording one, as promtool evaluates no others: firing where it has held for its `for`."""
    minutes = max(1, _seconds(rule.get("for", "1m")) // 60)
    return {
        "record": _ALERTS,
        "expr": f"0 * count_over_time(({rule['expr']})[{minutes}m:1m]) + 1 and "
        f"count_over_time(({rule['expr']})[{minutes}m:1m]) >= {minutes}",
        "labels": {**rule.get("labels", {}), "alertname": rule["alert"], "alertstate": "firing"},
    }


def _since(rule: Rule) -> Rule:
    """When an alert that fires began to hold, where it did so once within six hours."""
    return {
        "record": "ALERTS_FOR_STATE",
        "expr": f"time() - 60 * count_over_time(({rule['expr']})[6h:1m]) and ({rule['expr']})",
        "labels": {**rule.get("labels", {}), "alertname": rule["alert"]},
    }


def rounds_of(rules: Sequence[Rule]) -> list[list[Rule]]:
    """The rules in an order in which none needs a series of its own round or of a later one."""
    left = list(rules)
    rounds: list[list[Rule]] = []
    while left:
        names = {rule["record"] for rule in left}
        ready = [rule for rule in left if not names & (set(re.findall(r"[\w:]+", rule["expr"])) - {rule["record"]})]
        if not ready:
            raise ValueError(f"rules need each other in a circle: {sorted(names)}")
        rounds.append(ready)
        left = [rule for rule in left if rule not in ready]
    return rounds


def _of_earlier_days(rules: Sequence[Rule]) -> list[Rule]:
    """Those rules whose series of earlier days others look back on, with windows that coarse scrapes fill."""
    return [
        {**rule, "expr": re.sub(r"\[\d+m\]", "[1h]", rule["expr"])}
        for rule in rules
        if re.fullmatch(r"claude_slo:(errors|events):rate(5m|[126]h|1d)|claude:\w+:1h", rule["record"])
    ]


def _write_rules(data: Path, folder: Path, rules: Sequence[Rule], span: Span, start: int, end: int) -> None:
    """Write the series of rules that need nothing of each other, from `start` to `end`."""
    groups = [{"name": f"rule-{number}", "rules": [rule]} for number, rule in enumerate(rules)]
    path = folder / "round.yml"
    path.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    with serve(data, folder) as url:
        _promtool(
            "rules",
            f"--url={url}",
            f"--start={start}",
            f"--end={end}",
            f"--output-dir={data}",
            f"--eval-interval={span.step}s",
            path,
        )


def _build(data: Path, folder: Path, span: Span, rule_files: Mapping[str, str]) -> None:
    text = folder / "history.txt"
    write_history(text, span)
    _promtool("openmetrics", "--quiet", text, data)
    text.unlink()
    all_rules: list[Rule] = [
        rule for file in rule_files.values() for group in yaml.safe_load(file)["groups"] for rule in group["rules"]
    ]
    recordings = [rule for rule in all_rules if "record" in rule]
    for rules in rounds_of(_of_earlier_days(recordings)):
        _write_rules(data, folder, rules, span, span.start + 3600, span.turn)
    for rules in rounds_of(recordings):
        _write_rules(data, folder, rules, span, span.turn, span.end)
    alerts = [rule for rule in all_rules if "alert" in rule]
    _write_rules(data, folder, [alert_as_recording(rule) for rule in alerts], span, span.turn, span.end)
    _write_rules(data, folder, [_since(rule) for rule in alerts], span, span.end - 600, span.end)


def history_of(span: Span, rule_files: Mapping[str, str]) -> Path:
    """A folder of blocks with the history and the series of the rules; made once, and kept in `.cache`.

    Args:
        span: What time it covers.
        rule_files: Rule files of Prometheus by name, as text.

    Raises:
        MissingComponentError: Prometheus or promtool was not fetched.
        RuntimeError: promtool refused the history or the rules.
    """
    code = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(json.dumps([code, astuple(span), dict(rule_files)]).encode()).hexdigest()[:16]
    kept = _CACHE / digest
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as temporary:
            folder = Path(temporary)
            _build(folder / "data", folder, span, rule_files)
            for leftover in ("wal", "chunks_head", "lock", "queries.active"):
                path = folder / "data" / leftover
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            if not kept.exists():  # another process may have been faster
                (folder / "data").rename(kept)
    return kept


@contextmanager
def with_history(span: Span, rule_files: Mapping[str, str]) -> Generator[str]:
    """Run a Prometheus that has the history, on a copy of its own, and give its URL.

    Args:
        span: What time the history covers; queries are to be asked as of its `end`.
        rule_files: Rule files of Prometheus by name, as text: the generated ones.
    """
    blocks = history_of(span, rule_files)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(blocks, folder / "data")
        with serve(folder / "data", folder, rule_files.values()) as url:
            yield url
