"""Gradio shows what the function returns."""
import anthropic
import gradio as gr

client = anthropic.Anthropic(timeout=30)


def respond(message, history):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=300, messages=[*history, {"role": "user", "content": message}])  # @ sdk-sync bare-or-broad ! broad-except error-shown-to-user ? fallback-hides-error
    except Exception as error:
        return f"Something went wrong: {error}"
    return reply.content[0].text


gr.ChatInterface(respond, type="messages").launch()
