"""Problem documents, messages for people and correlation ids."""
