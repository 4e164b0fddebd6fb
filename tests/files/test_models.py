"""Models on disk: cards read from headers alone, lists, import and export."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.errors import ModelError, StorageError
from napari_colorize.files import models
from napari_colorize.files.cards import CARD_VERSION, payload_hash, read_card

CARD = {"version": 1, "name": "sky", "network": "plain", "settings": {}, "working_size": 128}


def write_model(path: Path, payload: bytes = b"\x00\x3c\x00\x40", **changes: object) -> Path:
    """Write a model file by hand, byte for byte as the format wants it."""
    card = CARD | {"hash": hashlib.sha256(payload).hexdigest()} | changes
    header = {
        "__metadata__": {"card": json.dumps({k: v for k, v in card.items() if v is not None})},
        "w": {"dtype": "F16", "shape": [len(payload) // 2], "data_offsets": [0, len(payload)]},
    }
    return write_header(path, json.dumps(header).encode(), payload)


def write_header(path: Path, header: bytes, payload: bytes = b"") -> Path:
    """Write a header with its length in front and a payload behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + payload)
    return path


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own folder of models, and no bundled ones."""
    monkeypatch.setenv("NAPARI_COLORIZE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(models, "BUNDLED", tmp_path / "bundled")
    return tmp_path / "data" / "models"


def test_a_card_is_read_from_the_header(tmp_path: Path) -> None:
    """The card comes back as it was written, and the hash is that of the payload."""
    path = write_model(tmp_path / "m.safetensors", training={"photographs": 21000})
    card = read_card(path)
    assert card["name"] == "sky"
    assert card["training"] == {"photographs": 21000}
    assert card["hash"] == payload_hash(path)


def test_reading_a_card_loads_no_torch(tmp_path: Path) -> None:
    """A fresh interpreter reads a card and lists models without torch or safetensors."""
    path = write_model(tmp_path / "m.safetensors")
    code = (
        "import sys; from napari_colorize.files import cards, models; "
        f"cards.read_card({str(path)!r}); models.list_models(); "
        "sys.exit(bool({'torch', 'safetensors', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def written(tmp_path: Path, content: bytes) -> Path:
    """Write a file that is meant to be no model."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "m.safetensors is empty. Get the file again."),
        (b"abc", "is not a model: models of napari-colorize are safetensors files."),
        (b"PK\x03\x04" * 50, "is not a model"),
        (b"\x80\x02}q\x00." * 20, "is not a model"),
        (b"\xff" * 100, "is not a model"),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00[1,2]", "is not a model"),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00{1,2}", "is not a model"),
        (b"\x0a\x00\x00\x00\x00\x00\x00\x00" + b'{"a": "b"}', "is not a model"),
        (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"w": {"dtype', "is cut short at 21 bytes."),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "no card of napari-colorize"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}xyz", "has 3 bytes too many at its end"),
    ],
)
def test_other_files_are_told_what_they_are(tmp_path: Path, content: bytes, message: str) -> None:
    """Pickles, archives, empty, short and foreign files each get their own sentence."""
    with pytest.raises(ModelError) as caught:
        read_card(written(tmp_path, content))
    assert message in str(caught.value)


def test_a_truncated_payload_is_seen_without_reading_it(tmp_path: Path) -> None:
    """The size of the file is held against the offsets in its header."""
    path = write_model(tmp_path / "m.safetensors")
    whole = path.stat().st_size
    os.truncate(path, whole - 1)
    with pytest.raises(ModelError, match=f"is cut short: {whole - 1} bytes of {whole}"):
        read_card(path)


def test_a_header_of_absurd_nesting_is_refused(tmp_path: Path) -> None:
    """A header that would exhaust the JSON parser is a foreign file, not a crash."""
    with pytest.raises(ModelError, match="is not a model"):
        read_card(write_header(tmp_path / "m.safetensors", b'{"a":' * 100_000))


def test_a_newer_card_says_upgrade(tmp_path: Path) -> None:
    """A card of a later version names both versions and the way out."""
    path = write_model(tmp_path / "m.safetensors", version=CARD_VERSION + 1)
    with pytest.raises(ModelError, match=r"newer napari-colorize \(card version 2, .* up to 1\)"):
        read_card(path)


def test_a_working_size_of_nothing_is_refused(tmp_path: Path) -> None:
    """No picture can be reduced to it."""
    with pytest.raises(ModelError, match="no usable working size"):
        read_card(write_model(tmp_path / "m.safetensors", working_size=0))


@pytest.mark.parametrize("key", ["version", "name", "network", "settings", "working_size", "hash"])
def test_a_card_that_lacks_something_names_it(tmp_path: Path, key: str) -> None:
    """Each of the needed keys is asked for by name."""
    with pytest.raises(ModelError, match=f"The card of m.safetensors lacks '{key}'"):
        read_card(write_model(tmp_path / "m.safetensors", **{key: None}))


def test_folders_and_missing_files_are_model_errors(tmp_path: Path) -> None:
    """A folder or nothing at all is told as such."""
    with pytest.raises(ModelError, match="is a folder, not a model file"):
        read_card(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        read_card(tmp_path / "none.safetensors")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Whatever the bytes, nothing but a ModelError comes out."""
    path = tmp_path_factory.mktemp("any") / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        read_card(path)


def test_models_are_listed_bundled_first(tmp_path: Path, own: Path) -> None:
    """Bundled and own models are listed by name; a broken file is told apart, not in the way."""
    write_model(tmp_path / "bundled" / "plain.safetensors")
    write_model(own / "b.safetensors")
    write_model(own / "a.safetensors")
    write_model(own / "plain.safetensors", b"1234")
    broken = own / "broken.safetensors"
    broken.write_bytes(b"not a model")
    listed = [(model.name, model.bundled) for model in models.list_models()]
    assert listed == [("plain", True), ("a", False), ("b", False)]
    reasons = models.unusable_models()
    assert set(reasons) == {broken, own / "plain.safetensors"}
    assert "is not a model" in reasons[broken]
    with pytest.raises(ModelError, match=r"broken\.safetensors is not a model"):
        models.find_model("broken")


def test_models_are_found_by_name_and_by_path(tmp_path: Path, own: Path) -> None:
    """None is the default model; a name or a path finds its file; else the known are listed."""
    default = write_model(tmp_path / "bundled" / f"{models.DEFAULT_MODEL}.safetensors")
    mine = write_model(own / "mine.safetensors")
    assert models.find_model() == default
    assert models.find_model("mine") == mine
    assert models.find_model(mine) == mine
    assert models.find_model(str(mine)) == mine
    with pytest.raises(ModelError) as caught:
        models.find_model("his")
    assert str(caught.value) == "There is no model called 'his'; known models: palette, mine."
    with pytest.raises(ModelError, match="does not exist"):
        models.find_model("./his.safetensors")
    with pytest.raises(ModelError, match="is a folder, not a model file"):
        models.find_model(tmp_path)


def test_import_never_overwrites(tmp_path: Path, own: Path) -> None:
    """The same weights are one model; others of the same name get a number."""
    first = models.import_model(write_model(tmp_path / "1.safetensors", b"1111"))
    again = models.import_model(tmp_path / "1.safetensors")
    other = models.import_model(write_model(tmp_path / "2.safetensors", b"2222"))
    named = models.import_model(tmp_path / "2.safetensors", "sky")
    copied = models.import_model(tmp_path / "2.safetensors", "his sky/../x")
    assert [first.name, again.name, other.name, named.name] == ["sky", "sky", "sky-2", "sky-2"]
    assert copied.name == copied.card["name"] == "his-sky-..-x"
    assert [read_card(path)["name"] for path in (other.path, copied.path)] == [
        "sky-2",
        "his-sky-..-x",
    ]
    assert sorted(path.name for path in own.iterdir()) == [
        "his-sky-..-x.safetensors",
        "sky-2.safetensors",
        "sky.safetensors",
    ]
    assert first.path.read_bytes() == (tmp_path / "1.safetensors").read_bytes()


def test_import_keeps_clear_of_bundled_and_broken_names(tmp_path: Path, own: Path) -> None:
    """A name of a bundled model or of a broken file is taken."""
    write_model(tmp_path / "bundled" / "plain.safetensors")
    (own).mkdir(parents=True)
    (own / "plain-2.safetensors").write_bytes(b"broken")
    new = write_model(tmp_path / "n.safetensors", b"1234", name="plain")
    assert models.import_model(new).name == "plain-3"
    assert models.import_model(tmp_path / "bundled" / "plain.safetensors").bundled


def test_import_checks_the_weights(tmp_path: Path, own: Path) -> None:
    """Weights that are not those of the card stay out."""
    path = write_model(tmp_path / "m.safetensors", hash="0" * 64)
    with pytest.raises(ModelError, match="is damaged: its weights do not match the hash"):
        models.import_model(path)
    assert not own.exists()


def test_export_to_a_folder_and_to_a_file(tmp_path: Path, own: Path) -> None:
    """The suffix is added, an existing file stays unless forced."""
    mine = write_model(own / "mine.safetensors")
    (tmp_path / "out").mkdir()
    assert models.export_model("mine", tmp_path / "out") == tmp_path / "out" / "mine.safetensors"
    target = models.export_model("mine", tmp_path / "out" / "v1.0")
    assert target.name == "v1.0.safetensors"
    target.write_bytes(b"something else")
    with pytest.raises(StorageError, match=r"v1\.0\.safetensors exists already"):
        models.export_model("mine", target)
    assert models.export_model("mine", target, force=True).read_bytes() == mine.read_bytes()
    assert models.export_model("mine", mine) == mine


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC is a StorageError; neither half a file nor a temporary one stays."""
    path = write_model(tmp_path / "m.safetensors")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"sky\.safetensors: no space left on device"):
        models.import_model(path)
    assert list(own.iterdir()) == []


@given(name=st.text(max_size=120))
def test_sanitised_names_are_plain_file_names(name: str) -> None:
    """A name never leaves its folder, never hides, and is a fixed point."""
    plain = models.sanitised(name)
    assert plain == Path(plain).name
    assert not plain.startswith((".", "-"))
    assert 0 < len(plain) <= 86
    assert len(plain.encode()) <= 190
    assert not set(plain) & set('/\\:*?"<>| \0')
    assert models.sanitised(plain) == plain


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Omas Wände", "Omas-Wände"),
        ("हिन्दी", "हिन्दी"),
        ("con", "model-con"),
        ("A\u0301", "Á"),
        ("\ud800x", "x"),
    ],
)
def test_letters_of_every_script_are_kept(name: str, plain: str) -> None:
    """Spaces and signs that file systems refuse become hyphens, letters stay."""
    assert models.sanitised(name) == plain


def test_a_listed_card_is_read_once_until_its_file_changes(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists are cheap, and never stale: not even for a file that changes in the same moment."""
    path = write_model(own / "sky.safetensors", name="a")
    os.utime(path, (1e9, 1e9))
    read: list[Path] = []

    def reading(path: Path) -> dict[str, object]:
        read.append(path)
        return read_card(path)

    monkeypatch.setattr(models, "read_card", reading)
    for _ in range(3):
        (model,) = models.list_models()
        model.card.clear()
    assert read == [path]
    write_model(path, name="b")
    assert models.list_models()[0].card["name"] == "b"
    write_model(path, name="c")
    assert models.list_models()[0].card["name"] == "c"
