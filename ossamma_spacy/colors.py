"""Colours of the nine labels in displaCy, light enough for its black text.

PERSON and EVENT are spaCy's labels too and keep spaCy's colours.
"""

COLORS = {
    "PERSON": "#aa9cfc",
    "AGENCY": "#7aecec",
    "PLACE": "#ffb870",
    "ORGANISM": "#8fdc7c",
    "EVENT": "#ffeb80",
    "INSTRUMENT": "#c8c8c8",
    "WORK": "#ff9eb8",
    "DOMAIN": "#82b8ff",
    "MEASURE": "#e8b8f8",
}


def label_colors() -> dict[str, str]:
    """`ossamma.colors.v1`: label → colour."""
    return dict(COLORS)
