/** Where dialogs stand: in a section of the page. Straight in the page, a dialog's head would be a second banner of it. */
export function over(): HTMLElement {
  const standing = document.getElementById("over");
  if (standing) return standing;
  const section = document.createElement("section");
  section.id = "over";
  document.body.append(section);
  return section;
}
