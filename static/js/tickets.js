// The help desk: keys on the work list and on the page of a ticket, drafts that are kept, and who else is there.
// Everything works without it; what it adds is speed.
(() => {
  "use strict";
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;
  const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";

  const send = (url, values, options = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams(values),
      credentials: "same-origin",
      ...options,
    });

  // --- Keys: off while somebody types, and with the keys of the browser ---

  const keys = desk.querySelector("#keys");
  const help = () => (keys?.open ? keys.close() : keys?.showModal());
  for (const button of desk.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", help);
  }
  const types = (element) =>
    element?.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], .select2-container");

  const onKey = (actions) =>
    document.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
      if (keys?.open && event.key !== "?") return;
      const action = event.key === "?" ? help : actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });

  // --- The work list ---

  const startList = () => {
    const links = [...desk.querySelectorAll("a[data-ticket]")];
    const here = () => links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const go = (step) => {
      const at = here();
      const to = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
      links[to]?.focus();
      links[to]?.closest("tr").scrollIntoView({ block: "nearest" });
    };
    onKey({
      j: () => go(1),
      k: () => go(-1),
      x: () => links[here()]?.closest("tr").querySelector("input[type=checkbox]").click(),
    });
  };

  // --- The ticket ---

  const startTicket = () => {
    const form = desk.querySelector("form[data-write]");
    const text = form.querySelector("textarea");
    const told = form.querySelector("[data-draft-text]");
    const write = (mode) => {
      const radio = form.querySelector(`input[name=mode][value=${mode}]`);
      radio.checked = true;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
      text.focus();
    };
    onKey({
      r: () => write("reply"),
      n: () => write("note"),
      a: () => desk.querySelector("form[data-take]")?.requestSubmit(),
      s: () => desk.querySelector("#status").focus(),
      j: () => desk.querySelector("a[rel=next]")?.click(),
      k: () => desk.querySelector("a[rel=prev]")?.click(),
    });

    // The box looks like what it is, and a note has no files.
    const attach = form.querySelector(".q-attach");
    const shape = () => {
      const isNote = form.elements.mode.value === "note";
      form.toggleAttribute("data-note", isNote);
      if (attach) attach.hidden = isNote;
    };
    for (const radio of form.querySelectorAll("input[name=mode]")) radio.addEventListener("change", shape);
    shape();

    // A ready-made reply goes where the cursor is.
    const insert = form.querySelector("[data-insert]");
    insert?.addEventListener("click", (event) => {
      event.preventDefault();
      const chosen = form.elements.canned.selectedOptions[0];
      if (!chosen?.dataset.text) return;
      text.setRangeText(chosen.dataset.text, text.selectionStart, text.selectionEnd, "end");
      text.focus();
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });

    // Drafts: a second after the last key, and when the page is left.
    let kept = `${form.elements.mode.value} ${text.value}`;
    let timer = 0;
    let sending = false;
    let wroteAt = 0;
    const keep = async (options) => {
      clearTimeout(timer);
      const now = `${form.elements.mode.value} ${text.value}`;
      if (sending || now === kept) return;
      kept = now;
      try {
        const answer = await send(desk.dataset.draft, { text: text.value, mode: form.elements.mode.value, begun: desk.dataset.begun }, options);
        if (!answer.ok) throw new Error(String(answer.status));
        told.textContent = text.value.trim() ? desk.dataset.textKept : "";
      } catch {
        kept = "";
        told.textContent = desk.dataset.textNotKept;
      }
    };
    const later = () => {
      wroteAt = Date.now();
      clearTimeout(timer);
      timer = setTimeout(keep, 1000);
    };
    text.addEventListener("input", later);
    form.addEventListener("change", (event) => event.target.name === "mode" && later());
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      // Whoever listens after us may hold it back: a file is still on its way.
      setTimeout(() => (sending = !event.defaultPrevented));
    });
    addEventListener("pageshow", () => (sending = false)); // the page came back as it was left

    // Who else is there: a sign every ten seconds while the page is seen.
    const seen = desk.querySelector("[data-presence-text]");
    let wasWriting = false;
    const sign = async () => {
      if (document.hidden) return;
      wasWriting = Date.now() - wroteAt < 20000;
      try {
        const answer = await send(desk.dataset.presence, { writing: wasWriting ? "1" : "0" });
        if (!answer.ok) return;
        const { text: others, version } = await answer.json();
        const changed = String(version) === desk.dataset.version ? "" : desk.dataset.textChanged;
        const now = [others, changed].filter(Boolean).join(" ");
        if (seen.textContent !== now) seen.textContent = now;
      } catch {
        seen.textContent = "";
      }
    };
    text.addEventListener("input", () => wasWriting || sign());
    document.addEventListener("visibilitychange", sign);
    setInterval(sign, 10000);
    sign();
    addEventListener("pagehide", () => {
      keep({ keepalive: true });
      send(desk.dataset.presence, { left: "1" }, { keepalive: true });
    });
  };

  if (desk.dataset.desk === "list") startList();
  else startTicket();
})();
