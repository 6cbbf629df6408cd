"""The running proxy, seen from outside, in front of real and of scripted servers."""
