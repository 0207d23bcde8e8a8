"""The wheel, installed into an empty environment, makes and migrates catalogs by itself."""

import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the checkout."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(directory.glob("*.whl"))


def test_the_wheel_holds_every_module_and_the_migrations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "openg2g").rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in names
    for path in (ROOT / "migrations").rglob("*.py"):
        assert f"openg2g/catalog/migrations/{path.relative_to(ROOT / 'migrations').as_posix()}" in names
    for package in ("models", "formats", "catalog", "cli"):
        assert f"openg2g/{package}/py.typed" in names
    assert "openg2g/__init__.py" not in names
    assert not any(name.split("/")[0] not in ("openg2g", f"openg2g_catalog-{VERSION}.dist-info") for name in names)


def test_an_installed_copy_makes_a_catalog_and_keeps_a_workload(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--python",
            str(python),
            "install",
            "--no-deps",
            "--no-index",
            str(wheel),
        ],
        check=True,
    )
    # The libraries come from this environment; a .pth file lists them without running the .pth files among them, so
    # that the checkout, which is installed there as editable, stays out of sight.
    site_packages = next(environment.glob("lib/python*/site-packages"))
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def openg2g(*arguments: str) -> str:
        command = [str(environment / "bin" / "openg2g"), "--database", str(tmp_path / "catalog.db"), *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    where = "import openg2g.catalog.engine.migrate as m; print(m.__file__, m.migrations_path())"
    result = subprocess.run([str(python), "-c", where], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert all(path.startswith(str(environment)) for path in result.stdout.split())
    assert openg2g("--version") == f"openg2g-catalog {VERSION}\n"
    openg2g("init")
    example = ROOT / "scripts" / "examples" / "five-models.json"
    assert openg2g("import", str(example), "--name", "fleet") == "fleet: new, revision 1\n"
    assert "all models" in openg2g("show", "fleet")
    assert openg2g("db", "check") == "The tables are those of this release.\n"
