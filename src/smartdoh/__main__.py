"""`python -m smartdoh` is the command `smartdoh`."""

from smartdoh.control.cli import main

main()
