// Replaces the parts of the page that change every few seconds, and searches while the user types.
"use strict";
(() => {
  const interval = 5000;
  const pause = 250;
  const byId = (id) => document.getElementById(id);
  let request = null;
  let timer = 0;
  let typed = 0;

  // setText changes a text only if it differs, so that a screen reader announces nothing that stays the same.
  const setText = (id, text) => {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  };

  // replace takes over the parts of a newer page. It keeps the focus and the position of a scrolled table.
  const replace = (newer) => {
    const focus = document.activeElement;
    const href = focus && focus.getAttribute("href");
    const label = focus && focus.getAttribute("aria-label");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = newer.getElementById(part.id);
      if (!next || part.outerHTML === next.outerHTML) continue;
      const left = part.querySelector(".scroll")?.scrollLeft;
      const focused = part.contains(focus);
      part.replaceWith(document.adoptNode(next));
      if (left) next.querySelector(".scroll")?.scrollTo({ left });
      if (!focused) continue;
      const same = [...next.querySelectorAll("a, [tabindex]")].find((e) =>
        href ? e.getAttribute("href") === href : label && e.getAttribute("aria-label") === label);
      same?.focus({ preventScroll: true });
    }
    for (const id of ["summary", "time"]) setText(id, newer.getElementById(id).textContent);
  };

  const selecting = () => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && byId("main").contains(selection.anchorNode);
  };

  const refresh = async (address) => {
    clearTimeout(timer);
    request?.abort();
    const mine = request = new AbortController();
    const limit = setTimeout(() => mine.abort(), 2 * interval);
    try {
      const response = await fetch(address, { signal: mine.signal, credentials: "same-origin", redirect: "error" });
      if (response.status !== 200 && response.status !== 404) throw new Error(response.statusText);
      const newer = new DOMParser().parseFromString(await response.text(), "text/html");
      if (mine !== request) return;
      if (!newer.getElementById("summary")) throw new Error("another page");
      if (newer.title !== document.title) return location.reload(); // the server has come or gone
      if (!selecting()) replace(newer);
      byId("connection").hidden = true;
    } catch {
      if (mine !== request) return;
      setText("connection", `The collector does not answer. The numbers are those of ${byId("time").textContent}.`);
      byId("connection").hidden = false;
    } finally {
      clearTimeout(limit);
      if (mine === request) schedule();
    }
  };

  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!document.hidden) refresh(location.href);
    }, interval);
  };

  const search = (form) => {
    const address = new URL(location.href);
    address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    history.replaceState(null, "", address);
    refresh(address);
  };

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh(location.href);
  });
  const form = byId("search");
  form?.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => search(form), pause);
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typed);
    search(form);
  });
  schedule();
})();
