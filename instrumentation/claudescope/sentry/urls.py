"""Removes the queries of requests to the API from events, and the tools of a call from spans."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from claudescope.sentry.payload import Object, as_dict, as_list

__all__ = ["scrub_spans", "strip_queries", "strip_query"]

_URL: Final = re.compile(r"""(https?://[^\s"'<>?#]+)[?#][^\s"'<>]*""")
_API_PATH: Final = re.compile(r"/v1/(messages|complete|models|files|skills|projects)\b|/model/[^/]+/invoke")
_QUERY_FIELDS: Final = ("http.query", "http.fragment", "url.query", "url.fragment")


def scrub_spans(event: Object) -> None:
    """Remove the tools of a call and the query of its URL from spans.

    Covers the spans of a transaction and the span in the context of an error. Sentry sends both without opt-in.
    """
    for span in (as_dict(event.get("contexts")).get("trace"), *as_list(event.get("spans"))):
        data = as_dict(as_dict(span).get("data"))
        data.pop("gen_ai.request.available_tools", None)
        data.pop("gen_ai.tool.definitions", None)
        strip_query(data)


def strip_query(data: Object) -> None:
    """Remove the query of a request to the API from the data of Sentry's HTTP integrations."""
    for key in ("url", "url.full", "http.url"):
        url = data.get(key)
        if isinstance(url, str) and _is_api(url):
            data[key] = url.partition("?")[0].partition("#")[0]
            for field in _QUERY_FIELDS:
                data.pop(field, None)


def strip_queries(text: str) -> str:
    """Return a text without the queries of the API's URLs in it."""
    return _URL.sub(_without_query, text)


def _without_query(match: re.Match[str]) -> str:
    return match[1] if _is_api(match[1]) else match[0]


def _is_api(url: str) -> bool:
    parts = urlsplit(url)
    return (parts.hostname or "").endswith("anthropic.com") or _API_PATH.search(parts.path) is not None
