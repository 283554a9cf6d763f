// What both halves of the page share: elements, questions to this device, and words to the page around it.
const TOKEN = decodeURIComponent(location.hash.slice(1));
let parentOrigin = "";

export const $ = (id) => document.getElementById(id);

export function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export async function ask(path, question) {
  const headers = { "X-Desk-Token": TOKEN };
  const request = question === undefined ? { headers } : {
    method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(question),
  };
  let response;
  try {
    response = await fetch(path, { ...request, cache: "no-store" });
  } catch {
    throw new Error("This device's own program does not answer. Is it still running?");
  }
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 403) throw new Error("Please open this page with the link that was printed when the device started.");
  throw new Error(answer.error);
}

export function complain(error) {
  $("problem").textContent = error ? error.message : "";
  $("problem").hidden = !error;
}

// Only the page that this device allows to frame it hears anything, and never a word of a note.
export function tellParent(message) {
  if (parentOrigin && window.parent !== window) window.parent.postMessage(message, parentOrigin);
}

export function allowParent(origin) {
  parentOrigin = origin;
}

export function allowed(origin) {
  return origin === parentOrigin;
}
