// Of thousands of packages gradio's list is empty: this one holds what the server finds for the
// letters typed. Enter takes what is typed, unless an option was gone to with the arrows.
(gradio) => {
  if (document.getElementById("found")) return;
  const PAUSE = 120; // milliseconds without another letter
  const list = document.createElement("ul");
  const note = document.createElement("p");
  const panel = document.createElement("div");
  list.id = "found-options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Names found");
  note.setAttribute("role", "status");
  panel.id = "found";
  panel.hidden = true;
  panel.append(list, note);
  (document.querySelector("main") ?? document.body).append(panel);

  let input = null; // the box that the list belongs to
  let active = -1; // the option gone to
  let asked = null; // the question under way
  let timer = 0;
  let fresh = false; // whether the box has just been entered

  const own = (target) => target.matches?.(`.searched ${gradio.input}`);
  const tokens = () => [...input.closest(gradio.box).querySelectorAll(gradio.token)];

  function close() {
    clearTimeout(timer);
    asked?.abort();
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
    const up = below < 180 && above > below;
    panel.style.left = `${box.left}px`;
    panel.style.width = `${box.width}px`;
    panel.style.top = up ? "auto" : `${box.bottom}px`;
    panel.style.bottom = up ? `${document.documentElement.clientHeight - box.top}px` : "auto";
    panel.style.maxHeight = `${Math.min(up ? above : below, 420) - 8}px`;
  }

  function show({ names, note: text }) {
    const chosen = new Set(tokens().map((each) => each.textContent.trim()));
    const rest = names.filter((name) => !chosen.has(name));
    list.replaceChildren(
      ...rest.map((name, at) => {
        const option = document.createElement("li");
        option.id = `found-${at}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = name;
        return option;
      }),
    );
    list.hidden = rest.length === 0;
    active = -1;
    panel.hidden = false;
    note.textContent = text;
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", String(rest.length > 0));
    input.removeAttribute("aria-activedescendant");
    list.scrollTop = 0;
    place();
  }

  async function ask(text) {
    asked?.abort();
    const question = (asked = new AbortController());
    try {
      const answer = await fetch(`find?text=${encodeURIComponent(text)}`, question);
      if (!answer.ok) return;
      const found = await answer.json();
      if (!question.signal.aborted) show(found);
    } catch {
      // Left for another question, or the server is gone: any name can still be typed.
    }
  }

  function goTo(at) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = (at + list.children.length) % list.children.length;
    const option = list.children[active];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }

  function write(name) {
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true })); // gradio reads it then
    close();
  }

  function onKey(event) {
    if (!own(event.target) || event.isComposing) return;
    const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (arrow) {
      if (panel.hidden) ask(input.value);
      else if (list.children.length) goTo(active < 0 && arrow < 0 ? -1 : active + arrow);
    } else if (event.key === "Escape" && !panel.hidden) {
      close();
    } else if (event.key === "Enter") {
      if (active >= 0) write(list.children[active].textContent);
      close();
      // In the box of several an empty one would be added.
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
    fresh = true;
    ask("");
  }, options);
  document.addEventListener("click", ({ target }) => {
    if (own(target) && fresh) target.select(); // what is typed takes its place
    fresh = false;
  }, options);
  document.addEventListener("focusout", ({ target }) => own(target) && close(), options);
  document.addEventListener("input", (event) => {
    if (!own(event.target) || !event.isTrusted) return;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE, input.value);
  }, options);
  panel.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  panel.addEventListener("click", ({ target }) => {
    if (target.getAttribute("role") !== "option") return;
    write(target.textContent);
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
  window.addEventListener("scroll", place, { ...options, passive: true });
  window.visualViewport.addEventListener("resize", place);
}
