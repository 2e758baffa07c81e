"""Results of a batch go into a file."""
import anthropic

client = anthropic.Anthropic(timeout=60)


def save(batch_id, path):
    try:
        with open(path, "w") as out:
            for row in client.messages.batches.results(batch_id):  # @ sdk-sync specific ! stop-reason-ignored
                if row.result.type == "succeeded":
                    out.write(row.result.message.content[0].text + "\n")
    except anthropic.APIError as error:
        raise SystemExit(str(error))
