"""Changing models: the header is written anew, the weights stay bit for bit."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_cards import write_model
from safetensors import safe_open

from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files import models, rewriting
from napari_colorize.files.cards import payload_hash, read_card
from napari_colorize.files.changing import note_model, rename_model, store_score_card

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = {"psnr": 24.5, "auc_raw": 91.0}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own folder of models, and one bundled model."""
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models, "BUNDLED", tmp_path / "bundled")
    write_model(tmp_path / "bundled" / "palette.safetensors", b"bund")
    return tmp_path / "data" / "models"


def test_a_renamed_model_has_the_name_on_file_and_card(own: Path) -> None:
    """The old file is gone, the new one has the same weights."""
    old = write_model(own / "sky.safetensors")
    before = payload_hash(old)
    new = rename_model("sky", "Omas Wände: 1950/60")
    assert new.name == new.card["name"] == "Omas-Wände-1950-60"
    assert [path.name for path in own.iterdir()] == ["Omas-Wände-1950-60.safetensors"]
    assert payload_hash(new.path) == before == read_card(new.path)["hash"]


@pytest.mark.parametrize("name", ["", " ", "///", ".safetensors", "..", "-_-"])
def test_a_name_needs_a_letter(own: Path, name: str) -> None:
    """A name of which nothing is left is refused, and the model stays."""
    path = write_model(own / "sky.safetensors")
    if name == ".safetensors":
        assert rename_model("sky", name).name == "model"
        return
    with pytest.raises(ModelError, match="A name needs a letter or a digit"):
        rename_model("sky", name)
    assert path.exists()


@pytest.mark.parametrize("name", ["lake", "LAKE", "palette", "broken"])
def test_names_that_are_taken_are_refused(own: Path, name: str) -> None:
    """Own, bundled and broken files keep their names, upper or lower case."""
    write_model(own / "sky.safetensors")
    lake = write_model(own / "lake.safetensors", b"1111").read_bytes()
    (own / "broken.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match=f"There is a model called '{name}' already"):
        rename_model("sky", name)
    assert (own / "lake.safetensors").read_bytes() == lake
    assert (own / "sky.safetensors").exists()


def test_a_name_may_change_its_case_alone(own: Path) -> None:
    """The own name is not in the way."""
    write_model(own / "sky.safetensors")
    assert rename_model("sky", "Sky").name == "Sky"
    assert [path.name for path in own.iterdir()] == ["Sky.safetensors"]


def test_a_file_with_the_name_of_a_bundled_model_can_be_renamed(own: Path) -> None:
    """What the list calls unusable for its name is usable afterwards."""
    path = write_model(own / "palette.safetensors", b"mine")
    assert list(models.unusable_models()) == [path]
    rename_model(path, "mine")
    assert [model.name for model in models.list_models()] == ["palette", "mine"]


def test_bundled_and_foreign_models_stay_as_they_are(tmp_path: Path, own: Path) -> None:
    """What to do instead is said."""
    foreign = write_model(tmp_path / "foreign.safetensors")
    bundled = (tmp_path / "bundled" / "palette.safetensors").read_bytes()
    with pytest.raises(ModelError, match=r"'palette' came along .* duplicate it"):
        rename_model("palette", "x")
    with pytest.raises(ModelError, match="came along"):
        note_model("palette", "x")
    with pytest.raises(ModelError, match="is not among your own models; import it first"):
        note_model(foreign, "x")
    assert (tmp_path / "bundled" / "palette.safetensors").read_bytes() == bundled
    copy = models.duplicate_model("palette")
    assert (copy.name, copy.bundled) == ("palette-copy", False)
    second = models.duplicate_model("palette")
    assert second.name == second.card["name"] == read_card(second.path)["name"] == "palette-copy-2"
    assert payload_hash(second.path) == second.card["hash"]
    assert note_model(copy.name, "x").card["notes"] == "x"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    notes=st.text(st.characters(codec=None), max_size=300),
    payload=st.binary(min_size=1, max_size=64),
)
def test_any_text_survives_and_no_weight_changes(own: Path, notes: str, payload: bytes) -> None:
    """Notes come back as they were, the payload stays bit for bit, safetensors reads the file."""
    payload = payload + bytes(len(payload) % 2)
    path = write_model(own / "sky.safetensors", payload)
    before = read_card(path)
    card = note_model("sky", notes).card
    assert card.get("notes", "") == (notes if notes.strip() else "")
    assert read_card(path) == card
    assert {key: value for key, value in card.items() if key != "notes"} == before
    assert path.read_bytes().endswith(payload)
    assert payload_hash(path) == hashlib.sha256(payload).hexdigest()
    with safe_open(path, "np") as file:
        assert file.metadata()["format"] == "pt"
        assert file.get_tensor("w").tobytes() == payload
    note_model("sky", "")
    assert read_card(path) == before


def test_notes_have_an_end(own: Path) -> None:
    """A text that is too long is told with its length."""
    write_model(own / "sky.safetensors")
    with pytest.raises(ModelError, match=r"may have 100,000 letters, these have 100,001"):
        note_model("sky", "x" * 100_001)


def test_the_payload_stays_aligned(own: Path) -> None:
    """The header's length is a multiple of eight, as readers that map the file want it."""
    path = write_model(own / "sky.safetensors")
    for length in range(9):
        note_model("sky", "x" * length)
        assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_figures_are_stored_beside_those_of_the_training(own: Path) -> None:
    """Protocol and names of pictures stay out, the figures of the training stay in."""
    path = write_model(own / "sky.safetensors", score_card={"validation": {"psnr": 1.0}})
    digest = read_card(path)["hash"]
    measured = {"hash": digest, "protocol": "long", "samples": [1], "rows": {"model": FIGURES}}
    card = store_score_card("sky", measured).card
    assert card["score_card"] == {
        "validation": {"psnr": 1.0},
        "evaluation": {"hash": digest, "rows": {"model": FIGURES}},
    }
    assert read_card(path) == card


def test_a_model_renamed_while_it_is_measured_gets_its_figures(own: Path) -> None:
    """It is known by its weights; another model that took its name gets none."""
    digest = read_card(write_model(own / "sky.safetensors"))["hash"]
    rename_model("sky", "heaven")
    write_model(own / "sky.safetensors", b"other!")
    stored = store_score_card("sky", {"hash": digest, "rows": {}})
    assert stored.name == "heaven"
    assert "score_card" not in read_card(own / "sky.safetensors")


def test_a_model_removed_while_it_is_measured_is_told(own: Path) -> None:
    """There is nothing to write the figures into."""
    with pytest.raises(ModelError, match="was removed while it was measured"):
        store_score_card("sky", {"hash": "0" * 64, "rows": {}})


def test_a_full_disk_changes_nothing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, card and weights are as before, and no part of a file is left."""
    path = write_model(own / "sky.safetensors")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left on device"):
        note_model("sky", "new")
    with pytest.raises(StorageError, match="no space left on device"):
        rename_model("sky", "heaven")
    assert [one.name for one in own.iterdir()] == ["sky.safetensors"]
    assert path.read_bytes() == before


@pytest.mark.skipif(
    sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="this user may write everywhere",
)
def test_a_read_only_folder_is_told(own: Path) -> None:
    """The sentence names the file and the reason."""
    path = write_model(own / "sky.safetensors")
    own.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(StorageError, match=r"heaven\.safetensors: permission denied"):
            rename_model("sky", "heaven")
        with pytest.raises(StorageError, match=r"sky\.safetensors: permission denied"):
            note_model("sky", "new")
    finally:
        own.chmod(stat.S_IRWXU)
    assert path.exists()


def test_a_file_that_shrinks_while_it_is_copied_is_told(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a payload never takes the place of a whole one."""
    path = write_model(own / "sky.safetensors", bytes(64))
    read = rewriting.read_header

    def cut(file: object, label: str) -> object:
        found = read(file, label)  # type: ignore[arg-type]
        monkeypatch.setattr(rewriting, "_BLOCK", 0)
        return found

    monkeypatch.setattr(rewriting, "read_header", cut)
    with pytest.raises(ModelError, match="changed while it was copied"):
        note_model("sky", "new")
    assert "notes" not in read_card(path)


def _rename(name: str, wanted: str, results: multiprocessing.Queue[str]) -> None:
    """Rename in another process and tell how it went."""
    try:
        results.put(rename_model(name, wanted).name)
    except ModelError as error:
        results.put(str(error))


def test_two_processes_that_rename_at_once_leave_one_model(own: Path) -> None:
    """One wins, the other is told; there is one file with its name on the card."""
    write_model(own / "sky.safetensors", bytes(1 << 20))
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    results = context.Queue()
    both = [context.Process(target=_rename, args=("sky", name, results)) for name in "ab"]
    for one in both:
        one.start()
    told = {results.get(timeout=60) for _ in both}
    for one in both:
        one.join()
    (left,) = own.iterdir()
    assert left.stem in told & {"a", "b"}
    assert read_card(left)["name"] == left.stem
    (error,) = told - {left.stem}
    assert "There is no model called 'sky'" in error
