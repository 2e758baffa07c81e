"""A key in the source, a placeholder and a doc: `sk-ant-api03-Zz9kQ4vT7mWx2LpRb8HsNd5JcYf1GtUe`."""
import anthropic

OLD = "sk-ant-api03-XXXXXXXXXXXXXXXXXXXXXXXX"
KEY = "sk-ant-api03-Zz9kQ4vT7mWx2LpRb8HsNd5JcYf1GtUe"  # ! hard-coded-key
client = anthropic.Anthropic(api_key=KEY)
