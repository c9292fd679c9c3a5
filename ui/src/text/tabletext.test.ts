// Goal: rows arrive in a spreadsheet as they are, and nothing in them is computed there. Method: odd cells.
import { expect, it } from "vitest";

import { tableText } from "./tabletext";

it("quotes what would break the lines, and leaves formulas as text", () => {
  const rows = [
    ["1", null],
    ["a\tb", 'say "x"'],
    ["=1+1", "-5"],
    ["-A1", "@x"],
  ];
  expect(
    tableText({
      columns: [
        { name: "n", type: "" },
        { name: "m", type: "" },
      ],
      rows,
    }),
  ).toBe('n\tm\n1\t\n"a\tb"\t"say ""x"""\n\'=1+1\t-5\n\'-A1\t\'@x');
});
