"""The manifest: one text in two places, found however the package is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name

ROOT = Path(__file__).parents[1]
IN_PACKAGE = ROOT / "src" / "napari_colorize" / "napari.yaml"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
OFFLINE = ["--no-deps", "--no-index", "--no-build-isolation"]

# Run without site-packages, so that only what was installed into the folder can be found; the
# libraries come after it.
LOOK = """
import site, sys
site.addsitedir(sys.argv[1])
sys.path.append(sys.argv[2])
from npe2 import PluginManifest
import napari_colorize
manifest = PluginManifest.from_distribution("napari-colorize")
print(manifest.display_name, len(manifest.contributions.commands), napari_colorize.__file__)
"""


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    """Return the manifest as npe2 reads it."""
    return PluginManifest.from_file(IN_PACKAGE)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of builds: ``tree`` holds a wheel, ``sdist`` an sdist and a wheel of it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", str(ROOT)]
    for name, options in {"tree": ["--wheel"], "sdist": []}.items():
        asked = [*build, *options, "-o", str(folder / name)]
        subprocess.run(asked, check=True, capture_output=True)
    return folder


def look(site: Path) -> tuple[str, int, Path]:
    """Return name, number of commands and package of the plugin that is installed in *site*."""
    libraries = sysconfig.get_path("purelib")
    asked = [sys.executable, "-S", "-W", "ignore", "-c", LOOK, str(site), libraries]
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run(asked, check=True, capture_output=True, text=True, env=bare).stdout
    name, commands, package = told.strip().split(" ", 2)
    return name, int(commands), Path(package).parent


def names_in(folder: Path) -> set[str]:
    """Return the names of the files in a folder, hidden ones left out."""
    return {path.name for path in folder.glob("[!.]*") if path.is_file()}


@pytest.mark.parametrize("source", ["tree", "sdist"])
def test_a_wheel_brings_the_manifest(
    source: str, dist: Path, tmp_path: Path, manifest: PluginManifest
) -> None:
    """A wheel from the tree, and one from the sdist, both hold it where npe2 looks."""
    (wheel,) = (dist / source).glob("*.whl")
    subprocess.run([*PIP, *OFFLINE, "--target", str(tmp_path), str(wheel)], check=True)
    name, commands, package = look(tmp_path)
    assert name == "Colorize"
    assert commands == len(manifest.contributions.commands or [])
    assert package == tmp_path / "napari_colorize"
    assert (package / "napari.yaml").read_bytes() == IN_PACKAGE.read_bytes()
    assert (package / "py.typed").exists()
    assert names_in(package / "weights") == names_in(IN_PACKAGE.parent / "weights")


def test_an_editable_install_finds_the_manifest(tmp_path: Path, manifest: PluginManifest) -> None:
    """An editable install reads the file of the tree itself."""
    subprocess.run([*PIP, *OFFLINE, "--target", str(tmp_path), "-e", str(ROOT)], check=True)
    name, commands, package = look(tmp_path)
    assert name == "Colorize"
    assert commands == len(manifest.contributions.commands or [])
    assert package == IN_PACKAGE.parent


def test_an_sdist_holds_the_manifest_and_the_tests(dist: Path) -> None:
    """Who unpacks the sdist has all that is needed to build and to test."""
    (sdist,) = (dist / "sdist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"napari.yaml", "src/napari_colorize/napari.yaml", "LICENSE"} <= names
    assert {"tests/conftest.py", "constraints.txt", "README.md"} <= names


def test_the_top_level_manifest_is_the_one_in_the_package() -> None:
    """The file at the top says the same as the one in the package, being a link to it."""
    top = ROOT / "napari.yaml"
    if not top.is_symlink() and top.stat().st_size < 100:
        # git without symbolic links writes the path of the target in its place
        assert ROOT / top.read_text().strip() == IN_PACKAGE
        return
    assert top.read_bytes() == IN_PACKAGE.read_bytes()


def test_every_menu_is_one_that_napari_has(manifest: PluginManifest) -> None:
    """Napari drops an unknown menu without a word, so each id is looked up."""
    from napari._app_model.constants import MenuId

    ours = set(manifest.contributions.menus or {})
    assert ours == {"napari/layers/data", "napari/layers/filter", "napari/file/io_utilities"}
    assert ours <= {str(menu) for menu in MenuId.contributables()}


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    """Each python_name of the manifest leads to something that can be called."""
    for command in manifest.contributions.commands or []:
        assert command.python_name, command.id
        assert callable(import_python_name(command.python_name)), command.id


def test_every_contribution_names_a_command_that_exists(manifest: PluginManifest) -> None:
    """Widgets, menus and samples refer to commands of the manifest, and none is left over."""
    parts = manifest.contributions
    used = {widget.command for widget in parts.widgets or []}
    used |= {reader.command for reader in parts.readers or []}
    used |= {sample.command for sample in parts.sample_data or []}  # type: ignore[union-attr]
    used |= {item.command for items in (parts.menus or {}).values() for item in items}  # type: ignore[union-attr]
    assert used == {command.id for command in parts.commands or []}


def test_the_docks_are_in_plugins_and_the_colorize_dock_under_filter(
    manifest: PluginManifest,
) -> None:
    """Three docks; what colours a layer that is there also stands under Layers > Filter."""
    parts = manifest.contributions
    assert [widget.display_name for widget in parts.widgets or []] == ["Colorize", "Steer", "Train"]
    listed = [item.command for item in (parts.menus or {})["napari/layers/filter"]]  # type: ignore[union-attr]
    assert listed == [
        "napari-colorize.colorize_dock",
        "napari-colorize.colorize_active_layer",
        "napari-colorize.steer_dock",
    ]
    assert manifest.categories == ["Image Processing"]


def test_the_command_on_the_active_layer_is_greyed_out_without_an_image(
    manifest: PluginManifest,
) -> None:
    """Only an active image layer enables it."""
    (command,) = [
        command
        for command in manifest.contributions.commands or []
        if command.id == "napari-colorize.colorize_active_layer"
    ]
    from app_model.expressions import parse_expression

    enabled = parse_expression(str(command.enablement))
    assert enabled.eval({"active_layer_type": "image"})
    assert not enabled.eval({"active_layer_type": "points"})
    assert not enabled.eval({"active_layer_type": None})
