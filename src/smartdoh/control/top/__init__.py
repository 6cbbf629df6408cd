"""`smartdoh top`: what is asked now, in a terminal. Speaks to the proxy over its control socket alone."""
