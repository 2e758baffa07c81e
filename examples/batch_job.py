"""A nightly job: classifies reviews with the Message Batches API, at half the price of single calls."""

from __future__ import annotations

import os
import time

from anthropic import Anthropic

REVIEWS = {
    "r1": "Arrived broken, and nobody answers my mails.",
    "r2": "Exactly what I was looking for!",
    "r3": "It does what it should.",
}
# How often to ask whether the batch is done. Real batches take minutes to hours.
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "60"))


def main() -> None:
    """Send all reviews in one batch, wait for it, and print each result."""
    with Anthropic() as claude:
        batch = claude.messages.batches.create(
            requests=[
                {
                    "custom_id": name,
                    "params": {
                        "model": "claude-haiku-5-5",
                        "max_tokens": 10,
                        "system": "Answer with one word: positive, negative or neutral.",
                        "messages": [{"role": "user", "content": text}],
                    },
                }
                for name, text in REVIEWS.items()
            ]
        )
        while batch.processing_status != "ended":
            time.sleep(POLL_SECONDS)
            batch = claude.messages.batches.retrieve(batch.id)
        for entry in claude.messages.batches.results(batch.id):
            print(entry.custom_id, entry.result.type, flush=True)


if __name__ == "__main__":
    main()
