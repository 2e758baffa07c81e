"""langgraph's agent."""
from langchain_anthropic import ChatAnthropic
from langgraph.prebuilt import create_react_agent

agent = create_react_agent(ChatAnthropic(model="claude-haiku-5-5"), tools=[])


async def run(text):
    return await agent.ainvoke({"messages": [("user", text)]})  # @ langchain none ! unhandled-call ? no-timeout
