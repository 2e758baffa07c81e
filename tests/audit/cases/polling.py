"""A batch is polled."""
import time
import anthropic

client = anthropic.Anthropic(timeout=60)


def wait(batch_id):
    while True:
        try:
            batch = client.messages.batches.retrieve(batch_id)  # @ sdk-sync specific ? nested-retries no-backoff
        except anthropic.APIConnectionError:
            time.sleep(60)
            continue
        if batch.processing_status == "ended":
            return batch
        time.sleep(60)
