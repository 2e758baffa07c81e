"""Only the usage is stored."""
import anthropic

client = anthropic.Anthropic(timeout=60)


def ask(db, topic):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=topic)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
    db.execute("insert into usage values (?, ?)", (reply.usage.input_tokens, reply.usage.output_tokens))
    return reply.content[0].text
