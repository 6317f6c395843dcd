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

  // upload.js adds <input type="hidden" name="upload" value="HANDLE"> to a row when its file has arrived; from then on
  // the title of the row is sent as title-HANDLE. It starts as the file name without its ending.
  addEventListener("upload:change", (event) => {
    for (const row of event.target.querySelectorAll("[data-upload-list] > *")) {
      const title = row.querySelector("[data-title]");
      if (!title) continue;
      if (!title.dataset.ready) {
        title.dataset.ready = "";
        title.value = row.querySelector("[data-part=name]").textContent.replace(/\.[^.]{1,8}$/, "").replace(/_/g, " ");
      }
      const handle = row.querySelector("input[name=upload]")?.value;
      if (handle) title.name = `title-${handle}`;
    }
  });
})();
