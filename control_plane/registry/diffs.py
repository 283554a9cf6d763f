"""What moved to `control_plane.diffs.words`."""

from control_plane.diffs.words import FieldDiff, Op, Span, as_text, diff_closures, diff_texts, field_texts

__all__ = ["FieldDiff", "Op", "Span", "as_text", "diff_closures", "diff_texts", "field_texts"]
