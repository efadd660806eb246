// The life of the page in a tab: its address, its history and its title.
(gradio) => {
  if (window.forecastPage) return;
  const KEPT = ["__theme", "__sign"]; // parameters that are not part of a view
  const SPELLED = { 0: "all" }; // values of controls, in an address
  const CONTROLS = "#package, #compare, #range, #scale, #mode, #found";
  let touched = false; // whether the visitor used a control since the last answer

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
    if (!touched || name === null) return controls;
    const query = new URLSearchParams({ package: name });
    if (others?.length) query.set("compare", others.join(","));
    Object.entries(gradio.usual).forEach(([field, usual], at) => {
      if (rest[at] !== usual) query.set(field, SPELLED[rest[at]] ?? rest[at]);
    });
    const next = address(`?${query}`);
    if (next !== location.href) history.pushState(null, "", next);
    return controls;
  }

  // The same view as the server has understood it: a query, or its link again.
  function answered(query) {
    touched = false;
    history.replaceState(null, "", address(query));
    return address(query, []);
  }

  const used = (event) => {
    if (event.isTrusted && event.target.closest?.(CONTROLS)) touched = true;
  };
  for (const kind of ["keydown", "pointerdown", "input", "paste"]) {
    document.addEventListener(kind, used, { capture: true });
  }

  // Back and Forward: the server draws the view of the address.
  window.addEventListener("popstate", () => {
    touched = false;
    document.querySelector("#reopen").click();
  });

  window.forecastPage = { asked, answered };
}
