// Tells which row of a ranking was clicked: the rows are plain HTML, and one listener hears all of them.
const stops = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  // Called anew when the theme changes.
  stops.get(parentElement)?.();
  const open = (event) => {
    const row = event.target.closest?.("button[data-row]");
    if (row) setTriggerValue("open", [row.closest("ol").dataset.ranking, Number(row.dataset.row)]);
  };
  const stop = () => document.removeEventListener("click", open);
  document.addEventListener("click", open);
  stops.set(parentElement, stop);
  parentElement.dataset.listens = "";
  return stop;
}
