"""Complete the card of a trained model and write it as a bundled one.

::

    python recipes/bundle.py RUN/best.safetensors VALIDATION \
        --facts recipes/plain.json --out src/napari_colorize/weights/plain.safetensors

The facts of a JSON file (name, licence, default vividness, what it does well, where it fails) and
the sources of its photographs with their terms (``recipes/photographs.json``) go into its card. So
completed, it is evaluated on the folder VALIDATION, and its score card is added. A contact sheet is
written where ``--sheet`` says.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from napari_colorize.evaluation import evaluate_model
from napari_colorize.networks.weights import load_network, save_network

SOURCES = Path(__file__).parent / "photographs.json"


def main() -> None:
    """Evaluate, complete the card, write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--device", default="cpu")
    settings = parser.parse_args()

    network, card = load_network(settings.model)
    facts: dict[str, Any] = json.loads(settings.facts.read_text("utf-8"))
    training = card["training"] | {"data": json.loads(SOURCES.read_text("utf-8"))}
    card |= facts | {"training": training | facts.get("training", {})}
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / settings.out.name
        save_network(named, network, card)
        scores = evaluate_model(settings.validation, model=named, device=settings.device)
    print(scores.table())
    if settings.sheet:
        scores.contact_sheet(settings.sheet)
    card["score_card"] |= {"evaluation": scores.to_dict()}
    print(save_network(settings.out, network, card)["hash"])


if __name__ == "__main__":
    main()
