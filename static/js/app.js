// What pages do beyond plain HTML. Each block is an improvement: without it the page still works.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => from.querySelectorAll(selector);
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  // Light and dark without loading the page again; the form tells the server.
  const showTheme = () => {
    for (const button of all("[data-theme-form] button")) {
      button.setAttribute("aria-pressed", String(isDark()));
      button.value = isDark() ? "light" : "dark";
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    root.dataset.theme = body.get("theme");
    showTheme();
    fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  });

  // After too many attempts: count the seconds down, then let the button go.
  const count = (notice) => {
    const buttons = all("[data-waits]");
    const until = Date.now() + Number(notice.dataset.wait) * 1000;
    for (const button of buttons) button.disabled = true;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      for (const shown of all("[data-seconds]", notice)) shown.textContent = left;
      if (left) return setTimeout(tick, 500);
      for (const button of buttons) button.disabled = false;
      for (const line of all("[data-seconds]", notice)) line.closest("p").hidden = true;
      for (const line of all("[data-wait-over]", notice)) line.hidden = false;
    };
    tick();
  };

  // A form is sent once: a second click changes nothing while the answer to the first is on its way. After ten seconds
  // it may be sent again, since the first may have been stopped.
  let sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (Date.now() - (sent.get(event.target) ?? -Infinity) < 10000) return event.preventDefault();
    sent.set(event.target, Date.now());
    const button = event.submitter;
    // What is answered with a file leaves the page as it is, so nothing would take the mark away again.
    if (button && !("saves" in event.target.dataset)) setTimeout(() => { button.setAttribute("aria-busy", "true"); }, 150);
  });
  addEventListener("pageshow", () => {
    sent = new WeakMap();
    for (const button of all("button[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // "/" goes to the search.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = document.querySelector("[data-shortcut='/']");
    if (field && field.offsetParent) { event.preventDefault(); field.focus(); field.select(); }
  });

  // Papers open in place where the browser can show them.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-viewer]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (!window.HTMLDialogElement || innerWidth < 900) return;
    if (link.dataset.viewer === "pdf" && !navigator.pdfViewerEnabled) return;
    event.preventDefault();
    const dialog = document.getElementById("viewer");
    const frame = document.createElement("iframe");
    frame.src = link.href;
    frame.title = dialog.dataset.title;
    dialog.querySelector("[data-frame]").replaceChildren(frame);
    dialog.showModal();
    dialog.addEventListener("close", () => frame.remove(), { once: true });
  });

  // Whoever opened or took a paper sees it as read when the list is looked at again.
  let opened = false;
  const refresh = () => {
    if (!opened || !window.htmx || !document.getElementById("panes")) return;
    opened = false;
    htmx.ajax("GET", location.href, { target: "#panes", swap: "outerHTML show:none", select: "#panes", selectOOB: "#nav-side,#nav-tabs" });
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-opens-paper]")) return;
    opened = true;
    if (event.target.closest("[download]")) setTimeout(refresh, 1500);
  });
  document.addEventListener("close", refresh, true);
  addEventListener("focus", () => setTimeout(refresh, 300));
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });

  // htmx: an error becomes the page it would have been; a broken line says so.
  document.addEventListener("htmx:responseError", (event) => {
    const { requestConfig } = event.detail;
    if (requestConfig.verb === "get") location.assign(requestConfig.path);
    else location.reload();
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.elt.matches("[data-poll]")) return; // it asks again soon
    const toast = document.querySelector("[data-offline]")?.content.firstElementChild.cloneNode(true);
    if (!toast) return;
    document.querySelector("[data-toasts]").replaceChildren(toast);
    setTimeout(() => toast.remove(), 6000);
  });
  // A thread asks for news while somebody looks at it, and at once when they come back to it.
  const ask = () => {
    if (document.hidden || !window.htmx) return;
    for (const thread of all("[data-poll]")) htmx.trigger(thread, "poll");
  };
  setInterval(ask, 15000);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("htmx:afterSwap", () => {
    const panes = document.getElementById("panes");
    const title = document.getElementById("preview-title");
    if (panes && title && getComputedStyle(panes.querySelector(".pane-list")).display === "none") {
      title.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    for (const notice of all("[data-wait]")) count(notice);
    document.querySelector("[data-focus]")?.focus({ preventScroll: true });
  });
})();
