"""Documentation only.

    client = anthropic.Anthropic(api_key="sk-ant-api03-Rk4vX9mQ2sLw8ZbTn6Yd1JfHc5UgPe3A")
    client.messages.create(model="claude-2")
"""
EXAMPLE = """
client = anthropic.Anthropic()
client.messages.create(model="claude-3-opus-20240229")
"""
PRICES = {"claude-2.1": 8, "claude-3-opus": 15}
HELP = "Set ANTHROPIC_API_KEY=sk-ant-api03-your-key-here"


def price(model):
    return PRICES.get(model)
