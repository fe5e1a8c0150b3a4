"""Forms that a span's text may have, by which an entry maps a label apart: `Method:phrase` beside `Method`."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

PHRASE = re.compile(
    r"[()\[\];]|,(?!\s[12]\d{3}\b)| (?:and|or|of|for|in|on|with|to|from|by|at|as|into|using|via|without|between) ", re.I
)
LIST = re.compile(r"(?!between\b).*(?:[,;]\s(?![12]\d{3}\b)|\b(?:and|or)\b|&)", re.IGNORECASE | re.DOTALL)
SEVERAL = re.compile(r"[()\[\];]|,(?!\d)|(?<!\d),| (?:and|or|&) | (?:in|on|of|from) (?:\w+ )?\d", re.IGNORECASE)
FORMULA = re.compile(
    r"[A-Z][a-z]?(?:\d+[+−-])?|\S*[A-Z](?:\S*[A-Z]|[a-z]?\d)\S*"
)  # Pt, Cu2+, LSCF, SiO2, La0.6Sr0.4FeO3
PARTICLE = (
    r"(?:of|the|and|for|d|de|la|le|les|du|des|del|di|da|dos|von|van|der|den|und|et|y|al|ibn|in|on|to|at|an?|or|with|"
    r"from|by)"
)
EPITHET = re.compile(
    r"(?:(?:the|an?|my|your|his|her|its|our|their|this|that) )?(?:(?:old|young|elder|younger|poor|little|dear|good|"
    r"great|late|same|honest|handsome|lovely|sweet|pretty|fair|beautiful|charming|brave|noble|worthy|excellent|kind|"
    r"gentle|faithful|famous|celebrated|illustrious|unfortunate|unhappy|wretched|wicked|venerable|aged|big|fat|tall)"
    r",? )+(?:[A-Z][\w.'’-]*|de|la|van|von)(?: (?:[A-Z][\w.'’-]*|de|la|van|von|d['’]\w+))*"
)
MIXED = re.compile(rf"(?:^|\s)[\"'“‘(]*(?!{PARTICLE}\b)[a-z]")
DETERMINED = re.compile(
    r"(?:the|an?|this|that|these|those|my|your|thy|his|her|its|our|their|every|each|any|some|no|one|dear(?:est)?|old|"
    r"young|poor|little)\s",
    re.IGNORECASE,
)
COUNT = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)t(?:y|ies)|hundred|thousand|[mbtr]\w*illion|zero|dozen|half|quarter|"
    r"first|second|third|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|\w+teen|\w+tie|hundred)th|twice|thrice"
)
MONTHS = (
    r"january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|mon|tues?|wed|thurs?|fri|sat|sun|today|tonight|tomorrow|yesterday"
DATED = (
    r"(?:last|this|next)\s+(?:morning|afternoon|evening|night|week(?:end)?|month|year|decade|century|quarter|"
    r"spring|summer|autumn|fall|winter)"
)
NUMERAL = re.compile(rf"[\d½¼¾⅓⅔]|\b(?:{COUNT}|{MONTHS}|{DAYS}|{DATED})\b", re.IGNORECASE)
COMPOUND = re.compile(
    r"\b(?:anti|ex|inter|intra|mid|neo|non|pan|post|pre|pro|trans)-\w|[\w.]-(?:backed|based|born|brokered|built|"
    r"controlled|dominated|funded|held|led|made|occupied|owned|ruled|run|speaking|sponsored|style|trained|wide)$",
    re.IGNORECASE,
)
PLATFORM = re.compile(
    r"[#@]?(?:facebook|fb|flickr|foursquare|instagram|linkedin|msn|myspace|netflix|pinterest|reddit|skype|snap ?chat|"
    r"sound ?cloud|spotify|tik ?tok|tumblr|twitter|ustream|vimeo|vine|wechat|whats ?app|wikipedia|you ?tube)",
    re.IGNORECASE,
)
STUDIO = re.compile(
    r"(?:disney|dreamworks|(?:studio )?ghibli|marvel|mgm|miramax|paramount|pixar|universal|warner bros|"
    r"walt disney (?:pictures|productions|studios))\b",
    re.IGNORECASE,
)
# a thing counted, no unit: "274 participants", not "65 years"
COUNTED = re.compile(
    rf"(?:\d|\b(?:{COUNT}))\s(?!(?:\w*second|minute|hour|day|week|month|year|decade|centurie|time|fold|degree|"
    r"percent|\w*met[re]{2}|\w*gram|\w*lit[re]{2}|inche|mile|pound|ounce|mole|dollar|euro|unit|cycle)s?\b)[a-z]{4,}s\Z",
    re.IGNORECASE,
)
HORMONE = re.compile(r"(?:pro)?insulin|glucagon|oxytocin|vasopressin|erythropoietin|epo|growth hormone", re.IGNORECASE)
ADJECTIVE = re.compile(r"[a-z]+(?:ic|ous)")
USAGE = re.compile(r" (?:abuse|consumption|intakes?|use)$", re.IGNORECASE)
PARTY = re.compile(
    r"(?:(?:social|christian) )?democrats?|(?-i:Democratic|DEMOCRATIC)|dems?|republicans?|tor(?:y|ies)", re.IGNORECASE
)


@cache
def _peoples() -> frozenset[str]:
    """Nationalities, peoples, languages, religions and their followers, nouns and adjectives."""
    words = Path(__file__).with_name("words") / "peoples.txt"
    return frozenset(words.read_text(encoding="utf-8").splitlines())


# the first that fits counts, where the entry has it
FORMS: Mapping[str, Callable[[str], bool]] = {
    "people": lambda text: text.lower() in _peoples() or _peoples().issuperset(re.split("[ -]", text.lower())),
    "party": lambda text: PARTY.fullmatch(text) is not None,  # its members too
    "platform": lambda text: PLATFORM.fullmatch(text) is not None,  # used oftener than it acts
    "compound": lambda text: COMPOUND.search(text) is not None,  # a name in it
    "list": lambda text: LIST.match(text) is not None,  # coordinated, save "between … and …"
    "several": lambda text: SEVERAL.search(text) is not None,  # names coordinated, explained in brackets, or dated
    "formula": lambda text: FORMULA.fullmatch(text) is not None,  # or an abbreviation
    "counted": lambda text: COUNTED.search(text) is not None,
    "adjective": lambda text: ADJECTIVE.fullmatch(text) is not None,  # "hypercalcemic"
    "hormone": lambda text: HORMONE.fullmatch(text) is not None,  # a drug too
    "film": lambda text: re.search(r"\b(?:film|movie)s?$", text, re.IGNORECASE) is not None,
    "numeral": lambda text: NUMERAL.search(text) is not None,
    "phrase": lambda text: PHRASE.search(text) is not None,  # coordinated, with an attribute behind, or in parts
    "longer": lambda text: len(text.split()) > 3,
    "long": lambda text: len(text.split()) > 2,
    "lower": lambda text: text == text.lower(),  # no name, where the corpus writes names with capitals
    "at": lambda text: re.match(r"@\w+\s", text) is not None,  # no handle: "@ Gimpo Airport", its "@" glued to it
    "epithet": lambda text: EPITHET.fullmatch(text) is not None,  # "poor Giotto"
    "mixed": lambda text: MIXED.search(text) is not None,  # a name with words that are none of it: occupied Poland
    "determined": lambda text: DETERMINED.match(text) is not None,  # with an article, a pronoun or an epithet
    "usage": lambda text: USAGE.search(text) is not None,  # "coffee consumption", where coffee is marked alone too
    "vague": lambda text: NUMERAL.search(text) is None,  # no number, day or month: "recently", "some"
    "studio": lambda text: STUDIO.match(text) is not None,  # that made a film: "disney animated"
}
