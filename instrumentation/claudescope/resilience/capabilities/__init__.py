"""What a model can do: a committed table, and what the models endpoint says where it was asked."""
