// The back office's own behaviour: the tenant in view changes at once, and an upload's title belongs to its handle.
(() => {
  "use strict";

  for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
    form.querySelector("button[type=submit]")?.setAttribute("hidden", "");
    form.addEventListener("change", () => form.requestSubmit());
  }

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
