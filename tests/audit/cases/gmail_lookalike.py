"""Gmail's API: messages().send, and a discord client."""
import discord
from googleapiclient.discovery import build

service = build("gmail", "v1")
bot = discord.Client()


def send(body):
    return service.users().messages().send(userId="me", body=body).execute()


@bot.event
async def on_message(message):
    await message.channel.send("claude-2 is not me")
