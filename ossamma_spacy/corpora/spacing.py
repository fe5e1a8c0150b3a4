"""Where spaces stood between the tokens of a corpus that did not keep them."""

import re
from collections.abc import Sequence

ESCAPES = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
NO_SPACE_BEFORE = re.compile(r"[,;:.!?)\]}%»”…]+|\.\.\.|['’](s|S|re|ve|ll|d|m|em|RE|VE|LL|D|M)|[nN]['’][tT]|’|°C?|[′″]")
NO_SPACE_AFTER = re.compile(r"[(\[{«“‘$£€#@]+|(US|C|A|HK|NZ)\$")
CUT_WORDS = {("can", "not"), ("gon", "na"), ("got", "ta"), ("wan", "na"), ("lem", "me"), ("gim", "me")}


def unescape(token: str) -> str:
    """The characters that a token of the Penn Treebank stands for."""
    return ESCAPES.get(token, token.replace("\\/", "/").replace("\\*", "*"))


def spaces_after(tokens: Sequence[str], joined: str = "") -> list[bool]:
    """Whether a space follows each token of a sentence, by the habits of English print.

    Straight quotes open and close by turns. Tokens of the characters in `joined` cling to both neighbours, for corpora
    that part words at hyphens or slashes.
    """
    before, after = [True] * len(tokens), [True] * len(tokens)  # a space may stand there
    opened: set[str] = set()
    for i, token in enumerate(tokens):
        plain = unescape(token)
        if token == "``" or (plain in ('"', "'") and token != "''" and plain not in opened):
            possessive = plain == "'" and i > 0 and tokens[i - 1][-1:] in "sS" and "'" not in tokens[i + 1 :]
            if possessive:
                before[i] = False
            else:
                opened.add(plain)
                after[i] = False
        elif plain in ('"', "'"):
            opened.discard(plain)
            before[i] = False
        elif plain and all(c in joined for c in plain):
            before[i] = after[i] = False
        else:
            before[i] = not NO_SPACE_BEFORE.fullmatch(plain)
            after[i] = not NO_SPACE_AFTER.fullmatch(plain)
            if i and (tokens[i - 1].lower(), token.lower()) in CUT_WORDS:
                before[i] = False
    return [after[i] and (i + 1 == len(tokens) or before[i + 1]) for i in range(len(tokens))]
