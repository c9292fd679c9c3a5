// Ctrl C in a table that has the focus, with nothing selected: the whole of it, for a spreadsheet.
import { tableText } from "../text/tabletext";

export async function copyFocusedTable(): Promise<boolean> {
  const table = document.activeElement?.matches(".scroll") && document.activeElement.querySelector("table");
  if (!table || window.getSelection()?.toString()) return false;
  const lines = [...table.querySelectorAll("tr")].map((row) =>
    [...row.querySelectorAll<HTMLElement>("th, td")].map((cell) =>
      cell.innerText
        .replace(/[▴▾]/g, "")
        .trim()
        .replace(/\s*\n\s*/g, " "),
    ),
  );
  const [head = [], ...rows] = lines;
  await navigator.clipboard.writeText(
    tableText({ columns: head.map((name) => ({ name, type: "VARCHAR" })), rows }),
  );
  return true;
}
