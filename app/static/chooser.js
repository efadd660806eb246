// A list of suggestions for the two package boxes, in place of gradio's own, which is empty: the
// server is asked for the names that match. What is typed is what is asked for: Enter takes a
// suggestion only if the arrow keys have made it active.
(gradio) => {
  if (document.getElementById("found")) return;
  const PAUSE = 120; // milliseconds after the last letter typed
  const list = document.createElement("ul");
  const note = document.createElement("p");
  const panel = document.createElement("div");
  list.id = "found-options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Matching packages");
  note.setAttribute("role", "status");
  panel.id = "found";
  panel.hidden = true;
  panel.append(list, note);
  (document.querySelector("gradio-app main") ?? document.body).append(panel);

  let input = null; // the box that the list belongs to now
  let active = -1; // index of the active option; -1 for none
  let request = null; // the last one, to be aborted when it is out of date
  let timer = 0; // of the pause before a request
  let entered = false; // whether the box was focused and not clicked since
  let selecting = 0; // timer of the second selection by a click
  let wanted = ""; // what was typed since the box was focused; empty lists every package

  // So that typing replaces the name.
  function select() {
    leaveSelection();
    input.select();
  }

  function leaveSelection() {
    clearTimeout(selecting);
    selecting = 0;
  }

  const own = (target) => target.matches?.(`.searched ${gradio.input}`);
  const tokens = () => [...input.closest(gradio.box).querySelectorAll(gradio.token)];

  function close() {
    clearTimeout(timer);
    leaveSelection();
    request?.abort();
    panel.hidden = true;
    active = -1;
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  }

  function place() {
    if (panel.hidden) return;
    const box = input.closest(gradio.box).getBoundingClientRect();
    const view = window.visualViewport;
    const below = view.offsetTop + view.height - box.bottom;
    const above = box.top - view.offsetTop;
    const up = below < 180 && above > below; // pixels
    panel.style.left = `${box.left}px`;
    panel.style.width = `${box.width}px`;
    panel.style.top = up ? "auto" : `${box.bottom}px`;
    panel.style.bottom = up ? `${document.documentElement.clientHeight - box.top}px` : "auto";
    panel.style.maxHeight = `${Math.min(up ? above : below, 420) - 8}px`;
  }

  function show({ names, unusual, note: text }) {
    const chosen = new Set(tokens().map((token) => token.textContent.trim()));
    const offered = names.filter((name) => !chosen.has(name));
    list.replaceChildren(
      ...offered.map((name, index) => {
        const option = document.createElement("li");
        option.id = `found-${index}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = name;
        option.classList.toggle("unusual", unusual.includes(name));
        return option;
      }),
    );
    list.hidden = offered.length === 0;
    active = -1;
    panel.hidden = false;
    note.textContent = text;
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", String(offered.length > 0));
    input.removeAttribute("aria-activedescendant");
    list.scrollTop = 0;
    place();
  }

  async function ask(text) {
    wanted = text;
    request?.abort();
    const controller = (request = new AbortController());
    try {
      const response = await fetch(`find?text=${encodeURIComponent(text)}`, controller);
      if (!response.ok) return;
      const found = await response.json();
      if (!controller.signal.aborted) show(found);
    } catch {
      // Aborted, or the server is down: the visitor can still type any name.
    }
  }

  function activate(index) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = (index + list.children.length) % list.children.length;
    const option = list.children[active];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function enter(name) {
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true })); // so that gradio reads it
    close();
  }

  function onKey(event) {
    if (!own(event.target) || event.isComposing) return;
    if (selecting) select(); // a busy browser handles a key before the timer
    const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (arrow) {
      if (panel.hidden) ask(wanted); // and not for the name that is shown: only it would match
      else if (list.children.length) activate(active < 0 && arrow < 0 ? -1 : active + arrow);
    } else if (event.key === "Escape" && !panel.hidden) {
      close();
    } else if (event.key === "Enter") {
      if (active >= 0) enter(list.children[active].textContent);
      close();
      // In the box for several packages gradio would add an empty name.
      if (input.value.trim() || !input.closest("#compare")) return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  const options = { capture: true };
  document.addEventListener("keydown", onKey, options);
  document.addEventListener("focusin", ({ target }) => {
    if (!own(target)) return;
    input = target;
    entered = true;
    ask("");
  }, options);
  document.addEventListener("click", ({ target }) => {
    if (own(target) && entered) {
      select();
      selecting = setTimeout(select); // a click on what was selected deselects it after this
    }
    entered = false;
  }, options);
  document.addEventListener("focusout", ({ target }) => own(target) && close(), options);
  document.addEventListener("input", (event) => {
    if (!own(event.target) || !event.isTrusted) return;
    leaveSelection();
    clearTimeout(timer);
    wanted = input.value;
    timer = setTimeout(ask, PAUSE, wanted);
  }, options);
  panel.addEventListener("mousedown", (event) => event.preventDefault()); // keep the focus
  panel.addEventListener("click", ({ target }) => {
    if (target.getAttribute("role") !== "option") return;
    enter(target.textContent);
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
  window.addEventListener("scroll", place, { ...options, passive: true });
  window.visualViewport.addEventListener("resize", place);
}
