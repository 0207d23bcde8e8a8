"""The benchmark refuses at once what would be missing after half an hour of measuring."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
WITHOUT_MATPLOTLIB = f"""
import runpy, sys
sys.modules["matplotlib"] = None
sys.path.insert(0, {str(SCRIPTS)!r})
runpy.run_path({str(SCRIPTS / "benchmark.py")!r}, run_name="__main__")
"""


def refusal(*arguments: str) -> str:
    """Run the benchmark where matplotlib is missing, and return why it refused to measure."""
    command = [sys.executable, "-c", WITHOUT_MATPLOTLIB, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    return ended.stderr


def test_a_plot_without_matplotlib_is_refused_in_a_line_that_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "growth.svg"
    assert refusal("--searches", "--plot", str(path)) == (
        f"--plot needs matplotlib. Run: {sys.executable} -m pip install matplotlib\n"
    )
    assert not path.exists()


@pytest.mark.parametrize("option", ["--plot", "--json"])
def test_a_file_in_a_directory_that_does_not_exist_is_refused(option: str, tmp_path: Path) -> None:
    assert f"there is no directory {tmp_path / 'none'}" in refusal(
        "--searches", option, str(tmp_path / "none" / "file")
    )


def test_a_plot_of_what_is_not_measured_is_refused(tmp_path: Path) -> None:
    assert "--plot draws what --searches measures" in refusal("--plot", str(tmp_path / "growth.svg"))


def test_what_is_drawn_is_what_is_measured() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(SCRIPTS)!r})
sys.path.insert(0, {str(SCRIPTS.parent)!r})
from benchmark.data import places
from benchmark.growth import OF_THE_PAST
from benchmark.plot import PANELS
from benchmark.search import questions
from openg2g.catalog import Catalog
with places("sqlite", (1_000,)) as (place,):
    place.fill()
    with Catalog.open(place.location) as catalog:
        asked = {{question.title for question in questions(catalog)}}
print(*sorted({{title for panel in PANELS for title in panel.labels}} - asked - set(OF_THE_PAST)), sep=", ")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "import, each\n"
