"""The dashboard: a process of its own that speaks to the proxy only over its control socket, and to browsers.

`keeper` runs in the proxy and starts and watches it, `orders` is what it is told then; everything else is the process
itself, and is never imported by `serve`.
"""
