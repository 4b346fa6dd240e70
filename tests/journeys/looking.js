// What can be measured of a page as it stands: put into it by tests/journeys/looking.py, as `looking`.

(() => {
  const ROLES = ["button", "link", "radio", "option", "menuitem", "checkbox", "switch", "tab", "combobox"];
  const PRESSED = ["button", "a[href]", "input", "select", "textarea", "summary", ...ROLES.map((role) => `[role=${role}]`)];
  // What a press may hit for one of them, and what shows its focus: the row, the label or the frame that it stands in.
  const FRAMES = ["label", ".el-input__wrapper", ".el-select__wrapper", ".el-textarea", ".el-checkbox", ".el-switch", ".framed"];

  const seen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const own = (one) => one.dataset?.testid ?? (one.classList?.length ? `.${[...one.classList].join(".")}` : one.localName);

  function named(one) {
    const text = (one.getAttribute("aria-label") ?? one.textContent ?? "").trim().slice(0, 24);
    return `${one.parentElement ? `${own(one.parentElement)} > ` : ""}${own(one)} "${text}"`;
  }

  // What may be scrolled sideways: a table, and a row of chips on a phone.
  const SIDEWAYS = ".table-wrap, .chips";

  /** What must be scrolled sideways, and was not meant to. */
  function wide() {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`the page: ${root.scrollWidth} px on ${innerWidth}`);
    for (const one of document.body.querySelectorAll("*")) {
      if (one.scrollWidth <= one.clientWidth + 1 || !seen(one) || one.closest(SIDEWAYS)) continue;
      if (["auto", "scroll"].includes(getComputedStyle(one).overflowX))
        found.push(`${named(one)}: ${one.scrollWidth} px in ${one.clientWidth}`);
    }
    return found;
  }

  /** Whether some of `one` can be seen: all of it may lie under something else. */
  function inSight(one) {
    const box = one.getBoundingClientRect();
    const frame = one.closest(FRAMES.join());
    const spots = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]];
    return spots.some(([x, y]) => {
      const hit = document.elementFromPoint(box.x + box.width * x, box.y + box.height * y);
      return hit !== null && (one.contains(hit) || (frame?.contains(hit) ?? false));
    });
  }

  /** How far a thumb may be off the middle of `one` in a direction, up to `most`. */
  function reach(one, most, dx, dy) {
    const box = one.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const holder = one.closest(["[data-row]", ...FRAMES].join());
    for (let far = 1; far <= most; far += 1) {
      const hit = document.elementFromPoint(x + dx * far, y + dy * far);
      if (hit && one.contains(hit)) continue;
      const other = hit?.closest(PRESSED.join()) ?? null;
      if (!hit || !holder?.contains(hit) || (other !== null && other !== one)) return far - 1;
    }
    return most;
  }

  /** What is pressed, and gives a thumb fewer pixels than `least` each way. */
  function small(least) {
    const found = new Set();
    const over = [...document.querySelectorAll("[aria-modal=true], .el-popper")].filter(seen).at(-1);
    for (const one of (over ?? document).querySelectorAll(PRESSED.join())) {
      if (!seen(one) || one.disabled || (one.localName === "input" && one.tabIndex < 0)) continue;
      if (one.closest(".for-readers, .skip, [aria-hidden=true]")) continue;
      // A link in a line of text is as high as its line (WCAG 2.5.8: inline).
      if (one.localName === "a" && getComputedStyle(one).display === "inline") continue;
      one.scrollIntoView({ block: "center", inline: "center" });
      if (!inSight(one)) continue; // something lies over it
      const target = one.closest("label") ?? one;
      const width = reach(target, least / 2, -1, 0) + reach(target, least / 2, 1, 0);
      const height = reach(target, least / 2, 0, -1) + reach(target, least / 2, 0, 1);
      // Two pixels are lost where edges lie between pixels; none is left where something lies over its middle.
      if (width + height > 0 && Math.min(width, height) < least - 2) found.add(`${named(one)}: ${width}x${height}`);
    }
    return [...found];
  }

  const rung = (one) =>
    [undefined, "::after"].some((part) => {
      const style = getComputedStyle(one, part);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    });

  /** Where the focus is, whether that shows, and whether it is in sight; null: nowhere. */
  function at() {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const frame = one.closest(FRAMES.join());
    const framed = [frame, ...(frame?.querySelectorAll("*") ?? [])].some(
      (each) => each && (rung(each) || getComputedStyle(each).boxShadow !== "none"),
    );
    one.dataset.walked ??= String(document.querySelectorAll("[data-walked]").length);
    return { name: named(one), key: one.dataset.walked, shows: rung(one) || framed, inSight: inSight(one) };
  }

  /** What the page and what lies over it are made of, in any number: the same for two that differ in their data alone. */
  function made() {
    const drawn = ["main", "[data-testid=strip]", "[aria-modal=true]", ".el-popper", "[data-peek]"];
    const parts = [...document.querySelectorAll(drawn.join())].filter(seen).flatMap((one) => [...one.querySelectorAll("*")]);
    const kinds = parts.filter(seen).map((one) => `${one.localName}.${one.getAttribute("class")}.${one.getAttribute("role")}`);
    return location.pathname + [...new Set(kinds)].sort().join();
  }

  /** Whether nothing is open over the page at `path`, and nothing set on it. */
  function bare(path) {
    const open = [...document.querySelectorAll("[aria-modal=true], .el-popper, [data-peek]")].some(seen);
    return !open && location.pathname === path && location.search === "";
  }

  window.looking = { bare, wide, small, at, made };
})();
