/** The worker that holds the app, and the page that looks whether it holds the right one. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  document.head.replaceChildren();
});

describe("the worker", () => {
  it("answers for the app's pages, and for nothing that the servers answer themselves", async () => {
    const hears = new Map<string, (event: unknown) => void>();
    const location = { origin: "https://gatehouse.example" };
    vi.stubGlobal("self", { addEventListener: (name: string, hear: () => void) => hears.set(name, hear), location });
    vi.stubGlobal("RELEASE", "a");
    vi.stubGlobal("FILES", ["/index.html"]);
    vi.stubGlobal("caches", { open: () => Promise.resolve({ match: () => Promise.resolve(new Response("shell")) }) });
    await vi.importActual("../worker/offline");
    const answers = (path: string): boolean => {
      const respondWith = vi.fn();
      hears.get("fetch")?.({ request: { method: "GET", mode: "navigate", url: location.origin + path }, respondWith });
      return respondWith.mock.calls.length > 0;
    };
    for (const path of ["/", "/guard", "/tickets/7", "/documents"]) expect(answers(path), path).toBe(true);
    for (const path of ["/api/about", "/docs", "/docs/page.js", "/healthz", "/readyz", "/metrics", "/push/camera"])
      expect(answers(path), path).toBe(false);
  });

  it("knows all that the servers answer beside the interface", () => {
    const web = join(import.meta.dirname, "../..");
    const routes = ["app.py", "reference/__init__.py"].flatMap((file) => [
      ...readFileSync(join(web, file), "utf8").matchAll(/@router\.get\("\/([^/"]+)/g),
    ]);
    const own = /NOT_OURS = (.+);/.exec(readFileSync(join(web, "console/worker/offline.ts"), "utf8"))?.[1] ?? "";
    expect(routes.length).toBeGreaterThan(3);
    for (const [, first = ""] of routes) expect(own).toMatch(new RegExp(`[(|]${first}[|)]`));
  });
});

describe("the page", () => {
  type Registration = { installing: object | null; waiting: object | null; update: () => Promise<void>; unregister: () => Promise<boolean> };
  const registration: Registration = { installing: null, waiting: null, update: vi.fn(() => Promise.resolve()), unregister: vi.fn(() => Promise.resolve(true)) };
  let say: (event: unknown) => void;
  let served: string;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.resetModules();
    registration.installing = null;
    vi.mocked(registration.unregister).mockClear();
    served = "bbb";
    document.head.innerHTML = '<meta name="release" content="aaa">';
    vi.stubGlobal("navigator", {
      language: "zh",
      serviceWorker: {
        addEventListener: (_: string, hear: typeof say) => (say = hear),
        register: () => Promise.resolve(registration),
        getRegistration: () => Promise.resolve(registration),
      },
    });
    vi.stubGlobal("fetch", () =>
      served === "" ? Promise.reject(new TypeError()) : Promise.resolve(new Response(`<meta name="release" content="${served}"`)),
    );
  });

  async function opened() {
    const offline = await import("@/shell/offline");
    offline.holdOffline();
    await vi.advanceTimersByTimeAsync(5000);
    return offline;
  }

  it("finds a newer release that its worker could not fetch, or was not heard of, and lets the old worker go", async () => {
    const { outdated, letOldGo } = await opened();
    expect(outdated.value).toBe(true);
    await letOldGo();
    expect(registration.unregister).toHaveBeenCalledOnce();
  });

  it.each<[string, () => void]>([
    ["a newer one is on its way", () => (registration.installing = {})],
    ["a newer one holds all", () => say({ data: { release: "bbb" } })],
    ["the server is away", () => (served = "")],
    ["the server has none that is newer", () => (served = "aaa")],
  ])("leaves the worker where %s", async (_, given) => {
    const { letOldGo } = await opened();
    given();
    await letOldGo();
    expect(registration.unregister).not.toHaveBeenCalled();
  });

  it("waits for a newer worker to say that it holds all", async () => {
    registration.installing = {};
    const { outdated } = await opened();
    expect(outdated.value).toBe(false);
    say({ data: { release: "bbb" } });
    expect(outdated.value).toBe(true);
  });
});
