// The back office's own behaviour, on every page of it.
(() => {
  "use strict";

  // The tenant in view changes at once; without scripts there is a button.
  const submitOnChange = () => {
    for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
      form.querySelector("button[type=submit]")?.setAttribute("hidden", "");
      form.addEventListener("change", () => form.requestSubmit());
    }
  };

  // A form is sent once: a second click changes nothing while the answer to the first is on its way. After ten seconds
  // it may be sent again, since the first may have been stopped.
  let sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (Date.now() - (sent.get(event.target) ?? -Infinity) < 10000) {
      event.preventDefault();
      return;
    }
    sent.set(event.target, Date.now());
    setTimeout(() => event.submitter?.setAttribute("aria-busy", "true"), 150);
  });
  addEventListener("pageshow", () => {
    sent = new WeakMap();
    for (const button of document.querySelectorAll("[aria-busy=true]:is(button, input)")) button.removeAttribute("aria-busy");
  });

  // The pickers of the theme (select2) forget the label of the field they stand for.
  const namePickers = () => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const name = select.labels?.[0]?.textContent.replace("*", "").trim() || select.getAttribute("aria-label");
      const box = select.nextElementSibling;
      if (!name || !box) continue;
      for (const part of box.querySelectorAll("[role=combobox], [role=textbox], .select2-search__field")) {
        part.removeAttribute("aria-labelledby");
        part.setAttribute("aria-label", name);
      }
    }
  };

  const start = () => {
    submitOnChange();
    namePickers();
    const form = document.querySelector("#content form");
    if (form) new MutationObserver(namePickers).observe(form, { childList: true, subtree: true });
  };
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
