"""Several workers as one proxy: how they are started, and the control socket that speaks for all of them."""
