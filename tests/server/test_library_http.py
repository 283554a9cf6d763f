"""`/v1/library` over HTTP: who may ask, what comes back, and that a foolish question is told to be one."""

from __future__ import annotations

from fastapi.testclient import TestClient

from control_plane.app import create_app
from control_plane.settings import Settings
from tests.server.acts import Acts


def test_the_library_over_http(settings: Settings, acts: Acts) -> None:
    """Pages follow one another, folders and tags are counted, a thing is shown; nobody without a token asks."""
    headers = {"Authorization": f"Bearer {acts.people['tom']['token']}"}
    acts.plane.close()
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        assert client.get("/v1/library").status_code == 401
        first = client.get("/v1/library", params={"limit": 2}, headers=headers).json()
        assert (len(first["items"]), first["release"], first["channel"]) == (2, 1, "production")
        more = client.get("/v1/library", params={"limit": 200, "after": first["next"]}, headers=headers).json()
        assert (len(more["items"]), more["next"]) == (first["total"] - 2, "")
        found = client.get("/v1/library", params={"words": "stance", "kind": "include"}, headers=headers).json()
        assert [item["name"] for item in found["items"]] == ["stance"]
        shown = client.get("/v1/library/include/stance", headers=headers).json()
        assert {user["name"] for user in shown["used_by"]} == {"opener", "closing"}
        assert client.get("/v1/library/tags", headers=headers).json() == []
        assert client.get("/v1/library/folders", headers=headers).status_code == 200
        assert client.get("/v1/library/include/gone", headers=headers).status_code == 404
        for asked in ({"kind": "recipe"}, {"after": "%"}, {"limit": 0}, {"stale": "perhaps"}):
            assert client.get("/v1/library", params=asked, headers=headers).status_code == 422, asked
