"""Colour that holds still: what the network says of a plane, and what it said of the one before.

A network that looks at every plane anew says something else each time: flicker. What is carried
from plane to plane is its whole answer, the distribution over the colours and not a colour, along
the motion of the lightness. Where the planes match well the old answer counts most and the new
one little; where something new comes into view, or the scene is cut, the new one alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from napari_colorize.stacks.motion import Motion, motion_between

if TYPE_CHECKING:
    from torch import Tensor

    from napari_colorize.networks.interface import Prediction

# How much of the old answer is kept where planes match fully.
KEEP = 0.9


@dataclass(frozen=True)
class Memory:
    """What is known of a plane that was coloured.

    Attributes
    ----------
    lightness : Tensor of shape (h, w)
        L, 0..100, of the plane made small.
    answers : dict of str to Tensor
        The steadied answer, (1, C, h', w'), to each kind of question.
    """

    lightness: Tensor
    answers: dict[str, Tensor] = field(default_factory=dict)


class Steadying:
    """Joins the network's answers for one plane with those for the plane before.

    Parameters
    ----------
    lightness : Tensor of shape (h, w), float32
        L, 0..100, of the plane made small.
    before : Memory or None
        What is known of the plane before; None begins anew.
    motion : Motion, optional
        From that plane to this one, where it is known already.

    Attributes
    ----------
    memory : Memory
        What the next plane needs.
    begins : bool
        Whether nothing goes over: there is no plane before, or the scene was cut.
    """

    def __init__(
        self, lightness: Tensor, before: Memory | None, motion: Motion | None = None
    ) -> None:
        self.memory = Memory(lightness)
        self._before = {} if before is None else before.answers
        self._motion = None
        if before is not None and before.lightness.shape == lightness.shape:
            motion = motion or motion_between(lightness, before.lightness)
            self._motion = None if motion.is_cut else motion
        self.begins = self._motion is None

    def __call__(self, kind: str, prediction: Prediction) -> Prediction:
        """Return the steadied answer to a kind of question, such as with or without reference."""
        logits = prediction.logits
        answer = prediction.ab if logits is None else torch.cat((prediction.ab, logits), dim=1)
        old = self._before.get(kind)
        if self._motion is not None and old is not None and old.shape == answer.shape:
            places, match = self._motion.of_cells(*answer.shape[-2:])
            moved = functional.grid_sample(
                old, places.to(old), padding_mode="border", align_corners=False
            )
            answer = torch.lerp(answer, moved, KEEP * match.to(answer))
        self.memory.answers[kind] = answer
        steadied = None if logits is None else answer[:, 2:]
        return prediction._replace(ab=answer[:, :2], logits=steadied)
