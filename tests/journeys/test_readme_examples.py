"""The second command of the front page, word for word, in a process of its own; on a small device."""

import os
import subprocess
import sysconfig

from walk import drawn, examples


def test_the_second_command_of_the_front_page_in_a_process_of_its_own(small_cases):
    (line,) = (text for kind, text in examples("README.md") if text.endswith("cases/rv-loop.toml --plot rv-loop.png"))
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-euo", "pipefail", "-c", line], env=os.environ | {"PATH": path}, check=True)
    assert drawn("rv-loop.png")
