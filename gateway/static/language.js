/** The language of this page: the one its address names, or the reader's. Words and numbers as it writes them. */

import { pickLanguage, wordsIn } from "./words.js";

const named = new URLSearchParams(location.search).get("lang") ?? "";

export const language = pickLanguage([named, ...navigator.languages]);
export const words = wordsIn(language);

const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

/** Short enough for its place; a dash for what is not known. */
export const number = (value) => (value === null ? "–" : Math.abs(value) < 10_000 ? exact.format(value) : short.format(value));

const span = (unit) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 });
const [ms, s] = [span("millisecond"), span("second")];
export const duration = (value) => (value === null ? "–" : value < 1000 ? ms.format(Math.round(value)) : s.format(value / 1000));

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
export const timeOfDay = (value) => clock.format(value);
