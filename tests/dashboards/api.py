"""Client for the HTTP API of Prometheus, which VictoriaMetrics has too."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

__all__ = ["Store"]


@dataclass(frozen=True)
class Store:
    """The HTTP API of a server.

    Attributes:
        url: Base URL of the server.
    """

    url: str

    def is_ready(self) -> bool:
        """Return whether the server answers queries."""
        try:
            return self.instant("vector(1)") != []
        except OSError:
            return False

    def flush(self) -> None:
        """Make the samples that VictoriaMetrics received visible to queries."""
        with urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=30):  # noqa: S310 # loopback
            pass

    def instant(self, expr: str, at: float | None = None) -> list[Any]:
        """Return the series of an instant query."""
        return self._result("query", {"query": expr, **({} if at is None else {"time": f"{at}"})})

    def range(self, expr: str, start: float, end: float, step: int) -> list[Any]:
        """Return the series of a range query."""
        return self._result("query_range", {"query": expr, "start": f"{start}", "end": f"{end}", "step": f"{step}"})

    def label_values(self, label: str, selector: str) -> list[str]:
        """Return the values of a label."""
        query = urllib.parse.urlencode({"match[]": selector})
        return list(self._get(f"label/{label}/values?{query}"))

    def _result(self, path: str, values: dict[str, str]) -> list[Any]:
        return list(self._get(path, urllib.parse.urlencode(values).encode())["result"])

    def _get(self, path: str, body: bytes | None = None) -> Any:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", body, timeout=60) as answer:  # noqa: S310 # loopback
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code in {400, 422}:
                    raise AssertionError(error.read().decode()) from None
                raise


def numbers(series: list[Any]) -> list[float]:
    """Return all values of a result except NaN, and the sums of native histograms."""
    found = [float(value) for one in series for _, value in one.get("values", [one["value"]] if "value" in one else [])]
    found += [float(value["sum"]) for one in series for _, value in one.get("histograms", [])]
    return [value for value in found if not math.isnan(value)]
