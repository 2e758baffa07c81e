"""claude-agent-sdk: the client in a with, and query in a loop."""
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError, query


async def review(path):
    try:
        async with ClaudeSDKClient(options=ClaudeAgentOptions(max_turns=3)) as client:
            await client.query(f"Review {path}")  # @ claude-agent-sdk specific
            async for message in client.receive_response():
                print(message)
    except ClaudeSDKError as error:
        raise SystemExit(str(error)) from error


async def once(prompt):
    async for message in query(prompt=prompt, options=ClaudeAgentOptions()):  # @ claude-agent-sdk none ! unhandled-call
        print(message)
