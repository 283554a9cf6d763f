"""What tests of adoption share: a change, and the assertion that a delivery is refused without a trace."""

from __future__ import annotations

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.basis import encode_basis
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.trust import Delivery, TrustState, adopt
from tests.simulator import prompt_document


def prompt_change(text: str = "Summarise, briefly:\n{{ notes }}") -> dict[tuple[str, str], bytes]:
    return {("prompt", "opener"): canonical.encode(prompt_document(instruction=text))}


def refused(check: str, delivery: Delivery, state: TrustState | None = None) -> NotTrusted:
    """Assert that `delivery` is refused at `check` and that the old state stayed as it was."""
    before = encode_basis(state.basis(), ()) if state else b""
    with pytest.raises(NotTrusted) as caught:
        adopt(state.basis() if state else None, delivery)
    assert caught.value.check == check, str(caught.value)
    assert (encode_basis(state.basis(), ()) if state else b"") == before
    return caught.value
