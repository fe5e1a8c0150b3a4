"""Readers of the formats that corpora come in; each yields the documents of one file."""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, signature

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.formats.brat import read_brat
from ossamma_spacy.corpora.formats.columns import Layout, read_columns
from ossamma_spacy.corpora.formats.gum import read_gum
from ossamma_spacy.corpora.formats.hipe import read_hipe
from ossamma_spacy.corpora.formats.ieer import read_ieer
from ossamma_spacy.corpora.formats.inline import read_inline
from ossamma_spacy.corpora.formats.json_texts import read_json_table, read_recognizers, read_snips
from ossamma_spacy.corpora.formats.json_tokens import (
    read_docred,
    read_scierc,
    read_slurp,
    read_spert,
    read_tagged_json,
)
from ossamma_spacy.corpora.formats.jsonl import read_jsonl
from ossamma_spacy.corpora.formats.markup import read_markup
from ossamma_spacy.corpora.formats.measeval import read_measeval
from ossamma_spacy.corpora.formats.mulms import read_mulms
from ossamma_spacy.corpora.formats.nested import read_nested
from ossamma_spacy.corpora.formats.ontonotes import read_ontonotes
from ossamma_spacy.corpora.formats.quantities import read_quantities
from ossamma_spacy.corpora.formats.sofc import read_sofc
from ossamma_spacy.corpora.formats.toponyms import read_toponyms

# by the name that an entry of the catalogue gives; called with a path and the entry's options
READERS: Mapping[str, Callable[..., Iterator[AnnotatedText]]] = {
    "brat": read_brat,
    "columns": read_columns,
    "docred": read_docred,
    "gum": read_gum,
    "hipe": read_hipe,
    "ieer": read_ieer,
    "inline": read_inline,
    "json_table": read_json_table,
    "jsonl": read_jsonl,
    "markup": read_markup,
    "measeval": read_measeval,
    "mulms": read_mulms,
    "nested": read_nested,
    "ontonotes": read_ontonotes,
    "quantities": read_quantities,
    "recognizers": read_recognizers,
    "scierc": read_scierc,
    "slurp": read_slurp,
    "snips": read_snips,
    "sofc": read_sofc,
    "spert": read_spert,
    "tagged_json": read_tagged_json,
    "toponyms": read_toponyms,
}
COLUMNS = {"joined": signature(read_columns).parameters["joined"], **signature(Layout).parameters}


def reader_options(name: str) -> dict[str, Parameter]:
    """The settings of a reader; `skipped`, if it is among its parameters, is for what it leaves out."""
    parameters = signature(READERS[name]).parameters.values()
    named = {p.name: p for p in parameters if p.kind == Parameter.KEYWORD_ONLY and p.name != "skipped"}
    # what a reader does not name it passes on to that of columns
    return COLUMNS | named if any(p.kind == Parameter.VAR_KEYWORD for p in parameters) else named
