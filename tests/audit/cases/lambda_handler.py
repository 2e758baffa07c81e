"""A Lambda function gives the error away."""
import json
import anthropic

client = anthropic.Anthropic(timeout=20)


def handler(event, context):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=json.loads(event["body"]))  # @ sdk-sync bare-or-broad ! broad-except error-shown-to-user
    except Exception as e:
        return {"statusCode": 500, "body": json.dumps({"error": str(e)})}
    return {"statusCode": 200, "body": reply.content[0].text}
