import { afterEach, describe, expect, it, vi } from "vitest";

import { api, ApiError, whenUnauthorised, withQuery } from "@/api/client";

function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  const fetch = vi.fn((_path: string, _init?: RequestInit) =>
    Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers })),
  );
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

async function failing(action: Promise<unknown>): Promise<ApiError> {
  return action.then(
    () => expect.unreachable(),
    (error: unknown) => error as ApiError,
  );
}

afterEach(() => vi.unstubAllGlobals());

describe("requests", () => {
  it("carry only what is asked for, lists one by one", () => {
    expect(withQuery("/api/events", { site: "demo", kind: ["a", "b"], after: null, q: "", limit: 0 })).toBe(
      "/api/events?site=demo&kind=a&kind=b&limit=0",
    );
    expect(withQuery("/api/sites")).toBe("/api/sites");
  });

  it("ask in the language of the page", async () => {
    document.documentElement.lang = "en-GB";
    const fetch = answering(200, {});
    await api.post("/api/tickets", { a: 1 });
    const init = fetch.mock.calls[0]?.[1];
    expect(init?.headers).toMatchObject({ "Accept-Language": "en-GB", "Content-Type": "application/json" });
    expect(init?.body).toBe('{"a":1}');
  });

  it("answer nothing for 204", async () => {
    answering(204, undefined);
    expect(await api.delete("/api/session")).toBeUndefined();
  });

  it("fail with the server's words and fields", async () => {
    answering(422, { error: { code: "invalid", message: "请检查输入", fields: { reason: "必填" } } });
    const error = await failing(api.post("/api/commands"));
    expect(error).toMatchObject({ status: 422, code: "invalid", message: "请检查输入", fields: { reason: "必填" } });
  });

  it("say how long to wait", async () => {
    answering(429, { error: { code: "too_many", message: "", fields: {} } }, { "Retry-After": "12" });
    expect((await failing(api.post("/api/session"))).retryAfter).toBe(12);
  });

  it("survive an answer that is not ours", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>", { status: 502 })));
    expect(await failing(api.get("/api/sites"))).toMatchObject({ status: 502, code: "http_502" });
  });

  it("have status 0 when nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    expect(await failing(api.get("/api/sites"))).toMatchObject({ status: 0 });
  });

  it("tell when the session has ended, but not when a password was wrong", async () => {
    const ended = vi.fn();
    whenUnauthorised(ended);
    answering(401, { error: { code: "unauthorized", message: "", fields: {} } });
    await failing(api.post("/api/session"));
    expect(ended).not.toHaveBeenCalled();
    await failing(api.get("/api/alarms"));
    expect(ended).toHaveBeenCalledOnce();
  });
});
