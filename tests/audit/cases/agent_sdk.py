"""claude-agent-sdk: a query and a client."""
import asyncio

from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, query


async def once():
    async for message in query(prompt="Count the files", options=ClaudeAgentOptions(max_turns=2)):  # @ claude-agent-sdk none ! unhandled-call ? no-timeout
        print(message)


async def talk():
    async with ClaudeSDKClient() as client:
        await client.query("Hello")  # @ claude-agent-sdk none ! unhandled-call ? no-timeout
        async for message in client.receive_response():
            print(message)


asyncio.run(once())
asyncio.run(talk())
