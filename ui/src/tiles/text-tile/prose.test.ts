// Goal: text tiles read as written, and nothing in them becomes markup or a dangerous link.
import { expect, it } from "vitest";

import { inlineOf, proseOf } from "./prose";

it("paragraphs, headings, lists", () => {
  expect(proseOf("# Rain\n\nAll of\n**May**.\n\n- one\n- `two`")).toEqual([
    { kind: "heading", parts: [{ kind: "text", text: "Rain" }] },
    {
      kind: "paragraph",
      parts: [
        { kind: "text", text: "All of " },
        { kind: "bold", text: "May" },
        { kind: "text", text: "." },
      ],
    },
    { kind: "list", items: [[{ kind: "text", text: "one" }], [{ kind: "code", text: "two" }]] },
  ]);
});

it("only safe links", () => {
  expect(inlineOf("[a](https://x.org) [b](javascript:alert(1)) [c](//evil) <b>")).toEqual([
    { kind: "link", text: "a", to: "https://x.org" },
    { kind: "text", text: " " },
    { kind: "text", text: "[b](javascript:alert(1)" },
    { kind: "text", text: ") " },
    { kind: "text", text: "[c](//evil)" },
    { kind: "text", text: " <b>" },
  ]);
});
