"""Borders of spans: what the guideline puts inside an entity and what it leaves out (docs/labels.md)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ossamma_spacy.corpora.forms import COUNT, DAYS, MONTHS, NUMERAL
from ossamma_spacy.knowledge import OUTSIDE

HONORIFIC = re.compile(r"\b(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|St)\.?\s+)+$")
# titles that are part of a name in use
TITLE = re.compile(r"\b(?:Pope|King|Queen|(?:Crown )?Prince(?:ss)?|Emperor|Empress|Tsar|Czar|Saint)\s+$")
OFFICE = re.compile(
    r"(?:(?:(?:Vice|Deputy|Lieutenant|Major|Brigadier|Rear|Attorney|Chief|Prime|Foreign|Defen[cs]e|First)[ -])?"
    r"(?:President|Minister|Chancellor|Senator|Sen|Governor|Gov|Congress(?:wo)?man|Representative|Rep|Secretary|"
    r"Ambassador|Mayor|Judge|Justice|General|Gen|Colonel|Col|Captain|Capt|Major|Maj|Lieutenant|Lt|Sergeant|Sgt|"
    r"Admiral|Adm|Commander|Marshal|Director|Chair(?:wo)?man|Speaker|Sheriff|Officer|Detective|Inspector|Bishop|"
    r"Archbishop)\.?(?:\s+|$))+"
)
SURNAME = re.compile(r"[A-Z]\w+")
# a captain by name only
STAGED = re.compile(
    r"(?:Captain (?:Ahab|America|Beefheart|Haddock|Hook|Kirk|Marvel|Nemo|Picard|Planet|Sensible)|Major Tom|"
    r"General (?:Hospital|Zod)|Judge (?:Dredd|Judy|Reinhold)|Inspector (?:Clouseau|Gadget|Morse|Rebus)|"
    r"Commander Keen|Marshal Dillon)\b",
    re.IGNORECASE,
)
# houses that bear an 's in their name
HOUSE = re.compile(
    r"(?:the )?(?:Applebee|Arby|Barney|Bloomingdale|Christie|Denny|Domino|Harrod|Kellogg|Kohl|Levi|Lloyd|Lowe|"
    r"Macy|Mc ?Donald|Moody|Papa John|Sainsbury|Selfridge|Sotheby|Standard (?:&|and) Poor|T\.G\.I\. Friday|"
    r"Wendy)\s?['’]s\Z",
    re.IGNORECASE,
)
DETERMINED = re.compile(r"\b(?:the|an?)\s+$", re.IGNORECASE)
# a year before an event belongs to its name, but not in "in 1939 World War II"
YEAR = re.compile(
    r"(?<!\b[Ii]n )(?<!\b[Bb]y )(?<!\b[Ff]rom )(?<!\b[Ss]ince )(?<!\b[Uu]ntil )(?<!\b[Dd]uring )"
    r"(?<![\w/–-])(?:1[5-9]|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?\s+$"
)
DETERMINER = re.compile(r"(?:the|an?)\s+")
DECADE = re.compile(r"\d0\s?['’]s$")  # 1980's
INCHES = re.compile(r'[^"“”]*\d["”]')  # 1/4", no quotation
# a pair around all, or one behind it; not that of 'Arry, the '80s, rock 'n'
SINGLE_QUOTES = re.compile(r"(['‘]?)(?:[^'‘’]|\b['’]\b)*['’]")
BORDER = ' \t\n\r"“”,;:_'
# before a measure, none of it; a range from … to … is two
MODIFIER = re.compile(
    r"(?:(?:about|around|approximately|roughly|near(?:ly)?|almost|over|under|above|below|up ?to|towards?|close to|"
    r"at (?:least|most)|only|some|(?:not |no )?(?:more|less|fewer|greater|larger|higher|lower|later|earlier) than|"
    r"as (?:early|far|few|high|large|late|little|long|low|many|much|small) as|(?:an )?average(?: of)?|"
    r"approach(?:es|ed|ing)?|reach(?:es|ed|ing)?|exceed(?:s|ed|ing)?|in|on|at|by|from|since|until|till|for|after|"
    r"before|within|during|between|just|that|these|those|my|your|his|her|its|our|their|"
    r"[oi][fn] the order of|(?:early|late|later|earlier) in|the|(?:the )?(?:(?:early|late|latter) part|"
    r"end|start|beginning|middle|course|turn|rest|duration) of)\s|"
    r"an?\s(?=\d)|(?:approx|c|ca)\.|[~∼<>≤≥⩽⩾≦≧≲≳≈]=?)\s*",
    re.IGNORECASE,
)
# a duration and what follows it: two days later, ten weeks of talks
HEAD = re.compile(
    r"(.+?)\s+(?:later|earlier|before|after|previously|prior|since)\b.*|"
    r"(.*?\b(?:hour|day|night|week|month|year|decade)s?)\s+of\b(?! age).*",
    re.IGNORECASE | re.DOTALL,
)
COUNTED = re.compile(rf"(?:^|\W)(?:[\d.,]+|{COUNT}|day|week|month|year)$", re.IGNORECASE)
CURRENCY = re.compile(r"(?:[A-Z]{1,3})?[$£€¥]$")  # before it
DASHES = ("-", "–", "—")
COMPOUND = re.compile(r"(?:-[a-z]+)+|\s(?:o['’ ]*clock|[ap]\.?m\b\.?)")  # behind it: 28-gun, two-year-old, six o'clock
AGO = re.compile(r"\sago\b")
BARE_MONTH = re.compile(rf"(?:{MONTHS})\.?", re.IGNORECASE)
OF_MONTH = re.compile(
    r"\s(?:\d{1,2}(?!\s[a-z]{3,}s\b)\b(?:\s?,\s?[12]\d{3}\b)?|[12]\d{3}\b)"
)  # behind it: Nov. 22, 1963
# what stands before a date and belongs to it: late 1840s, mid-July, last Tuesday, every two days
_DAY = rf"(?:(?:{MONTHS}|{DAYS})\b|(?:spring|summer|autumn|winter)\b)"
BEFORE_DATE = (
    (
        re.compile(r"\b(?:early|mid|late)[ -]$", re.I),
        re.compile(rf"(?:1\d|20)\d\d|\d+(?:st|nd|rd|th)[ -]c|{_DAY}", re.I),
    ),
    (re.compile(r"\b(?:[Ll]ast|[Nn]ext|this) $"), re.compile(_DAY, re.I)),
    (
        re.compile(r"\bevery $", re.I),
        re.compile(rf"(?:\d+|{COUNT}) (?:second|minute|hour|day|week|month|year)s?\b", re.I),
    ),
)
DATED = re.compile(rf"\b(?:(?:{MONTHS})\b|(?:1\d|20)\d\d\b)", re.IGNORECASE)
LONE_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?")
# before the name of a place, none of it: southern Italy
DIRECTION = re.compile(
    r"(?:(?:north|south|east|west|central)(?:ern)?|(?:north|south)[ -]?(?:east|west)(?:ern)?|mainland)\s+(?=[A-Z])"
)
# the common noun behind a name: British army
BODY = re.compile(
    r"[A-Z].*\s(?:government|army|navy|air force|military|police|parliament|embassy|administration|regime|authorities)"
)
NO_AMOUNT = re.compile(r"one of", re.IGNORECASE)
SUPRANATIONAL = re.compile(r"EU|European (?:Union|Community)|Holy See")  # bodies, though some corpora call them places
APPOSITION = re.compile(r"(?!Washington)(\D[^,\d]*?)\s?,\s?([^,\d]+)")  # Boston, Massachusetts
RANGE = re.compile(
    r"(?:(?:rang|increas|decreas|vary|vari|rise?|ris|fall|grow|declin)\w*\s+)?"
    r"(?:from\s+(.+?)\s+(?:to|until|till|through)|between\s+(.+?)\s+and)\s+(.+)",
    re.IGNORECASE,
)


class Mapped(NamedTuple):
    """A span in characters and its candidates; none where nothing is known of it."""

    start: int
    end: int
    labels: tuple[str, ...]


def joined(text: str, spans: list[Mapped]) -> list[Mapped]:
    """Measures that a dash alone parts are one range: 2009-2010, and 19 May 1767 – 5 January 1816.

    Nothing is known of a year before what may be an event: it may be part of its name.
    """
    found: list[Mapped] = []
    for span in spans:
        if found and found[-1].labels == ("MEASURE",):
            between = text[found[-1].end : span.start]
            if span.labels == ("MEASURE",) and (between in DASHES or _is_dated_range(text, found[-1], span, between)):
                span = Mapped(found.pop().start, span.end, span.labels)
            elif len(span.labels) > 1 and "EVENT" in span.labels and between == " " and _is_year(text, found[-1]):
                found[-1] = found[-1]._replace(labels=())
        found.append(span)
    return found


def _is_dated_range(text: str, first: Mapped, last: Mapped, between: str) -> bool:
    """Whether both are dates and a dash with spaces stands between them; the second may be a year of two digits."""
    dash = between.strip() in DASHES and between.isprintable()
    return (
        dash
        and DATED.search(text, first.start, first.end) is not None
        and (
            DATED.search(text, last.start, last.end) is not None
            or re.fullmatch(r"\d\d", text[last.start : last.end]) is not None
        )
    )


def _is_year(text: str, span: Mapped) -> bool:
    return LONE_YEAR.fullmatch(text, span.start, span.end) is not None


def is_measure(labels: tuple[str, ...]) -> bool:
    """Whether a span is above all a measure: a title that may be one keeps its words."""
    return next((label for label in labels if label != OUTSIDE), "") == "MEASURE"


def parts(text: str, span: Mapped) -> Iterator[Mapped]:
    """The two ends of a range of measures, a place and the one where it lies, or the span itself."""
    match = None
    if is_measure(span.labels):
        match = RANGE.fullmatch(text, span.start, span.end)
    elif span.labels == ("PLACE",):
        match = APPOSITION.fullmatch(text, span.start, span.end)
    if match is None:
        yield span
    else:
        for group, part in enumerate(match.groups(), start=1):
            if part:
                yield Mapped(*match.span(group), span.labels)


def trimmed(text: str, span: Mapped, possessives: str = "keep") -> Iterator[Mapped]:
    """The span with what belongs to it and without what does not; nothing where nothing is left.

    `possessives` is as in the corpus's entry.

    Marks alone ("–", "@@") are a slip and no entity, save where they may be a unit ("%"). Nothing is known of a PERSON
    whose only name reads like an office ("Major said"), or of two that "&" joins: they may be a firm or a band.
    """
    labels, measure = span.labels, is_measure(span.labels)
    start, end = _without_marks(text, span.start, span.end, labels)
    may_own = ("PERSON" in labels or possessives == "cut") and not HOUSE.match(text, start, end)
    owner = not DECADE.search(text, start, end) if measure else labels == ("PERSON",) or may_own
    if owner and text[start:end].endswith(("'s", "’s")):
        end = len(text[: end - 2].rstrip())
    if measure:
        start, end = _measure(text, start, end)
    elif labels == ("PLACE",):
        if match := DIRECTION.match(text, start, end):
            start = match.end()
        if SUPRANATIONAL.fullmatch(text, start, end):
            labels = ("AGENCY",)
    elif labels == ("AGENCY",) and BODY.fullmatch(text, start, end):
        labels = ()
    elif labels == ("EVENT",) and (match := YEAR.search(text, max(0, start - 20), start)):
        start = match.start()
    elif labels == ("PERSON",):
        first = start
        start, end = _person(text, start, end)
        if (
            start == end
            and SURNAME.fullmatch(text, first, end)
            and not DETERMINED.search(text, max(0, first - 6), first)
        ):
            start, labels = first, ()
        elif " & " in text[start:end]:
            labels = ()
    named = not labels or measure or any(character.isalnum() for character in text[start:end])
    if start < end and named:
        yield Mapped(start, end, labels)


def _without_marks(text: str, start: int, end: int, labels: tuple[str, ...]) -> tuple[int, int]:
    """Without spaces, quotes, lone brackets, a hashtag's mark, and a determiner in lower case.

    A title that is all in lower case keeps its determiner, a measure in inches their mark.
    """
    inches = is_measure(labels) and INCHES.fullmatch(text, start, end)
    while start < end and text[start] in BORDER + "#":
        start += 1
    while start < end and text[end - 1] in BORDER and not inches:
        end -= 1
    if re.fullmatch(r"\([^()]*\)", text[start:end]):
        start, end = start + 1, end - 1
    if text[start:end].count("(") != text[start:end].count(")"):  # cut off with its partner
        start += text.startswith("(", start)
        end -= text.endswith(")", start, end)
        start, end = len(text) - len(text[start:].lstrip()), len(text[:end].rstrip())
    if (match := SINGLE_QUOTES.fullmatch(text, start, end)) and (match[1] or not is_measure(labels)):
        start, end = start + len(match[1]), end - 1
        start, end = len(text) - len(text[start:].lstrip()), len(text[:end].rstrip())
    title = "WORK" in labels and text[start:end].islower()
    if not title and (match := DETERMINER.match(text, start, end)):
        start = match.end()
    return start, end


def _measure(text: str, start: int, end: int) -> tuple[int, int]:
    """Without what modifies it, empty for "one of"; with currency, compound, day of the month, and "late" or "last"."""
    if NO_AMOUNT.fullmatch(text, start, end):
        return end, end
    while match := MODIFIER.match(text, start, end):
        start = match.end()
    if match := CURRENCY.search(text, max(0, start - 4), start):
        start = match.start()
    if match := HEAD.fullmatch(text, start, end):
        head = match.end(match.lastindex or 0)
        if NUMERAL.search(text, start, head) and not NUMERAL.search(text, head, end):
            end = head
    if BARE_MONTH.fullmatch(text, start, end) and (match := OF_MONTH.match(text, end)):
        end = match.end()
    for before, date in BEFORE_DATE:
        if date.match(text, start, end) and (match := before.search(text, max(0, start - 6), start)):
            start = match.start()
    if (match := COMPOUND.match(text, end)) and COUNTED.search(text[start:end]):
        end = match.end()
    if match := AGO.match(text, end):
        end = match.end()
    return start, end


def _person(text: str, start: int, end: int) -> tuple[int, int]:
    """Without an office, empty where it is one ("the Governor of Ohio"); with the honorifics or title before it."""
    if not STAGED.match(text, start, end) and (match := OFFICE.match(text, start, end)):
        start = end if text.startswith(("of ", "for "), match.end()) else match.end()
    for before in (HONORIFIC, TITLE):
        if start < end and (match := before.search(text, max(0, start - 40), start)):
            start = match.start()
    return start, end
