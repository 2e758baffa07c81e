"""A typer command without any handling, and a lambda."""
import typer
from anthropic import Anthropic

app = typer.Typer()
make = lambda: Anthropic()  # noqa: E731


@app.command()
def haiku(topic: str, model: str = typer.Option("claude-2.1", help="which model")):
    client = make()
    message = client.messages.create(model=model, max_tokens=64, messages=[{"role": "user", "content": topic}])  # @ sdk-sync none ! unhandled-call retired-model ? no-timeout stop-reason-ignored
    typer.echo(message.content[0].text)


if __name__ == "__main__":
    app()
