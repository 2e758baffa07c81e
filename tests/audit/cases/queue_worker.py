"""Items from a list; errors are counted; files are written only if complete."""
import logging
from pathlib import Path

import anthropic

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=120)


def run(items):
    failed = []
    for item in items:
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=item.messages)  # @ sdk-sync specific
        except anthropic.APIError as error:
            log.error("%s: %s", item.name, error)
            failed.append(item.name)
            continue
        if reply.stop_reason != "end_turn":
            failed.append(item.name)
            continue
        Path(item.name).write_text(reply.content[0].text)
    return failed
