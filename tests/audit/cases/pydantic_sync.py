"""pydantic-ai: a script."""
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel

model = AnthropicModel("claude-3-5-sonnet-latest")
agent = Agent(model, system_prompt="Be brief.")
print(agent.run_sync("Hello").output)  # @ pydantic-ai none ! unhandled-call retired-model ? no-timeout
