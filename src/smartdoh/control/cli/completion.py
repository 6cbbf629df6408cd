"""`smartdoh completion`: what makes a shell complete this program's words, and answering that shell."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

PROGRAM = "smartdoh"
VARIABLE = "_SMARTDOH_COMPLETE"  # that the shell sets when it asks

completion = typer.Typer()


class Shell(StrEnum):
    """The shells that can be served."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@completion.command("completion")
def script(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that has a shell complete commands, options, and names of the config.

    Example: smartdoh completion bash > ~/.local/share/bash-completion/completions/smartdoh
    """
    from typer import completion as shells  # noqa: PLC0415 - serve needs none of it

    text = shells.get_completion_script(  # type: ignore[attr-defined] # a part of typer, though not told as one
        prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value
    )
    print(text.strip())


def prepare() -> None:
    """Make ready for a shell that asks, where one does."""
    if VARIABLE in os.environ:
        from typer import completion as shells  # noqa: PLC0415 - only a shell needs it

        shells.completion_init()  # type: ignore[attr-defined] # a part of typer, though not told as one
