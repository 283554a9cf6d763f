// The note: read by this device while it is typed. Answers that arrive late are dropped.
import { $, ask, complain, make, tellParent } from "./page.js";

const WAIT_MS = 250;
const STOPS = [
  ["block", "Nowhere"],
  ["device", "On this device"],
  ["redacted", "In the cloud, covered"],
  ["cloud", "In the cloud"],
];
const EXAMPLE = {
  text: "Good talk with Priya Raman today. She wants to lead the Thursday review and asked me to sit in once.\n" +
    "She'd rather not be called at work: +44 20 7946 0018 is her own number, or write to priya.raman@example.org.\n" +
    "Next step: she drafts the agenda by Wednesday and sends it to Tomás Vega.",
  names: "Priya Raman, Tomás Vega",
};
let asked = 0;
let timer = 0;

function question() {
  return {
    text: $("text").value,
    names: $("names").value.split(",").map((name) => name.trim()).filter(Boolean),
    prompt: $("prompt").value,
    consents: [...document.querySelectorAll("#consents input:checked")].map((box) => box.value),
    suppose_model: $("model").checked,
  };
}

function paper(target, segments, empty) {
  target.replaceChildren(...segments.map((segment) => {
    if (!segment.label) return document.createTextNode(segment.text);
    const mark = make(segment.cover ? "span" : "mark", segment.text, segment.cover ? { class: "cover" } : {});
    if (!segment.cover) mark.append(make("small", segment.label));
    return mark;
  }));
  if (!segments.length) target.append(make("span", empty, { class: "hint" }));
}

function showRoute(answer) {
  $("scale").replaceChildren(...STOPS.map(([route, name]) =>
    make("li", name, route === answer.route ? { "aria-current": "true" } : {})));
  $("route-line").textContent = answer.route_sentence;
  $("reasons").replaceChildren(...answer.reasons.map((reason) => make("li", reason)));
}

// A crisis comes first: the hand-off text stands above everything, and scrolls into view once.
function showHandOff(text) {
  const box = $("hand-off");
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  box.replaceChildren(...text.trim().split(/\n\n+/).map((block) => {
    if (!block.startsWith("- ")) return make("p", block);
    const list = make("ul");
    list.append(...block.split("\n").map((line) => make("li", line.slice(2))));
    return list;
  }));
  box.hidden = !text;
  if (text) box.scrollIntoView({ block: "start" });
}

function show(answer, text) {
  showHandOff(answer.handoff);
  showRoute(answer);
  const written = Boolean(text.trim());
  paper($("found"), written ? answer.found : [], "Type a note, and what this device finds is marked here.");
  paper($("covered"), written ? answer.covered : [], "The covered text appears here.");
  $("count").textContent = answer.count_sentence;
  $("covered-hint").textContent = answer.covered_sentence;
}

async function read() {
  const mine = ++asked;
  const given = question();
  try {
    const answer = await ask("/api/read", given);
    if (mine !== asked) return;
    complain(null);
    show(answer, given.text);
    if (given.text.trim()) tellParent({ type: "noted" });
  } catch (error) {
    if (mine === asked) complain(error);
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(read, WAIT_MS);
}

export async function startNote(status) {
  $("prompt").replaceChildren(...status.scripts.map((script) => make("option", script.title, { value: script.name })));
  for (const consent of status.consents) {
    const label = make("label", "", { class: "toggle" });
    const box = make("input", "", { type: "checkbox", role: "switch", value: consent.name });
    label.append(box, make("span", consent.label));
    $("consents").append(label);
    box.addEventListener("change", read);
  }
  $("consents").hidden = !status.consents.length;
  $("suppose").hidden = status.has_model;
  $("model").checked = !status.has_model;
  $("model").addEventListener("change", read);
  for (const id of ["text", "names"]) $(id).addEventListener("input", soon);
  $("prompt").addEventListener("change", read);
  $("example").addEventListener("click", () => {
    $("text").value = EXAMPLE.text;
    $("names").value = EXAMPLE.names;
    read();
  });
  if (!status.scripts.length) {
    complain(new Error("This device has no approved script yet. Let it look for a new version first."));
    return;
  }
  await read();
}
