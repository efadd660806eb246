// Texts to copy: the page's address is written into them, and a button copies each.
() => {
  document.addEventListener("toggle", ({ target }) => {
    if (!target.matches("details.embed")) return;
    const page = new URL(".", location.href).href;
    for (const place of target.querySelectorAll("[data-page]")) place.textContent = page;
  }, { capture: true });

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest?.(".embed button");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    const status = button.closest(".embed").querySelector("[role=status]");
    let told = "Copied.";
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code); // what a frame without permission leaves
      told = "Selected: copy it with the keyboard.";
    }
    status.textContent = told;
  });
}
