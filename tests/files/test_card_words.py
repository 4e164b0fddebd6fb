"""Cards in words: what is told, and that no card whatever breaks it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.files.card_words import LONGEST, card_lines, score_line, score_rows
from napari_colorize.files.models import list_models

BASE = {"name": "sky", "network": "palette", "working_size": 128, "hash": "ab" * 32}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def test_a_training_is_told_in_words() -> None:
    """Numbers have their units, and what is not known is left out."""
    training = {
        "photographs": 1200,
        "epoch": 1,
        "steps": 3,
        "seconds": 3 * 3600,
        "device": "cpu",
        "settings": {"init": "palette"},
    }
    lines = dict(card_lines(BASE | {"training": training, "limits": ["a", "b"]}))
    assert lines["Trained on"] == "1,200 photographs"
    assert lines["Training"] == "1 epoch, 3 steps, 3.0 hours on cpu, started from palette"
    assert lines["Limits"] == "• a\n• b"
    assert lines["Sees pictures at"] == "128 px, short side"
    assert "Licence" not in lines
    training |= {"summary": "Ten legs.", "encoder": {"source": "A net", "terms": "Free"}}
    lines = dict(card_lines(BASE | {"training": training}))
    assert lines["Training"] == "Ten legs."
    assert lines["Encoder"] == "A net. Free"


def test_failures_are_counted() -> None:
    """By kind, now and before; what is no number is not told."""
    counts = {"one tone": {"before": 1200, "now": 9}, "patches": {"now": 3}, "odd": {"now": "?"}}
    lines = dict(card_lines(BASE | {"failures": {"pictures": 100, "counts": counts}}))
    assert lines["Failures"] == "of 100 pictures: one tone 9 (before 1,200), patches 3"
    assert "Failures" not in dict(card_lines(BASE | {"failures": {"counts": counts}}))


def test_the_bundled_cards_have_a_table() -> None:
    """Rows are named for people, with a cell for each column."""
    palette = next(model for model in list_models() if model.name == "palette")
    rows = dict(score_rows(palette.card))
    assert list(rows) == ["this model", "its safe average", "plain network", "left grey"]
    assert all(len(cells) == 5 for cells in rows.values())
    assert score_line(palette.card) == "Measured on 700 photographs, on cpu."


def test_figures_of_other_weights_are_not_passed_off() -> None:
    """A card whose figures are of another hash says so; one without says that."""
    assert score_line(BASE) == "Not measured yet."
    evaluation = {"hash": "other", "pictures": 5, "rows": {"model": {"psnr": 20.0}}}
    told = score_line(BASE | {"score_card": {"evaluation": evaluation}})
    assert told == "Measured on 5 photographs, with other weights than these: measure again."


def test_a_text_without_end_is_cut() -> None:
    """No card fills the screen."""
    lines = dict(card_lines(BASE | {"about": "x" * 10_000}))
    assert len(lines["About"]) == LONGEST + 1


@given(
    training=ANYTHING,
    scores=ANYTHING | st.fixed_dictionaries({"evaluation": ANYTHING, "validation": ANYTHING}),
    about=ANYTHING,
    limits=ANYTHING,
    failures=ANYTHING | st.fixed_dictionaries({"pictures": ANYTHING, "counts": ANYTHING}),
)
def test_no_card_breaks_the_words(
    training: object, scores: object, about: object, limits: object, failures: object
) -> None:
    """Whatever JSON a card holds, lines and rows are texts."""
    told = {"training": training, "score_card": scores, "about": about, "limits": limits}
    card = BASE | told | {"failures": failures}
    assert all(isinstance(part, str) for line in card_lines(card) for part in line)
    assert all(isinstance(cell, str) for _, cells in score_rows(card) for cell in cells)
    assert score_line(card)
