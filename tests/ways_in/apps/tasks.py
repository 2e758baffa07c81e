"""A Celery app that knows nothing of claudescope: each task makes one call. The broker is a folder."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from anthropic import Anthropic

_folder = os.environ["BROKER_FOLDER"]

celery: Any = import_module("celery").Celery("tasks", broker="filesystem://")
celery.conf.update(
    broker_transport_options={
        "data_folder_in": _folder,
        "data_folder_out": _folder,
        "control_folder": f"{_folder}/control",
    },
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=False,
)


def _ask() -> str:
    answer = Anthropic(max_retries=0).messages.create(
        model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": "Why is the sky blue?"}]
    )
    return answer.model


ask: Any = celery.task(name="ask")(_ask)
