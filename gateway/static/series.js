/** A room's last minutes, a point a second: what the plot shows. Pure, and bounded. */

export const POINTS_MAX = 300;
const SPAN_MIN_S = 60; // a room that was just joined is not stretched over the whole plot

export class Series {
  times = []; // s, as the plot wants them
  viewers = []; // null where nobody told
  rates = []; // events per second

  push(nowMs, viewers, rate) {
    const now = nowMs / 1000;
    if (now <= this.times.at(-1)) return; // the clock was put right
    this.times.push(now);
    this.viewers.push(viewers);
    this.rates.push(rate);
    if (this.times.length > POINTS_MAX) for (const points of [this.times, this.viewers, this.rates]) points.shift();
  }

  /** From when to when, in s. */
  get span() {
    const last = this.times.at(-1) ?? 0;
    return [Math.min(this.times[0] ?? 0, last - SPAN_MIN_S), last];
  }
}

/** Round limits around values that are far from zero, so that small changes show and no line is at an edge. */
export function around(low, high) {
  if (!(low <= high)) return [0, 1];
  const room = Math.max((high - low) * 0.15, high * 0.01, 1);
  return [Math.max(0, Math.floor(low - room)), Math.ceil(high + room)];
}
