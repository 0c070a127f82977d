// The kiosk's page: follows the server's events, sends what was typed, keeps nothing.
"use strict";

const holder = document.getElementById("screen");
const away = document.getElementById("away");
let version = -1;  // of the screen that is shown; -1 draws it anew whatever it is
let asking = false;
let again = false;
let typed = "";

function frame() {
  return holder.querySelector(".frame");
}

async function draw() {
  // One question at a time; what changed meanwhile is asked for afterwards, so that nothing is missed.
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch("/screen", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = document.createElement("template");
    fresh.innerHTML = await answer.text();
    away.hidden = true;
    // A screen that is shown already stays as it is: buttons that are replaced under a finger lose the press.
    if (Number(fresh.content.querySelector(".frame").dataset.version) !== version) show(fresh.content);
  } catch {
    away.hidden = false;
  } finally {
    asking = false;
  }
  if (again) {
    again = false;
    await draw();
  }
}

function show(screen) {
  const before = frame().dataset.token;
  holder.replaceChildren(screen);
  document.documentElement.lang = frame().lang;
  version = Number(frame().dataset.version);
  if (frame().dataset.token !== before) typed = "";
  showDigits();
}

async function send(form, body, type) {
  // The form's own token: the page may be older than the program that answers it.
  const csrf = form.querySelector("[name=csrf_token]").value;
  const options = { method: "POST", body, redirect: "manual", headers: { "X-CSRFToken": csrf } };
  if (type) options.headers["Content-Type"] = type;
  options.headers["X-Screen"] = frame().dataset.token;
  for (const one of form.querySelectorAll("button")) one.disabled = true;
  try {
    await fetch(form.getAttribute("action"), options);
  } catch {
    away.hidden = false;
  }
  version = -1;
  await draw();
}

function pad() {
  return holder.querySelector("form.pad");
}

function showDigits() {
  const form = pad();
  if (!form) return;
  const length = Number(form.dataset.length);
  form.querySelectorAll(".digit").forEach((place, at) => {
    const full = at < typed.length;
    place.classList.toggle("full", full);
    place.textContent = full ? (form.dataset.shown === "yes" ? typed[at] : "●") : "";
  });
  form.querySelector(".digits").setAttribute("aria-label", form.dataset.filled.replace("0", String(typed.length)));
  form.querySelector(".enter").disabled = typed.length !== length;
}

function press(digit) {
  const form = pad();
  if (!form || holder.querySelector(".over")) return;
  if (typed.length < Number(form.dataset.length)) typed += digit;
  showDigits();
}

function enter() {
  const form = pad();
  if (!form || typed.length !== Number(form.dataset.length)) return;
  // Bytes, not a form field: the server reads them into memory that it wipes.
  const bytes = new TextEncoder().encode(typed);
  typed = "";
  send(form, bytes, "application/octet-stream").finally(() => bytes.fill(0));
}

holder.addEventListener("click", (event) => {
  const key = event.target.closest("button.key");
  if (!key) return;
  if (key.dataset.digit) press(key.dataset.digit);
  else {
    typed = key.dataset.edit === "clear" ? "" : typed.slice(0, -1);
    showDigits();
  }
});

holder.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.matches(".pad")) return enter();
  const data = new URLSearchParams(new FormData(form, event.submitter));
  return send(form, data);
});

document.addEventListener("keydown", (event) => {
  if (!pad()) return;
  if (/^[0-9]$/.test(event.key)) press(event.key);
  else if (event.key === "Backspace") { typed = typed.slice(0, -1); showDigits(); }
  else if (event.key === "Enter" && typed.length === Number(pad().dataset.length)) { event.preventDefault(); enter(); }
});

document.addEventListener("contextmenu", (event) => event.preventDefault());
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const events = new EventSource("/events");
events.addEventListener("message", (event) => {
  if (Number(event.data) !== version) draw();
});
// Whoever answers after a break may be a program that was started anew: it counts from the beginning and takes no form
// of the page from before, so nothing can be pressed until its own screen is drawn.
events.addEventListener("error", () => { version = -1; away.hidden = events.readyState === EventSource.OPEN; });
version = Number(frame().dataset.version);
showDigits();
