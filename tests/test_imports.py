"""What loads what: fresh interpreters, hidden libraries, and the floors of the house."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "napari_colorize"

DEAR = ("torch", "lightning", "lightning_fabric", "scipy", "skimage")
WINDOWS = ("napari", "magicgui", "superqt", "qtpy", "vispy", "pyqtgraph")
BINDINGS = ("PyQt5", "PyQt6", "PySide2", "PySide6")

# Ends a script: the names, of those asked for, that it has loaded.
TELL = "\nimport sys; print('loaded:', *[name for name in {names!r} if name in sys.modules])\n"

# Put on the path as sitecustomize, it is obeyed by child processes too.
HIDE = """
import sys

class Hider:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Hider())
"""

DISCOVERY = """
from npe2 import PluginManager
manager = PluginManager()
manager.discover()
assert "napari-colorize" in manager, list(manager)
"""

OPENING = """
import napari
viewer = napari.Viewer(show=False)
dock, form = viewer.window.add_plugin_dock_widget("napari-colorize", {widget!r})
import numpy
viewer.add_image(numpy.zeros((40, 50), "uint8"))
from qtpy.QtWidgets import QApplication
for _ in range(5):
    QApplication.processEvents()
viewer.close()
QApplication.processEvents()
"""

# One import that breaks each contract of import-linter: the file it is added to, and the line.
BREAKS = {
    "An import only points down, and never sideways": (
        "files/__init__.py",
        "from napari_colorize import prediction",
    ),
    "No circles within a folder": ("runs/events.py", "from napari_colorize.runs import folder"),
    "The tabs of the Train dock know nothing of one another": (
        "docks/watch/__init__.py",
        "from napari_colorize.docks.setup import findings",
    ),
    "In the Steer dock the panels stand on the hints, and these on the session": (
        "docks/steering/session/session.py",
        "from napari_colorize.docks.steering.hints import hint_layers",
    ),
    "The panels of the Steer dock know nothing of one another": (
        "docks/steering/panels/adjust_panel.py",
        "from napari_colorize.docks.steering.panels import doubt_panel",
    ),
    "Qt and napari are known to the docks alone": ("runs/__init__.py", "import napari"),
    "No Qt binding is called by its name": ("docks/__init__.py", "import PyQt6"),
    "Files and runs know no torch": ("files/__init__.py", "import torch"),
    "Docks, shell and front reach torch through the api alone": ("cli.py", "import torch"),
}


def loaded_by(script: str, names: tuple[str, ...]) -> set[str]:
    """Return which of the modules *names* a script has loaded in a fresh interpreter."""
    asked = [sys.executable, "-c", script + TELL.format(names=names)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    return set(told.split()[1:])


def calling(*arguments: str) -> str:
    """Return a script that calls the command line and goes on when it exits with 0."""
    return (
        f"import sys; sys.argv = ['napari-colorize', *{arguments!r}]\n"
        "from napari_colorize.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
    )


@pytest.mark.parametrize(
    "script",
    [
        "import napari_colorize; napari_colorize.__version__; dir(napari_colorize)",
        "import napari_colorize; napari_colorize.Hint(1, 2, (3, 4, 5))",
        "import napari_colorize.api",
        "import napari_colorize.cli",
        "import napari_colorize.sample_data",
        calling("--help"),
        calling("--version"),
        calling("colorize", "--help"),
        calling("train", "--help"),
        calling("evaluate", "--help"),
    ],
    ids=[
        "front",
        "hint",
        "api",
        "cli",
        "samples",
        "help",
        "version",
        "colorize",
        "train",
        "evaluate",
    ],
)
def test_looking_around_loads_nothing_dear(script: str) -> None:
    """Importing the package or asking for help loads no torch, scipy, Qt or napari."""
    assert loaded_by(script, DEAR + WINDOWS + BINDINGS) == set()


def test_plugin_discovery_loads_nothing_dear() -> None:
    """When npe2 finds the plugin, nothing of it is imported, nor torch, Qt or a viewer."""
    names = (*DEAR, *BINDINGS, "napari.viewer", "napari_colorize.api", "napari_colorize.docks")
    assert loaded_by(DISCOVERY, names) == set()


@pytest.mark.parametrize("widget", ["Colorize", "Steer", "Train"])
def test_opening_a_dock_loads_no_torch(widget: str) -> None:
    """In a real viewer each dock opens, sees a layer and closes without torch and curves."""
    names = ("torch", "lightning_fabric", "pyqtgraph", "napari_colorize.docks")
    assert loaded_by(OPENING.format(widget=widget), names) == {"napari_colorize.docks"}


def test_work_is_done_where_napari_and_qt_are_not_installed(
    photographs: Path, tmp_path: Path
) -> None:
    """On a bare machine `train`, `evaluate` and `colorize` run from the shell."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(HIDE.format(names=set(WINDOWS + BINDINGS)))
    places = [str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}

    def run(*command: str) -> str:
        asked = [sys.executable, *command]
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=300, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def shell(*arguments: str) -> str:
        return run("-m", "napari_colorize", *arguments)

    looked = run(
        "-c", "import importlib.util as u\ntry: import qtpy\nexcept ImportError: print('no')"
    )
    assert looked.strip() == "no"
    model = tmp_path / "run" / "best.safetensors"
    small = ("--epochs", "1", "--batch-size", "8", "--crop", "32", "--working-size", "32")
    shell("train", str(photographs), "--out", str(model.parent), *small)
    assert model.exists()
    shell("evaluate", str(photographs / "shore"), "--model", str(model), "--limit", "2")
    out = tmp_path / "out"
    picture = photographs / "shore" / "photograph-00.png"
    shell("colorize", str(picture), "-o", str(out), "--model", str(model))
    assert list(out.rglob("photograph-00.*"))


def lint_imports(folder: Path) -> str:
    """Return what import-linter says of the package that lies in *folder*/src."""
    asked = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
    ]
    done = subprocess.run(
        [*asked, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
    )
    assert "Contracts" in done.stdout, done.stdout + done.stderr
    return done.stdout


def test_the_floors_are_kept() -> None:
    """Every contract of import-linter holds."""
    told = lint_imports(ROOT)
    assert f"Contracts: {len(BREAKS)} kept, 0 broken." in told, told


def test_each_contract_notices_what_it_forbids(tmp_path: Path) -> None:
    """With one bad import for each of them in a copy of the package, all contracts break."""
    copy = tmp_path / "src" / "napari_colorize"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    for name, line in BREAKS.values():
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    told = lint_imports(tmp_path)
    assert f"Contracts: 0 kept, {len(BREAKS)} broken." in told, told
    assert all(f"{name} BROKEN" in told for name in BREAKS)
