// The life of the page in a tab: address, history, title, and what a screen reader is told.
(gradio) => {
  if (window.forecastPage) return;
  const KEPT = ["__theme", "__sign"]; // parameters that are not part of a view
  const SPELLED = { 0: "all" }; // values of controls, in an address
  const LONGEST = 10_000; // characters of a name that are sent
  const CONTROLS = "#package, #compare, #range, #scale, #mode, #found";
  let pushed = location.href; // the address that the next answer may spell as the server does
  let pending = 1; // calls that are not yet answered; the page itself makes the first one
  let touched = false; // whether the visitor used a control since the last call

  function address(query, kept = KEPT) {
    const now = new URL(location.href);
    const next = new URL(query || location.pathname, now);
    for (const name of kept) {
      if (now.searchParams.has(name)) next.searchParams.set(name, now.searchParams.get(name));
    }
    // The browser's own encoding of commas is hard to read in a shared link.
    next.search = next.search.replaceAll("%2C", ",");
    return next.href;
  }

  // A view as the controls have it, before the answer: a reload then asks for the same.
  function asked(controls) {
    const [name, others, ...rest] = controls;
    pending += 1;
    if (!touched || name === null) return controls;
    touched = false;
    controls[0] = name.slice(0, LONGEST);
    const query = new URLSearchParams({ package: name.slice(0, 200) });
    if (others?.length) query.set("compare", others.join(","));
    Object.entries(gradio.usual).forEach(([field, usual], at) => {
      if (String(rest[at]) !== String(usual)) query.set(field, SPELLED[rest[at]] ?? rest[at]);
    });
    const next = address(`?${query}`);
    if (next !== location.href) history.pushState(null, "", next);
    pushed = location.href;
    return controls;
  }

  // The same view as the server has understood it: a query, or its link again.
  function answered(query) {
    pending -= 1;
    gradio.groups.forEach(nameGroup);
    describe();
    if (pending > 0) return address(query, []); // a newer view will be shown
    // Not if the visitor has gone back or forward meanwhile: those addresses are answered ones.
    if (location.href === pushed) history.replaceState(null, "", address(query));
    pushed = location.href;
    return address(query, []);
  }

  window.forecastPage = { asked, answered, get pending() { return pending; } };

  // gradio answers no control after it has lost the connection, and reloads the address when the
  // server is back: what was chosen meanwhile must be in the address by then.
  function keep() {
    const toasts = [...document.querySelectorAll(gradio.toast)];
    if (!toasts.some((toast) => toast.textContent.startsWith(gradio.lost))) return;
    const others = [...document.querySelectorAll(`#compare ${gradio.token}`)];
    asked([
      document.querySelector(`#package ${gradio.input}`).value,
      others.map((each) => each.textContent.trim()),
      ...gradio.groups.map((id) => document.querySelector(`#${id} input:checked`)?.value),
    ]);
  }

  const used = (event) => {
    if (!event.isTrusted || !event.target.closest?.(CONTROLS)) return;
    touched = true;
    if (event.type === "click" || event.key === "Enter") setTimeout(keep);
  };
  for (const kind of ["keydown", "pointerdown", "click", "input", "paste"]) {
    document.addEventListener(kind, used, { capture: true });
  }

  // Back and Forward: the server draws the view of the address.
  window.addEventListener("popstate", () => {
    pending += 1;
    touched = false;
    pushed = "";
    document.querySelector("#reopen").click();
  });

  // The title follows the answer, and a screen reader hears of it when it has changed.
  const headline = document.querySelector("#headline");
  const status = document.createElement("p");
  status.id = "announced";
  status.setAttribute("role", "status");
  document.querySelector("gradio-app main").append(status);
  let told = "";
  function follow() {
    const shown = headline.querySelector("[data-title]");
    if (!shown) return;
    document.title = shown.dataset.title;
    const text = [...shown.querySelectorAll("h2, .answer, .answers li")]
      .map((each) => each.textContent).join(". ");
    if (told && text !== told) status.textContent = text;
    told = text;
    const chart = document.querySelector("#chart");
    chart?.setAttribute("role", "img"); // the numbers are in the table, and not loose labels
    chart?.setAttribute("aria-label", `Chart. ${text}`);
    for (const box of document.querySelectorAll(`#link ${gradio.text}`)) {
      box.setAttribute("aria-label", "Link to this view");
    }
    gradio.groups.forEach(nameGroup);
    describe();
  }

  // gradio does not say whether a fold is open, and has its arrows and icons read out.
  function describe() {
    for (const fold of document.querySelectorAll(gradio.fold)) {
      fold.setAttribute("aria-expanded", String(fold.classList.contains("open")));
      fold.lastElementChild?.setAttribute("aria-hidden", "true");
    }
    for (const icon of document.querySelectorAll("gradio-app svg")) {
      icon.setAttribute("aria-hidden", "true");
    }
  }
  document.addEventListener("click", () => setTimeout(describe));

  // gradio gives each radio button a name of its own, so that arrow keys do nothing, and its groups
  // have none. They are there only once there is a forecast.
  function nameGroup(id) {
    const group = document.querySelector(`#${id}`);
    if (!group) return;
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", group.querySelector(gradio.legend).textContent.trim());
    for (const button of group.querySelectorAll("input[type=radio]")) button.name = id;
  }

  new MutationObserver(follow).observe(headline, { childList: true, subtree: true });
  follow();

}
