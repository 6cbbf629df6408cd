"""The limit of descriptors is raised as far as may be, and never lowered."""

import resource
import subprocess
import sys

import pytest

CODE = """
import resource
from smartdoh.app import descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
descriptors.allow({})
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("wanted", "got"), [(50, 100), (150, 150), (1000, 200)])
def test_the_limit_is_raised_as_far_as_may_be(wanted: int, got: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 200
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(wanted)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == got
