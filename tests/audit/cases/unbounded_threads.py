"""A thread for each file."""
import threading
from pathlib import Path

import anthropic

client = anthropic.Anthropic(timeout=20)
summaries = {}


def summarise(path):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=path.read_text())  # @ sdk-sync specific ! unbounded-concurrency ? fire-and-forget
    except anthropic.APIError as error:
        summaries[path] = error
        return
    summaries[path] = reply.content[0].text


def main(folder):
    threads = [threading.Thread(target=summarise, args=(p,)) for p in Path(folder).glob("*.md")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
