"""The run folder holds what writers and readers agreed on, whatever happens to either."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from napari_colorize.errors import RunError, StorageError, TrainingError
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.events import Event, Failed, Finished, Started, Step, Stopped, encode
from napari_colorize.runs.folder import EventReader, RunFolder
from napari_colorize.runs.identity import Identity, own_identity

TURNS = 8
NO_PERMISSIONS = sys.platform == "win32" or os.geteuid() == 0


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run that was made and not started."""
    return RunFolder(tmp_path / "run").create(TrainingConfig(folder="photographs"))


def step(number: int) -> Step:
    """Return the event of a step."""
    return Step(number, 100, 1, 1 / number, 1e-3, 40.0, 10.0)


def finished() -> Finished:
    """Return a good ending."""
    return Finished(1, 1, 0.1, "best.safetensors", "all epochs done")


def test_settings_come_back(run: RunFolder) -> None:
    """A run knows the settings it was made with."""
    assert run.read_config() == TrainingConfig(folder="photographs")
    assert run.exists()


def test_full_folder_is_refused(run: RunFolder, tmp_path: Path) -> None:
    """Neither a run nor other files are written over, unless forced; others' files stay anyway."""
    with pytest.raises(RunError, match="not empty"):
        run.create(TrainingConfig(folder="others"))
    other = RunFolder(tmp_path / "letters")
    other.path.mkdir()
    (other.path / "letter.txt").write_text("Dear")
    with pytest.raises(RunError, match="not empty"):
        other.create(TrainingConfig(folder="others"))
    other.create(TrainingConfig(folder="others"), force=True)
    assert (other.path / "letter.txt").read_text() == "Dear"


def test_force_throws_the_earlier_run_away(run: RunFolder) -> None:
    """Nothing of the old run is left in the new one."""
    run.append(finished())
    run.request_stop()
    (run.previews / "epoch-0001").mkdir(parents=True)
    for file in (
        run.best_model,
        run.last_checkpoint,
        run.epoch_model(1),
        run.log,
        run.imported_file,
    ):
        file.write_bytes(b"old")
    run.create(TrainingConfig(folder="others"), force=True)
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json"]
    assert run.state().name == "new"


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    """A run folder cannot have the name of a file."""
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="is a file"):
        RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"folder": "x", "epoch": 1}'])
def test_broken_settings_are_told(run: RunFolder, text: str) -> None:
    """Settings that are cut short, or none, are an error for people."""
    run.config_file.write_text(text)
    with pytest.raises(TrainingError, match=r"settings|setting"):
        run.read_config()


def test_missing_settings_are_told(tmp_path: Path) -> None:
    """A folder without settings is no run."""
    with pytest.raises(RunError, match="not a run folder"):
        RunFolder(tmp_path).read_config()


def test_two_readers_read_on_by_themselves(run: RunFolder) -> None:
    """Each reader gets every event once."""
    first, second = EventReader(run), EventReader(run)
    events: list[Event] = [step(1), step(2), finished()]
    run.append(events[0])
    assert first.read() == events[:1]
    run.append(events[1])
    run.append(events[2])
    assert first.read() == events[1:]
    assert second.read() == events
    assert first.read() == second.read() == []


def test_half_a_line_is_left_for_later(run: RunFolder) -> None:
    """A line is read when its end has come, even if it came in three pieces."""
    reader, line = EventReader(run), encode(step(1)).encode() + b"\n"
    for piece in (line[:5], line[5:30], line[30:]):
        assert reader.read() == []
        with run.events_file.open("ab") as file:
            file.write(piece)
    assert [event.step for event in reader.read() if isinstance(event, Step)] == [1]


def test_limited_reader_reads_whole_lines(run: RunFolder) -> None:
    """With a limit the events come in several calls, each once."""
    reader = EventReader(run)
    for number in range(1, 10):
        run.append(step(number))
    parts = [reader.read(limit=200) for _ in range(10)]
    assert 1 <= len(parts[0]) <= 3
    steps = [event.step for part in parts for event in part if isinstance(event, Step)]
    assert steps == list(range(1, 10))


def test_writer_starts_on_a_fresh_line(run: RunFolder) -> None:
    """What a killed writer left half-written spoils no later event."""
    run.append(step(1))
    with run.events_file.open("ab") as file:
        file.write(b'{"event": "step", "st')
    run.append(step(2))
    steps = [event.step for event in EventReader(run).read() if isinstance(event, Step)]
    assert steps == [1, 2]


def test_unknown_events_and_garbage_are_skipped(run: RunFolder) -> None:
    """A reader gets past everything that it does not understand."""
    run.append(step(1))
    with run.events_file.open("ab") as file:
        file.write(b'{"event": "sang", "song": 3}\n\x00\xff\xfe\n\n[[[\n{"event": "step"}\n')
    run.append(step(2))
    assert [event.step for event in EventReader(run).read() if isinstance(event, Step)] == [1, 2]
    assert isinstance(run.last_event(), Step)


def test_folder_that_vanishes_is_no_crash(run: RunFolder) -> None:
    """Whoever watches a folder that is removed sees a new run, whoever writes gets an error."""
    reader = EventReader(run)
    run.append(step(1))
    with run.claim():
        shutil.rmtree(run.path)
        assert reader.read() == []
        assert run.state().name == "new"
        assert not run.stop_requested()
        with pytest.raises(StorageError, match=r"events\.jsonl"):
            run.append(step(2))
        with pytest.raises(StorageError, match="stop"):
            run.request_stop()
    with pytest.raises(RunError, match="no run folder"), run.claim():
        pass


def test_reader_begins_again_when_a_run_is_made_anew(run: RunFolder) -> None:
    """A reader of a run that was thrown away reads the new one from its start."""
    reader = EventReader(run)
    for number in range(1, 5):
        run.append(step(number))
    assert len(reader.read()) == 4
    run.create(TrainingConfig(folder="x"), force=True)
    run.append(step(7))
    assert [event.step for event in reader.read() if isinstance(event, Step)] == [7]


def test_stop_is_asked_and_taken_back(run: RunFolder) -> None:
    """The stop file comes and goes."""
    run.request_stop()
    run.request_stop()
    assert run.stop_requested()
    run.clear_stop()
    run.clear_stop()
    assert not run.stop_requested()


@pytest.mark.skipif(NO_PERMISSIONS, reason="root writes everywhere")
def test_read_only_folder_is_told(tmp_path: Path) -> None:
    """A folder that cannot be written is named with the system's reason."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="permission denied"):
            RunFolder(tmp_path / "run").create(TrainingConfig(folder="x"))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_told(run: RunFolder) -> None:
    """A line that finds no room is a storage error."""
    run.events_file.symlink_to("/dev/full")
    with pytest.raises(StorageError, match="no space left"):
        run.append(step(1))


def test_claim_keeps_a_second_writer_out(run: RunFolder) -> None:
    """A folder that is held says by whom, and is free afterwards."""
    with run.claim():
        assert run.worker() == own_identity()
        with pytest.raises(RunError, match=f"in use by process {os.getpid()}"), run.claim():
            pass
        with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
            run.create(TrainingConfig(folder="x"), force=True)
    assert run.worker() is None
    for _ in range(3):
        with run.claim():
            assert run.state().name == "running"
    assert len(list(run.path.glob("lock.*"))) == 1


def test_claim_removes_what_a_killed_training_had_half_written(run: RunFolder) -> None:
    """Half of a checkpoint is as large as a checkpoint; what the starter writes is left alone."""
    for name in ("last.ckpt", "best.safetensors", "epoch-0003.safetensors", "process.json"):
        (run.path / f".{name}.0badcafe.part").write_bytes(b"half")
    with run.claim():
        assert [path.name for path in run.path.glob(".*.part")] == [".process.json.0badcafe.part"]


def test_claim_ends_with_an_error_in_the_block(run: RunFolder) -> None:
    """A training that fails leaves the folder free."""
    with pytest.raises(ZeroDivisionError), run.claim():
        raise ZeroDivisionError
    assert run.worker() is None


@pytest.mark.parametrize("links", [True, False])
def test_one_of_many_claimants_wins(
    run: RunFolder, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many try at the same moment on a dead process's lock, one gets the folder."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    (run.path / "lock.3").write_text('{"pid": 1, "started": 1, "machine": "here", "since": 1}')
    os.utime(run.path / "lock.3", (1, 1))
    gate, won, lost = threading.Barrier(8), list[int](), list[int]()

    def claimant(number: int) -> None:
        gate.wait()
        try:
            with run.claim():
                won.append(number)
                over.wait(120)
        except RunError:
            lost.append(number)
            if len(lost) == 7:
                over.set()

    over = threading.Event()
    threads = [threading.Thread(target=claimant, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


def test_processes_take_turns(run: RunFolder, tmp_path: Path) -> None:
    """Processes that claim in a hurry never hold the folder together: no count is lost."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    code = f"""
import os, pathlib
from napari_colorize.errors import RunError
from napari_colorize.runs.folder import RunFolder
run, counter, left = RunFolder({str(run.path)!r}), pathlib.Path({str(counter)!r}), {TURNS}
while left:
    try:
        with run.claim():
            count = int(counter.read_text())
            counter.write_text(str(count + 1))
            left -= 1
            if left == 0:
                os._exit(0)  # as if killed: the lock stays behind
    except RunError:
        pass
"""
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [child.wait(300) for child in children] == [0, 0, 0]
    assert counter.read_text() == str(3 * TURNS)
    with run.claim():
        pass


def _no_links(source: object, target: object) -> None:
    """Stand in for a file system without hard links."""
    raise OSError("no hard links here")


def test_empty_lock_of_a_killed_claimant_is_taken_over(run: RunFolder) -> None:
    """A lock whose maker was killed before it wrote its name holds for seconds only."""
    lock = run.path / "lock.1"
    lock.touch()
    with pytest.raises(RunError, match="just starting"), run.claim():
        pass
    os.utime(lock, (1, 1))
    with run.claim():
        assert run.worker() == own_identity()


def test_holder_on_another_machine_counts_while_it_writes(run: RunFolder) -> None:
    """A process that cannot be asked holds the folder as long as events come."""
    lock = run.path / "lock.1"
    lock.write_text('{"pid": 7, "started": 1.0, "machine": "elsewhere", "since": 1.0}')
    os.utime(lock, (1, 1))
    assert run.worker() is None
    run.append(step(1))
    with pytest.raises(RunError, match="process 7 on elsewhere"), run.claim():
        pass


def test_number_of_a_dead_process_that_was_given_again_is_no_life(run: RunFolder) -> None:
    """The same process number with another start is another process."""
    me = own_identity()
    run.record_child(Identity(me.pid, me.started - 60))
    run.append(step(1))
    assert run.state().name == "died"
    assert run.worker() is None


def test_state_follows_a_run(run: RunFolder) -> None:
    """New, running, stopped, running again, finished."""
    assert run.state().name == "new"
    with run.claim():
        run.append(Started("cpu", "", "32-true", 9, 1, {}, 1, 10, 0, os.getpid()))
        assert run.state().name == "running"
        run.append(Stopped(3, "asked to stop"))
        assert run.state().name == "stopped"
    assert run.state().detail == "asked to stop"
    with run.claim():
        assert run.state().name == "running"
        run.append(finished())
    assert run.state().name == "finished"


def test_failure_is_told_with_advice(run: RunFolder) -> None:
    """What went wrong and what to do stand in the state."""
    run.append(Failed("DataError", "No photographs.", "Choose another folder."))
    state = run.state()
    assert (state.name, state.detail) == ("failed", "No photographs. Choose another folder.")


def test_child_that_ends_without_a_word_died(run: RunFolder) -> None:
    """The end of the log since the last start is shown, not what came before."""
    run.record_child(Identity(2**22 + 1, time.time()))
    run.log.write_text(
        "=== training started 9:00 ===\nold\n=== training started 10:00 ===\nMemory\n"
    )
    state = run.state()
    assert state.name == "died"
    assert "Memory" in state.detail
    assert "old" not in state.detail


def test_resume_that_dies_is_not_what_the_run_was_before(run: RunFolder) -> None:
    """A stopped run whose resume is killed died; a finished one had nothing to do."""
    run.append(Stopped(3, "asked to stop", time=time.time() - 60))
    run.record_child(Identity(2**22 + 1, time.time() - 30))
    assert run.state().name == "died"
    run.append(Finished(1, 1, 0.1, "best.safetensors", "done", time=time.time() - 60))
    assert run.state().name == "finished"


def test_log_tail_of_a_long_log_is_short(run: RunFolder) -> None:
    """Only the end of a log is read."""
    run.log.write_text("x\n" * 100_000 + "end\n")
    assert run.log_tail(2) == "x\nend"
    assert RunFolder(run.path / "none").log_tail() == ""
