"""csv writer; the answers of many rows."""
import csv
import sys

import anthropic

client = anthropic.Anthropic(timeout=30)


def main(source, target):
    with open(source) as rows, open(target, "w") as out:
        writer = csv.DictWriter(out, ["text", "label"])
        for row in csv.DictReader(rows):
            try:
                reply = client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=row["text"])  # @ sdk-sync specific ! stop-reason-ignored
            except anthropic.APIError as error:
                sys.exit(f"stopped: {error}")
            writer.writerow({"text": row["text"], "label": reply.content[0].text.strip()})
