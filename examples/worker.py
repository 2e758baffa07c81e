"""A background worker: reads texts from standard input, one per line, and prints a summary of each.

After Ctrl-C or SIGTERM it finishes running work and accepts no more.
"""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from anthropic import Anthropic, APIError

claude = Anthropic(max_retries=5)


def summarise(text: str) -> str:
    """Summarise a text in one sentence."""
    try:
        message = claude.messages.create(
            model="claude-haiku-5-5",
            max_tokens=100,
            system="Summarise the text in one sentence.",
            messages=[{"role": "user", "content": text}],
        )
    except APIError as error:
        return f"failed: {type(error).__name__}"
    return "".join(block.text for block in message.content if block.type == "text")


def main() -> None:
    """Summarise all texts, or until told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ThreadPoolExecutor(max_workers=4) as pool:
        try:
            for summary in pool.map(summarise, filter(None, map(str.strip, sys.stdin))):
                print(summary, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    main()
