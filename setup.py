"""The compiled fast path, where it can be built; everything else about the package is in pyproject.toml.

Without Cython, a C compiler or Python's headers the installation goes on, and the twin in Python runs. With
SMARTDOH_SANITIZE=1 it is built to find its own mistakes (AddressSanitizer and UndefinedBehaviorSanitizer), with
SMARTDOH_ONE_AT_A_TIME=1 as on systems whose sockets take no batches.
"""

from __future__ import annotations

import os

from setuptools import Extension, setup

SANITIZE = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
    "-fno-omit-frame-pointer",
    "-g",
]


def extensions() -> list[Extension]:
    """What there is to compile; nothing where Cython is missing."""
    try:
        from Cython.Build import cythonize  # noqa: PLC0415 - it may be missing
    except ImportError:
        return []
    sanitizers = SANITIZE if os.environ.get("SMARTDOH_SANITIZE") else []
    one_at_a_time = [("SMARTDOH_ONE_AT_A_TIME", None)] if os.environ.get("SMARTDOH_ONE_AT_A_TIME") else []
    native = Extension(
        "smartdoh.fastpath._native",
        ["src/smartdoh/fastpath/_native.pyx"],
        define_macros=[("_GNU_SOURCE", None), *one_at_a_time],
        extra_compile_args=["-O1" if sanitizers else "-O3", *sanitizers],
        extra_link_args=sanitizers,
    )
    found = cythonize(
        [native], build_dir="build/cython", compiler_directives={"language_level": 3, "cdivision": True}
    )
    for extension in found:
        extension.optional = True  # cythonize does not carry this over
    return found


setup(ext_modules=extensions())
