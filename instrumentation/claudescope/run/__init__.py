"""`claudescope run`: instruments a command without touching it.

    launch.py      in the command's own process: starts the watcher, then becomes the command (`exec`)
    bootstrap/     in every Python process of the command: starts claudescope when the SDK is imported
    link.py        in every process that makes calls: tells the watcher of each, as it happens
    watcher.py     beside the command: sums up, serves `/metrics`, prints the report when the command has ended
    messages.py    what link and watcher say to each other

The command keeps the process that the user started, with its id, its parent, its terminal and its process group. So
its exit code, its signals and its input and output are its own, by construction.
"""
