"""What a training tells, in words for people: the same in the dock and in the shell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_colorize.runs.events import Finished, Healed, Preparing, Started, Step, Validated

if TYPE_CHECKING:
    from napari_colorize.runs.folder import RunState


def duration(seconds: float) -> str:
    """Return a time span in words, coarser the longer it is, such as ``"12 min"``."""
    if not 0 <= seconds < 100 * 86400:
        return "a long time"
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h"


def clock(moment: float, now: float) -> str:
    """Return a coming time of day, such as ``"16:42"``; with its date when it is not today.

    Parameters
    ----------
    moment, now
        Seconds since 1970.
    """
    try:
        then, today = time.localtime(moment), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return "in a long time"
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M" if same_day else "%d %B, %H:%M", then)


def size(count: int) -> str:
    """Return a number of bytes in words, such as ``"1.4 GB"``."""
    if count < 10**9:
        return f"{max(0, count) / 1e6:,.0f} MB"
    return f"{count / 1e9:,.1f} GB"


def time_left(step: Step) -> str:
    """Return how long a training will go on and until when; empty while that is not known."""
    if not 0 < step.remaining < float("inf"):
        return ""
    left = f"{duration(step.remaining)} left"
    if step.remaining >= 100 * 86400:
        return left
    return f"{left}, done about {clock(step.time + step.remaining, step.time)}"


def pace(step: Step) -> list[str]:
    """Return the photographs a second and the time left, each once it is known."""
    parts = []
    if step.rate > 0:
        parts.append(f"{step.rate:,.0f} photographs/s")
    if 0 < step.remaining < float("inf"):
        parts.append(f"{duration(step.remaining)} left")
    return parts


def preparing_line(event: Preparing) -> str:
    """Return how far the photographs are decoded."""
    return f"reading photographs: {event.done:,} of {event.total:,}"


def examination_line(event: Started) -> str:
    """Return the folder doctor's counts: what is used, what is left out and why."""
    used = f"{event.photographs:,} photographs to learn from, {event.validation:,} to check with"
    left_out = {reason: count for reason, count in event.left_out.items() if count}
    if not left_out:
        return f"{used}; none left out."
    most_first = sorted(left_out.items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in most_first)
    return f"{used}; left out: {reasons}."


def device_line(event: Started) -> str:
    """Return where the training computes, and why there."""
    reason = f" ({event.reason.rstrip('.')})" if event.reason else ""
    return f"Trains on {event.device}{reason}, {event.precision}."


def healed_line(event: Healed) -> str:
    """Return which difficulty was met and how the training goes on."""
    reason = event.reason[:1].upper() + event.reason[1:].rstrip(".")
    pieces = f"{event.accumulate} pieces of {event.micro_batch} photographs"
    return f"{reason}; it goes on by itself with {pieces} a step."


def score_line(best: Validated, *, over: bool = False) -> str:
    """Return how good the best epoch is, beside the grey picture; `over` if no more will come."""
    head = "The best is" if over else "Best so far after"
    return (
        f"{head} epoch {best.epoch}: {best.psnr:.2f} dB PSNR (left grey: {best.psnr_grey:.2f} dB)."
    )


def ending(state: RunState) -> str:
    """Return how a run ended, and what can be done; the empty text while it has not ended."""
    detail = state.detail.strip()
    detail = detail[:1].upper() + detail[1:] if detail else ""
    detail = detail if not detail or detail[-1] in ".!?" else f"{detail}."
    if state.name == "finished" and isinstance(state.last_event, Finished):
        best = state.last_event.best_epoch
        return f"Finished; the best epoch was {best} of {state.last_event.epochs}. {detail}".strip()
    if state.name == "stopped":
        return detail if "resume" in detail.lower() else f"{detail} Resume goes on from there."
    if state.name == "failed":
        return f"The training failed. {detail}"
    if state.name == "died":
        first = detail.partition("\n")[0].partition(" The end of its log")[0]
        return f"{first} Resume goes on from the last checkpoint."
    return ""
