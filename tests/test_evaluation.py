"""The score card: its protocol on pictures whose figures are known, its table, JSON and sheet."""

from __future__ import annotations

import json
import math
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from napari_colorize import evaluation
from napari_colorize.color.metrics import PSNR_CAP, lab_of
from napari_colorize.color.scores import Truth
from napari_colorize.errors import Cancelled, DataError
from napari_colorize.evaluation import evaluate_model, read_truth
from napari_colorize.networks.weights import build_network, save_network
from napari_colorize.score_card import GREY, MEAN_AB, MODEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Paint = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def as_grey(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture as RGB."""
    return np.repeat(grey[..., None], 3, axis=-1)


@pytest.fixture
def painted_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Paint], None]:
    """Return a function that puts a way to paint in place of the Colorizer."""

    def put(paint: Paint) -> None:
        class Painter:
            """Stands in for the Colorizer: colours by a function."""

            model_name = "painter"
            card: dict[str, Any] = {"hash": "ab" * 32, "network": "plain"}  # noqa: RUF012
            device = "cpu"
            has_distribution = False

            def __init__(self, model: object, device: str) -> None:
                pass

            def set_picture(self, image: NDArray[np.uint8], **_: object) -> None:
                """Hold a grey picture."""
                assert image.ndim == 2
                assert image.dtype == np.uint8
                self.image = image

            def colorize(self, *_: object, **__: object) -> NDArray[np.uint8]:
                """Paint the picture."""
                return paint(self.image)

            def close(self) -> None:
                """Forget everything."""

        monkeypatch.setattr(evaluation, "Colorizer", Painter)

    return put


def save(folder: Path, name: str, colours: Any) -> Path:
    """Write colours, (H, W, 3), as a PNG."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(colours, np.uint8)).save(path)
    return path


def test_two_pixels_by_hand(tmp_path: Path, painted_by: Callable[[Paint], None]) -> None:
    """PSNR and AuC of a grey answer on two pixels, worked out from the pixels themselves."""
    painted_by(as_grey)
    truth = np.array([[[200, 40, 40], [40, 40, 200]]], np.uint8)
    save(tmp_path, "p.png", truth)
    card = evaluate_model(tmp_path)
    grey = Truth(truth).grey
    error = np.mean((truth.astype(float) - as_grey(grey)) ** 2)
    assert card.rows[GREY].psnr == pytest.approx(10 * math.log10(255**2 / error))
    # Within t = 0..150: 151 - ceil(chroma) thresholds for each of the pixels.
    chroma = np.hypot(*lab_of(truth)[0, :, 1:].T)
    want = 100 * np.mean((151 - np.ceil(chroma)) / 151)
    assert card.rows[GREY].auc_raw == pytest.approx(want)
    assert card.rows[MODEL] == card.rows[GREY]
    assert card.rows[GREY].colorfulness == 0
    assert (card.p > 0).sum() == 2


def test_a_perfect_model(
    photographs: Path, painted_by: Callable[[Paint], None], tmp_path: Path
) -> None:
    """A model that knows the truth has every best figure; the grey row does not change by it."""
    truths = {}
    for path in sorted(photographs.rglob("*.png")):
        truth = read_truth(path)
        save(tmp_path / "copy", path.name, truth)
        truths[Truth(truth).grey.tobytes()] = truth
    painted_by(as_grey)
    poor = evaluate_model(tmp_path / "copy", stability=0)
    painted_by(lambda grey: truths[grey.tobytes()])
    best = evaluate_model(tmp_path / "copy", stability=0)
    assert best.rows[MODEL].psnr == PSNR_CAP
    assert best.rows[MODEL].auc_balanced == pytest.approx(100)
    assert best.rows[MODEL].ciede2000 == 0
    assert best.rows[MODEL].colorfulness == pytest.approx(1)
    assert best.rows[GREY] == poor.rows[GREY]
    assert best.rows[MEAN_AB] == poor.rows[MEAN_AB]
    assert best.pictures == 12
    # The true mean colour is nearer to the truth than none.
    assert (best.rows[MEAN_AB].psnr or 0) > (best.rows[GREY].psnr or 0)
    assert best.stability.mean == {}


def test_mean_ab_of_one_colour_is_that_colour(
    tmp_path: Path, painted_by: Callable[[Paint], None]
) -> None:
    """A picture of one colour is its own mean: the oracle hits it to a unit or two."""
    painted_by(as_grey)
    save(tmp_path, "p.png", np.full((4, 4, 3), (150, 90, 60)))
    card = evaluate_model(tmp_path, stability=0)
    assert (card.rows[MEAN_AB].psnr or 0) > 45
    assert (card.rows[MEAN_AB].ciede2000 or 0) < 1


def test_nearly_grey_and_broken_pictures(
    tmp_path: Path, painted_by: Callable[[Paint], None]
) -> None:
    """A grey truth counts everywhere but in PSNR; a broken file is left out with its reason."""
    painted_by(as_grey)
    save(tmp_path, "colour.png", np.full((4, 4, 3), (150, 90, 60)))
    save(tmp_path, "grey.png", np.full((4, 4, 3), 90))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "broken.jpg").write_bytes(b"no picture at all")
    card = evaluate_model(tmp_path, stability=3)
    alone = tmp_path / "alone"
    save(alone, "colour.png", np.full((4, 4, 3), (150, 90, 60)))
    assert (card.pictures, card.nearly_grey) == (2, 1)
    assert list(card.left_out.values()) == [("sub/broken.jpg",)]
    assert card.rows[GREY].psnr == evaluate_model(alone, stability=0).rows[GREY].psnr
    assert card.p.max() == 0.5
    assert card.stability.pictures == 2
    assert "left out: 1 x " in card.table()


def test_pictures_are_reduced_never_enlarged(tmp_path: Path) -> None:
    """The short side becomes 256 px with the aspect kept; 16 bits become 8 by rounding."""
    large = save(tmp_path, "large.png", np.zeros((300, 600, 3)))
    assert read_truth(large).shape == (256, 512, 3)
    small = save(tmp_path, "small.png", np.zeros((30, 60, 3)))
    assert read_truth(small).shape == (30, 60, 3)
    deep = np.array([[0, 128, 129, 257, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert read_truth(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 0, 1, 1, 255]


def test_size_stability_by_hand(tmp_path: Path, painted_by: Callable[[Paint], None]) -> None:
    """A painter that turns blue at 1024 px only is as far off as blue is from red."""
    red, blue = (120, 60, 60), (60, 60, 120)

    def paint(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.broadcast_to(
            np.array(blue if min(grey.shape) == 1024 else red, np.uint8), (*grey.shape, 3)
        )

    painted_by(paint)
    save(tmp_path, "p.png", np.full((20, 30, 3), (150, 90, 60)))
    card = evaluate_model(tmp_path)
    labs = lab_of(np.array([[red, blue]], np.uint8))[0]
    assert card.stability.mean[128] == pytest.approx(0, abs=1e-4)
    assert card.stability.mean[512] == pytest.approx(0, abs=1e-4)
    assert card.stability.mean[1024] == pytest.approx(np.hypot(*(labs[0] - labs[1])[1:]), abs=1e-3)
    assert card.stability.largest[1024] == pytest.approx(card.stability.mean[1024], abs=1e-3)
    assert card.stability.largest[256] == pytest.approx(0, abs=1e-4)


def test_long_pictures_are_not_enlarged(
    tmp_path: Path, painted_by: Callable[[Paint], None]
) -> None:
    """A line of pixels with a short side of 1024 px would fill the memory."""
    painted_by(as_grey)
    save(tmp_path, "line.png", np.full((1, 3000, 3), (150, 90, 60)))
    save(tmp_path, "p.png", np.full((20, 30, 3), (150, 90, 60)))
    card = evaluate_model(tmp_path)
    assert card.pictures == 2
    assert card.stability.pictures == 1


def test_limit_progress_and_cancel(photographs: Path, painted_by: Callable[[Paint], None]) -> None:
    """The limit spreads evenly, progress ends at its total, cancelling is heard at once."""
    painted_by(as_grey)
    told: list[tuple[int, int]] = []
    card = evaluate_model(photographs, limit=5, stability=2, progress=lambda *now: told.append(now))
    assert card.pictures == 5
    assert told == [(done, 7) for done in range(1, 8)]
    with pytest.raises(Cancelled):
        evaluate_model(photographs, cancel=lambda: True)


def test_folders_without_pictures(tmp_path: Path, painted_by: Callable[[Paint], None]) -> None:
    """Nothing there, and nothing that can be read, are told apart."""
    painted_by(as_grey)
    with pytest.raises(DataError, match="No pictures are in"):
        evaluate_model(tmp_path)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"None of the pictures in .* can be read"):
        evaluate_model(tmp_path)


def test_table_and_json(photographs: Path, painted_by: Callable[[Paint], None]) -> None:
    """The table has its rows side by side, the JSON everything and its protocol."""
    painted_by(lambda grey: as_grey(grey) // 2 + np.array([60, 20, 0], np.uint8))
    card = evaluate_model(photographs, limit=6, stability=1)
    lines = card.table().splitlines()
    assert lines[0] == (
        "painter (abababababab) on cpu, 6 pictures, 0 of them nearly grey (not in PSNR)"
    )
    titles = "PSNR dB AuC raw half balanced CIEDE2000 colourful edges flats"
    assert " ".join(lines[2].split()) == titles
    assert [line[:19].strip() for line in lines[3:7]] == [
        "model", "grey", "mean ab", "model - grey",
    ]  # fmt: skip
    assert lines[3].split()[1] == f"{card.rows[MODEL].psnr:.2f}"
    data = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert data["hash"] == "ab" * 32
    assert data["rows"]["grey"]["colorfulness"] == 0
    assert set(data["size_stability"]["ab_distance_from_256"]) == {"128", "512", "1024"}
    assert sum(one["p"] for one in data["ab_bins"]) == pytest.approx(1)
    assert "24 x 24" in data["protocol"]
    assert data["left_out"] == {}
    assert data["version"] == 2
    assert (data["hint_curve"], data["reliability"], data["vividness"]) == (None, None, None)
    assert "hints" not in card.table()


def test_contact_sheet(
    tmp_path: Path, photographs: Path, painted_by: Callable[[Paint], None]
) -> None:
    """Best, median and worst stand in order of their gain: grey | predicted | true."""
    painted_by(lambda grey: as_grey(grey) // 2 + np.array([60, 20, 0], np.uint8))
    card = evaluate_model(photographs, limit=9, stability=0, samples=2)
    assert [one.kind for one in card.samples] == ["best"] * 2 + ["median"] * 2 + ["worst"] * 2
    gains = [one.gain for one in card.samples]
    assert gains == sorted(gains, reverse=True)
    assert len({one.name for one in card.samples}) == 6
    assert [list(one.pictures) for one in card.samples] == [["grey", "model", "true"]] * 6
    card.contact_sheet(tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (20 + 6 * 276, 3 * 256, 3)
    first = card.samples[0]
    height, width = first.pictures["true"].shape[:2]
    top, left = 40 + (256 - height) // 2, (256 - width) // 2
    for place, pixels in enumerate(first.pictures.values()):
        x = place * 256 + left
        assert np.array_equal(sheet[top : top + height, x : x + width], pixels)
    assert (sheet[:20] < 100).any()
    assert (sheet[20:40] < 100).any()


def test_a_sheet_without_colour_is_an_error(
    tmp_path: Path, painted_by: Callable[[Paint], None]
) -> None:
    """Grey pictures have no gain to sort by."""
    painted_by(as_grey)
    save(tmp_path, "grey.png", np.full((4, 4, 3), 90))
    card = evaluate_model(tmp_path, stability=0)
    assert card.samples == ()
    with pytest.raises(DataError, match="every picture is nearly grey"):
        card.contact_sheet(tmp_path / "sheet.png")


def test_memory_does_not_grow_with_the_folder(
    tmp_path: Path,
    make_photograph: Callable[..., NDArray[np.uint8]],
    painted_by: Callable[[Paint], None],
) -> None:
    """Four times the pictures take the same memory, to less than one picture's pixels."""
    painted_by(as_grey)
    pixels = make_photograph(0, height=200, width=300)
    for number in range(16):
        save(tmp_path, f"{number:02d}.png", pixels)
    evaluate_model(tmp_path, limit=1, stability=0, samples=1)
    peaks = []
    for limit in (4, 16):
        tracemalloc.start()
        evaluate_model(tmp_path, limit=limit, stability=0, samples=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < pixels.nbytes


def test_a_real_model_file(tmp_path: Path, photographs: Path) -> None:
    """A random network from a file, through the real Colorizer, gives a whole card."""
    path = tmp_path / "m.safetensors"
    card = {"name": "m", "network": "plain", "settings": {}, "working_size": 32}
    saved = save_network(path, build_network("plain", {}), card)
    found = evaluate_model(photographs, model=path, device="cpu", limit=3, stability=1)
    assert found.hash == saved["hash"]
    assert found.pictures == 3
    assert all(value is not None for value in found.rows[MODEL].to_dict().values())
    # An untrained network starts at grey.
    assert found.rows[MODEL].psnr == pytest.approx(found.rows[GREY].psnr, abs=0.5)
    assert list(found.rows) == [MODEL, GREY, MEAN_AB]
