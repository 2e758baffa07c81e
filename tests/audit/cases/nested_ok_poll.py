"""Polls a batch until it has ended."""
import time

import anthropic

client = anthropic.Anthropic(timeout=30)


def wait_for(batch_id):
    while True:
        try:
            batch = client.messages.batches.retrieve(batch_id)  # @ sdk-sync specific ? unhandled-call nested-retries swallowed-error no-backoff
        except anthropic.APIConnectionError:
            time.sleep(60)
            continue
        if batch.processing_status == "ended":
            return batch
        time.sleep(30)
