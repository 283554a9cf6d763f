// The guided tour: shows the server's state, sends one act at a time. Texts are set as text, never as markup.
const $ = (id) => document.getElementById(id);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const CALM = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
const ANSWER_WITHIN_MS = 10_000;
const seen = new Set();
const silence = new Map(); // for each frame of the device, the timer that ends our patience
let state = null;
const wanted = new Set(); // the frames that shall be asked to look, once they are ready
let acted = Promise.resolve(); // the act under way: answers are shown in the order of the acts

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

function technical(pairs) {
  const details = make("details", "", { "data-technical": "" });
  details.append(make("summary", "Technical details"));
  for (const [name, value] of pairs) {
    const line = make("div", `${name}: `);
    line.append(make("code", value));
    details.append(line);
  }
  return details;
}

function keepOpen(target, ...children) {
  const open = Boolean(target.querySelector("details[open]"));
  target.replaceChildren(...children);
  if (open && target.querySelector("details")) target.querySelector("details").open = true;
}

async function call(path, body) {
  let response;
  try {
    response = await fetch(path, body === undefined ? { cache: "no-store" } : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => ({ error: "The server could not answer." }));
  if (!response.ok) throw new Error(sentence(answer.error ?? "The server refused."));
  return answer;
}

function complain(error, near) {
  $("problem").textContent = error ? error.message : "";
  $("problem").hidden = !error;
  if (error) (near ?? document.querySelector("main")).before($("problem"));
}

// ---- what each step shows -----------------------------------------------------------------------

function showChange({ proposal }) {
  const line = $("byline");
  line.replaceChildren(make("strong", proposal.author), " proposes: ", make("strong", `“${proposal.title}”`), ".");
  $("diff").replaceChildren(...proposal.diff.map((part) => {
    const sheet = make("div", "", { class: "sheet" });
    sheet.append(make("span", `${proposal.script}: ${part.part}`, { class: "sheet-name" }));
    for (const word of part.words) {
      sheet.append(word.op === "same" ? word.text : make(word.op === "added" ? "ins" : "del", word.text));
    }
    return sheet;
  }));
  keepOpen($("digests"), technical([["Part of the script", proposal.diff.map((part) => part.field).join(", ")],
    ["Fingerprint of the script", proposal.digest], ["Proposal (manifest)", proposal.manifest]]));
}

function showRefusal({ refused, refused_exactly: exactly }) {
  $("refused").hidden = !refused;
  $("refused").className = "result no";
  if (!refused) return;
  keepOpen($("refused"),
    make("strong", "Refused"), make("span", sentence(refused)),
    make("p", "Nothing changed: her approval was not counted. An administrator would get the same answer."),
    technical([["The server's own words", exactly]]));
}

// How many people have to approve yet, such as "two people", and once somebody has, "one more person".
function counted({ missing, signed }) {
  const number = ["no", "one", "two", "three", "four", "five"][missing] ?? String(missing);
  return `${number}${signed.length ? " more" : ""} ${missing === 1 ? "person" : "people"}`;
}

function showApproval({ proposal, released, publisher }) {
  const people = proposal.missing;
  $("needed").textContent = released ? `Approved and published as version ${released}.`
    : people ? `Approvals needed: ${counted(proposal)}, not the author.` : "All approvals needed are there.";
  $("checks").replaceChildren(...proposal.checks.map((check) => {
    const row = make("li", check.name, { class: { passed: "yes", failed: "no", notice: "notice" }[check.status] });
    if (check.status !== "passed") for (const evidence of check.evidence) row.append(make("small", sentence(evidence)));
    return row;
  }));
  keepOpen($("evidence"), technical(proposal.checks.map((check) => [check.name, check.evidence.join(", ") || check.status])));
  const missing = make("li", counted(proposal), { class: "open" });
  missing.append(make("small", proposal.may_sign.join(", or ")));
  $("signed").replaceChildren(...proposal.signed.map((person) => {
    const row = make("li", person.name);
    row.append(make("small", person.role));
    return row;
  }), ...(people && !released ? [missing] : []));
  $("publish").textContent = `Publish as ${publisher}`;
  $("publish").disabled = !proposal.ready || Boolean(released);
  $("publish").classList.toggle("later", !proposal.ready && !released);
  $("published").hidden = !released;
  $("published").replaceChildren(make("strong", `Published as version ${released}`),
    make("span", "It is now offered to devices. Whether one uses it, the device decides."));
}

function showForgery({ forged, withstood }) {
  $("forged").hidden = !forged.before;
  if (forged.before) {
    const changed = make("span", forged.start, { class: "sheet" });
    changed.append(make("del", forged.before), " ", make("ins", forged.after), forged.end);
    $("forged").replaceChildren(`In the script “${forged.script}” it now says, signed with every key of this server:`, changed);
  }
  $("tampered").hidden = !withstood;
  $("tampered").replaceChildren(make("strong", "Stolen keys were not enough"),
    make("span", "No server has what was missing: approvals by people. In daily use a person’s key opens only with a passphrase that no server keeps."));
}

function showAudit({ audit }) {
  $("audit").hidden = !audit.size;
  if (!audit.size) return;
  const facts = make("dl", "", { class: "facts" });
  for (const [name, value, kind] of [
    ["Recomputed", audit.ok ? `all ${audit.size} entries, nothing altered` : audit.problems.join(", ")],
    ["Fingerprint of the whole log", audit.print, "print"],
    ["Who vouches", audit.statement],
  ]) {
    const fact = make("div");
    fact.append(make("dt", name), make("dd", value, kind ? { class: kind } : {}));
    facts.append(fact);
  }
  const log = make("ol", "", { class: "log", "aria-label": "The last acts" });
  log.append(...audit.acts.map((entry) => {
    const row = make("li");
    const words = make("span");
    words.append(make("strong", entry.who), ` ${entry.what}`);
    row.append(make("span", String(entry.number), { class: "n" }), words, make("time", clock(entry.at), { class: "at", datetime: entry.at }));
    return row;
  }));
  keepOpen($("audit"), facts, make("p", audit.meaning), make("h3", "The last acts"), log, technical([["Root hash", audit.root]]));
}

function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

const hasFailed = (proposal) => proposal.checks.some((check) => check.status === "failed");

function showEnd({ done, proposal }) {
  const failed = hasFailed(proposal);
  const was = $("end").hidden;
  $("end").hidden = !(done["6"] && done["7"]) && !failed;
  if (!was || $("end").hidden) return;
  $("end-title").textContent = failed ? "The checks stopped this change." : "That is the whole loop.";
  $("end-words").textContent = failed ? "Nobody can approve it like this. Propose another wording:"
    : "Nothing unapproved runs, private words stay put, and the past cannot be rewritten unseen. Walk it again with words of your own:";
  $("wording").value = proposal.again;
  $("wording-of").textContent = proposal.script;
}

function showButtons({ proposal, people, released, done, refused }) {
  const signed = new Set(proposal.signed.map((person) => person.id));
  for (const button of all("[data-person]")) {
    const person = people[button.dataset.person];
    const spent = signed.has(person.id) || (button.dataset.person === "maya" && Boolean(refused));
    button.classList.toggle("spent", spent);
    button.disabled = spent || Boolean(released) || (button.dataset.person !== "maya" && (proposal.ready || hasFailed(proposal)));
  }
  const read = document.querySelector('[data-act="read"]');
  read.disabled = done["1"];
  read.classList.toggle("spent", done["1"]);
  $("publish").classList.toggle("spent", Boolean(released));
  $("look").classList.toggle("spent", done["4"]);
}

// ---- the device's frames ------------------------------------------------------------------------

const frameOf = (name) => document.querySelector(`[data-frame="${name}"]`);

function showFrame(name) {
  const figure = frameOf(name);
  const frame = figure.querySelector("iframe");
  figure.hidden = false;
  if (frame.src) return;
  figure.querySelector(".address").textContent = state.device.origin;
  const view = name === "note" ? "note" : "adopt";
  frame.src = `${state.device.origin}/?view=${view}#${encodeURIComponent(state.device.token)}`;
  awaitWord(figure);
}

// A device that says nothing for a while is told to the reader; the first word from it takes that back.
function awaitWord(figure) {
  clearTimeout(silence.get(figure));
  silence.set(figure, setTimeout(() => {
    figure.querySelector(".alert")?.remove();
    figure.append(make("p", "The device does not answer. Is its program still running?", { class: "alert", role: "alert" }));
  }, ANSWER_WITHIN_MS));
}

function hear(figure) {
  clearTimeout(silence.get(figure));
  figure.querySelector(".alert")?.remove();
}

function askFrame(name) {
  wanted.add(name);
  showFrame(name);
  if (frameOf(name).dataset.ready) tellFrame(name);
}

function tellFrame(name) {
  wanted.delete(name);
  awaitWord(frameOf(name));
  const message = { type: "refresh", source: name === "forged" ? "forged" : "" };
  frameOf(name).querySelector("iframe").contentWindow.postMessage(message, state.device.origin);
}

function showFrames({ device, open }) {
  for (const line of all("[data-no-device]")) line.hidden = Boolean(device.origin);
  $("look").hidden = $("tamper").hidden = !device.origin;
  if (!device.origin) return;
  if (open.includes(4)) showFrame("adopt");
  if (open.includes(5)) showFrame("note");
  if (state.forged.before) showFrame("forged");
}

window.addEventListener("message", (event) => {
  if (!state || event.origin !== state.device.origin) return;
  const figure = all("[data-frame]").find((one) => one.querySelector("iframe").contentWindow === event.source);
  if (!figure) return;
  hear(figure);
  const { type, px, release, source, ok, check } = event.data ?? {};
  if (type === "height") figure.querySelector("iframe").style.height = `${Math.min(Math.max(Number(px) || 0, 160), 2400) + 2}px`;
  if (type === "ready") {
    figure.dataset.ready = "yes";
    if (wanted.has(figure.dataset.frame)) tellFrame(figure.dataset.frame);
    else if (release >= state.released && state.released && !state.done["4"]) act({ act: "device", source: "", release });
  }
  if (type === "refreshed") act({ act: "device", source, ok, release, check });
  if (type === "noted" && !state.done["5"]) act({ act: "device", noted: true });
});

// ---- acting -------------------------------------------------------------------------------------

function show(next) {
  state = next;
  let opened = null;
  for (const step of all(".step")) {
    const number = step.dataset.step;
    const open = next.open.includes(Number(number));
    step.classList.toggle("fresh", open && seen.size > 0 && !seen.has(number));
    step.classList.toggle("open", open);
    if (open && !opened && seen.size > 0 && !seen.has(number)) opened = step;
    step.classList.toggle("done", next.done[number]);
    if (open) step.removeAttribute("aria-disabled"); else step.setAttribute("aria-disabled", "true");
  }
  for (const number of next.open) seen.add(String(number));
  const count = Object.values(next.done).filter(Boolean).length;
  $("progress").textContent = `${count} of 7 done`;
  for (const part of [showChange, showRefusal, showApproval, showForgery, showAudit, showButtons, showFrames, showEnd]) part(next);
  if (opened) comeIntoView(opened);
}

// A step that opens below the window comes up just far enough to be noticed; what was read stays in view.
function comeIntoView(step) {
  const below = step.getBoundingClientRect().top - innerHeight * 0.65;
  if (below > 0) scrollBy({ top: below, behavior: CALM });
}

async function act(request, button) {
  button?.classList.add("busy");
  if (button) button.disabled = true;
  complain(null);
  const mine = acted.then(() => call("/tour/api/act", request)).then(show);
  acted = mine.catch(() => {});
  try {
    await mine;
    return true;
  } catch (error) {
    if (button) button.disabled = false;
    complain(error, button?.closest(".acts"));
    return false;
  } finally {
    button?.classList.remove("busy");
  }
}

for (const button of all("[data-act]")) {
  button.addEventListener("click", async () => {
    const { act: name, person } = button.dataset;
    const done = await act(person ? { act: name, person, manifest: state.proposal.manifest } : { act: name }, button);
    if (name === "tamper") {
      button.disabled = false;
      if (done) {
        askFrame("forged");
        button.closest(".step").scrollIntoView({ behavior: CALM });
      }
    }
    if (name === "verify") button.disabled = false;
  });
}
$("look").addEventListener("click", () => {
  askFrame("adopt");
  $("look").closest(".step").scrollIntoView({ behavior: CALM });
});
$("again").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  if (await act({ act: "propose", wording: $("wording").value }, button)) location.reload();
});

try {
  show(await call("/tour/api/state"));
} catch (error) {
  complain(error);
}
