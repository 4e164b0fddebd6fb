"""Which file becomes which, and what happens to each: planned first, coloured one by one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from napari_colorize import api
from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Reference, Steering
from napari_colorize.commands import batch
from napari_colorize.commands.batch import Job, Outcome, colour_all, plan
from napari_colorize.commands.wishes import Mood, Wishes
from napari_colorize.errors import ColorizeError, ModelError, PictureError
from napari_colorize.files.pictures import read_picture
from napari_colorize.files.record import program_version, read_record
from napari_colorize.files.steering_file import from_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


class Painter:
    """Stands in for the Colorizer: grey as it is, by the type that is asked for."""

    opened = 0
    asked: ClassVar[list[tuple[Any, ...]]] = []
    model_name = "painter"
    card: ClassVar[dict[str, Any]] = {"hash": "ab" * 32}

    def __init__(self, *_: object) -> None:
        Painter.opened += 1

    def set_picture(self, image: NDArray[Any]) -> None:
        """Hold a picture; one of 7 pixels is one that no memory suffices for."""
        if image.shape[1] == 7:
            raise ColorizeError("The memory\ndoes not suffice.")
        self.image = image

    def reference_of(self, image: NDArray[Any], name: str, strength: float) -> Reference:
        """Return a palette of one bin; a picture of 1 pixel is grey."""
        if image.shape[:2] == (1, 1):
            raise PictureError("The reference is grey.")
        Painter.asked.append((name, image.shape))
        return Reference(name, (0.0, 1.0), strength)

    def colorize(
        self,
        hints: tuple[Hint, ...],
        *,
        vividness: float | None,
        reference: Reference | None,
        adjustments: Adjustments,
        dtype: str,
    ) -> NDArray[Any]:
        """Return the picture as RGB."""
        Painter.asked.append((hints, vividness, reference, adjustments))
        assert self.image.dtype == dtype
        return self.image if self.image.ndim == 3 else np.repeat(self.image[..., None], 3, -1)

    def alternatives(
        self, count: int, hints: tuple[Hint, ...], *, vividness: float | None, dtype: str
    ) -> NDArray[Any]:
        """Return the picture as RGB so many times, brighter by 1 each time."""
        rgb = self.colorize(
            hints, vividness=vividness, reference=None, adjustments=Adjustments(), dtype=dtype
        )
        return np.stack([rgb + number for number in range(count)]).astype(dtype)

    def close(self) -> None:
        """Forget nothing."""


@pytest.fixture(autouse=True)
def painter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in behind the door to torch."""
    monkeypatch.setattr(Painter, "opened", 0)
    monkeypatch.setattr(Painter, "asked", [])
    monkeypatch.setattr(api, "open_colorizer", Painter)


def save(path: Path, width: int = 5, dtype: type = np.uint8) -> Path:
    """Write a small grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.arange(4 * width).reshape(4, width).astype(dtype)
    Image.fromarray(pixels).save(path)
    return path


def run(
    inputs: list[Path], out: Path, force: bool = False, wishes: Wishes | None = None
) -> list[Outcome]:
    """Plan and colour."""
    jobs = plan(inputs, out, wishes.alternatives if wishes else 0)
    return list(colour_all(jobs, model=None, device="cpu", force=force, wishes=wishes))


def test_places_of_files_and_folders(tmp_path: Path) -> None:
    """A file goes under its name, what is in a folder under its path there, in order."""
    save(tmp_path / "in" / "sub" / "b.png")
    save(tmp_path / "in" / "a.jpg")
    one = save(tmp_path / "else" / "c.bmp")
    out = tmp_path / "out"
    assert plan([tmp_path / "in", one, one], out) == [
        Job(tmp_path / "in" / "a.jpg", out / "a.jpg"),
        Job(tmp_path / "in" / "sub" / "b.png", out / "sub" / "b.png"),
        Job(one, out / "c.bmp"),
    ]


def test_results_in_the_folder_are_no_inputs(tmp_path: Path) -> None:
    """A second run of a folder with its results inside finds the same pictures."""
    first = save(tmp_path / "a.png")
    save(tmp_path / "out" / "a.png")
    assert plan([tmp_path], tmp_path / "out") == [Job(first, tmp_path / "out" / "a.png")]


def test_two_inputs_never_become_one_file(tmp_path: Path) -> None:
    """Both are named and nothing is done."""
    one, two = save(tmp_path / "1" / "p.png"), save(tmp_path / "2" / "p.png")
    with pytest.raises(PictureError) as caught:
        plan([one, two], tmp_path / "out")
    assert str(caught.value) == (
        f"{one} and {two} would both become {tmp_path / 'out' / 'p.png'}; "
        "colour them into different folders."
    )


def test_inputs_are_never_overwritten(tmp_path: Path) -> None:
    """Neither by OUT being their folder, nor through a link to it."""
    one = save(tmp_path / "p.png")
    with pytest.raises(PictureError, match="would overwrite"):
        plan([one], tmp_path)
    with pytest.raises(PictureError, match="would overwrite"):
        plan([tmp_path], tmp_path)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(PictureError, match="would overwrite"):
        plan([one], tmp_path / "link")


def test_inputs_that_are_nothing(tmp_path: Path) -> None:
    """Missing files, empty folders and a file as OUT are refused before any work."""
    one = save(tmp_path / "p.png")
    (tmp_path / "empty").mkdir()
    for inputs, out, message in (
        ([tmp_path / "none.png"], tmp_path / "out", r"none\.png does not exist"),
        ([tmp_path / "empty"], tmp_path / "out", r"No pictures are in .*empty"),
        ([one], one, r"p\.png is a file; name a folder"),
        ([one], tmp_path / "new.jpg", r"new\.jpg looks like a picture; name a folder"),
    ):
        with pytest.raises(PictureError, match=message):
            plan(inputs, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "p.png"]


def test_the_longest_names(tmp_path: Path) -> None:
    """A result whose name is as long as names can be is written like any other."""
    source = save(tmp_path / "in.png")
    target = tmp_path / "out" / f"{'n' * 251}.png"
    (outcome,) = colour_all([Job(source, target)], model=None, device="cpu", force=False)
    assert outcome == Outcome(source, (target,))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to would be read for ever."""
    os.mkfifo(tmp_path / "p.png")
    with pytest.raises(PictureError, match="neither a file nor a folder"):
        plan([tmp_path / "p.png"], tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_told_as_such(tmp_path: Path) -> None:
    """The reason names the folder of the results, not the picture."""
    (tmp_path / "file").write_text("")
    job = Job(save(tmp_path / "p.png"), tmp_path / "file" / "out" / "p.png")
    (outcome,) = colour_all([job], model=None, device="cpu", force=False)
    assert outcome.reason.startswith(f"Cannot write {tmp_path / 'file' / 'out'}")


def test_existing_results_are_skipped(tmp_path: Path) -> None:
    """What exists is left as it is, and the model is not even opened; force writes anew."""
    one = save(tmp_path / "in" / "p.png")
    out = tmp_path / "out"
    save(out / "p.png", width=9)
    assert run([one], out) == [Outcome(one, skipped=True)]
    assert Painter.opened == 0
    assert read_picture(out / "p.png").pixels.shape == (4, 9)
    assert run([one], out, force=True) == [Outcome(one, written=(out / "p.png",))]
    assert read_picture(out / "p.png").pixels.shape == (4, 5, 3)


def test_sixteen_bits_become_a_tiff(tmp_path: Path) -> None:
    """A 16-bit PNG gives a 16-bit TIFF, which a second run knows; a TIFF keeps its name."""
    deep = save(tmp_path / "in" / "deep.png", dtype=np.uint16)
    tiff = save(tmp_path / "in" / "sub" / "t.tiff", dtype=np.uint16)
    out = tmp_path / "out"
    assert [one.written for one in run([tmp_path / "in"], out)] == [
        (out / "deep.tif",),
        (out / "sub" / "t.tiff",),
    ]
    for path, source in ((out / "deep.tif", deep), (out / "sub" / "t.tiff", tiff)):
        pixels = read_picture(path).pixels
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels[..., 0], read_picture(source).pixels)
    assert all(one.skipped for one in run([tmp_path / "in"], out))


def test_sixteen_bits_never_take_another_ones_place(tmp_path: Path) -> None:
    """x.png of 16 bits beside x.tif is told, and x.tif is what it should be."""
    save(tmp_path / "in" / "x.png", dtype=np.uint16)
    save(tmp_path / "in" / "x.tif", width=9)
    first, second = run([tmp_path / "in"], tmp_path / "out")
    assert "has 16 bits and would become" in first.reason
    assert second.written == (tmp_path / "out" / "x.tif",)
    assert read_picture(second.written[0]).pixels.shape == (4, 9, 3)


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """Each failure is one line, the pictures after it are coloured, no file is left half."""
    broken = tmp_path / "in" / "a.jpg"
    save(broken)
    os.truncate(broken, broken.stat().st_size // 2)
    save(tmp_path / "in" / "b.png", width=7)
    good = save(tmp_path / "in" / "c.png")
    outcomes = run([tmp_path / "in"], tmp_path / "out")
    assert [bool(one.reason) for one in outcomes] == [True, True, False]
    assert outcomes[1].reason == "The memory does not suffice."
    assert "\n" not in outcomes[0].reason
    assert outcomes[2] == Outcome(good, written=(tmp_path / "out" / "c.png",))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.png"]
    assert Painter.opened == 1


def test_a_model_that_is_none_ends_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What concerns all pictures is raised once, not told for each."""

    def refuse(*_: object) -> Callable[..., None]:
        raise ModelError("There is no such model.")

    monkeypatch.setattr(api, "open_colorizer", refuse)
    with pytest.raises(ModelError):
        run([save(tmp_path / "in" / "p.png")], tmp_path / "out")


def test_wishes_reach_every_picture(tmp_path: Path) -> None:
    """All is the same for all, the palette taken once; nothing wished asks for nothing."""
    for name in ("a", "b"):
        save(tmp_path / "in" / f"{name}.png")
    mood = Mood("mood.png", np.zeros((2, 3, 3), np.uint8), 0.5)
    warm = Adjustments(warmth=0.3)
    wishes = Wishes(0.7, mood, adjustments=warm)
    run([tmp_path / "in"], tmp_path / "out", wishes=wishes)
    palette = Reference("mood.png", (0.0, 1.0), 0.5)
    assert Painter.asked == [("mood.png", (2, 3, 3)), *[((), 0.7, palette, warm)] * 2]
    run([tmp_path / "in"], tmp_path / "plain")
    assert Painter.asked[3:] == [((), None, None, Adjustments())] * 2


def test_a_grey_reference_is_a_wrong_value(tmp_path: Path) -> None:
    """It is told at once, not once for each picture."""
    one = save(tmp_path / "in" / "p.png")
    grey = Wishes(reference=Mood("grey.png", np.zeros((1, 1, 3), np.uint8)))
    with pytest.raises(PictureError, match="The reference is grey"):
        run([one], tmp_path / "out", wishes=grey)


def test_every_result_carries_its_record(tmp_path: Path) -> None:
    """Model, hash, what was wanted, version, the name of the source without its folder."""
    save(tmp_path / "in" / "a.png")
    save(tmp_path / "in" / "deep.png", dtype=np.uint16)
    out = tmp_path / "out"
    hint = Hint(3, 4, (255, 0, 0))
    run([tmp_path / "in"], out, wishes=Wishes(0.7, hints=(hint,)))
    for target, source in (("a.png", "a.png"), ("deep.tif", "deep.png")):
        record = read_record(out / target)
        assert record is not None
        assert from_dict(record.pop("steering")) == Steering((hint,), 0.7)
        assert record == {
            "model": "painter",
            "hash": "ab" * 32,
            "version": program_version(),
            "source": source,
            "grey": True,
        }
    run([tmp_path / "in" / "a.png"], out, wishes=Wishes(alternatives=2))
    told = [read_record(out / f"a-{number}.png") for number in (1, 2)]
    assert [record and record["alternative"] for record in told] == [1, 2]


def test_a_hint_outside_is_raised_before_the_model_is_opened(tmp_path: Path) -> None:
    """It is a wrong value, not a picture that failed."""
    one = save(tmp_path / "in" / "p.png")
    inside, outside = Hint(3, 4, (255, 0, 0)), Hint(4, 4, (255, 0, 0))
    with pytest.raises(PictureError, match="Hint 2 at row 4, column 4 lies outside the picture"):
        run([one], tmp_path / "out", wishes=Wishes(hints=(inside, outside)))
    assert (Painter.opened, (tmp_path / "out").exists()) == (0, False)
    run([one], tmp_path / "out", wishes=Wishes(hints=(inside,)))
    assert Painter.asked == [((inside,), None, None, Adjustments())]


def test_alternatives_lie_beside_each_other(tmp_path: Path) -> None:
    """Each has its number and its pixels; those that exist are left, the others written."""
    one = save(tmp_path / "in" / "p.q.png")
    out = tmp_path / "out"
    three = Wishes(alternatives=3)
    files = [out / f"p.q-{number}.png" for number in (1, 2, 3)]
    assert run([one], out, wishes=three) == [Outcome(one, tuple(files))]
    assert [read_picture(path).pixels[0, 0, 0] for path in files] == [0, 1, 2]
    assert run([one], out, wishes=three) == [Outcome(one, skipped=True)]
    files[1].unlink()
    before = files[0].stat().st_mtime_ns
    assert run([one], out, wishes=three) == [Outcome(one, (files[1],))]
    assert files[0].stat().st_mtime_ns == before
    assert run([one], out, force=True, wishes=three) == [Outcome(one, tuple(files))]
    assert sorted(out.iterdir()) == files


def test_alternatives_of_sixteen_bits(tmp_path: Path) -> None:
    """They become TIFFs of 16 bits, and a second run knows them."""
    deep = save(tmp_path / "in" / "deep.png", dtype=np.uint16)
    out = tmp_path / "out"
    files = (out / "deep-1.tif", out / "deep-2.tif")
    assert run([deep], out, wishes=Wishes(alternatives=2)) == [Outcome(deep, files)]
    assert read_picture(files[1]).pixels.dtype == np.uint16
    assert run([deep], out, wishes=Wishes(alternatives=2)) == [Outcome(deep, skipped=True)]


def test_alternatives_take_no_place_of_others(tmp_path: Path) -> None:
    """Neither of another input's alternatives, nor of an input."""
    save(tmp_path / "in" / "p.png")
    save(tmp_path / "in" / "p-1.png")
    assert len(plan([tmp_path / "in"], tmp_path / "out", 2)) == 2  # p-1, p-2, p-1-1, p-1-2
    with pytest.raises(PictureError, match="would overwrite"):
        plan([tmp_path / "in" / "p.png", tmp_path / "in" / "p-1.png"], tmp_path / "in", 2)
    save(tmp_path / "1" / "p.png")
    with pytest.raises(PictureError, match="would both become"):
        plan([tmp_path / "in" / "p.png", tmp_path / "1" / "p.png"], tmp_path / "out", 2)


def test_alternatives_that_were_written_before_a_failure_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies on the disk is named, and so is the reason why the rest does not."""
    write = batch.write_picture

    def full(path: Path, *args: Any, **options: Any) -> None:
        if path.stem.endswith("-2"):
            raise OSError(28, "No space left on device")
        write(path, *args, **options)

    monkeypatch.setattr(batch, "write_picture", full)
    one, out = save(tmp_path / "p.png"), tmp_path / "out"
    (outcome,) = run([one], out, wishes=Wishes(alternatives=3))
    assert outcome == Outcome(one, (out / "p-1.png",), reason="No space left on device")
