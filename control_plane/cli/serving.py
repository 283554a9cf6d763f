"""`mentorplane serve` and `mentorplane seed`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, exit_codes

__all__ = ["seed", "serve"]


def serve(
    *,
    home: Home = DEFAULT_HOME,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8420,
    seed: Annotated[bool, typer.Option("--seed", help="Seed an empty home with an example organisation.")] = False,
    with_device: Annotated[bool, typer.Option("--with-device", help="Run a device beside the server.")] = False,
    device_port: Annotated[int, typer.Option(help="Port of that device; 0: the next.", min=0, max=65535)] = 0,
) -> None:
    """Serve the HTTP interface and what devices read. Runs on the server's machine."""
    with exit_codes():
        from control_plane import launch
        from control_plane.settings import load_settings

        settings = load_settings(home, os.environ, host=host, port=port)
        launch.serve(
            launch.Launch(settings, typer.echo, seed=seed, with_device=with_device, device_port=device_port or port + 1)
        )


def seed(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Seed a home with an example organisation, its people and the starter library. Runs on the server's machine."""
    with exit_codes(as_json=as_json):
        from control_plane import seed as seeding
        from control_plane.plane import open_plane
        from control_plane.settings import load_settings

        plane = open_plane(load_settings(home, os.environ))
        try:
            done = seeding.seed(plane)
        finally:
            plane.close()
        people = plane.settings.home / "demo-people.json"
        text = f"Seeded. The people and their passphrases are in {people}" if done else "Everything is there already."
        answer({"seeded": done, "people": str(people)}, as_json=as_json, text=text)
