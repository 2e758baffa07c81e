"""AWS Lambda: a user waits behind a gateway."""
import json

import anthropic

client = anthropic.Anthropic()


def handler(event, context):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=json.loads(event["body"]))  # @ sdk-sync specific ! no-timeout error-shown-to-user
    except anthropic.APIError as error:
        return {"statusCode": 502, "body": json.dumps({"error": str(error)})}
    return {"statusCode": 200, "body": reply.content[0].text}
