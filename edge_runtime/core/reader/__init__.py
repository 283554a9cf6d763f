"""The reader: text in, findings out, on the device and with no model needed.

Normalise, undo disguises, then recognise: values with a form and a checksum, names and terms the host app knows,
crisis phrases, the language; then one encoder, when there is one, for names nobody supplied and for topics, injection
and what sentences do. Without an encoder these are `None`: not assessed, never guessed.
"""

from edge_runtime.core.reader.document import as_json
from edge_runtime.core.reader.encoder import Encoder, SentenceFindings
from edge_runtime.core.reader.reader import MAX_TEXT_LENGTH, TextReader
from edge_runtime.core.reader.records import Commitment, Entity, Labelled, Labels, Reading, Span

__all__ = [
    "MAX_TEXT_LENGTH",
    "Commitment",
    "Encoder",
    "Entity",
    "Labelled",
    "Labels",
    "Reading",
    "SentenceFindings",
    "Span",
    "TextReader",
    "as_json",
]
