"""Only the usage goes into the database."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def record(db, prompt):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
    db.execute("insert into usage values (?, ?)", (reply.id, reply.usage.output_tokens))
    return reply.content[0].text
