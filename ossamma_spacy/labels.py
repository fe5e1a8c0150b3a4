"""The nine labels, in the order of their tags."""

LABELS = ("PERSON", "AGENCY", "PLACE", "ORGANISM", "EVENT", "INSTRUMENT", "WORK", "DOMAIN", "MEASURE")
