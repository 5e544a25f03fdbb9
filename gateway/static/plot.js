/** A room's viewers and events per second as lines, drawn by uPlot (vendor/). */

import { number, timeOfDay, words } from "./language.js";
import { setText } from "./pieces.js";
import { around } from "./series.js";

const FONT = "11px system-ui, sans-serif";

export class Plot {
  #series; #figure; #keys; #at; #uplot; #sizes;

  /** @param figure of the page: a caption with two keys, in the colours of the two lines, and the place of the plot. */
  constructor(series, figure) {
    this.#series = series;
    this.#figure = figure;
    this.#keys = figure.querySelectorAll(".key");
    this.#at = figure.querySelector(".at");
    [...this.#keys].forEach((key, index) => key.append([words.stats.viewers, words.stats.rate][index]));
  }

  draw() {
    const { times, viewers, rates } = this.#series;
    if (times.length < 2) return;
    this.#uplot ??= this.#make();
    this.#uplot.setData([times, viewers, rates]);
    const label = words.plot(number(viewers.at(-1)), number(rates.at(-1)));
    if (this.#figure.ariaLabel !== label) this.#figure.ariaLabel = label;
  }

  /** The colours may have changed. */
  redraw() {
    this.#uplot?.redraw(false);
  }

  remove() {
    this.#sizes?.disconnect();
    this.#uplot?.destroy();
  }

  #make() {
    const place = this.#figure.querySelector(".canvas");
    // What a colour comes to in the present theme is known where it is used, and nowhere else.
    const colour = (element) => () => getComputedStyle(element).color;
    const axis = { stroke: colour(this.#figure), font: FONT, ticks: { show: false }, gap: 4 };
    const values = (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? number(tick) : ""));
    const line = (scale, key, more) => ({ scale, stroke: colour(key), width: 1.75, points: { show: false }, ...more });
    const uplot = new globalThis.uPlot({
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: () => this.#series.span },
        viewers: { range: (_, low, high) => around(low, high) },
        rate: { range: (_, low, high) => [0, Math.max(4, Math.ceil((high ?? 0) * 1.3))] },
      },
      series: [{}, line("viewers", this.#keys[0]), line("rate", this.#keys[1])],
      axes: [
        { ...axis, size: 18, space: 70, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => timeOfDay(tick * 1000)) },
        { ...axis, scale: "viewers", size: 44, space: 18, values, grid: { stroke: colour(this.#figure), width: 0.12 } },
        { ...axis, scale: "rate", side: 1, size: 30, space: 18, values, grid: { show: false } },
      ],
      hooks: { setCursor: [({ cursor: { idx } }) => this.#tell(idx)] },
    }, [[], [], []], place);
    this.#sizes = new ResizeObserver(() => {
      if (place.clientWidth) uplot.setSize({ width: place.clientWidth, height: place.clientHeight });
    });
    this.#sizes.observe(place);
    return uplot;
  }

  /** What the lines stand at, under the pointer. */
  #tell(index) {
    const { times, viewers, rates } = this.#series;
    const found = index !== null && index !== undefined && times[index] !== undefined;
    setText(this.#at, found ? `${timeOfDay(times[index] * 1000)} · ${number(viewers[index])} · ${number(rates[index])}` : "");
  }
}
