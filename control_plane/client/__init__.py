"""A typed client of a server's `/v1`: `pip install 'mentorplane[client]'`, nothing of the server needed.

```python
from control_plane.client import Client, Options

with Client(Options("https://coach.example", token)) as client:
    for proposal in client.proposals.list(state="open"):
        print(proposal.number, proposal.title)
```

`AsyncClient` has the same operations for `await`. Records stand in `control_plane.client.records`.
"""

from control_plane.client.errors import (
    ApiConflict,
    ApiError,
    ApiInvalid,
    ApiNotFound,
    ApiNotSignedIn,
    ApiRefused,
    ApiUnavailable,
    BadAnswer,
    NoAnswer,
    Problem,
)
from control_plane.client.http import AsyncClient, Client
from control_plane.client.tries import Options

__all__ = [
    "ApiConflict",
    "ApiError",
    "ApiInvalid",
    "ApiNotFound",
    "ApiNotSignedIn",
    "ApiRefused",
    "ApiUnavailable",
    "AsyncClient",
    "BadAnswer",
    "Client",
    "NoAnswer",
    "Options",
    "Problem",
]
