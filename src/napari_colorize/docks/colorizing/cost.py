"""What an order will cost, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from napari_colorize.docks.colorizing.pace import in_words, pace

if TYPE_CHECKING:
    from napari_colorize.docks.colorizing.orders import Order


def cost(order: Order, done: int = 0) -> str:
    """Return planes, size and time of an order; nothing for a single picture.

    Of an order that an earlier run has done a part of it is what is left.
    """
    if order.planes == 1:
        return ""
    left = order.planes - done
    time = "" if order.scheduler else f", {in_words(pace.seconds(order, left))}"
    if done:
        return f"{left} of {order.planes} planes are left{time}"
    return f"{order.planes} planes, {_size(order.bytes)}{time}"


def shortage(order: Order) -> str:
    """Return that the result does not fit into memory, or nothing when it does."""
    lacking = lack(order.bytes)
    if not lacking:
        return ""
    stack = any(source.is_stack for source in order.sources)
    advice = "choose 'As you look' or one plane" if stack else "colour one plane"
    return f"The result needs {lacking}: {advice}, or fewer layers at a time."


def lack(needed: int) -> str:
    """Return how many bytes are needed and free, in words, or nothing when they suffice."""
    free = psutil.virtual_memory().available
    return "" if needed < free else f"{_size(needed)} of memory and {_size(free)} are free"


def _size(count: int) -> str:
    """Return a number of bytes in words."""
    unit, name = (1e9, "GB") if count >= 1e9 else (1e6, "MB")
    return f"{count / unit:.2g} {name}" if count < 10 * unit else f"{count / unit:,.0f} {name}"
