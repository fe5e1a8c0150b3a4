"""Where spaces stood between the tokens of a corpus that did not keep them."""

import re
from collections.abc import Sequence

ESCAPES = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
NO_SPACE_BEFORE = re.compile(
    r"(?![:;].)[,;:.!?)\]}%»”…]+|\.\.\.|['’`](s|S|t|re|ve|ll|d|m|em|RE|VE|LL|D|M)|[nN]['’][tT]|’|°C?|[′″]"
)
CLOSING = re.compile(r'"[),.;:]+')  # a mark and what follows it in one token
NO_SPACE_AFTER = re.compile(r"[(\[{«“‘`$£€#@]+|(US|C|A|HK|NT|NZ|S)\$")
ENDING = re.compile(r"s|t|re|ve|ll|d|m", re.IGNORECASE)  # after an apostrophe that was cut off
OPENING = re.compile(r"A|After|An|As|At|But|Despite|For|He|If|In|It|On|She|That|The|There|They|This|We|When")
MONTH = re.compile(
    "January|February|March|April|May|June|July|August|September|October|November|December"
)  # of a dateline
BOUND = re.compile(r"-[A-Za-z]+")  # "-based", as "Off-" reads from its end
SUSPENDED = (["and"], ["or"], ["to"], [","])  # behind "pre-"
ELIDED = re.compile(r"[ODLodl](?: ['’]|['’] )[A-Z]\w+")  # O'Neill, D'Annunzio
CUT_WORDS = {("can", "not"), ("gon", "na"), ("got", "ta"), ("wan", "na"), ("lem", "me"), ("gim", "me")}
DROPPED_G = re.compile(r"[A-Z][a-z]+in")  # Stayin' Alive
DASHED = re.compile(r"[A-Z][a-z]+")  # behind a bracket: "Rome (IPS) - Officials"
BEFORE_SIGN = re.compile(
    r"[=<>~]|the|of|at|and|or|from|to|by|than|between|positions?|intervals?|residues?|is|was|are|were"
)
ADDRESS = re.compile(r"(?:(?:https?|ftp) :|www \.)", re.IGNORECASE)  # a broken one: "http : / / www . ncbi"
ADDRESS_MARKS = re.compile(r"[:/.\-_~=&?#%@]+")
SIGNS = ("+/-", "-/-", "+/+")
WITH_INDEX = re.compile(  # Ca(2+), 10(6), cm(-1), mm(2)
    r"(?:(?:[A-Z][a-z]?\d*)+|10)\((?:\w|\d*[+-]|-?\d+)\)|\w+\(-\d\)|[kcdmnµμ]?m\([23]\)"
)


def unescape(token: str) -> str:
    """The characters that a token of the Penn Treebank stands for."""
    return ESCAPES.get(token, token.replace("\\/", "/").replace("\\*", "*"))


def spaces_after(tokens: Sequence[str], joined: str = "", quoted: set[str] | None = None) -> list[bool]:
    """Whether a space follows each token of a sentence, by the habits of English print.

    Quotes open and close by turns, and so does `_` where it is not in `joined`; hyphens at a token's border cling.
    `quoted` holds the quotation marks that earlier sentences of the document have left open, and is changed to what
    this one leaves open. `joined` is for corpora that part words at punctuation: tokens of its characters cling to both
    neighbours. Some of them are choosy: `.`, `,`, `:` and `–` cling between digits, `.` in "i.v." too, `+` to what
    comes before, `_` to words, `'` to endings and to numbers, `(` to a formula or power whose index it opens; `-`
    stands free of "and", "or" and "to", and where it is a dash. `/` clings between digits in any corpus.
    """
    before, after = [True] * len(tokens), [True] * len(tokens)  # a space may stand there
    double = set() if quoted is None else quoted
    single: set[str] = set()
    for i, token in enumerate(tokens):
        plain = unescape(token)
        if token and all(c in joined for c in token) and (clings := _clings(tokens, i)):
            before[i], after[i] = not clings[0], not clings[1]
        elif token == "/" and _between_digits(tokens, i):
            before[i] = after[i] = False
        elif token == "_" and tokens.count("_") % 2 == 0:  # around what is stressed
            opening = tokens[:i].count("_") % 2 == 0
            before[i], after[i] = opening, not opening
        elif double and CLOSING.fullmatch(token):
            double.discard('"')
            before[i] = False
        elif plain == '"' and _opens(tokens, i, bool(double)):
            double.add(plain)
            after[i] = False
        elif plain == "'" and not single:
            elided = i > 0 and (tokens[i - 1][-1:] in "sS" or DROPPED_G.fullmatch(tokens[i - 1]))
            possessive = elided and "'" not in tokens[i + 1 :]
            if possessive:
                before[i] = False
            else:
                single.add(plain)
                after[i] = False
        elif plain in ('"', "'"):
            (double if plain == '"' else single).discard(plain)
            before[i] = False
        else:
            before[i] = not NO_SPACE_BEFORE.fullmatch(plain)
            after[i] = not NO_SPACE_AFTER.fullmatch(plain)
            cut = i > 0 and (
                (tokens[i - 1].lower(), token.lower()) in CUT_WORDS
                or ELIDED.fullmatch(f"{tokens[i - 1]} {token}")
                or ["C", "+", "+"] in (tokens[i - 1 : i + 2], tokens[i - 2 : i + 1])
            )
            dollar = token == "$" and i > 0 and NO_SPACE_AFTER.fullmatch(tokens[i - 1] + token)
            tick = token == "`" and ENDING.fullmatch("".join(tokens[i + 1 : i + 2]))  # written for an apostrophe
            negation = token.lower() == "n" and tokens[i + 1 : i + 2] in (["'"], ["’"])
            plural = tokens[i : i + 3] == ["(", "s", ")"] and i > 0 and re.fullmatch(r"[a-z]{3,}", tokens[i - 1])
            ending = i > 0 and tokens[i - 1] == "’" and ENDING.fullmatch(token)
            if cut or dollar or tick or negation or plural or ending:
                before[i] = False
            if i and BOUND.fullmatch(token) and tokens[i - 1][-1].isalnum():
                before[i] = False
            elif BOUND.fullmatch(token[::-1]) and tokens[i + 1 : i + 2] not in SUSPENDED:
                after[i] = False
    for i in range(len(tokens) - 1):
        if ADDRESS.fullmatch(f"{tokens[i]} {tokens[i + 1]}"):
            end = _address_end(tokens, i)
            after[i:end] = [False] * (end - i)
    return [after[i] and (i + 1 == len(tokens) or before[i + 1]) for i in range(len(tokens))]


def _address_end(tokens: Sequence[str], i: int) -> int:
    """The last token of the broken address that begins with token i."""
    end = i + 1
    while end + 1 < len(tokens):
        mark, following = tokens[end], tokens[end + 1]
        parted = ADDRESS_MARKS.fullmatch(mark) and (mark != "." or following[:1].islower() or following[:1].isdigit())
        if not ADDRESS_MARKS.match(following) and not (parted and following[:1].isalnum()):
            break
        end += 1
    return end


def _opens(tokens: Sequence[str], i: int, opened: bool) -> bool:
    """Whether a quotation mark opens; `opened` says that one is open.

    Several paragraphs of one quotation each begin with a mark and leave it open, so the place in the sentence counts.
    """
    previous, following = ("".join(tokens[j : j + 1]) for j in (max(i - 1, 0), i + 1))
    closed = opened or previous in (".", "?", "!", "...") or previous[-1:].isdigit()  # digits: inches
    if tokens[i] == "''" and (closed or not following[:1].isalnum()):
        return False
    if i == 0:
        return len(tokens) > 1
    if tokens[i] == "``":
        return not opened
    if opened or (previous in (".", "?", "!", "...") and not following):
        return False
    return not (previous in (",", ".", "?", "!") and following[:1].islower())


def spaces_in(text: str, tokens: Sequence[str]) -> list[bool]:
    """Whether a space follows each token in the text that they were cut from; [] where the text is another."""
    spaces, at = [], 0
    for token in tokens:
        at += len(text[at:]) - len(text[at:].lstrip())
        if not text.startswith(token, at):
            return []
        at += len(token)
        spaces.append(text[at : at + 1].isspace())
    return [] if text[at:].strip() else spaces


def _between_digits(tokens: Sequence[str], i: int) -> bool:
    return 0 < i < len(tokens) - 1 and tokens[i - 1][-1:].isdigit() and tokens[i + 1][:1].isdigit()


def _clings(tokens: Sequence[str], i: int) -> tuple[bool, bool] | None:
    """Whether a mark that parts words clings to the token before and to the one after; None where it parts none."""
    mark, previous, following = tokens[i], *("".join(tokens[j : j + 1]) for j in (max(i - 1, 0), i + 1))
    numbers = _between_digits(tokens, i)
    signed = BEFORE_SIGN.fullmatch(previous) is not None and following[:1].isdigit()
    letters = i > 0 and len(previous) == len(following) == 1 and (previous + following).isalpha()
    dated = MONTH.fullmatch(previous) or (OPENING.fullmatch(following) and (previous, following) != (")", "A"))
    if mark == "-" and (dated or (previous == ")" and DASHED.fullmatch(following))):
        return None  # a dash
    if mark in ("-", "+") and "".join(tokens[i : i + 3]) in SIGNS:
        return False, True
    if mark in ("-", "+") and "".join(tokens[max(i - 2, 0) : i + 1]) in SIGNS:
        return True, False
    if mark == "-":
        suspended = following in ("and", "or", "to") and tokens[i + 2 : i + 3] != ["-"]
        return not signed, not suspended
    if mark == "+" and not signed:
        return None if numbers else (True, letters)
    if mark == "+":
        return False, True
    if mark == "_":  # of an identifier, or around what is stressed
        return (
            previous[-1:].isalnum() or previous == "_",
            following[:1].isalnum() or (following == "_" and previous != "_"),
        )
    if mark == "'":
        if following == "s" or (previous.isalpha() and ENDING.fullmatch(following)):
            return True, True
        return (True, False) if previous.isdigit() else None
    if mark == "(":
        close = next((j for j in (i + 2, i + 3) if tokens[j : j + 1] == [")"]), i)
        return (True, True) if WITH_INDEX.fullmatch(previous + "".join(tokens[i : close + 1])) else None
    clinging = {
        ".": numbers or (letters and tokens[i + 2 : i + 3] == ["."]),
        ",": numbers and len(previous) <= 3 == len(following),
        ":": numbers,
        "–": numbers,
    }
    return (True, True) if clinging.get(mark, True) else None
