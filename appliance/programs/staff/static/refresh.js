// Keeps the day's list current while the page is in sight; says nothing and asks nothing else.
"use strict";
const now = document.getElementById("now");
setInterval(async () => {
  if (document.hidden || now.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "manual", cache: "no-store" }).catch(() => null);
  if (answer === null) return;
  if (answer.type === "opaqueredirect") location.reload();
  else if (answer.ok) now.innerHTML = await answer.text();
}, 5000);
