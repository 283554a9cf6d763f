"""litellm in a process of its own, whose every connection, look-up, file written and program started is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faulty_model import Faulty
from tests.recording_cloud import Cloud

ROOT = Path(__file__).parents[2]
CANARY = "Summarise what Mara said."
PROGRAM = r"""
import json, os, sys
seen = {"connected": [], "looked_up": [], "written": [], "started": []}
def record(event, args):
    if event == "socket.connect":
        seen["connected"].append(list(args[1])[:2] if isinstance(args[1], tuple) else str(args[1]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        seen["looked_up"].append(str(args[0]))
    elif event == "open" and (set(str(args[1] or "")) & set("wax+") or (args[2] or 0) & (os.O_WRONLY | os.O_RDWR)):
        seen["written"].append(str(args[0]))
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        seen["started"].append(str(args[0]))
sys.addaudithook(record)

from edge_runtime import CloudModel
from edge_runtime.core.disclosure import disclose
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Decision, Route
from edge_runtime.generators.cloud import CloudGenerator
from edge_runtime.generators.protocol import Ask, Wire

url, trap, name, canary = sys.argv[1:]
tool = {"name": "book", "description": "Book.", "parameters": {"type": "object", "properties": {}}}
def ask():
    disclosure = disclose(Decision(Route.CLOUD, (), (), ()), canary, prompt="opener")
    asked = Ask(disclosure, max_tokens=9, tools=(tool,), schema={"type": "object"})
    return "".join(p.text for p in CloudGenerator(CloudModel(name, url, "sk-own")).answer(asked, Wire(lambda _: ())))
texts = [ask()]

import litellm
heard = []
def hear(*args, **kwargs): heard.append("called")
class Logger(litellm.integrations.custom_logger.CustomLogger):
    log_pre_api_call = log_post_api_call = log_success_event = log_failure_event = log_stream_event = hear
for hooks in ("callbacks", "success_callback", "failure_callback", "input_callback", "pre_call_rules"):
    setattr(litellm, hooks, [Logger() if hooks == "callbacks" else hear])
litellm.api_base = litellm.base_url = trap
litellm.api_key, litellm.headers = "sk-other", {"X-Other": "yes"}
litellm.default_fallbacks = litellm.model_fallbacks = ["openai/other"]
litellm.use_litellm_proxy = litellm.route_all_chat_openai_to_responses = True
litellm.set_verbose = litellm.log_raw_request_response = True
litellm.cache = object()
texts.append(ask())
litellm.main.get_secret_bool = lambda *_, **__: True  # every switch that a later version may have
try: ask()
except Unavailable: pass
left = [path for path in seen["written"] if path != os.devnull and os.path.exists(path)]
settings = os.environ.get("FROM_FILE")
told = {"left": left, "settings": settings, "texts": texts, "heard": heard, "cache": str(litellm.cache)}
print("\n" + json.dumps({**seen, **told}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Ask twice in a process whose environment, folder and libraries all say otherwise, and return what was seen."""
    folder = tmp_path_factory.mktemp("quiet")
    cloud, trap = Cloud(), Faulty()
    here, elsewhere = cloud.base_url, trap.base_url
    (folder / ".env").write_text(f"OPENAI_BASE_URL={elsewhere}\nLITELLM_PROXY_API_BASE={elsewhere}\nFROM_FILE=yes\n")
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    hostile = {
        **dict.fromkeys(names, elsewhere.removesuffix("/v1")),
        **dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE", "LITELLM_PROXY_API_BASE"), elsewhere),
        **dict.fromkeys(("LITELLM_MODEL_COST_MAP_URL", "LITELLM_ANTHROPIC_BETA_HEADERS_URL"), elsewhere),
        **dict.fromkeys(("LITELLM_LOG", "OPENAI_LOG"), "DEBUG"),
        **dict.fromkeys(("USE_LITELLM_PROXY", "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", "LITELLM_RUST"), "true"),
        "LITELLM_ROUTE_ALL_CHAT_OPENAI_TO_RESPONSES": "true",
        "LITELLM_MODE": "DEV",
        "LITELLM_TELEMETRY": "True",
        "OPENAI_API_KEY": "sk-other",
        "OPENAI_ORG_ID": "other",
        "OPENAI_PROJECT_ID": "other",
        "OPENAI_CUSTOM_HEADERS": "X-Other: yes",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # A name for which litellm would fetch a tokeniser.
    arguments = [sys.executable, "-c", PROGRAM, here, elsewhere, "meta/llama-3-8b", CANARY]
    environment = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **hostile}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    cloud.close()
    trap.close()
    assert done.returncode == 0, done.stderr
    return {
        **json.loads(done.stdout.splitlines()[-1]),
        "printed": done.stderr + "".join(done.stdout.splitlines()[:-1]),
        "port": int(here.split(":")[2].split("/")[0]),
        "requests": cloud.requests,
        "headers": cloud.headers,
        "trapped": trap.requests,
        "files": sorted(path.name for path in folder.iterdir()),
    }


def test_the_model_is_connected_to_and_nobody_else(told: dict[str, object]) -> None:
    """P2: no prices, tokenisers, news, proxies or telemetry, at import or later; the model's address is all.

    The third time a switch leads past the client that litellm was given: then it arrives nowhere.
    """
    assert told["connected"] == [["127.0.0.1", told["port"]]] * 2
    assert set(told["looked_up"]) <= {"127.0.0.1"}  # type: ignore[call-overload]
    assert told["trapped"] == []
    assert set(told["started"]) <= {"uname"}  # type: ignore[call-overload] # asked for a header that is not sent


def test_nothing_is_written_and_no_settings_are_read(told: dict[str, object]) -> None:
    """P2: no cache, no log is left anywhere; the `.env` of the folder is not taken."""
    assert (told["left"], told["files"]) == ([], [".env"])
    assert told["settings"] is None


def test_no_hook_of_litellm_hears_a_request(told: dict[str, object]) -> None:
    """P2: callbacks, rules, fallbacks and the cache that a host has set are off when a text leaves."""
    assert (told["heard"], told["cache"]) == ([], "None")
    assert len(told["requests"]) == len(told["texts"]) == 2  # type: ignore[arg-type]


def test_a_request_carries_the_key_and_the_text_that_it_was_given(told: dict[str, object]) -> None:
    """What the environment and litellm know of keys, organisations and headers is not sent."""
    for request, headers in zip(told["requests"], told["headers"], strict=True):  # type: ignore[call-overload]
        assert json.loads(request)["messages"] == [{"role": "user", "content": CANARY}]
        assert headers["authorization"] == "Bearer sk-own"
        assert "other" not in str(headers).lower()


def test_nothing_of_a_text_is_printed(told: dict[str, object]) -> None:
    """P2: with every switch for debugging on, neither the question nor the answer is in what is printed."""
    assert "Mara" not in str(told["printed"])
    assert "You will write" not in str(told["printed"])
