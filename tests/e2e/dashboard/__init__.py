"""The dashboard beside a running proxy, seen by Chromium and by plain HTTP."""
