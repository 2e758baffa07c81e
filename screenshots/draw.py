"""Draws screenshots of the dashboards with days of simulated calls: `make screenshots`.

A real Prometheus holds the telemetry (`tests/telemetry`) and answers the queries of every panel, with the variables
replaced as Grafana does. The page in `src/` draws the results with Grafana's components in headless Chromium. Time,
seed and fonts are fixed: the same dashboards and data give the same pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.telemetry.history import Span
from tests.telemetry.prometheus import with_history

from claudescope_alerts.build import build as build_alerts
from claudescope_alerts.spec.model import load_spec
from claudescope_dashboards.interpolation import Resolver

__all__ = ["Time", "draw", "regions_of", "time_of"]

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parent
_DASHBOARDS: Final = _ROOT / "dashboards/claudescope_dashboards/generated/dashboards"
_OUT: Final = _ROOT / "docs/images/dashboards"
_SPAN: Final = Span(end=1_795_187_220, middle=18 * 3600)  # a Friday afternoon, 2026-11-20 15:07 UTC
_WIDTH: Final = 1600
_COLUMNS: Final = 24
_LIGHT: Final = "overview"
"""The dashboard of which the documentation has a light picture too."""
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WORDS: Final = {"m": "minutes", "h": "hours", "d": "days"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Time:
    """The time range of a dashboard.

    Attributes:
        seconds: Length in seconds.
        words: Text of Grafana's time picker.
    """

    seconds: int
    words: str


def time_of(dashboard: Json) -> Time:
    """Return the default time range of a dashboard.

    Raises:
        ValueError: The range is not of the form `now-6h` to `now`.
    """
    time: Json = dashboard["time"]
    found = re.fullmatch(r"now-(\d+)([mhd])", str(time["from"]))
    if found is None or time["to"] != "now":
        raise ValueError(f"time {time}: expected a range such as now-6h to now")
    return Time(int(found[1]) * _SECONDS[found[2]], f"Last {found[1]} {_WORDS[found[2]]}")


def regions_of(result: list[Json], step: int) -> list[Json]:
    """Return the regions in which series have samples, as Grafana does for an annotation query.

    Args:
        result: Series of a range query.
        step: Step of the query in seconds. Samples further apart belong to two regions.

    Returns:
        For each region `from` and `to` in milliseconds, and the `title`.
    """
    regions: list[Json] = []
    for series in result:
        previous: float | None = None
        for at, _ in series["values"]:
            if previous is None or at - previous > step:
                regions.append({"from": at * 1000, "title": series["metric"].get("alertname", "")})
            regions[-1]["to"] = at * 1000
            previous = at
    return regions


def _ask(url: str, path: str, **parameters: str | int) -> list[Json]:
    query = urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}", data=query, timeout=60) as answer:  # noqa: S310 # loopback
            result: list[Json] = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(f"{parameters['query']}: {error.read().decode()}") from None
    return result


class _Drawing:
    """Collects the data of a dashboard from Prometheus."""

    def __init__(self, url: str, dashboard: Json, screen: int) -> None:
        self._url = url
        self._screen = screen
        self._dashboard = dashboard
        self._time = time_of(dashboard)
        self._from = _SPAN.end - self._time.seconds

    def _resolver(self, width: int) -> Resolver:
        points = max(1, self._screen * width // _COLUMNS)
        return Resolver(seconds=self._time.seconds, points=points, scrape=_SPAN.step)

    def _range(self, expr: str, step: int) -> list[Json]:
        # Grafana aligns the start to a multiple of the step.
        start = self._from - self._from % step
        return _ask(self._url, "query_range", query=expr, start=start, end=_SPAN.end, step=step)

    def _answer(self, target: Json, resolver: Resolver) -> Json:
        expr = resolver.resolve(target["expr"])
        instant = bool(target.get("instant"))
        if instant:
            result = _ask(self._url, "query", query=expr, time=_SPAN.end)
            result = [{"metric": series["metric"], "values": [series["value"]]} for series in result]
        else:
            result = self._range(expr, resolver.step)
        return {
            "refId": target["refId"],
            "expr": target["expr"],
            "legendFormat": target.get("legendFormat", "__auto"),
            "format": target.get("format", "time_series"),
            "instant": instant,
            "step": resolver.step,
            "result": result,
        }

    def _answers(self) -> Iterator[tuple[int, list[Json]]]:
        for panel in self._dashboard["panels"]:
            resolver = self._resolver(panel["gridPos"]["w"])
            shown = [target for target in panel.get("targets", []) if not target.get("hide")]
            yield panel["id"], [self._answer(target, resolver) for target in shown]

    def _annotations(self) -> Iterator[Json]:
        for annotation in self._dashboard.get("annotations", {}).get("list", []):
            if annotation.get("expr") and annotation.get("enable"):
                step = self._resolver(_COLUMNS).step
                result = self._range(self._resolver(_COLUMNS).resolve(annotation["expr"]), step)
                yield {
                    "name": annotation["name"],
                    "color": annotation["iconColor"],
                    "regions": regions_of(result, step),
                }

    def document(self) -> Json:
        """Return everything that the page draws, except the theme."""
        variables = [
            {"label": variable.get("label") or variable["name"], "text": _shown(variable)}
            for variable in self._dashboard["templating"]["list"]
            if not variable.get("hide")
        ]
        return {
            "from": self._from * 1000,
            "to": _SPAN.end * 1000,
            "range": self._time.words,
            "dashboard": self._dashboard,
            "variables": variables,
            "answers": dict(self._answers()),
            "annotations": list(self._annotations()),
        }


def _shown(variable: Json) -> str:
    return "Prometheus" if variable["type"] == "datasource" else "All"


def _rule_files() -> Mapping[str, str]:
    files = build_alerts(load_spec())
    return {path: text for path, text in files.items() if path.startswith("rules/")}


def _tools() -> Path:
    """Check that all tools are installed, and return the path of Chromium."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None:
        raise FileNotFoundError("Chromium is not installed: run apt-get install chromium, or set CHROMIUM to its path")
    if not (_HERE / "dist/page.js").exists():
        raise FileNotFoundError(f"{_HERE / 'dist/page.js'} does not exist: run `make screenshots`, which builds it")
    return Path(found)


def draw(names: list[str], out: Path = _OUT, *, width: int = _WIDTH, light: Sequence[str] = (_LIGHT,)) -> None:
    """Draw screenshots of dashboards.

    Args:
        names: Names of dashboards, such as `overview`. If empty, all are drawn.
        out: Folder for the pictures.
        width: Width of the browser window in pixels.
        light: Names of the dashboards that are drawn on a light background too.

    Raises:
        FileNotFoundError: A tool is missing. The message says how to install it.
        ValueError: Prometheus rejected a query of a dashboard.
        subprocess.CalledProcessError: A dashboard could not be drawn. Standard error has the messages of Chromium.
    """
    chromium = _tools()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, with_history(_SPAN, _rule_files()) as url:
        for path in sorted(_DASHBOARDS.glob("*.json")):
            if names and path.stem not in names:
                continue
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            drawing = _Drawing(url, dashboard, width).document()
            themes = {"": "dark", "-light": "light"} if path.stem in light else {"": "dark"}
            for suffix, theme in themes.items():
                file = Path(temporary) / f"{dashboard['uid']}{suffix}.json"
                file.write_text(json.dumps({**drawing, "theme": theme}), encoding="utf-8")
        command = ["node", str(_HERE / "shoot.mjs"), temporary, str(out), str(width)]
        subprocess.run(command, check=True, env={**os.environ, "CHROMIUM": str(chromium)})  # noqa: S603 # fixed command


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of dashboards; all by default")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder for the pictures")
    parser.add_argument("--width", type=int, default=_WIDTH, help="width of the browser window in pixels")
    parser.add_argument("--light", action="store_true", help="draw every dashboard on a light background too")
    options = parser.parse_args()
    light = [path.stem for path in _DASHBOARDS.glob("*.json")] if options.light else [_LIGHT]
    try:
        draw(options.names, options.out, width=options.width, light=light)
    except FileNotFoundError as error:
        sys.exit(f"screenshots: {error}")


if __name__ == "__main__":
    main()
