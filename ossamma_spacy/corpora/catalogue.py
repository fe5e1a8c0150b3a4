"""The catalogue of corpora: what each is, where its files are, and what its labels mean for the nine.

An entry is `entries/NAME.yaml`; its files, with split, size and checksum, are listed in `entries/NAME.tsv`. A user's
own entry lies anywhere and is named by its path. What an entry does not say is as in that which its key `like` names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from inspect import Parameter, signature
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, NamedTuple

import srsly
from pydantic import Field

from ossamma_spacy.corpora.formats import READERS, reader_options
from ossamma_spacy.corpora.forms import FORMS
from ossamma_spacy.corpora.kinds import check_kinds
from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.knowledge import OUTSIDE
from ossamma_spacy.labels import LABELS

ENTRIES = Path(__file__).with_name("entries")
SPLITS = ("train", "dev", "test")
NOTHING_KNOWN = "unknown"
NAMES_UNKNOWN = "names unknown"
LISTED = re.compile(r"(?P<split>train|dev|test|all|-)\t(?P<path>[^\t]+)\t(?P<size>\d+)\t(?P<sha256>[0-9a-f]{64})")
Splits = Annotated[dict[Literal["train", "dev", "test", "all"], str], Field(min_length=1)]
KINDS: Mapping[str, Any] = {  # of the keys of an entry
    **dict.fromkeys(("name", "title", "about", "homepage", "licence", "reason", "domain", "url", "format"), str),
    "use": Literal["ships", "research"],
    **dict.fromkeys(("stops", "possessives"), Literal["cut", "keep"]),
    **dict.fromkeys(("labels", "options", "dataset"), dict[Any, Any]),
    "annotated": list[str],
    **dict.fromkeys(("drop", "unsure"), list[str | int | float]),
    "found": list[Splits],
}
REQUIRED = ("format", "labels", "annotated")


class SourceFile(NamedTuple):
    """A file of a corpus, its path below the corpus's address; `split` is "-" for one that only goes with others."""

    split: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A Hugging Face dataset that has a sentence in each row: a list of tokens and one of tags.

    path: its name on the hub, or a local folder. splits: for our train, dev, test (or all, to be parted) its own names.
    name, revision: which configuration and version, where it has several. tokens, tags: its columns. tag_names: what
    its tags mean, where they are numbers without names.
    """

    path: str
    splits: Splits
    name: str | None = None
    revision: str | None = None
    tokens: str = "tokens"
    tags: str = "ner_tags"
    tag_names: Sequence[str] = ()


@dataclass(frozen=True)
class Corpus:
    """An entry of the catalogue.

    use: "ships" if a model trained on it may be given away, commercially too; "research" where that is not certain.
    reason: why it ships, where the licence alone does not say so.
    url: the address of its files, pinned to a version. found: where nobody but its owner has them, or a copy of one's
        own will do, the layouts that a copy may have, each with the files of each split as a pattern below the corpus's
        folder. dataset: where it is a Hugging Face dataset, which; it becomes files of two columns, parted by a tab.
    format: the name of the reader; options: its settings.
    labels: what each label of the corpus is for us: candidates, the likeliest first; "O" among them where it may be no
        entity, alone where it is none; no candidate where nothing can be said; NAMES_UNKNOWN alone where it is none,
        but nothing can be said of its words with capitals that no other span marks. LABEL:FORM is for spans of a form
        (`ossamma_spacy.corpora.forms`) that mean something else, *:FORM for those of all labels.
    annotated: which of the nine labels it marks exhaustively.
    drop: texts, in any case, that the corpus marks and we do not.
    unsure: words, in any case, of which nothing is known outside its spans: it overlooks them, or we do not agree; `*`
        stands for letters, so that `@*` are handles.
    stops: "keep" where the stop at the end of a span is always that of an abbreviation, never that of the sentence.
    possessives: "cut" where the corpus marks an 's behind a name with it; of persons and measures it always is.
    """

    name: str
    format: str
    labels: Mapping[str, tuple[str, ...]]
    annotated: frozenset[str]
    title: str = ""
    about: str = ""
    homepage: str = ""
    licence: str = ""
    use: str = "research"
    domain: str = ""
    url: str = ""
    drop: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    stops: str = "cut"
    possessives: str = "keep"
    options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    found: tuple[Mapping[str, str], ...] = ()
    dataset: Dataset | None = None
    entry: Path = Path()

    @cached_property
    def unsure_words(self) -> re.Pattern[str]:
        """What is unsure, as whole words in a text."""
        words = "|".join(re.escape(word).replace(r"\*", r"\w+") for word in sorted(self.unsure, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)" if words else r"(?!)", re.IGNORECASE)

    def candidates(self, label: str, text: str = "", where: str = "") -> tuple[str, ...]:
        """What a label of the corpus is for us on a span of this text.

        Raises CorpusError, naming `where` its document is, for a label without a mapping.
        """
        for form, fits in FORMS.items():
            for mapped in (f"{label}:{form}", f"*:{form}"):
                if mapped in self.labels and fits(text):
                    return self.labels[mapped]
        if label not in self.labels:
            marked = f" on {text[:60]!r}" if text else ""
            raise CorpusError(
                f"{where or self.name}: the corpus has the label '{label}'{marked}, its entry maps "
                f"{', '.join(self.labels)}; map it too, to a label, a list of candidates, "
                f"{OUTSIDE}, {NAMES_UNKNOWN} or {NOTHING_KNOWN}"
            )
        return self.labels[label]


def names() -> list[str]:
    """The corpora of the catalogue."""
    return sorted(path.stem for path in ENTRIES.glob("*.yaml"))


def load(name: str) -> Corpus:
    """An entry of the catalogue, or of the user's own by its path, X.yaml; raises CorpusError for what is neither."""
    if not name.endswith(".yaml") and name not in names():
        alike = " or ".join(get_close_matches(name.lower(), names()))
        meant = f"; is it {alike}?" if alike else ";"
        raise CorpusError(f"no corpus '{name}' in the catalogue{meant} `ossamma corpora list` shows what it has")
    return read_entry(Path(name) if name.endswith(".yaml") else ENTRIES / f"{name}.yaml")


def files(corpus: Corpus) -> list[SourceFile]:
    """The files of a corpus; none where they cannot be had from an address of their own.

    Raises CorpusError, naming the line, for a list that is none.
    """
    listed = corpus.entry.with_suffix(".tsv")
    if not listed.is_file():
        return []
    lines = listed.read_text(encoding="utf-8").splitlines()
    return [_source_file(line, f"{listed}:{number}") for number, line in enumerate(lines, start=1)]


def _source_file(line: str, where: str) -> SourceFile:
    listed = LISTED.fullmatch(line)
    if listed is None or ".." in PurePath(listed["path"]).parts or PurePath(listed["path"]).is_absolute():
        raise CorpusError(
            f"{where}: {line[:80]!r}, expected split ({', '.join(SPLITS)}, all, or - for none), path below the "
            "corpus's folder, size in bytes and sha256, parted by tabs"
        )
    return SourceFile(listed["split"], listed["path"], int(listed["size"]), listed["sha256"])


def split_files(corpus: Corpus, folder: Path) -> list[tuple[str, Path]]:
    """Split and path of each file of a corpus whose files lie in `folder`, "-" left out.

    Raises CorpusError for a corpus that its owner has to bring, where no layout of its entry is there.
    """
    if corpus.dataset:
        return [(split, folder / f"{split}.tsv") for split in corpus.dataset.splits]
    listed = [(file.split, folder / file.path) for file in files(corpus) if file.split != "-"]
    if paths := own_files(corpus, folder) or listed:
        return paths
    if not corpus.found:
        listing = corpus.entry.with_suffix(".tsv").name
        raise CorpusError(
            f"{corpus.entry}: does not say where its files are; give found or dataset, or list them in {listing}"
        )
    wanted = "; or ".join(", ".join(layout.values()) for layout in corpus.found)
    source = f" (from {corpus.homepage})" if corpus.homepage else ""
    missing = [
        [f"{split} ({pattern})" for split, pattern in layout.items() if not any(folder.glob(pattern))]
        for layout in corpus.found
    ]
    begun = [these for these, layout in zip(missing, corpus.found, strict=True) if len(these) < len(layout)]
    fewest = min(begun, key=len, default=[])
    lacks = f"; it lacks {', '.join(fewest)}" if fewest else ""
    raise CorpusError(f"{corpus.name}: put your copy{source} into {folder}, which has to hold {wanted}{lacks}")


def own_files(corpus: Corpus, folder: Path) -> list[tuple[str, Path]]:
    """Split and path of each file of the first layout of `found` that is in the folder; none where none is."""
    for layout in corpus.found:
        paths = [(split, path) for split, pattern in layout.items() for path in sorted(folder.glob(pattern))]
        if {split for split, _ in paths} == layout.keys():
            return paths
    return []


def read_entry(path: Path) -> Corpus:
    """An entry from a YAML file; raises CorpusError, naming file and key, for what is no entry."""
    given = _read_keys(path)
    check_kinds(given, KINDS, REQUIRED, str(path))
    name = given.get("name", path.stem)
    if name in ("", ".", "..") or PurePath(name).name != name:
        raise CorpusError(f"{path}: name is {name!r}, expected what a folder can be called")
    if given["format"] not in READERS:
        raise CorpusError(f"{path}: no format '{given['format']}'; there are {', '.join(READERS)}")
    options = reader_options(given["format"])
    _check_arguments(options, given.get("options", {}), f"{path}: options")
    if unknown := sorted(set(given["annotated"]) - set(LABELS)):
        raise CorpusError(f"{path}: annotated has {', '.join(unknown)}, which are none of {', '.join(LABELS)}")
    labels = {str(label): _candidates(path, label, value) for label, value in given["labels"].items()}
    for label in labels:
        whole, _, form = label.rpartition(":")
        if whole in ("*", *labels) and form not in FORMS:
            raise CorpusError(f"{path}: label '{label}' has the form '{form}', which is none of {', '.join(FORMS)}")
    for pattern in (pattern for layout in given.get("found", ()) for pattern in layout.values()):
        if not pattern or PurePath(pattern).is_absolute():
            raise CorpusError(f"{path}: found has {pattern!r}, expected a pattern of paths below the corpus's folder")
    if dataset := given.get("dataset"):
        _check_arguments(signature(Dataset).parameters, dataset, f"{path}: dataset")
    return Corpus(
        **given
        | {
            "name": name,
            "entry": path,
            "labels": labels,
            "annotated": frozenset(given["annotated"]),
            "drop": frozenset(str(text).lower() for text in given.get("drop", ())),
            "unsure": frozenset(str(word).lower() for word in given.get("unsure", ())),
            "found": tuple(given.get("found", ())),
            "dataset": Dataset(**dataset) if dataset else None,
        }
    )


def _read_keys(path: Path, like: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The keys of an entry and, under its own, those of the entry that `like` names."""
    if not path.is_file():
        needed = f"; {like[0]} is like it, so it has to lie in the same folder" if like else ", expected an entry"
        raise CorpusError(f"{path}: no such file{needed}")
    try:
        found = srsly.read_yaml(path)
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(f"{path}: cannot be read as YAML ({error})") from error
    if not isinstance(found, dict):
        raise CorpusError(f"{path}: expected keys and values, got {type(found).__name__}")
    if "like" not in found:
        return found
    other = path.with_name(f"{found.pop('like')}.yaml")
    if other in (path, *like):
        raise CorpusError(f"{path}: is like {other.stem}, which is like this one; one of them has to say all")
    return _read_keys(other, (path, *like)) | found


def _check_arguments(parameters: Mapping[str, Parameter], given: Mapping[str, Any], where: str) -> None:
    kinds = {name: parameter.annotation for name, parameter in parameters.items()}
    required = [name for name, parameter in parameters.items() if parameter.default is Parameter.empty]
    check_kinds(given, kinds, required, where)


def _candidates(path: Path, label: str, value: Any) -> tuple[str, ...]:
    if value == NOTHING_KNOWN:
        return ()
    if value == NAMES_UNKNOWN:
        return (NAMES_UNKNOWN,)
    candidates = value if isinstance(value, list) else [value]
    if not candidates or not all(candidate in (*LABELS, OUTSIDE) for candidate in candidates):
        raise CorpusError(
            f"{path}: label '{label}' is mapped to {value!r}, expected {NOTHING_KNOWN}, {NAMES_UNKNOWN}, {OUTSIDE}, or "
            f"one or more of {', '.join(LABELS)}"
        )
    return tuple(candidates)
