"""A command line shows it."""
import click
import anthropic


@click.command()
@click.argument("question")
def ask(question):
    client = anthropic.Anthropic(timeout=30)
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=300, messages=[{"role": "user", "content": question}])  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise click.ClickException(str(error)) from error
    click.echo(reply.content[0].text)
