"""typer: a command is no request; its user is told of the error."""
import anthropic
import typer

app = typer.Typer()


@app.command()
def ask(question: str):
    client = anthropic.Anthropic()
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific ? no-timeout
    except anthropic.APIError as error:
        raise typer.BadParameter(str(error)) from error
    return reply.content[0].text
