// Gives the place of the first answer to gradio's page, once that has the same answer.
(drawing) => {
  const first = document.querySelector("#first");
  const root = document.documentElement;

  // gradio sets the browser's language, but the page is in English.
  const keep = () => root.lang === "en" || (root.lang = "en");
  new MutationObserver(keep).observe(root, { attributeFilter: ["lang"] });

  // After the answer is painted, and after all that gradio itself needs.
  requestAnimationFrame(() => setTimeout(() => {
    for (const href of drawing) {
      const link = Object.assign(document.createElement("link"), { rel: "modulepreload", href });
      link.fetchPriority = "low";
      document.head.append(link);
    }
  }));

  // When gradio's queue is full, it refuses calls, and gradio's page gives up.
  const busy = document.createElement("p");
  busy.id = "busy";
  busy.hidden = true;
  busy.setAttribute("role", "status");
  document.body.append(busy);
  const send = window.fetch;
  window.fetch = async (address, options) => {
    if (!String(address).includes("/queue/join")) return send(address, options);
    for (;;) {
      const answer = await send(address, options);
      busy.hidden = answer.status !== 503;
      if (busy.hidden) return answer;
      busy.textContent = "Many people are asking now. This page asks again by itself.";
      const pause = Number(answer.headers.get("Retry-After")) || 2 + 2 * Math.random(); // seconds
      await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
    }
  };

  const wait = new MutationObserver(give);
  function give() {
    const ready = document.querySelector("gradio-app #headline h2");
    // Whoever is typing a name here finishes it here.
    if (!ready || first.querySelector("form").contains(document.activeElement)) return;
    wait.disconnect();
    first.remove();
  }
  wait.observe(document.body, { childList: true, subtree: true });
  first.addEventListener("focusout", () => setTimeout(give));
}
