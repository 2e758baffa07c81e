"""A service with problem documents, on Django: POST /ask and POST /stream with {"question": "…"}.

Run it with `python django_app.py runserver`. It is one file, as an example: a project has its settings, views and URLs
in files of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import django
from anthropic import Anthropic
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for this example",  # noqa: S106 - it protects nothing
    MIDDLEWARE=["claudescope.web.django_app.ProblemMiddleware"],
)
django.setup()
claude = Anthropic(max_retries=0)


def ask(request: HttpRequest) -> JsonResponse:
    """Answer a question."""
    message = claude.messages.create(
        model="claude-opus-5-5",
        max_tokens=500,
        messages=[{"role": "user", "content": json.loads(request.body)["question"]}],
    )
    return JsonResponse({"answer": "".join(block.text for block in message.content if block.type == "text")})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Answer a question with server-sent events, the last of which is `error` where the answer breaks off."""
    return StreamingHttpResponse(events(json.loads(request.body)["question"]), content_type="text/event-stream")


def events(question: str) -> Iterator[str]:
    """Yield an event for each piece of the answer."""
    with claude.messages.stream(
        model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": question}]
    ) as answer:
        for text in answer.text_stream:
            yield "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"


urlpatterns = [path("ask", ask), path("stream", stream)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
