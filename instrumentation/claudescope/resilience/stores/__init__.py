"""Where the health of targets is kept beyond this process."""
