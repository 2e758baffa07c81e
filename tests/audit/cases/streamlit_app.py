"""streamlit shows the error."""
import anthropic
import streamlit as st

client = anthropic.Anthropic(timeout=20)
question = st.text_input("Question")
if question:
    try:
        with client.messages.stream(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": question}]) as stream:  # @ sdk-sync specific ! error-shown-to-user
            st.write_stream(stream.text_stream)
    except anthropic.APIError as error:
        st.error(f"Claude failed: {error}")
