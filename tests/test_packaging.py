"""The files around the code: README, .ci/run, dependencies, constraints, workflow, sizes."""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import napari_colorize

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "napari_colorize").rglob("*.py"))
PYTHON_FILES = sorted(
    path for room in ("src", "tests", "benchmarks") for path in (ROOT / room).rglob("*.py")
)
CEILING = 400  # lines

IMPORT_NAMES = {"pillow": "PIL", "scikit-image": "skimage"}
NEVER_IMPORTED = {"npe2": "reads napari.yaml"}

# lightning brings the same Fabric, on machines that have it; dask comes with distributed
INSTEAD = {"dask", "lightning"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return the table [project] of pyproject.toml."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


@pytest.fixture(scope="module")
def commands() -> list[str]:
    """Return README's two commands: the one that colours and the one that tests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Two commands on a fresh machine")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)\n```", section, flags=re.DOTALL)


def imported_names() -> set[str]:
    """Return the top-level name of everything that src imports while running."""
    found = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def names_of(requirements: list[str]) -> set[str]:
    """Return the canonical names in a list of requirements."""
    return {str(canonicalize_name(Requirement(line).name)) for line in requirements}


def snippets_of(page: str, language: str) -> list[str]:
    """Return the blocks of a language in a page of the documentation."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_readme_has_two_commands_of_one_line(commands: list[str]) -> None:
    """One colours a photograph, one passes the tests; each is a single line."""
    assert len(commands) == 2
    for command in commands:
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -c constraints")
    assert " .venv/bin/napari-colorize colorize " in commands[0]
    assert commands[1].endswith(".venv/bin/python -m pytest -n 2 --dist loadfile")


def test_readme_names_a_picture_that_scikit_image_ships(commands: list[str]) -> None:
    """The picture that README colours lies in scikit-image's wheel."""
    import skimage

    (name,) = re.findall(r"site-packages/(skimage/\S+)", commands[0])
    assert (Path(skimage.__file__).parents[1] / name).is_file()


def test_readme_asks_for_extras_that_exist(commands: list[str], project: dict[str, Any]) -> None:
    """Both commands install extras that the package has."""
    extras = {extra for line in commands for extra in re.findall(r'"\.\[(.*?)\]"', line)}
    named = {name for group in extras for name in group.split(",")}
    assert named <= set(project["optional-dependencies"])
    assert {"pyqt6", "test"} <= named


def test_readme_shows_commands_and_options_that_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line of the shell's section is a command whose help knows the options shown."""
    from napari_colorize.cli import run

    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## In the shell")[1]
    lines = re.findall(r"^napari-colorize (\w+)([^#\n]*)", section.split("\n## ")[0], flags=re.M)
    assert {name for name, _ in lines} == {
        "cache", "colorize", "evaluate", "info", "models", "shards", "stack", "train"
    }  # fmt: skip
    monkeypatch.setenv("COLUMNS", "200")
    for name, rest in lines:
        assert run([name, "--help"]) == 0, name
        told = capsys.readouterr().out
        assert set(re.findall(r"(?<!\S)--?[a-z]+", rest)) <= set(re.findall(r"--?[a-z]+", told))


def test_readme_imports_names_that_are_public() -> None:
    """What README brings in from napari_colorize is on the list."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^from napari_colorize import (.*)$", readme, flags=re.M)
    assert shown
    assert {name for line in shown for name in line.split(", ")} <= set(napari_colorize.__all__)


@pytest.mark.parametrize(
    ("page", "least", "said"),
    [("steering", 3, "lightness"), ("stacks", 2, "4 planes are in film.ome.zarr, 0 could not")],
)
def test_python_of_a_page_runs(
    page: str,
    least: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The Python of a page runs as it stands there, and prints what it says."""
    snippets = snippets_of(page, "python")
    assert len(snippets) >= least
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(snippet, names)
    assert said in capsys.readouterr().out


def test_hints_of_the_page_on_stacks_lead_its_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tables of hints are read, and suit the film that the page's Python writes."""
    import numpy as np
    import tifffile

    from napari_colorize.cli import run

    film = np.full((4, 100, 120), 90, np.uint8)
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("film.tif", film, metadata={"axes": "TYX"}, photometric="minisblack")
    tables = snippets_of("stacks", "csv")
    assert len(tables) == 2
    for number, table in enumerate(tables):
        Path("hints.csv").write_text(table, encoding="utf-8")
        told = ["stack", "film.tif", "--hints", "hints.csv", "--rate", "12"]
        assert run([*told, "--out", f"led-{number}.tif"]) == 0
        assert np.ptp(tifffile.imread(f"led-{number}.tif"), axis=-1).max() > 10


def test_ci_runs_the_test_command_of_the_readme(commands: list[str]) -> None:
    """The last line of .ci/run is README's second command, letter for letter."""
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("an sdist holds no .ci/run")
    assert script.read_text(encoding="utf-8").rstrip().splitlines()[-1] == commands[1]
    if os.name == "posix":
        assert os.access(script, os.X_OK)


def test_every_base_dependency_is_used(project: dict[str, Any]) -> None:
    """No dependency is dead weight: src imports each, or a reason says who needs it."""
    declared = names_of(project["dependencies"])
    imported = imported_names()
    unused = {
        name
        for name in declared - set(NEVER_IMPORTED)
        if IMPORT_NAMES.get(name, name.replace("-", "_")) not in imported
    }
    assert sorted(unused) == []


def test_everything_imported_is_declared(project: dict[str, Any]) -> None:
    """Src imports the standard library, itself and declared dependencies only."""
    extras = project["optional-dependencies"]
    declared = names_of([*project["dependencies"], *extras["cluster"], *extras["movies"]])
    allowed = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in declared}
    allowed |= set(sys.stdlib_module_names) | {"napari_colorize"} | INSTEAD
    assert sorted(imported_names() - allowed) == []


def test_no_qt_binding_and_no_opencv_is_required(project: dict[str, Any]) -> None:
    """The binding is chosen by an extra; opencv breaks Qt on Linux and is not needed."""
    declared = names_of(project["dependencies"])
    assert {"napari", "npe2", "magicgui", "qtpy", "torch", "scikit-image"} <= declared
    assert not [
        name for name in declared if name.startswith(("pyqt6", "pyqt5", "pyside", "opencv"))
    ]
    extras = {"cluster", "movies", "pyqt6", "pyside6", "tensorboard", "test"}
    assert set(project["optional-dependencies"]) == extras


def test_constraints_pin_everything_that_is_declared(project: dict[str, Any]) -> None:
    """Each dependency, and each of the tests, has one version that was tested."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins)
    pinned = {canonicalize_name(pin.name): pin for pin in pins}
    assert len(pinned) == len(pins)
    assert str(pinned["torch"].specifier) == "==2.13.0"  # type: ignore[index]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"], "PyQt6"]
    for line in wanted:
        requirement = Requirement(line)
        pin = pinned[canonicalize_name(requirement.name)]
        (version,) = [spec.version for spec in pin.specifier]
        assert requirement.specifier.contains(version), line


def test_the_workflow_covers_systems_pythons_and_both_bindings(project: dict[str, Any]) -> None:
    """Linux, macOS and Windows; each Python of the classifiers; PyQt6, and PySide6 once."""
    path = ROOT / ".github" / "workflows" / "test.yml"
    if not path.exists():
        pytest.skip("an sdist holds no workflow")
    matrix = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]["wheel"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert matrix["python"] == pythons == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["qt"] == ["pyqt6"]
    assert [leg["qt"] for leg in matrix["include"]] == ["pyside6"]


def test_no_file_is_longer_than_the_ceiling() -> None:
    """A file that outgrows its theme is cut in two."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in PYTHON_FILES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > CEILING
    }
    assert not long


def test_sub_packages_hold_one_sentence() -> None:
    """The __init__ of a folder says what it is for and brings nothing in."""
    for path in SOURCES:
        if path.name == "__init__.py" and path.parent.name != "napari_colorize":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path


def test_public_names_are_listed_and_real() -> None:
    """Each name of __all__ exists, __dir__ shows the same, and an unknown one is refused."""
    names = napari_colorize.__all__
    assert len(set(names)) == len(names)
    assert dir(napari_colorize) == sorted(names)
    for name in names:
        assert getattr(napari_colorize, name) is not None, name
    with pytest.raises(AttributeError, match="colourise"):
        napari_colorize.colourise  # type: ignore[attr-defined]  # noqa: B018
