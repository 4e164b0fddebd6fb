"""The bin: a removed model comes back whole, nothing is overwritten, nothing goes by itself."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest
from made_cards import write_model

from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files import models, removed
from napari_colorize.files.cards import read_card
from napari_colorize.files.removed import (
    bin_folder,
    empty_bin,
    remove_model,
    removed_models,
    restore_model,
)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own folder of models, and one bundled model."""
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models, "BUNDLED", tmp_path / "bundled")
    write_model(tmp_path / "bundled" / "palette.safetensors", b"bund")
    return tmp_path / "data" / "models"


def names() -> list[str]:
    """Return the names of the models in the list."""
    return [model.name for model in models.list_models()]


def test_a_removed_model_is_in_the_bin_and_comes_back(own: Path) -> None:
    """It is the same file, byte for byte, under the same name."""
    path = write_model(own / "sky.safetensors")
    before = path.read_bytes()
    gone = remove_model("sky")
    assert names() == ["palette"]
    assert (gone.name, gone.size, gone.days) == ("sky", len(before), 0)
    assert removed_models() == [gone]
    assert restore_model() == path
    assert path.read_bytes() == before
    assert removed_models() == []
    assert list(bin_folder().iterdir()) == []


def test_the_last_of_a_name_comes_back_and_overwrites_nothing(own: Path) -> None:
    """A new model of the same name stays; the old one gets a number."""
    write_model(own / "sky.safetensors", b"1111")
    remove_model("sky")
    write_model(own / "sky.safetensors", b"2222")
    remove_model("sky")
    write_model(own / "sky.safetensors", b"3333")
    assert restore_model("sky").read_bytes().endswith(b"2222")
    assert names() == ["palette", "sky", "sky-2"]
    assert read_card(own / "sky-2.safetensors")["name"] == "sky-2"
    assert restore_model(removed_models()[0].path).read_bytes().endswith(b"1111")
    with pytest.raises(ModelError, match="The bin is empty"):
        restore_model()


def test_an_unknown_name_is_told_with_what_there_is(own: Path) -> None:
    """The names in the bin are listed."""
    write_model(own / "sky.safetensors")
    remove_model("sky")
    with pytest.raises(ModelError, match=r"The bin has no model called 'sea'; it has: sky\."):
        restore_model("sea")


def test_bundled_models_cannot_be_removed(tmp_path: Path) -> None:
    """The file stays, and the sentence says what to do."""
    with pytest.raises(ModelError, match="'palette' came along"):
        remove_model("palette")
    assert (tmp_path / "bundled" / "palette.safetensors").exists()
    with pytest.raises(ModelError, match="There is no model called 'sky'"):
        remove_model("sky")


def test_a_broken_file_can_be_removed_by_its_name(own: Path) -> None:
    """What cannot be used can go, and come back."""
    own.mkdir(parents=True)
    broken = own / "broken.safetensors"
    broken.write_bytes(b"broken")
    remove_model("broken")
    assert not models.unusable_models()
    assert restore_model("broken") == broken


def test_no_name_leads_out_of_the_folder(tmp_path: Path, own: Path) -> None:
    """Files elsewhere stay, whatever way their names are written."""
    write_model(own / "sky.safetensors")
    places = [tmp_path / "mine", own.parent / "mine", own / "x" / "mine"]
    for place in places:
        write_model(place.with_suffix(models.SUFFIX))
    for name in (str(tmp_path / "mine"), "../mine", "x/mine", "../models/x/mine"):
        with pytest.raises(ModelError, match="does not exist"):
            remove_model(name)
    for place in places:
        with pytest.raises(ModelError, match="is not among your own models"):
            remove_model(place.with_suffix(models.SUFFIX))
        assert place.with_suffix(models.SUFFIX).is_file()
    assert removed_models() == []


def test_the_bin_is_emptied_only_when_asked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that lies long is still there, and how long is known; foreign files stay."""
    for name in ("sky", "sea"):
        size = write_model(own / f"{name}.safetensors").stat().st_size
        remove_model(name)
    (bin_folder() / "mine").mkdir()
    foreign = write_model(bin_folder() / "mine" / "x.safetensors")
    later = time.time() + 40 * 86_400 + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert [one.days for one in removed_models()] == [40, 40]
    assert empty_bin() == (2, 2 * size)
    assert removed_models() == []
    assert [path.name for path in bin_folder().iterdir()] == ["mine"]
    assert foreign.exists()


def test_another_disk_is_copied_to(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be moved it is copied whole; with a full disk it stays where it is."""
    path = write_model(own / "sky.safetensors")
    before = path.read_bytes()

    def rename(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", rename)
    gone = remove_model("sky")
    assert not path.exists()
    assert gone.path.read_bytes() == before
    restore_model()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(removed.shutil, "copyfileobj", full)
    with pytest.raises(StorageError, match="no space left on device"):
        remove_model("sky")
    assert path.read_bytes() == before
    assert removed_models() == []
    assert list(bin_folder().iterdir()) == []
