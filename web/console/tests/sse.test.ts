import { describe, expect, it } from "vitest";

import { SseParser, type SseFrame } from "@/live/sse";

const CASES: [string, string, SseFrame[]][] = [
  ["one event", "event: state\ndata: {}\n\n", [{ event: "state", data: "{}", id: null }]],
  ["no name is a message", "data: x\n\n", [{ event: "message", data: "x", id: null }]],
  ["several data lines", "data: a\ndata: b\n\n", [{ event: "message", data: "a\nb", id: null }]],
  [
    "an id stays for later frames",
    "id: 7\ndata: a\n\ndata: b\n\n",
    [
      { event: "message", data: "a", id: "7" },
      { event: "message", data: "b", id: "7" },
    ],
  ],
  ["a comment is no event", ": beat\n\n", []],
  ["no data, no event", "event: reset\n\n", []],
  [
    "carriage returns and line feeds",
    "event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\rdata: 3\n\n",
    [
      { event: "a", data: "1", id: null },
      { event: "b", data: "2", id: null },
      { event: "message", data: "3", id: null },
    ],
  ],
  ["one space after the colon goes", "data:  x\n\n", [{ event: "message", data: " x", id: null }]],
  ["an id with a NUL is ignored", "id: 1\0\ndata: x\n\n", [{ event: "message", data: "x", id: null }]],
  ["unknown fields are ignored", "retry: 100\nfoo: bar\ndata: x\n\n", [{ event: "message", data: "x", id: null }]],
  ["unfinished at the end", "data: x\n", []],
];

describe("server-sent events", () => {
  it.each(CASES)("%s, whole", (_, text, frames) => {
    expect(new SseParser().feed(text)).toEqual(frames);
  });

  it.each(CASES)("%s, letter by letter", (_, text, frames) => {
    const parser = new SseParser();
    expect([...text].flatMap((letter) => parser.feed(letter))).toEqual(frames);
  });

  it("passes over comments, which only keep a quiet stream alive", () => {
    expect(new SseParser().feed(": beat\n\n:\nevent: reset\ndata: {}\n\n")).toEqual([
      { event: "reset", data: "{}", id: null },
    ]);
  });
});
