"""`python -m smartdoh` is the command `smartdoh`."""

from smartdoh.control.cli import main

if __name__ == "__main__":  # a process that compiles a list imports this too
    main()
