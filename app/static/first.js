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
