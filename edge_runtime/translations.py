"""Which approved translation of a prompt a device uses.

Promises: a translation counts if its closure says that it is one; one that is withdrawn, whose wording was translated
from a withdrawn one, or that is not on this device, is passed over. Does not: translate.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.locales import localised
from edge_runtime.core.manifest import Entry
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.trust import TrustState, find_prompt, running

__all__ = ["translation_of"]

Opening = Callable[[Entry, TrustState], Prompt]


def translation_of(name: str, locale: str, *, state: TrustState, opened: Opening) -> str:
    """Return the name of the translation of a prompt for a locale, or `name` if there is none to use, or it is stopped.

    Raises:
        NotTrusted: there is no such approved prompt.
    """
    if running(state, name) != find_prompt(state, name):
        return name
    return localised(name, locale, lambda found: _is_translation(found, name, state=state, opened=opened))


def _is_translation(name: str, original: str, *, state: TrustState, opened: Opening) -> bool:
    entry = state.entries.get(("prompt", name))
    if entry is None or running(state, name) != entry:
        return False
    try:
        source = opened(entry, state).translation_of
    except MentorplaneError:  # not fetched, or altered on disk: the original is as good as approved
        return False
    return source is not None and source.name == original and source.digest not in state.stopped
