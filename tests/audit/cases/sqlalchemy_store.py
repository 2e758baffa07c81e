"""The text goes into a database through a model."""
import anthropic
from sqlalchemy.orm import Session

from models import Note

client = anthropic.Anthropic(timeout=15)


def store(session: Session, prompt):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ! stop-reason-ignored
    except anthropic.APIError as error:
        raise RuntimeError("store") from error
    note = Note(body=reply.content[0].text, tokens=reply.usage.output_tokens)
    session.add(note)
    session.commit()
