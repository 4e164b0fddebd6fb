"""What the docks remember, in napari's preferences of the plugin."""

from __future__ import annotations

from pathlib import Path

import napari.settings
import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManager

from napari_colorize.docks.preferences import remember, remembered


@pytest.fixture(autouse=True)
def _discovered() -> None:
    """Let npe2 find the plugin, as napari does when it starts."""
    PluginManager.instance().discover()


def test_what_is_remembered_is_in_naparis_file() -> None:
    """A value comes back, is in the file beside napari's settings, and in the next session."""
    assert remembered("folder", "") == ""
    remember("folder", "/some/photographs")
    file = Path(napari.settings._CFG_PATH).with_name("napari-colorize.yaml")
    assert "folder: /some/photographs" in file.read_text()
    napari.settings._PLUGIN_SETTINGS.clear()
    assert remembered("folder", "") == "/some/photographs"
    assert get_plugin_settings("napari-colorize").training.folder == "/some/photographs"


def test_what_is_not_known_or_not_allowed_is_passed_over() -> None:
    """An unknown key has its default; a value that the manifest does not allow changes nothing."""
    assert remembered("shoe_size", 43) == 43
    remember("preset", "for ever")
    assert remembered("preset", "quick") == "normal"
    assert remembered("preset", 3) == 3


def test_a_broken_file_is_no_crash() -> None:
    """What a person broke in the file of the preferences is as if it were not there."""
    file = Path(napari.settings._CFG_PATH).with_name("napari-colorize.yaml")
    file.write_text("training: [1, {2")
    assert remembered("task", "fine-tune") == "fine-tune"
