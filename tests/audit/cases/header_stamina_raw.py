"""stamina around raw httpx."""
import httpx
import stamina


def worth_it(error):
    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code in (429, 503, 529)


@stamina.retry(on=worth_it)
async def ask(client: httpx.AsyncClient, body):
    response = await client.post("https://api.anthropic.com/v1/messages", json=body)  # @ raw-http by-decorator ! ignores-retry-after ? unhandled-call no-timeout
    response.raise_for_status()
    return response.json()
