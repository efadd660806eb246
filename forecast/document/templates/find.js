// Finds a package as one types. The list is fetched when it is first needed.
(() => {
  const most = 30;
  const [form, box, note, found] = ["finder", "find", "note", "found"].map((id) => document.getElementById(id));
  let names;

  const load = () => (names ??= fetch("packages.json").then((answer) => answer.json()));
  const rank = (wanted) => ([label, name]) => (name === wanted ? 0 : name.replace(/^@/, "").startsWith(wanted) ? 1 : 2);

  const counted = (all) => {
    const groups = all.filter(([, name]) => name.startsWith("@")).length;
    return [[all.length - groups, "package"], [groups, "group"]]
      .filter(([number]) => number)
      .map(([number, what]) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`)
      .join(" and ");
  };

  async function matches() {
    const typed = box.value.trim().toLowerCase();
    const wanted = typed.replace(/[-_.]+/g, "-"); // as names are normalised; a title is not
    if (!wanted) return null;
    const inside = (await load()).filter(
      ([label, name]) => name.includes(wanted) || label.toLowerCase().includes(typed),
    );
    const ranked = rank(wanted);
    return inside.sort((one, other) => ranked(one) - ranked(other));
  }

  async function show() {
    const asked = box.value;
    let all;
    try {
      all = await matches();
    } catch {
      names = undefined;
      note.textContent = "The list of packages could not be loaded: try again, or choose one below.";
      return;
    }
    if (box.value !== asked) return;
    found.replaceChildren(...(all ?? []).slice(0, most).map(([label, , folder, unusual]) => {
      const item = document.createElement("li");
      const link = item.appendChild(document.createElement("a"));
      link.href = folder;
      link.textContent = label;
      if (unusual) {
        const mark = document.createElement("span");
        mark.className = "mark";
        mark.textContent = "unusual week";
        item.append(" ", mark);
      }
      return item;
    }));
    note.textContent = !all ? "" : !all.length ? "No matching package."
      : all.length > most ? `The first ${most} of ${counted(all)}: type more of the name.`
      : `${counted(all)}.`;
  }

  box.addEventListener("input", show);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await show();
    found.querySelector("a")?.click();
  });
  form.hidden = false;
})();
