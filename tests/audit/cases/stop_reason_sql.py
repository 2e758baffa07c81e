"""Into sqlite, by a tuple."""
import sqlite3

import anthropic

client = anthropic.Anthropic(timeout=60)


def store(question):
    with sqlite3.connect("answers.db") as db:
        try:
            answer = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=question)  # @ sdk-sync specific ! stop-reason-ignored
        except anthropic.APIConnectionError as error:
            raise SystemExit("offline") from error
        except anthropic.APIStatusError as error:
            raise SystemExit(f"refused {error.request_id}") from error
        db.execute("insert into answers values (?, ?)", (question, answer.content[0].text))
