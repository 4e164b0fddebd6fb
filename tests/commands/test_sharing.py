"""A folder of pictures on a real Dask cluster, one of whose workers is killed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_cluster import kill_a_worker, small_cluster
from made_models import save_loud_palette
from made_photographs import make_folder
from PIL import Image

from napari_colorize.commands import sharing
from napari_colorize.commands.batch import colour_all, plan
from napari_colorize.commands.sharing import colour_all_on
from napari_colorize.commands.wishes import Wishes
from napari_colorize.errors import ClusterError, PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.usefixtures("forkserver"),
    pytest.mark.skipif(sys.platform == "win32", reason="workers are killed by signals"),
]


@pytest.fixture(scope="module")
def one_worker(forkserver: None) -> Iterator[Any]:
    """Return a cluster of one worker on this machine."""
    with small_cluster(1) as local:
        yield local


@pytest.fixture
def model(tmp_path: Path) -> str:
    """Return the file of a small model of the user's own."""
    return str(save_loud_palette(tmp_path / "paint.safetensors"))


def test_a_killed_worker_loses_nothing(tmp_path: Path, model: str) -> None:
    """All results are those of one machine; a bad file is told and stops nothing."""
    folder = make_folder(tmp_path / "x", 12)
    (folder / "bad.png").write_bytes(b"no picture")
    deep = np.random.default_rng(0).integers(0, 65535, (70, 70), dtype=np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    given: Any = {"model": model, "device": "cpu", "force": False}
    here = list(colour_all(plan([folder], tmp_path / "here"), **given))
    jobs = plan([folder], tmp_path / "there")
    told = []
    with small_cluster() as local:
        address = local.scheduler_address
        for outcome in colour_all_on(address, jobs, tmp_path / "there", **given, wishes=Wishes()):
            told.append(outcome)
            if len(told) == 1:
                kill_a_worker(local)
        again = list(
            colour_all_on(address, jobs, tmp_path / "there", **given, wishes=Wishes(vividness=0.2))
        )
    reasons = {outcome.source: outcome.reason for outcome in here if outcome.reason}
    assert {outcome.source: outcome.reason for outcome in told if outcome.reason} == reasons
    assert [path.name for path in reasons] == ["bad.png"]
    names = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert len(names) == 13
    assert "deep.tif" in names
    # What was killed while it wrote may leave a hidden file, none under a final name.
    assert sorted(path.name for path in (tmp_path / "there").glob("[!.]*")) == names
    for name in names:
        one, other = (np.asarray(Image.open(tmp_path / at / name)) for at in ("here", "there"))
        assert np.array_equal(one, other)
    assert sum(outcome.skipped for outcome in again) == 13


def test_a_disk_that_is_not_seen(
    tmp_path: Path, model: str, one_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence; a hint outside is told as on one machine."""
    folder = make_folder(tmp_path / "x", 2)
    out = tmp_path / "out"
    given: Any = {"model": model, "device": "cpu", "force": False}
    jobs, address = plan([folder], out), one_worker.scheduler_address
    from napari_colorize import Hint

    wrong = Wishes(hints=(Hint(900, 900, (1, 2, 3)),))
    with pytest.raises(PictureError, match="outside"):
        list(colour_all_on(address, jobs[:1], out, **given, wishes=wrong))
    absolute = sharing._absolute
    monkeypatch.setattr(
        sharing,
        "_absolute",
        lambda job: absolute(job).__class__(tmp_path / "unseen" / "a.png", job.target),
    )
    with pytest.raises(ClusterError, match=r"A worker does not see .*unseen: pictures and results"):
        list(colour_all_on(address, jobs, out, **given, wishes=Wishes()))
    assert not list(out.iterdir())


def test_the_shell(tmp_path: Path, model: str, one_worker: Any, capsys: Any) -> None:
    """The command prints what it wrote; a wrong address is one line and status 2."""
    from napari_colorize.cli import run

    folder = make_folder(tmp_path / "x", 2)
    command = ["colorize", str(folder), "--out", str(tmp_path / "out"), "--model", model]
    assert run([*command, "--scheduler", one_worker.scheduler_address]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "out" / "000.png") in out
    assert "2 coloured" in out
    assert run([*command, "--force", "--scheduler", "tcp://127.0.0.1:9"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: No Dask scheduler answers at tcp://127.0.0.1:9")
    assert err.count("\n") == 1


def test_a_stack_opens_no_model_here(
    tmp_path: Path, model: str, one_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device is that of the workers; this machine may lack it."""
    from napari_colorize.cli import run

    monkeypatch.setattr("napari_colorize.api.open_colorizer", None)
    folder, out = make_folder(tmp_path / "x", 2), tmp_path / "out.tif"
    given = ["--model", model, "--scheduler", one_worker.scheduler_address]
    assert run(["stack", str(folder), "--out", str(out), *given]) == 0
    with Image.open(out) as pages:
        assert pages.n_frames == 2
