"""A typer command."""
import anthropic
import typer

app = typer.Typer()


@app.command()
def ask(question: str):
    client = anthropic.Anthropic()
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": question}])  # @ sdk-sync specific ? no-timeout
    except anthropic.APIError as error:
        typer.echo(f"Claude failed: {error}", err=True)
        raise typer.Exit(1)
    typer.echo(reply.content[0].text)
