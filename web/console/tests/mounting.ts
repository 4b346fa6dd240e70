/** A component on a page, with texts and a server that a test plays. */

import { createApp, nextTick, type Component } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";
import { vi } from "vitest";

import { i18n } from "@/kit/i18n";

export interface Asked {
  method: string;
  path: string;
  body: unknown;
  headers: Record<string, string>;
}

/** Plays the server: `answer` says what a request gets. Returns what was asked. */
export function server(
  answer: (asked: Asked) => { status: number; body?: unknown; headers?: Record<string, string> },
): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => {
    const request = {
      method: init.method ?? "GET",
      path,
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
      headers: (init.headers ?? {}) as Record<string, string>,
    };
    asked.push(request);
    const { status, body, headers = {} } = answer(request);
    return Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers }));
  });
  return asked;
}

export function mount(component: Component, props: Record<string, unknown> = {}): () => void {
  return mounted(component, props).leave;
}

/** The same, with the router that its links and buttons lead through. */
export function mounted(component: Component, props: Record<string, unknown> = {}): { leave: () => void; router: Router } {
  const host = document.createElement("div");
  document.body.append(host);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: "/:rest(.*)*", component: { render: () => null } }],
  });
  const app = createApp(component, props).use(i18n).use(router);
  app.mount(host);
  const leave = (): void => {
    app.unmount();
    document.body.replaceChildren();
  };
  return { leave, router };
}

export function at<E extends HTMLElement = HTMLElement>(testid: string): E {
  const found = document.querySelector<E>(`[data-testid="${testid}"]`);
  if (!found) throw new Error(`no ${testid} in ${document.body.innerHTML.slice(0, 400)}`);
  return found;
}

/** Lets promises and the page settle. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await Promise.resolve();
    await nextTick();
  }
}

export async function type(field: HTMLElement, text: string): Promise<void> {
  const input = field as HTMLInputElement;
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
}
