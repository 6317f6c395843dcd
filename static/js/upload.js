// Uploads that survive a broken line: several files, drag and drop, progress in numbers. Needs vendor/tus/tus.min.js.
//
// <div data-upload data-endpoint="/admin/uploads/" data-tenant="7" data-max="5368709120" data-finish="#save"
//      data-text-progress="{percent} %, {sent} of {total}" data-text-waiting="Waiting" data-text-done="Uploaded, {total}"
//      data-text-offline="Connection lost. Your file is safe, we keep trying." data-text-failed="That did not work."
//      data-text-empty="The file is empty." data-text-large="The file is larger than {total}."
//      data-text-busy="Please wait until all files are uploaded." data-text-all-done="All uploaded: {count}."
//      data-text-paused="Paused, {sent} of {total}" data-text-unfinished="Not finished: {names}. Choose the same files again.">
//   <ul data-upload-list></ul>
//   <div data-upload-drop><input type="file" name="files" multiple></div>
//   <p data-upload-status aria-live="polite"></p>
//   <template data-upload-row><li>
//     <span data-part="name"></span>
//     <span data-part="state"><progress data-part="bar" max="100" value="0"></progress><span data-part="text"></span></span>
//     <label>Title <input data-title></label>
//     <button type="button" data-part="pause" hidden>Pause</button>
//     <button type="button" data-part="resume" hidden>Go on</button>
//     <button type="button" data-part="retry" hidden>Again</button>
//     <button type="button" data-part="remove">Cancel</button>
//   </li></template>
// </div>
//
// Each finished file adds <input type="hidden" name="upload" value="HANDLE"> to the surrounding form (data-name names
// it otherwise); the title of its row, which starts as the file name without its ending, is then sent as title-HANDLE.
// data-tenant, data-folder and data-community go along as metadata. Of data-most files more are refused (data-text-many). A file that had arrived in part before the page was left goes on from
// there when it is chosen again; data-text-unfinished says which do. Title, pause and resume may be left out. data-finish is a selector of buttons that wait until all files have arrived. Without this script the
// file input is sent with the form as usual. The element fires "upload:change" with {busy, done, failed}.
(() => {
  "use strict";
  const TOGETHER = 3; // files that are sent at the same time
  const KEYS = ["tenant", "folder", "community"]; // metadata that say where the bytes belong
  const RETRIES = [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000]; // milliseconds
  const language = document.documentElement.lang || "de";
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  const units = language.startsWith("fr") ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];

  // As the pages say it: core/sizes.py.
  const size = (bytes) => {
    let [number, unit] = [bytes, 0];
    while (Math.round(number) >= 1000 && unit < units.length - 1) [number, unit] = [number / 1000, unit + 1];
    const inTenths = unit >= 2 && Math.round(number * 10) < 100;
    return `${(inTenths ? tenth : whole).format(number)}\u00a0${units[unit]}`;
  };
  const fill = (text, values) => (text ?? "").replace(/\{(\w+)\}/g, (_whole, name) => values[name] ?? "");

  class Widget {
    constructor(root) {
      this.root = root;
      this.inputs = [...root.querySelectorAll("input[type=file]")]; // of several, e.g. one for the camera, the last leads
      this.input = this.inputs.at(-1);
      this.list = root.querySelector("[data-upload-list]");
      this.status = root.querySelector("[data-upload-status]");
      this.template = root.querySelector("template[data-upload-row]");
      this.drop = root.querySelector("[data-upload-drop]") ?? root;
      this.form = root.closest("form");
      this.items = [];
      for (const input of this.inputs) {
        input.removeAttribute("name"); // the bytes travel here, not with the form
        input.addEventListener("change", () => {
          this.add(input.files);
          input.value = "";
        });
      }
      this.listenToDrops();
      this.form?.addEventListener("submit", (event) => {
        if (!this.busy) return this.remember([]);
        event.preventDefault();
        this.say(root.dataset.textBusy);
      });
      this.remind();
      addEventListener("online", () => {
        for (const item of this.items) if (item.state === "offline") this.start(item);
      });
      addEventListener("beforeunload", (event) => {
        if (this.items.some((item) => item.state === "sending")) event.preventDefault();
      });
    }

    get busy() {
      return this.items.some((item) => ["waiting", "sending", "paused", "offline"].includes(item.state));
    }

    // Where this tab keeps what was under way when the page was left; pages of one tenant share their endpoint.
    get place() {
      return `upload:${location.pathname}:${this.root.dataset.endpoint}:${KEYS.map((key) => this.root.dataset[key] ?? "").join(":")}:${this.root.dataset.name ?? ""}`;
    }

    remember(names) {
      if (names.length) sessionStorage.setItem(this.place, JSON.stringify(names));
      else sessionStorage.removeItem(this.place);
    }

    remind() {
      const names = JSON.parse(sessionStorage.getItem(this.place) ?? "[]");
      if (names.length) this.say(fill(this.root.dataset.textUnfinished, { names: names.join(", ") }));
    }

    listenToDrops() {
      let depth = 0; // dragenter of a child comes before dragleave of its parent
      const mark = (inside) => this.drop.toggleAttribute("data-over", inside);
      this.drop.addEventListener("dragenter", (event) => {
        event.preventDefault();
        depth += 1;
        mark(true);
      });
      this.drop.addEventListener("dragover", (event) => event.preventDefault());
      this.drop.addEventListener("dragleave", () => {
        depth -= 1;
        mark(depth > 0);
      });
      this.drop.addEventListener("drop", (event) => {
        event.preventDefault();
        depth = 0;
        mark(false);
        this.add(event.dataTransfer.files);
      });
    }

    add(files) {
      const chosen = this.input.multiple ? [...files] : [...files].slice(0, 1);
      const allowed = Number(this.root.dataset.most || Infinity);
      const room = allowed - this.items.length - this.root.querySelectorAll("[data-kept]:checked").length;
      if (chosen.length > room) this.say(fill(this.root.dataset.textMany, { count: whole.format(allowed) }));
      for (const file of chosen.slice(0, Math.max(0, room))) {
        const row = this.template.content.firstElementChild.cloneNode(true);
        const item = { file, row, state: "waiting", part: (name) => row.querySelector(`[data-part=${name}]`) };
        item.part("name").textContent = file.name;
        for (const button of ["remove", "retry", "pause", "resume"]) {
          const hidden = document.createElement("span"); // the button's name says which file it means
          hidden.className = "vh";
          hidden.textContent = ` ${file.name}`;
          item.part(button)?.append(hidden);
        }
        item.part("bar")?.setAttribute("aria-label", file.name);
        item.part("remove").addEventListener("click", () => this.remove(item));
        item.part("retry")?.addEventListener("click", () => this.start(item));
        item.part("pause")?.addEventListener("click", () => this.pause(item));
        item.part("resume")?.addEventListener("click", () => {
          this.start(item);
          item.part("pause").focus();
        });
        const title = row.querySelector("[data-title]");
        if (title) title.value = file.name.replace(/\.[^.]{1,8}$/, "").replace(/_/g, " ");
        this.items.push(item);
        this.list.append(row);
        const most = Number(this.root.dataset.max || Infinity);
        if (!file.size) this.fail(item, this.root.dataset.textEmpty, false);
        else if (file.size > most) this.fail(item, fill(this.root.dataset.textLarge, { total: size(most) }), false);
        else this.show(item, "waiting", this.root.dataset.textWaiting);
      }
      this.next();
    }

    next() {
      const sending = this.items.filter((item) => item.state === "sending").length;
      for (const item of this.items.filter((one) => one.state === "waiting").slice(0, Math.max(0, TOGETHER - sending))) {
        this.start(item);
      }
    }

    async start(item) {
      if (["sending", "done", "removed"].includes(item.state)) return;
      item.state = "sending";
      this.progress(item, item.sent ?? 0);
      item.upload ??= this.prepare(item);
      const here = (metadata) => KEYS.every((key) => (metadata[key] ?? "") === (this.root.dataset[key] ?? ""));
      const earlier = (await item.upload.findPreviousUploads()).filter((one) => here(one.metadata));
      if (item.state !== "sending") return; // cancelled meanwhile
      // The same file may be chosen twice; each needs a handle of its own.
      const taken = new Set(this.items.filter((one) => one !== item).map((one) => one.upload?.url));
      const found = earlier.find((one) => !taken.has(new URL(one.uploadUrl, location.href).href) && !taken.has(one.uploadUrl));
      if (found && !item.upload.url) item.upload.resumeFromPreviousUpload(found);
      item.upload.start();
    }

    prepare(item) {
      const token = this.root.dataset.csrf ?? document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
      const metadata = { filename: item.file.name, filetype: item.file.type };
      for (const key of KEYS) if (this.root.dataset[key]) metadata[key] = this.root.dataset[key];
      return new tus.Upload(item.file, {
        endpoint: this.root.dataset.endpoint,
        headers: { "X-CSRFToken": token },
        metadata,
        retryDelays: RETRIES,
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          if (!status) this.show(item, "sending", this.root.dataset.textOffline, "warn");
          return !status || status === 409 || status === 423 || status >= 500;
        },
        onProgress: (sent) => this.progress(item, sent),
        onSuccess: () => this.succeed(item),
        onError: (error) => this.fail(item, this.reason(error), !this.isRefused(error), !error.originalResponse),
      });
    }

    // The server does not want this file: sending it once more would not help.
    isRefused(error) {
      return [400, 403, 413, 415, 422].includes(error.originalResponse?.getStatus());
    }

    reason(error) {
      try {
        return JSON.parse(error.originalResponse.getBody()).message || this.root.dataset.textFailed;
      } catch {
        return error.originalResponse ? this.root.dataset.textFailed : this.root.dataset.textOffline;
      }
    }

    progress(item, sent) {
      if (item.state !== "sending") return;
      item.sent = sent;
      const percent = Math.floor((sent / item.file.size) * 100);
      const bar = item.part("bar");
      if (bar) bar.value = percent;
      const values = { percent: whole.format(percent), sent: size(sent), total: size(item.file.size) };
      this.show(item, "sending", fill(this.root.dataset.textProgress, values));
    }

    async pause(item) {
      if (item.state !== "sending") return;
      const values = { sent: size(item.sent ?? 0), total: size(item.file.size) };
      this.show(item, "paused", fill(this.root.dataset.textPaused, values));
      item.part("resume").focus();
      this.next();
      await item.upload?.abort();
    }

    succeed(item) {
      if (item.state === "removed") return;
      const handle = new URL(item.upload.url, location.href).pathname.split("/").filter(Boolean).pop();
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: this.root.dataset.name ?? "upload", value: handle });
      item.row.append(field);
      const title = item.row.querySelector("[data-title]");
      if (title) title.name = `title-${handle}`;
      this.show(item, "done", fill(this.root.dataset.textDone, { total: size(item.file.size) }), "good");
      const done = this.items.filter((one) => one.state === "done").length;
      if (!this.busy) this.say(fill(this.root.dataset.textAllDone, { count: whole.format(done) }));
      this.next();
    }

    fail(item, text, again, offline = false) {
      if (item.state === "removed") return;
      this.show(item, offline ? "offline" : "failed", text, "bad");
      const retry = item.part("retry");
      if (retry) retry.hidden = !again;
      this.say(`${item.file.name}: ${text}`);
      this.next();
    }

    async remove(item) {
      item.state = "removed";
      const at = this.items.indexOf(item);
      this.items.splice(at, 1);
      const focus = this.items[at]?.part("remove") ?? this.items[at - 1]?.part("remove") ?? this.input;
      item.row.remove();
      focus.focus();
      this.next();
      this.changed();
      await item.upload?.abort(true).catch(() => {}); // what the server keeps goes after a day anyway
    }

    show(item, state, text, tone = "") {
      item.state = state;
      item.row.dataset.state = state;
      if (tone) item.row.dataset.tone = tone;
      else delete item.row.dataset.tone;
      item.part("text").textContent = text ?? "";
      const bar = item.part("bar");
      if (bar) bar.hidden = !["waiting", "sending", "paused"].includes(state);
      for (const [button, when] of [["pause", "sending"], ["resume", "paused"]]) {
        if (item.part(button)) item.part(button).hidden = state !== when;
      }
      const retry = item.part("retry");
      if (retry && state === "sending") retry.hidden = true;
      this.changed();
    }

    say(text) {
      if (this.status && text) this.status.textContent = text;
    }

    changed() {
      const busy = this.busy;
      if (this.root.dataset.finish) {
        for (const button of document.querySelectorAll(this.root.dataset.finish)) button.disabled = busy;
      }
      this.remember(this.items.filter((item) => item.state !== "failed" || item.sent).map((item) => item.file.name));
      const count = (state) => this.items.filter((item) => item.state === state).length;
      const detail = { busy, done: count("done"), failed: count("failed") };
      this.root.dispatchEvent(new CustomEvent("upload:change", { bubbles: true, detail }));
    }
  }

  const wake = (scope) => {
    for (const root of scope.querySelectorAll("[data-upload]:not([data-ready])")) {
      root.dataset.ready = "";
      new Widget(root);
    }
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => wake(document));
  else wake(document);
  addEventListener("htmx:load", (event) => wake(event.target.parentElement ?? document));
})();
