"""Several processes that answer, and the small one that keeps them running.

`smartdoh serve` with more than one worker opens all sockets, then becomes the supervisor (exec, so that nothing of the
config's machinery stays in its memory), which starts each worker as a process of its own.
"""
