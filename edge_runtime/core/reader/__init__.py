"""The reader: text in, findings out, on the device and with no model needed.

Normalise, then recognise: values with a form and a checksum, names and terms the host app knows, crisis
phrases; then one encoder, when there is one, for names nobody supplied and for topics, injection, affirmation
and commitment. Without an encoder these are `None`: not assessed, never guessed.
"""

from edge_runtime.core.reader.reader import MAX_TEXT_LENGTH, Encoder, SentenceFindings, TextReader, as_json
from edge_runtime.core.reader.records import Entity, Labels, Reading, Span

__all__ = [
    "MAX_TEXT_LENGTH",
    "Encoder",
    "Entity",
    "Labels",
    "Reading",
    "SentenceFindings",
    "Span",
    "TextReader",
    "as_json",
]
