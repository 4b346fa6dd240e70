/** Tones for a guard who looks elsewhere. Made by the browser itself: nothing to download, nothing to block. */

import { computed, ref } from "vue";

import { preferences } from "@/kit/preferences";

type Tone = "alarm" | "blocked";

const TONES: Record<Tone, readonly [hertz: number, atS: number, lengthS: number][]> = {
  alarm: [
    [740, 0, 0.18],
    [587, 0.22, 0.28],
  ],
  blocked: [
    [880, 0, 0.14],
    [880, 0.2, 0.14],
    [880, 0.4, 0.14],
    [660, 0.6, 0.3],
  ],
};

let context: AudioContext | null = null;
const silent = ref(false);
const opened = ref(false);

/** The person wants sound, and the browser does not let it be heard until somebody has touched the page. */
export const soundBlocked = computed(() => preferences.sound && silent.value);

/** The page can be heard, and would be silent if it came anew by itself. */
export const soundRuns = computed(() => preferences.sound && opened.value);

/** Asks the browser for sound. Within a click or a key it says yes; before the first one it may not. */
export function openSound(): void {
  if (!preferences.sound) return;
  if (typeof AudioContext !== "function") {
    silent.value = true; // a browser without sound never rings, whatever the switch says
    return;
  }
  if (context === null) {
    context = new AudioContext();
    context.addEventListener("statechange", hear);
  }
  hear();
  // Never answered where it is forbidden: the state tells.
  context.resume().then(hear, hear);
}

function hear(): void {
  opened.value = context?.state === "running";
  silent.value = context !== null && !opened.value;
}

/** Plays a tone if the person wants sound and the browser allows it. What it holds back is not caught up on. */
export function play(tone: Tone): void {
  openSound();
  if (!preferences.sound || context?.state !== "running") return;
  for (const [hertz, at, length] of TONES[tone]) strike(context, hertz, context.currentTime + at, length);
}

function strike(audio: AudioContext, hertz: number, at: number, length: number): void {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = "triangle";
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(0.22, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + length + 0.05);
}
