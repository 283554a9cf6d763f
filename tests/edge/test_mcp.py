"""MCP: what the official client gets from real processes. The values that are typed are canaries: none comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp_types import PromptReference

from edge_runtime import EdgeRuntime
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.mcp.clients import MAX_CLIENTS, Clients
from edge_runtime.mcp.prompts import Prompts
from edge_runtime.mcp.tools import Tools
from edge_runtime.receipts import Receipts
from edge_runtime.serving.asking import Person
from tests.edge.mcp_talks import (
    ACCOUNT,
    CANARIES,
    CRISIS,
    EMAIL,
    NAME,
    NOTES,
    Listening,
    Talk,
    command,
    organisation,
    over_http,
    over_stdio,
)
from tests.edge.serving import elsewhere
from tests.published import Published

HANDOFF = handoff_text("en", "self").text
REFUSED = -32602


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a device that has adopted a release."""
    made = tmp_path_factory.mktemp("mcp")
    organisation(made)
    return made


async def ask_everything(client: Client, talk: Talk) -> None:
    """Ask all that a client may ask, with canaries in what is typed."""
    await talk.note("prompts", client.list_prompts())
    await talk.note("tools", client.list_tools())
    await talk.note("choices", client.complete(PromptReference(name="opener"), {"name": "minutes", "value": "1"}))
    await talk.note("covered", client.get_prompt("opener", {"notes": NOTES, "minutes": "10", "done": f"{NAME}\nrest"}))
    await talk.note("kept", client.get_prompt("opener", {"notes": f"{NOTES} {ACCOUNT}"}))
    await talk.note("unknown", client.get_prompt("nothing-like-it", {"notes": NOTES}))
    await talk.note("undeclared", client.get_prompt("opener", {"notes": NOTES, "more": NOTES}))
    await talk.note("mistyped", client.get_prompt("opener", {"notes": NOTES, "minutes": EMAIL}))
    await talk.note("read", client.call_tool("read", {"text": NOTES}))
    await talk.note("redact", client.call_tool("redact", {"text": f"{NAME} again, at {EMAIL}."}))
    await talk.note("summarise", client.call_tool("summarise", {"text": NOTES, "at_most": 1}))
    await talk.note("restore", client.call_tool("restore", {"text": "[PERSON_1] and [PERSON_9]"}))
    await talk.note("misused", client.call_tool("redact", {"text": NOTES, "other": NOTES}))


async def ask_in_a_crisis(client: Client, talk: Talk) -> None:
    """Ask with a crisis in the text, for prompts that exist and do not, and go on after the text was shown."""
    text = f"{CRISIS} {NOTES}"
    await talk.note("prompt", client.get_prompt("opener", {"notes": text}))
    await talk.note("elsewhere", client.get_prompt("nothing-like-it", {"words": text}))
    for tool in ("read", "redact", "summarise"):
        await talk.note(tool, client.call_tool(tool, {"text": text}))
    await talk.note("on", client.get_prompt("opener", {"notes": text}, meta={"mentorplane/go-on": True}))


async def ask_as_anybody(client: Client, talk: Talk) -> None:
    """Ask everything, and then in a crisis."""
    await ask_everything(client, talk)
    crisis = Talk()
    await ask_in_a_crisis(client, crisis)
    talk.answers |= {f"crisis {name}": answer for name, answer in crisis.answers.items()}


@pytest.fixture(scope="module")
def talk(folder: Path) -> Talk:
    """A conversation over standard input and output with a client that may be anybody, with consent to the cloud."""
    return over_stdio(command(folder, "--name", NAME, "--consent", "cloud"), ask_as_anybody, folder)


@pytest.fixture(scope="module")
def listening(folder: Path) -> Iterator[Listening]:
    """A server over HTTP for a client that stays on this machine."""
    with over_http(folder, "--name", NAME, "--consent", "cloud", "--local-client") as server:
        yield server


@pytest.fixture(scope="module")
def local(listening: Listening) -> Talk:
    """A conversation over HTTP with a client that stays on this machine."""
    return listening.talk(ask_as_anybody)


def test_prompts_are_listed_with_version_digest_and_arguments(talk: Talk, folder: Path) -> None:
    """A client sees what is approved: which version, by which digest, in which release, and its inputs as arguments."""
    listed = talk["prompts"]["prompts"][-1]
    about = listed["_meta"]["mentorplane"]
    entry = EdgeRuntime.open(folder / "home", trust=folder / "trust").trusted().entries["prompt", "opener"]

    assert (listed["name"], listed["title"], listed["description"]) == ("opener", "Opener", "open a session")
    assert (about["version"], about["digest"], about["release"]) == (entry.epoch, entry.digest, 1)
    assert about["placement"] == "redacted"
    assert [(a["name"], a["required"]) for a in listed["arguments"]] == [
        ("notes", True),
        ("done", False),
        ("minutes", False),
    ]
    assert listed["arguments"][2]["description"] == "minutes; one of 10, 15"
    assert talk["choices"]["completion"]["values"] == ["10", "15"]


def test_a_prompt_hands_over_covered_and_delimited_text(talk: Talk) -> None:
    """P2: where the policy lets redacted text leave, the client's model gets placeholders between marked lines."""
    answer, text = talk["covered"], talk.text("covered")

    assert answer["messages"][0]["role"] == "user"
    assert text.startswith("In 10 minutes:\n<data ")
    assert "[PERSON_1] called. We agreed that I will write to [EMAIL_1] by Thursday." in text
    assert text.count("[PERSON_1]") == 2
    assert answer["description"] == "you are reading an automatic text"
    about = answer["_meta"]["mentorplane"]
    assert (about["route"], about["outcome"]) == ("redacted", "handed-over")
    assert {found["type"] for found in about["findings"]} == {"EMAIL", "PERSON"}


def test_what_the_policy_keeps_on_the_device_is_not_handed_over_covered_either(talk: Talk) -> None:
    """Decision `device`: a fixed text, for the person, with no word of what was typed; the rule is named."""
    answer, text = talk["kept"], talk.text("kept")

    assert answer["messages"][0]["role"] == "assistant"
    assert text.startswith("With these inputs this script runs on the device itself only.")
    assert "Thursday" not in json.dumps(answer)
    about = answer["_meta"]["mentorplane"]
    assert (about["route"], about["outcome"]) == ("device", "kept")
    assert [reason["rule"] for reason in about["reasons"]] == ["bank"]


def test_no_answer_to_any_client_holds_a_value(talk: Talk) -> None:
    """Whatever a client asks, with whatever inputs, errors included, no value that was typed comes back."""
    said = json.dumps(talk.answers, ensure_ascii=False)
    assert [canary for canary in CANARIES if canary in said] == []


def test_a_crisis_is_answered_with_the_text_that_leads_to_a_person(talk: Talk) -> None:
    """P6: first and whole, for the person, whichever prompt or tool was asked, and no other text with it."""
    for name in ("crisis prompt", "crisis elsewhere"):
        message = talk[name]["messages"][0]
        assert (message["role"], message["content"]["text"]) == ("assistant", HANDOFF)
        assert message["content"]["annotations"]["audience"] == ["user"]
    for name in ("crisis read", "crisis redact", "crisis summarise"):
        assert (talk.text(name), talk[name]["structuredContent"]["handoff"]) == (HANDOFF, HANDOFF)
    assert talk["crisis redact"]["structuredContent"]["text"] == ""
    assert talk["crisis summarise"]["structuredContent"]["lines"] == []


def test_going_on_after_a_crisis_hands_nothing_over(talk: Talk) -> None:
    """The person may go on; what was said in the crisis stays on the device all the same."""
    about = talk["crisis on"]["_meta"]["mentorplane"]
    assert (about["route"], about["outcome"]) == ("device", "kept")
    assert "crisis-never-leaves" in {reason["rule"] for reason in about["reasons"]}


def test_a_client_that_asks_wrongly_is_told_what_was_expected(talk: Talk) -> None:
    """An unknown prompt, an undeclared and a mistyped input are refused; a tool says so in its answer."""
    assert {name: talk[name]["code"] for name in ("unknown", "undeclared", "mistyped")} == {
        "unknown": REFUSED,
        "undeclared": REFUSED,
        "mistyped": REFUSED,
    }
    assert talk["mistyped"]["message"] == "expected input 'minutes' to be integer, got str"
    assert talk["misused"]["isError"] is True


def test_tools_answer_with_types_places_and_placeholders(talk: Talk) -> None:
    """`read`, `redact` and `summarise` give structured answers, with the placeholders of the session's prompts."""
    assert [tool["name"] for tool in talk["tools"]["tools"]] == ["read", "redact", "summarise"]
    read = talk["read"]["structuredContent"]
    assert {"type": "PERSON", "start": 0, "end": len(NAME)} in read["entities"]
    redacted = talk["redact"]["structuredContent"]
    assert redacted["text"] == "[PERSON_1] again, at [EMAIL_1]."
    assert [covered["placeholder"] for covered in redacted["placeholders"]] == ["[PERSON_1]", "[EMAIL_1]"]
    assert talk["summarise"]["structuredContent"]["lines"] == ["We agreed that I will write to [EMAIL_1] by Thursday."]


def test_attack_a_model_that_asks_for_the_values_gets_none(talk: Talk) -> None:
    """A client that may be anybody has no tool `restore`, and calling it all the same is refused."""
    assert talk["restore"]["isError"] is True
    assert "structuredContent" not in talk["restore"]


def test_what_was_handed_over_is_counted_and_nothing_of_it_is_kept(talk: Talk, folder: Path) -> None:
    """Each answer of a prompt has a receipt; what a client got counts as sent; no file and no log has a value."""
    handed = [receipt for receipt in Receipts(folder / "home").all() if receipt.outcome == "handed-over"]
    assert [receipt.sent_bytes for receipt in handed] == [len(talk.text("covered").encode())]
    kept = b"".join(path.read_bytes() for path in (folder / "home").rglob("*") if path.is_file())
    assert [canary for canary in CANARIES if canary.encode() in kept] == []
    assert talk.stderr == ""


def test_a_client_that_stays_here_gets_the_finished_text_and_the_values_back(local: Talk) -> None:
    """Started for a client of this machine: scripts run on the device, sentences come as they are, values come back."""
    assert local["covered"]["messages"][0]["role"] == "assistant"
    assert f"We agreed that I will write to {EMAIL} by Thursday." in local.text("covered")
    assert local["covered"]["_meta"]["mentorplane"]["outcome"] == "filled"
    assert f"to {EMAIL} by" in local["summarise"]["structuredContent"]["lines"][0]
    assert local["restore"]["structuredContent"] == {
        "text": f"{NAME} and [PERSON_9]",
        "unknown": ["[PERSON_9]"],
    }
    assert local.text("crisis prompt") == HANDOFF


def test_clients_of_earlier_revisions_are_served_too(listening: Listening) -> None:
    """A client that begins with the handshake of earlier revisions gets the same prompts."""

    async def list_prompts(client: Client, talk: Talk) -> None:
        await talk.note("prompts", client.list_prompts())

    talk = listening.talk(list_prompts, mode="legacy")
    assert [prompt["name"] for prompt in talk["prompts"]["prompts"]] == ["free", "opener"]


async def cover(client: Client, talk: Talk) -> None:
    """Say a value, and be shown a hand-off text."""
    await talk.note("redact", client.call_tool("redact", {"text": NOTES}))
    await talk.note("crisis", client.get_prompt("opener", {"notes": CRISIS}))
    await recall(client, talk)


async def recall(client: Client, talk: Talk) -> None:
    """Ask what a placeholder stands for, and go on as if a hand-off text had been shown."""
    await talk.note("restore", client.call_tool("restore", {"text": "[PERSON_1]"}))
    await talk.note("on", client.get_prompt("opener", {"notes": CRISIS}, meta={"mentorplane/go-on": True}))


def recalled(talk: Talk) -> tuple[str, str]:
    """Return what a client was told that a placeholder stands for, and how its wish to go on ended."""
    return talk["restore"]["structuredContent"]["text"], talk["on"]["_meta"]["mentorplane"]["outcome"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_attack_a_client_asks_for_what_another_one_typed(listening: Listening, mode: str) -> None:
    """P2, P6: each client has placeholders of its own, and a hand-off text that one was shown counts for no other."""
    first = listening.talk(cover, mode, "first")
    second = listening.talk(recall, mode, "second")

    assert recalled(first) == (NAME, "filled")
    assert recalled(second) == ("[PERSON_1]", "handed-off")


def test_a_host_names_its_conversations_where_the_protocol_has_none(listening: Listening) -> None:
    """Two conversations of one program that names them have nothing in common, either of them goes on."""

    async def ask(client: Client, talk: Talk) -> None:
        one, other = ({"mentorplane/session": name} for name in ("one", "other"))
        await talk.note("redact", client.call_tool("redact", {"text": NOTES}, meta=one))
        await talk.note("other", client.call_tool("restore", {"text": "[PERSON_1]"}, meta=other))
        await talk.note("one", client.call_tool("restore", {"text": "[PERSON_1]"}, meta=one))

    talk = listening.talk(ask)
    assert talk["other"]["structuredContent"]["text"] == "[PERSON_1]"
    assert talk["one"]["structuredContent"]["text"] == NAME


def test_what_a_client_typed_is_forgotten_when_it_ends_its_session(folder: Path) -> None:
    """A client that went, and one too many, leave no placeholder behind; nobody's question is somebody new's."""
    edge = EdgeRuntime.open(folder / "home", trust=folder / "trust", model="none")
    clients = Clients(edge, Person(names=(NAME,)), local=True, clock=lambda: 0.0)

    def restored(client: str) -> str:
        return str(clients.tools(client).call("restore", {"text": "[PERSON_1]"})["text"])

    for client in ("a", "b", ""):
        clients.tools(client).call("redact", {"text": NOTES})
    assert [restored(client) for client in ("a", "b", "")] == [NAME, NAME, "[PERSON_1]"]
    clients.forget("a")
    assert [restored(client) for client in ("a", "b")] == ["[PERSON_1]", NAME]
    for number in range(MAX_CLIENTS):
        clients.tools(f"more {number}")
    assert restored("b") == "[PERSON_1]"
    with pytest.raises(InvalidDocument):
        Clients(edge, Person(at_most="elsewhere"), local=True, clock=lambda: 0.0)


def test_attack_a_page_or_a_foreign_name_asks_over_http(listening: Listening) -> None:
    """Without the token, with a wrong one, through another name or from a page, nothing is asked."""
    right = {"Authorization": f"Bearer {listening.token}"}
    assert listening.status({}) == 401
    assert listening.status({"Authorization": "Bearer " + "x" * 43}) == 401
    assert listening.status({**right, "Host": "coach.example"}) == 421
    assert listening.status({**right, "Origin": "http://127.0.0.1"}) == 403
    assert listening.status(right) not in {401, 403, 421}


def test_attack_a_request_that_is_none_is_told_back(listening: Listening, folder: Path) -> None:
    """What does not fit the protocol is refused in words that quote nothing; nothing lies outside of the home then."""
    bodies = (NOTES, [NOTES], {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": NOTES}, {"id": [NOTES]})
    said = [listening.told(body) for body in bodies]

    assert all("error" in one for one in said)
    assert [canary for canary in CANARIES for one in said if canary in one] == []
    assert list(elsewhere(folder).rglob("*")) == []


def test_before_a_release_there_is_a_fixed_text_and_no_prompt(folder: Path, tmp_path: Path) -> None:
    """A device that adopted nothing yet lists nothing and says so, and hears a crisis."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=folder / "trust", model="none")
    prompts = Prompts(edge, edge.session(learner="local"), local=False, locale="fr")

    assert prompts.offered() == ((), "")
    assert prompts.get("opener", {"notes": NOTES}).text == not_yet_text("en")
    assert prompts.get("opener", {"notes": CRISIS}).text == HANDOFF


def test_a_withdrawn_prompt_is_gone_at_the_next_look(tmp_path: Path) -> None:
    """What was withdrawn is not listed any more; asked for all the same, its approved fallback text comes."""
    published = organisation(tmp_path)
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder), model="none")
    prompts = Prompts(edge, edge.session(learner="local"), local=False, locale="en")
    assert names_of(prompts) == ["free", "opener"]

    published.organisation.withdraw("prompt", "opener")
    published.publish()
    assert edge.refresh().ok

    assert names_of(prompts) == ["free"]
    handed = prompts.get("opener", {"notes": NOTES})
    assert (handed.text, handed.meta["outcome"]) == ("What do you want to keep from this?", "withdrawn")


def test_what_may_leave_as_it_is_is_covered_for_a_client_all_the_same(folder: Path) -> None:
    """A client never gets a value: also where the policy's route is `cloud`, placeholders are handed over."""
    edge = EdgeRuntime.open(folder / "home", trust=folder / "trust", model="none")
    session = edge.session(learner="local", names=[NAME], consents=["cloud"])

    handed = Prompts(edge, session, local=False, locale="en").get("free", {"notes": f"{NAME} called."})

    assert handed.meta["outcome"] == "handed-over"
    assert "[PERSON_1] called." in handed.text


def test_a_large_library_is_listed_page_by_page(folder: Path) -> None:
    """Each page says where the next begins; together they hold every prompt once."""
    edge = EdgeRuntime.open(folder / "home", trust=folder / "trust", model="none")
    prompts = Prompts(edge, edge.session(learner="local"), local=False, locale="en")

    first, after = prompts.offered(at_most=1)
    second, end = prompts.offered(after, at_most=1)

    assert [offered.name for offered in (*first, *second)] == ["free", "opener"]
    assert (after, end) == ("free", "")


def names_of(prompts: Prompts) -> list[str]:
    """Return the names of the first page."""
    return [offered.name for offered in prompts.offered()[0]]


def test_attack_a_value_that_nobody_covered_is_not_handed_over(folder: Path) -> None:
    """Last scan: where a client's text still holds a value, as the instruction does here, it is not handed over."""
    edge = EdgeRuntime.open(folder / "home", trust=folder / "trust", model="none")
    session = edge.session(learner="local", terms=["minutes"], consents=["cloud"])

    handed = Prompts(edge, session, local=False, locale="en").get("opener", {"notes": "All went well."})

    assert (handed.role, handed.meta["outcome"]) == ("assistant", "kept")
    assert handed.meta["problems"] == ["refused to send: TERM in the outgoing bytes"]
    assert list(edge.receipts.all())[-1].sent_bytes == 0


@pytest.mark.parametrize("name", ["read", "redact", "summarise"])
def test_a_tool_answers_a_crisis_first_whatever_else_is_wrong(
    edge: EdgeRuntime, published: Published, tmp_path: Path, name: str
) -> None:
    """P6: a model that cannot be used, or a text longer than a tool takes, keeps nobody from the way to a person."""
    (tmp_path / "reader").mkdir()
    without = EdgeRuntime.open(tmp_path / "home", trust=published.trust, model=tmp_path / "reader")
    tools = Tools(edge, edge.session(learner="u1"), local=False, locale="en")
    broken = Tools(without, without.session(learner="u1"), local=False, locale="en")
    assert tools.call(name, {"text": f"{CRISIS} " + "It was a long day. " * 10_000})["handoff"] == HANDOFF
    assert broken.call(name, {"text": CRISIS})["handoff"] == HANDOFF
    with pytest.raises(InvalidDocument, match="too long"):
        tools.call(name, {"text": "It was a long day. " * 10_000})
