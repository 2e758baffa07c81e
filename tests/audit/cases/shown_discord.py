"""A bot replies with the error."""
import anthropic
import discord
from discord.ext import commands

bot = commands.Bot("!", intents=discord.Intents.default())
claude = anthropic.AsyncAnthropic(timeout=30)


@bot.command()
async def ask(ctx, *, question: str):
    try:
        reply = await claude.messages.create(model="claude-haiku-5-5", max_tokens=300, messages=[{"role": "user", "content": question}])  # @ sdk-async specific ! error-shown-to-user
    except anthropic.APIError as e:
        await ctx.send(f"Error: {e}")
        return
    await ctx.send(reply.content[0].text)
