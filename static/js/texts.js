// Placeholders are put where the cursor was last. Without scripts they are written by hand.
(() => {
  "use strict";

  const form = document.querySelector("[data-texts]");
  const fields = form ? [...form.querySelectorAll("input[type=text], textarea")] : [];
  let last = fields.find((field) => field.tagName === "TEXTAREA");
  for (const field of fields) field.addEventListener("focus", () => (last = field));
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.hidden = false;
    button.parentElement.querySelector("[data-plain]").hidden = true;
    button.addEventListener("click", () => {
      last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
      last.focus();
    });
  }
})();
