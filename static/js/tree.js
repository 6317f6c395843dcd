// Trees of folders and of organizations: lines fold, and one moves by drag, by keyboard and by touch. The server has the
// last word: a move is an ordinary form that is sent. Without scripts "Move" leads to a form, and folders are all open;
// branches of organizations, of which there may be thousands, are opened by the server.
(() => {
  "use strict";

  const MANY = 150; // lines, from which on only the top is open at first

  for (const table of document.querySelectorAll("[data-tree]")) {
    const rows = [...table.querySelectorAll("tr[data-node]")];
    const byId = new Map(rows.map((row) => [row.dataset.node, row]));
    const toggleOf = (row) => row.querySelector("[data-toggle]");
    const above = (row) => byId.get(row.dataset.parent);
    const isBelow = (row, other) => {
      for (let up = above(row); up; up = above(up)) if (up === other) return true;
      return false;
    };

    // --- Folding -------------------------------------------------------------------------------------------

    const key = `tree-closed-${table.dataset.tree}`;
    let closed = new Set();
    const remember = () => {
      try {
        sessionStorage.setItem(key, JSON.stringify([...closed]));
      } catch {
        // private mode: forgotten with the page
      }
    };
    const draw = () => {
      const hidden = new Set();
      for (const row of rows) {
        const parent = above(row); // lines come after those above them
        if (parent && (hidden.has(parent) || closed.has(parent.dataset.node))) hidden.add(row);
        row.hidden = hidden.has(row);
        toggleOf(row)?.setAttribute("aria-expanded", String(!closed.has(row.dataset.node)));
      }
    };
    const close = (ids) => {
      closed = new Set(ids);
      remember();
      draw();
    };
    const reveal = (row) => {
      for (let up = above(row); up; up = above(up)) closed.delete(up.dataset.node);
      draw();
    };
    const parents = rows.filter(toggleOf);
    for (const row of parents) {
      toggleOf(row).hidden = false;
      toggleOf(row).addEventListener("click", () => {
        const id = row.dataset.node;
        close(closed.has(id) ? [...closed].filter((other) => other !== id) : [...closed, id]);
      });
    }
    const tools = document.querySelector("[data-tree-tools]");
    if (tools && (parents.length || "movable" in table.dataset)) {
      tools.hidden = false;
      tools.querySelector("[data-open-all]")?.addEventListener("click", () => close([]));
      tools.querySelector("[data-close-all]")?.addEventListener("click", () => close(parents.map((row) => row.dataset.node)));
    }
    let stored = null;
    try {
      stored = JSON.parse(sessionStorage.getItem(key));
    } catch {
      // none, or none of ours
    }
    closed = new Set(stored ?? (rows.length > MANY ? parents.map((row) => row.dataset.node) : []));
    draw();

    // --- Moving --------------------------------------------------------------------------------------------

    const form = document.querySelector("[data-move-form]");
    if (!form || !("movable" in table.dataset)) continue;
    const bar = document.querySelector("[data-moving]");
    const told = document.querySelector("[data-moving-told]");
    const here = document.querySelector("[data-here]");
    const text = bar.querySelector("[data-moving-text]");
    const toTop = bar.querySelector("[data-to-top]");
    const nameOf = (row) => row.querySelector("[data-name]").textContent.trim();
    const moveOf = (row) => row.querySelector("[data-move]");
    const fits = (row, target) =>
      target ? moveOf(target) && target !== row && !isBelow(target, row) && above(row) !== target : Boolean(row.dataset.parent);
    let moving = null;

    const send = (row, target) => {
      form.action = moveOf(row).href;
      form.elements.parent.value = target?.dataset.node ?? "";
      form.elements.version.value = row.dataset.version;
      form.requestSubmit();
    };
    const places = () => [...(toTop.hidden ? [] : [toTop]), ...table.querySelectorAll("tr:not([hidden]) [data-drop]")];
    const begin = (row) => {
      end();
      moving = row;
      row.dataset.moves = "";
      text.textContent = text.dataset.text.replace("{name}", nameOf(row));
      bar.querySelector("[data-form]").href = moveOf(row).href;
      toTop.hidden = !fits(row, null);
      for (const target of rows.filter((other) => fits(row, other))) {
        const button = here.content.firstElementChild.cloneNode(true);
        button.lastElementChild.textContent = ` ${nameOf(target)}`;
        button.addEventListener("click", () => send(row, target));
        target.lastElementChild.append(button);
      }
      table.dataset.choosing = "";
      bar.hidden = false;
      told.textContent = text.textContent;
      (places()[0] ?? bar.querySelector("[data-cancel]")).focus();
    };
    const end = () => {
      if (!moving) return;
      const row = moving;
      moving = null;
      delete row.dataset.moves;
      delete table.dataset.choosing;
      bar.hidden = true;
      told.textContent = "";
      for (const button of table.querySelectorAll("[data-drop]")) button.remove();
      moveOf(row).focus();
    };
    for (const row of rows) {
      moveOf(row)?.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the form in another tab
        event.preventDefault();
        begin(row);
      });
    }
    toTop.addEventListener("click", () => send(moving, null));
    bar.querySelector("[data-cancel]").addEventListener("click", end);
    document.addEventListener("keydown", (event) => {
      if (!moving) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") {
        event.preventDefault();
        end();
      } else if (step) {
        const all = places();
        const at = all.indexOf(document.activeElement);
        event.preventDefault();
        all.at((at + step + (at < 0 && step < 0 ? 1 : 0) + all.length) % all.length)?.focus();
      }
    });

    // --- By drag: onto a line, or above the table for the top ------------------------------------------------

    let dragged = null;
    const clear = () => {
      for (const over of document.querySelectorAll("[data-over]")) delete over.dataset.over;
    };
    const finish = () => {
      clear();
      if (dragged) delete dragged.dataset.moves;
      dragged = null;
    };
    for (const row of rows) if (moveOf(row)) row.draggable = true;
    table.addEventListener("dragstart", (event) => {
      const row = event.target.closest("tr[data-node]");
      if (!row || !moveOf(row)) return;
      dragged = row;
      row.dataset.moves = "";
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", nameOf(row));
    });
    const head = table.tHead.rows[0];
    const targetOf = (event) => {
      const row = event.target.closest("tr[data-node]");
      return row ?? (event.target.closest("thead") ? null : undefined);
    };
    table.addEventListener("dragover", (event) => {
      const target = targetOf(event);
      clear();
      if (!dragged || target === undefined || !fits(dragged, target)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      (target ?? head).dataset.over = "";
    });
    table.addEventListener("drop", (event) => {
      const target = targetOf(event);
      const row = dragged;
      event.preventDefault();
      finish();
      if (row && target !== undefined && fits(row, target)) send(row, target);
    });
    table.addEventListener("dragend", finish);

    // --- Where a move has led ----------------------------------------------------------------------------------

    const arrived = byId.get(location.hash.split("-").at(-1));
    if (arrived) {
      reveal(arrived);
      arrived.dataset.arrived = "";
      // After the browser has gone to the fragment itself, which would take the focus away again.
      addEventListener("load", () => {
        arrived.querySelector("a[data-name]")?.focus({ preventScroll: true });
        arrived.scrollIntoView({ block: "center" });
      });
    }
  }
})();
