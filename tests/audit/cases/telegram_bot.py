"""A chat bot that quotes the error."""
import anthropic
from telegram import Update
from telegram.ext import Application, MessageHandler, filters

client = anthropic.AsyncAnthropic(timeout=20)


async def on_message(update: Update, context):
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": update.message.text}])  # @ sdk-async specific ! error-shown-to-user
        await update.message.reply_text(reply.content[0].text)
    except anthropic.APIError as error:
        await update.message.reply_text(f"Error: {error}")


app = Application.builder().token("t").build()
app.add_handler(MessageHandler(filters.TEXT, on_message))
