import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import EntryFeed from "@/areas/guard/EntryFeed.vue";
import { fold } from "@/live/fold";
import CommandTray from "@/shell/CommandTray.vue";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import SignIn from "@/shell/SignIn.vue";
import { askWhy, question } from "@/shell/stores/asking";
import { follow, shownCommands, dismiss } from "@/shell/stores/commands";
import { live, stopWatching } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { access } from "./items";
import { at, mount, server, settled, type } from "./mounting";

let leave = (): void => undefined;

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
afterEach(() => {
  leave();
  question.value = null;
  for (const command of shownCommands.value) dismiss(command.id);
  stopWatching();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("opening by hand", () => {
  const COMMAND = { id: "c-1", site: "demo", target: "gate-in", kind: "barrier.open", reason: "", state: "asked" };

  async function open(): Promise<void> {
    leave = mount(ReasonDialog);
    askWhy({ opening: "open", site: "demo", target: "gate-in" });
    await settled();
  }

  function press(key: string): void {
    at(T.askDialog).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  }

  it("asks for nothing without a reason", async () => {
    const asked = server(() => ({ status: 202, body: COMMAND }));
    await open();
    expect(at<HTMLButtonElement>(T.askSend).disabled).toBe(true);
    press("Enter");
    await settled();
    expect(asked).toEqual([]);
    expect(at(T.askError).textContent).toBe("必须填写原因");
  });

  it("takes a digit for a reason and Enter for yes", async () => {
    const asked = server(() => ({ status: 202, body: COMMAND }));
    await open();
    press("2");
    await settled();
    expect(at(T.askReason(2)).getAttribute("aria-checked")).toBe("true");
    press("Enter");
    await settled();
    expect(asked).toMatchObject([
      {
        method: "POST",
        path: "/api/commands",
        body: { site: "demo", target: "gate-in", kind: "barrier.open", reason: "访客已登记", ttl_s: 15 },
      },
    ]);
    expect(shownCommands.value).toMatchObject([{ id: "c-1", state: "asked" }]);
  });

  it("prefers what was written over what was picked", async () => {
    const asked = server(() => ({ status: 202, body: COMMAND }));
    await open();
    press("1");
    await type(at(T.askFree), "12 栋搬家");
    at(T.askSend).click();
    await settled();
    expect(asked[0]?.body).toMatchObject({ reason: "12 栋搬家" });
  });

  it("stays open and says why it was refused", async () => {
    server(() => ({ status: 403, body: { error: { code: "forbidden", message: "没有权限", fields: {} } } }));
    await open();
    press("1");
    await settled();
    at(T.askSend).click();
    await settled();
    expect(at(T.askError).textContent).toBe("没有权限");
    expect(shownCommands.value).toEqual([]);
  });
});

describe("commands on their way", () => {
  const say = (state: string, more = {}) => {
    fold(live, {
      type: "state",
      state: { kind: "command", command: "barrier.open", id: "c-1", site: "demo", target: "gate-in", state, ...more },
    });
    return settled();
  };

  it("are followed through the stream until they end", async () => {
    server(() => ({ status: 404 }));
    leave = mount(CommandTray);
    follow({ id: "c-1", site: "demo", target: "gate-in", kind: "barrier.open", reason: "x", state: "asked" });
    await settled();
    expect(at(T.command).dataset).toMatchObject({ state: "asked", kind: "barrier.open", target: "gate-in" });
    await say("sent");
    expect(at(T.command).dataset.state).toBe("sent");
    await say("failed", { result: { why: { zh: "道闸没有应答", en: "No answer" } } });
    expect(at(T.command).dataset.state).toBe("failed");
    expect(at(T.command).textContent).toContain("道闸没有应答");
    await say("sent");
    expect(at(T.command).dataset.state).toBe("failed");
  });

  it("are asked for once when the stream said nothing by their end", async () => {
    const asked = server(() => ({ status: 200, body: { id: "c-2", state: "expired", result: null } }));
    follow({
      id: "c-2",
      site: "demo",
      target: "gate-in",
      kind: "barrier.open",
      reason: "x",
      state: "asked",
      ttl_s: 15,
    });
    await vi.advanceTimersByTimeAsync(18_000);
    expect(asked.map((request) => request.path)).toEqual(["/api/commands/c-2"]);
    expect(shownCommands.value).toMatchObject([{ state: "expired" }]);
  });
});

describe("the entry feed", () => {
  const rows = () =>
    [...document.querySelectorAll<HTMLElement>(`[data-testid="${T.entry}"]`)].map((row) => row.dataset.seq);

  it("shows the newest first and stands still while somebody reads further down", async () => {
    server(() => ({ status: 200, body: { items: [], next: null } }));
    fold(live, { type: "events", events: [access(1), access(2)] });
    leave = mount(EntryFeed, { picked: null });
    await settled();
    expect(rows()).toEqual(["2", "1"]);

    const box = document.querySelector<HTMLElement>(".box");
    if (!box) throw new Error("no list");
    box.scrollTop = 300;
    box.dispatchEvent(new Event("scroll"));
    fold(live, { type: "events", events: [access(3), access(4)] });
    await settled();
    expect(rows()).toEqual(["2", "1"]);
    expect(at(T.feedNewer).textContent).toContain("2 条新动态");

    box.scrollTop = 0;
    at(T.feedNewer).click();
    await settled();
    expect(rows()).toEqual(["4", "3", "2", "1"]);
  });

  it("is one stop for Tab, and is walked with the arrows", async () => {
    server(() => ({ status: 200, body: { items: [], next: null } }));
    fold(live, { type: "events", events: [access(1), access(2), access(3)] });
    leave = mount(EntryFeed, { picked: null });
    await settled();
    const buttons = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".row")];
    const stops = (): number[] => buttons().map((button) => button.tabIndex);
    const press = (key: string): void =>
      void document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    expect(stops()).toEqual([0, -1, -1]);
    buttons()[0]?.focus();
    press("ArrowDown");
    press("ArrowDown");
    press("ArrowDown");
    press("ArrowUp");
    await settled();
    expect(document.activeElement).toBe(buttons()[1]);
    expect(stops()).toEqual([-1, 0, -1]);
  });

  it("shows what is asked for only", async () => {
    server(() => ({ status: 200, body: { items: [], next: null } }));
    fold(live, { type: "events", events: [access(1), access(2, { kind: "access.denied" })] });
    leave = mount(EntryFeed, { picked: null });
    at(T.feedFilter("refused")).click();
    await settled();
    expect(rows()).toEqual(["2"]);
  });
});

describe("signing in", () => {
  const ABOUT = {
    server: "hub",
    site: null,
    version: "1",
    hub_connected: null,
    working_alone_since: null,
    backlog: null,
  };

  async function submit(): Promise<void> {
    await type(at(T.username), "guard");
    await type(at(T.password), "secret");
    at(T.signInSubmit)
      .closest("form")
      ?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await settled();
  }

  beforeEach(() => {
    session.user = null;
    session.ended = false;
  });

  it("says that the password was wrong, and forgets it", async () => {
    server(() => ({ status: 401, body: { error: { code: "wrong_credentials", message: "", fields: {} } } }));
    leave = mount(SignIn);
    await submit();
    expect(at(T.signInError).textContent).toContain("用户名或密码不正确");
    expect(at<HTMLInputElement>(T.password).value).toBe("");
  });

  it("counts down after too many attempts", async () => {
    server(() => ({
      status: 429,
      body: { error: { code: "too_many", message: "", fields: {} } },
      headers: { "Retry-After": "9" },
    }));
    leave = mount(SignIn);
    await submit();
    expect(at(T.signInError).textContent).toContain("9 秒后");
    expect(at<HTMLButtonElement>(T.signInSubmit).disabled).toBe(true);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(at(T.signInError).textContent).toContain("6 秒后");
    await vi.advanceTimersByTimeAsync(7_000);
    await settled();
    expect(at<HTMLButtonElement>(T.signInSubmit).disabled).toBe(false);
  });

  it("lets in", async () => {
    const user = { id: "u", username: "guard", name: "刘师傅", role: "guard", language: "zh", sites: ["demo"] };
    server((asked) => ({ status: 200, body: asked.path === "/api/about" ? ABOUT : { token: "t", user } }));
    leave = mount(SignIn);
    await submit();
    expect(session.user?.name).toBe("刘师傅");
  });
});
