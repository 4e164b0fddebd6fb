"""The settings that the Train dock offers under Advanced: their fields, and what each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_colorize.docks.setup.setting_editors import (
    Choice,
    Editor,
    RealNumber,
    ShownWord,
    Text,
    WholeNumber,
)

PIXELS, STEPS, SECONDS, EPOCHS = " px", " steps", " s", " epochs"


@dataclass(frozen=True)
class AdvancedField:
    """A setting: its name in `TrainingConfig`, its label, what it does, and its editor."""

    name: str
    label: str
    told: str
    make: Callable[[], Editor]


@dataclass(frozen=True)
class FieldGroup:
    """Settings that belong together."""

    title: str
    fields: tuple[AdvancedField, ...]


DEVICES = {
    "auto": "the best there is",
    "cpu": "processor (cpu)",
    "cuda": "NVIDIA GPU (cuda)",
    "cuda:1": "second NVIDIA GPU (cuda:1)",
    "mps": "Apple GPU (mps)",
}
_PRECISIONS = {
    "auto": "what is fastest here",
    "32-true": "full (32-true)",
    "bf16-mixed": "half, robust (bf16-mixed)",
    "16-mixed": "half, for older GPUs (16-mixed)",
}
_LOSSES = {
    "huber": "forgive large mistakes (huber)",
    "squared": "avoid large mistakes, paler (squared)",
}
_LOGGERS = {"none": "no other log", "tensorboard": "TensorBoard"}

LEARNING = FieldGroup(
    "Learning",
    (
        AdvancedField(
            "epochs",
            "Epochs",
            "How often every photograph is seen. More takes longer and gives better colours, up "
            "to a point; the best epoch is kept whatever comes after it.",
            lambda: WholeNumber(1, 100_000),
        ),
        AdvancedField(
            "patience",
            "Give up after",
            "Stop early when the held-out photographs have not become better for so many epochs.",
            lambda: ShownWord(0, 10_000, "never", unit=EPOCHS),
        ),
        AdvancedField(
            "learning_rate",
            "Learning rate",
            "How much is learned from one batch. Too high forgets what the model knew or falls "
            "apart, too low takes long. For fine-tuning 0.0003 to 0.001.",
            lambda: RealNumber(1e-6, 1.0, None),
        ),
        AdvancedField(
            "encoder_rate",
            "Encoder learns",
            "How fast the part that knows what is in a picture learns, as a share of the learning "
            "rate: 0 leaves it as it is, which is quicker and keeps more of what it knew.",
            lambda: RealNumber(0.0, 10.0, 0.05, decimals=3),
        ),
        AdvancedField(
            "warmup",
            "Warm-up",
            "Steps in which the learning rate rises to its full height, so that the first batches "
            "do no harm. At most a fifth of the training.",
            lambda: WholeNumber(0, 100_000, step=50, unit=STEPS),
        ),
        AdvancedField(
            "batch_size",
            "Batch size",
            "Photographs that are learned from in one step. More need more memory; when it runs "
            "out, the training goes on by itself with smaller pieces.",
            lambda: WholeNumber(1, 4096),
        ),
        AdvancedField(
            "weight_decay",
            "Weight decay",
            "How strongly the weights are pulled towards zero; a little keeps a model from "
            "learning photographs by heart.",
            lambda: RealNumber(0.0, 10.0, 0.01, decimals=4),
        ),
        AdvancedField(
            "ema",
            "Averaging",
            "The model that is kept is an average of the latest weights: 0 is none, 0.999 looks "
            "back about a thousand steps.",
            lambda: RealNumber(0.0, 0.99999, 0.001, decimals=5),
        ),
        AdvancedField(
            "rehearsal",
            "Keep the old",
            "How strongly a model that is fine-tuned is held to what it knew: at 3 it lies "
            "half-way between old and new; 0 lets it forget, which gives your photographs most.",
            lambda: RealNumber(0.0, 100.0, 0.1, decimals=3),
        ),
        AdvancedField(
            "loss",
            "Mistakes",
            "How a wrong colour is counted. Forgiving large mistakes gives livelier colours; "
            "avoiding them gives safer and paler ones.",
            lambda: Choice(_LOSSES),
        ),
        AdvancedField(
            "rebalance",
            "Rare colours",
            "How many times more a rare colour counts than a common one, at most; 1 is no more. "
            "Only for networks that know how likely each colour is, such as palette.",
            lambda: RealNumber(1.0, 1000.0, 1.0, decimals=2, unit=" ×"),
        ),
    ),
)

PICTURES = FieldGroup(
    "Pictures",
    (
        AdvancedField(
            "photographs",
            "Use at most",
            "Take only so many of the photographs, drawn by chance.",
            lambda: WholeNumber(1, 100_000_000, unit=" photographs", nothing="all photographs"),
        ),
        AdvancedField(
            "working_size",
            "Working size",
            "Short side to which pictures are brought before the network looks at them. Larger "
            "sees finer detail and is slower, also when the model is used.",
            lambda: WholeNumber(16, 4096, step=16, unit=PIXELS),
        ),
        AdvancedField(
            "crop",
            "Crop",
            "Side of the square pieces that are learned from. Larger shows more of the scene at "
            "once and takes more memory and time.",
            lambda: WholeNumber(16, 4096, step=16, unit=PIXELS),
        ),
        AdvancedField(
            "tone",
            "Ageing",
            "How often the grey picture is made soft, noisy or faded as old photographs are: 0 "
            "never, 1 always. Take 0 if the pictures you want to colour are clean.",
            lambda: RealNumber(0.0, 1.0, 0.1, decimals=2),
        ),
        AdvancedField(
            "seed",
            "Chance",
            "The number that all chance comes from: the same number gives the same training.",
            lambda: WholeNumber(0, 2**31 - 1),
        ),
        AdvancedField(
            "cache",
            "Cache folder",
            "Where the decoded photographs are kept for the next training; it should be on a "
            "quick disk with room.",
            lambda: Text("the usual one"),
        ),
    ),
)

MACHINE = FieldGroup(
    "Machine",
    (
        AdvancedField(
            "device",
            "Device",
            "Where to compute. A GPU is far faster than the processor.",
            lambda: Choice(DEVICES),
        ),
        AdvancedField(
            "precision",
            "Precision",
            "How exactly numbers are kept while computing. Half is faster and needs less memory "
            "where the hardware has it.",
            lambda: Choice(_PRECISIONS),
        ),
        AdvancedField(
            "threads",
            "Threads",
            "Threads of the processor that compute. Fewer leave more of the machine to you.",
            lambda: WholeNumber(0, 1024, nothing="as many as there are cores"),
        ),
        AdvancedField(
            "processes",
            "Processes",
            "Processes that train together, one a GPU. Leave it at 1 unless there are several "
            "GPUs.",
            lambda: WholeNumber(1, 64),
        ),
        AdvancedField(
            "checkpoint_every",
            "Save every",
            "Time between two saves from which a training that was cut off can go on.",
            lambda: RealNumber(0.0, 86_400.0, 10.0, decimals=1, unit=SECONDS),
        ),
        AdvancedField(
            "logger",
            "Also log to",
            "Write the curves for TensorBoard too, into the run folder; it has to be installed: "
            "pip install tensorboard.",
            lambda: Choice(_LOGGERS),
        ),
    ),
)

GROUPS = (LEARNING, PICTURES, MACHINE)
NAMES = frozenset(field.name for group in GROUPS for field in group.fields)
