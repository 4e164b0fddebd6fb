"""Average the weights of several models of one network into another: a model soup.

::

    python recipes/average.py MODEL MODEL... --out AVERAGE

Wortsman et al. 2022, arXiv:2203.05482. The card is the last model's; `recipes/choose.py` tells what
the average is worth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from napari_colorize.networks.weights import load_network, save_network


def main() -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()

    loaded = [load_network(path) for path in asked.models]
    network, card = loaded[-1]
    states = [each.state_dict() for each, _ in loaded]
    mean = {
        name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(last.dtype)
        for name, last in states[-1].items()
    }
    network.load_state_dict(mean)
    save_network(asked.out, network, card)


if __name__ == "__main__":
    main()
