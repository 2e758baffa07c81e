"""Keys of tests."""
import anthropic


def test_it():
    client = anthropic.Anthropic(api_key="sk-ant-test", base_url="http://127.0.0.1:9")
    assert client.api_key == "sk-ant-test"
