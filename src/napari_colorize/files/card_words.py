"""The card of a model in words, whatever a card that came from elsewhere may hold."""

from __future__ import annotations

from typing import Any

LONGEST = 1_000  # letters of one thing that is told
_NETWORKS = {
    "palette": "palette: finds all likely colours of each place, and obeys hints",
    "plain": "plain: gives each place one colour, and knows no hints",
}
_ROWS = {
    "model": "this model",
    "vividness 0": "its safe average",
    "plain": "plain network",
    "grey": "left grey",
}
# Column of the table: head, what it means, and how a figure is written.
COLUMNS = {
    "psnr": ("PSNR", "Nearness to the true picture in dB; more is better.", ".2f"),
    "auc_raw": ("near", "Share of pixels near the true colour, in % (AuC); more is better.", ".1f"),
    "auc_balanced": ("rare", "The same, with rare colours counted as much as common ones.", ".1f"),
    "ciede2000": ("ΔE", "Distance as the eye sees it (CIEDE2000); less is better.", ".2f"),
    "colorfulness": ("vivid", "Colourfulness beside that of the true pictures, which is 1.", ".2f"),
}

Card = dict[str, Any]


def card_lines(card: Card) -> list[tuple[str, str]]:
    """Return what a card tells, as pairs of what it is about and the words."""
    training = _dict(card.get("training"))
    lines = [
        ("About", _text(card.get("about"))),
        ("Network", _NETWORKS.get(card["network"], _text(card["network"]))),
        ("Trained on", _trained_on(training)),
        ("Training", _training(training)),
        ("Encoder", _encoder(_dict(training.get("encoder")))),
        ("Does well", _list(card.get("does_well"))),
        ("Limits", _list(card.get("limits"))),
        ("Failures", _failures(_dict(card.get("failures")))),
        ("Not for", _text(card.get("not_for"))),
        ("While training", _validation(card)),
        ("Licence", _text(card.get("license"))),
        ("Sees pictures at", f"{card['working_size']:,} px, short side"),
        ("Hash", _text(card["hash"])),
    ]
    return [(label, words) for label, words in lines if words]


def score_rows(card: Card) -> list[tuple[str, list[str]]]:
    """Return the table of the score card: the name of each row and a cell for each of `COLUMNS`."""
    rows = _dict(_evaluation(card).get("rows"))
    table = []
    for key, name in _ROWS.items():
        figures = _dict(rows.get(key))
        cells = [_figure(figures.get(column), told[2]) for column, told in COLUMNS.items()]
        if any(cells):
            table.append((name, [cell or "–" for cell in cells]))
    return table


def score_line(card: Card) -> str:
    """Return on what the score card was measured; empty where there is none."""
    evaluation = _evaluation(card)
    if not score_rows(card):
        return "Not measured yet."
    pictures, device = evaluation.get("pictures"), _text(evaluation.get("device"))
    words = f"Measured on {_count(pictures, 'photograph')}" if _count(pictures, "") else "Measured"
    if evaluation.get("hash") != card["hash"]:
        return f"{words}, with other weights than these: measure again."
    return f"{words}, on {device}." if device else f"{words}."


def _trained_on(training: Card) -> str:
    parts = [_count(training.get("photographs"), "photograph")]
    sources = training.get("data")
    if isinstance(sources, list) and sources and parts[0]:
        parts.append(f"from {_count(len(sources), 'collection')}")
    return " ".join(part for part in parts if part)


def _training(training: Card) -> str:
    if summary := _text(training.get("summary")):
        return summary
    settings = _dict(training.get("settings"))
    parts = [_count(training.get("epoch"), "epoch"), _count(training.get("steps"), "step")]
    seconds = _number(training.get("seconds"))
    device = _text(training.get("device"))
    if seconds is not None:
        parts.append(_duration(seconds) + f" on {device}" * bool(device))
    if start := _text(settings.get("init")):
        parts.append(f"started from {start}")
    if end := _text(training.get("finished")):
        parts.append(f"finished {end}")
    return ", ".join(part for part in parts if part)


def _encoder(encoder: Card) -> str:
    """Return where weights that were trained elsewhere come from, and on what terms."""
    return ". ".join(part for key in ("source", "terms") if (part := _text(encoder.get(key))))


def _validation(card: Card) -> str:
    """Return how near the training came to the photographs that it kept aside."""
    told = _dict(_dict(card.get("score_card")).get("validation"))
    psnr, grey = _figure(told.get("psnr"), ".2f"), _figure(told.get("psnr_grey"), ".2f")
    if not psnr:
        return ""
    beside = f", left grey {grey} dB" if grey else ""
    return f"PSNR {psnr} dB on photographs kept aside{beside}"


def _failures(failures: Card) -> str:
    """Return what went wrong in pictures that were looked at, each kind with its count."""
    kinds = []
    for kind, told in _dict(failures.get("counts")).items():
        now, before = (_figure(_dict(told).get(when), ",.0f") for when in ("now", "before"))
        if now:
            kinds.append(f"{kind} {now}" + f" (before {before})" * bool(before))
    looked_at = _count(failures.get("pictures"), "picture")
    return _text(f"of {looked_at}: {', '.join(kinds)}") if looked_at and kinds else ""


def _evaluation(card: Card) -> Card:
    return _dict(_dict(card.get("score_card")).get("evaluation"))


def _duration(seconds: float) -> str:
    """Return a time in words, to two digits or so."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:,.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"


def _count(value: object, thing: str) -> str:
    number = _number(value)
    if number is None or number < 0:
        return ""
    return f"{number:,.0f} {thing}" + "s" * (number != 1)


def _figure(value: object, form: str) -> str:
    number = _number(value)
    return "" if number is None else format(number, form)


def _number(value: object) -> float | None:
    """Return a number that can be shown, None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e12 else None


def _list(value: object) -> str:
    if not isinstance(value, list):
        return _text(value)
    return _text("\n".join(f"• {item}" for item in value if isinstance(item, str)))


def _text(value: object) -> str:
    """Return a text on the card, cut where it has no end; empty if it is none."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _dict(value: object) -> Card:
    return value if isinstance(value, dict) else {}
