import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { api, whenProofNeeded } from "@/api/client";
import SecondFactor from "@/areas/accounts/SecondFactor.vue";
import SessionList from "@/areas/accounts/SessionList.vue";
import QrCode from "@/kit/QrCode.vue";
import ProofDialog from "@/shell/ProofDialog.vue";
import SignIn from "@/shell/SignIn.vue";
import { proveAgain, proving } from "@/shell/stores/proving";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { at, mount, server, settled, type } from "./mounting";

const PROVE = { status: 403, body: { error: { code: "prove", message: "请再次输入密码", fields: {} } } };
const invalid = (field: string, text: string) => ({
  status: 422,
  body: { error: { code: "invalid", message: "请检查输入", fields: { [field]: text } } },
});

let leave = (): void => undefined;

beforeEach(() => whenProofNeeded(proveAgain));
afterEach(() => {
  leave();
  leave = () => undefined;
  proving.value?.(false);
  session.user = null;
  vi.unstubAllGlobals();
});

describe("a sensitive change", () => {
  it("asks for the password and is then asked again by itself", async () => {
    let proven = false;
    const asked = server(({ path, body }) => {
      if (path === "/api/self/confirm") {
        const right = (body as { password: string }).password === "right";
        proven ||= right;
        return right ? { status: 204 } : invalid("password", "密码错误");
      }
      return proven ? { status: 200, body: { id: "a" } } : PROVE;
    });
    leave = mount(ProofDialog);
    const change = api.put("/api/accounts/a", { role: "admin" }, 7);
    await vi.waitFor(() => at(T.proofPassword));
    await type(at(T.proofPassword), "wrong");
    await settled();
    at(T.proofSend).click();
    await vi.waitFor(() => expect(document.body.textContent).toContain("密码错误"));
    await type(at(T.proofPassword), "right");
    await settled();
    at(T.proofSend).click();
    expect(await change).toEqual({ id: "a" });
    const changes = asked.filter(({ path }) => path === "/api/accounts/a");
    expect(changes).toHaveLength(2);
    // And it is still about the version that was seen.
    expect(changes.map(({ headers }) => headers["If-Match"])).toEqual(['"7"', '"7"']);
  });

  it("asks for the code where the account has a second factor", async () => {
    let proof: unknown = null;
    server(({ path, body }) => {
      if (path !== "/api/self/confirm") return proof ? { status: 204 } : PROVE;
      if ((body as { code: string }).code === "") return invalid("code", "请输入动态验证码");
      proof = body;
      return { status: 204 };
    });
    leave = mount(ProofDialog);
    const change = api.delete("/api/accounts/a");
    await vi.waitFor(() => at(T.proofPassword));
    await type(at(T.proofPassword), "right");
    await settled();
    at(T.proofSend).click();
    await vi.waitFor(() => at(T.proofCode));
    await type(at(T.proofCode), "123456");
    await settled();
    at(T.proofSend).click();
    await change;
    expect(proof).toEqual({ password: "right", code: "123456" });
  });

  it("stays undone if the person thinks better of it", async () => {
    const asked = server(() => PROVE);
    const change = api.delete("/api/accounts/a");
    await vi.waitFor(() => expect(proving.value).not.toBeNull());
    proving.value?.(false);
    await expect(change).rejects.toMatchObject({ code: "prove" });
    expect(asked).toHaveLength(1);
  });
});

describe("signing in with a second factor", () => {
  it("asks for the code only when the password was right", async () => {
    const asked = server(({ path, body }) => {
      if (path !== "/api/session") return { status: 200, body: {} };
      const { code } = body as { code?: string };
      if (!code) return { status: 401, body: { error: { code: "code_needed", message: "", fields: {} } } };
      if (code !== "123456") return { status: 401, body: { error: { code: "wrong_code", message: "", fields: {} } } };
      return { status: 200, body: { user: { id: "u", language: "zh" }, weak_password: true } };
    });
    leave = mount(SignIn);
    await type(at(T.username), "root");
    await type(at(T.password), "right");
    await settled();
    at(T.signInSubmit).closest("form")?.requestSubmit();
    await vi.waitFor(() => at(T.signInCode));
    await type(at(T.signInCode), "000000");
    await settled();
    at(T.signInSubmit).closest("form")?.requestSubmit();
    await vi.waitFor(() => expect(at(T.signInError).textContent).toContain("验证码不正确"));
    await type(at(T.signInCode), "123456");
    await settled();
    at(T.signInSubmit).closest("form")?.requestSubmit();
    await vi.waitFor(() => expect(session.user).not.toBeNull());
    expect(session.weakPassword).toBe(true);
    expect(asked[0]?.body).toEqual({ username: "root", password: "right" });
  });
});

describe("one's own account", () => {
  it("shows where one is signed in and ends what one does not know", async () => {
    let items = [
      { id: "a", device: "Chrome · Windows", address: "192.0.2.1", this: true },
      { id: "b", device: "", address: "198.51.100.9", this: false },
    ].map((item) => ({ ...item, opened_at: "2026-11-30T01:00:00.000Z", seen_at: "2026-11-30T02:00:00.000Z" }));
    const asked = server(({ method, path }) => {
      if (method === "DELETE") items = items.filter(({ id }) => !path.endsWith(`/${id}`));
      return method === "DELETE" ? { status: 204 } : { status: 200, body: { items } };
    });
    leave = mount(SessionList);
    await vi.waitFor(() => at(T.session("b")));
    expect(at(T.session("b")).textContent).toContain("未知设备");
    at(T.sessionEnd("b")).click();
    await vi.waitFor(() => expect(document.querySelector(`[data-testid="${T.session("b")}"]`)).toBeNull());
    expect(asked.some(({ method, path }) => method === "DELETE" && path === "/api/self/sessions/b")).toBe(true);
  });

  it("shows the secret as a QR code, and the recovery codes once", async () => {
    let on = false;
    const secret = { secret: "GEZD GNBV", address: "otpauth://totp/Gatehouse%3Aroot?secret=GEZDGNBV&issuer=Gatehouse" };
    server(({ method, path }) => {
      if (path.endsWith("/confirm")) on = true;
      if (path.endsWith("/confirm")) return { status: 200, body: { codes: ["abcd-efgh-jkmn"] } };
      if (method === "POST") return { status: 200, body: secret };
      return { status: 200, body: { on, since: on ? "2026-11-30T01:00:00.000Z" : null, recovery_left: on ? 1 : 0 } };
    });
    leave = mount(SecondFactor);
    await vi.waitFor(() => at(T.factorBegin));
    at(T.factorBegin).click();
    await vi.waitFor(() => expect(at(T.factorSecret).textContent).toBe("GEZD GNBV"));
    expect(document.querySelector("svg[role=img] .ink")?.getAttribute("d")).toMatch(/^M4 4h1v1h-1z/);
    await type(at(T.factorCode), "123456");
    await settled();
    at(T.factorSend).click();
    await vi.waitFor(() => expect(at(T.recoveryCodes).textContent).toContain("abcd-efgh-jkmn"));
  });

  it("draws a code with its quiet edge", () => {
    leave = mount(QrCode, { text: "otpauth://x", label: "x" });
    const box = document.querySelector("svg")?.getAttribute("viewBox")?.split(" ").map(Number) ?? [];
    // 21 + 4·(version − 1) modules, four of quiet on each side.
    expect((Number(box[2]) - 8 - 21) % 4).toBe(0);
  });
});
