/** Tones for a guard who looks elsewhere. Made by the browser itself: nothing to download, nothing to block. */

import { preferences } from "@/stores/preferences";

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

/** Plays a tone if the person wants sound; a browser that forbids it until the first click stays silent. */
export function play(tone: Tone): void {
  if (!preferences.sound || typeof AudioContext !== "function") return;
  context ??= new AudioContext();
  void context.resume();
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
