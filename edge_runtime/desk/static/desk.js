// The device's page: asks this device, shows what it answers. Texts are set as text, never as markup.
import { startNote } from "./note.js";
import { $, allowParent, allowed, ask, complain, make, tellParent } from "./page.js";

const VIEW = new URLSearchParams(location.search).get("view");
const PACE_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 170;

function tellHeight() {
  tellParent({ type: "height", px: Math.ceil(document.body.getBoundingClientRect().height) });
}

// The height of the note's page is told at the start and for a new width only: it must not follow what is typed.
function keepTellingHeight() {
  let width = innerWidth;
  tellHeight();
  if (VIEW === "adopt") new ResizeObserver(tellHeight).observe(document.body);
  else window.addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; tellHeight(); } });
}

function showFacts(status) {
  const facts = [
    ["Active version", status.release === null ? "none yet" : `number ${status.release}`],
    ["Up to date", { fresh: "yes", stale: "not lately checked", expired: "no, too old" }[status.fresh] ?? status.fresh],
    ["Approved scripts", String(status.prompts.length)],
    ["Published by", status.organisation || "not known yet"],
  ];
  $("facts").replaceChildren(...facts.map(([name, value]) => {
    const list = make("dl");
    list.append(make("dt", name), make("dd", value));
    return list;
  }));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function checkRow(check) {
  const row = make("li", "", { class: "check", "data-result": check.result });
  const words = make("div");
  const spoken = { yes: "passed: ", no: "refused: ", skipped: "not reached: " }[check.result];
  words.append(make("strong", check.title, { "aria-label": spoken + check.title }));
  if (check.said) words.append(make("span", check.said, { class: "said" }));
  row.append(make("span", check.result === "yes" ? "✓" : check.result === "no" ? "✕" : "·", { class: "sign", "aria-hidden": "true" }), words,
    make("span", check.check, { class: "number" }));
  return row;
}

function showVerdict(answer) {
  const verdict = $("verdict");
  verdict.dataset.result = answer.ok ? "yes" : "no";
  verdict.replaceChildren(make("strong", answer.headline), make("span", answer.sentence));
  if (answer.technical) {
    const details = make("details", "", { "data-technical": "" });
    details.append(make("summary", "Technical details"), make("code", answer.technical));
    details.addEventListener("toggle", tellHeight);
    verdict.append(details);
  }
  verdict.hidden = false;
}

async function refresh(source) {
  const button = $("refresh");
  button.disabled = true;
  complain(null);
  $("checks").replaceChildren();
  $("verdict").hidden = true;
  $("timing").textContent = "Checking…";
  try {
    const answer = await ask("/api/refresh", { source });
    $("timing").textContent = answer.checks.length ? `Fetched and checked in ${(answer.took_ms / 1000).toFixed(1)} s` : "";
    for (const check of answer.checks) {
      $("checks").append(checkRow(check));
      tellHeight();
      await pause(PACE_MS);
    }
    showVerdict(answer);
    showFacts(answer.status);
    tellParent({ type: "refreshed", source, ok: answer.ok, changed: answer.changed, release: answer.status.release, check: answer.check });
  } catch (error) {
    $("timing").textContent = "";
    complain(error);
    tellParent({ type: "failed", source });
  } finally {
    button.disabled = false;
    tellHeight();
  }
}

async function start() {
  $("address").textContent = location.host;
  let status;
  try {
    status = await ask("/api/status");
  } catch (error) {
    complain(error);
    return;
  }
  allowParent(status.parent);
  document.body.dataset.framed = String(window.parent !== window);
  if (VIEW !== "note") {
    $("adopt").hidden = false;
    showFacts(status);
    $("refresh").addEventListener("click", () => refresh(""));
  }
  if (VIEW !== "adopt") {
    $("note").hidden = false;
    await startNote(status);
  }
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !allowed(event.origin) || event.data?.type !== "refresh") return;
    if (VIEW === "adopt" && !$("refresh").disabled) refresh(String(event.data.source ?? ""));
  });
  keepTellingHeight();
  tellParent({ type: "ready", view: VIEW, release: status.release });
}

start();
