/** Dark or light: as the reader's system has it, until he presses the button; then as he wants it, here. */

const KEPT = "roomcast.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What was kept; a browser may keep nothing, or refuse to. */
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(theme) {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // It lasts as long as the page, then.
  }
}

/** Make `button` the switch. `changed` is called when colours have become others. */
export function startTheme(button, changed) {
  const root = document.documentElement;
  const show = () => {
    button.ariaPressed = String((root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark");
    changed();
  };
  if (["dark", "light"].includes(kept())) root.dataset.theme = kept();
  button.addEventListener("click", () => {
    root.dataset.theme = button.ariaPressed === "true" ? "light" : "dark";
    keep(root.dataset.theme);
    show();
  });
  dark.addEventListener("change", show);
  show();
}
