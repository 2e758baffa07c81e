"""Nothing of Claude's is called with the old name."""
OLD = "claude-3-opus-20240229"


def is_old(name):
    return name == OLD


def create(model):
    return model


create(model="claude-2.0")
