/**
 * The small pieces that the page is made of.
 *
 * All that came over the wire is put in as text, never as markup, and only http(s) images are fetched.
 */

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function el(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Touches the page only when there is something new: what does not change costs no layout and is not read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  if (element.hidden !== (text === "")) element.hidden = text === "";
}

/** Calls `build` for the children of an element if the value it shows is another one than the last time. */
export function drawWhenNew(drawn, element, value, build) {
  if (drawn.has(element) && drawn.get(element) === value) return;
  drawn.set(element, value);
  element.replaceChildren(...build(value));
}

export function picture(url, className, text = "") {
  if (!/^https?:\/\//i.test(url)) return text;
  const image = el("img", className);
  Object.assign(image, { alt: text, decoding: "async", referrerPolicy: "no-referrer", src: url });
  image.addEventListener("error", () => image.replaceWith(text), { once: true });
  return image;
}

export const nameOf = (user) => user?.nickname || user?.unique_id || "?";

export function name(user) {
  const element = el("bdi", "name", nameOf(user));
  element.title = user?.unique_id ? `@${user.unique_id}` : "";
  return element;
}

/** A face; the first letter on a quiet colour of their own shows until it is loaded, and when there is none. */
export function avatar(user) {
  const element = el("span", "avatar", [...nameOf(user)][0].toUpperCase(), picture(user?.avatar ?? "", ""));
  const hue = [...(user?.id ?? "")].reduce((sum, digit) => (sum * 31 + digit.charCodeAt(0)) % 360, 7);
  element.style.setProperty("--hue", hue);
  element.ariaHidden = "true";
  return element;
}

export function bar(...shares) {
  return el("div", "bar", ...shares.map((share) => {
    const part = el("i");
    part.style.flexGrow = share;
    return part;
  }));
}

export function meter(label, value, part, whole) {
  const rest = whole > 0 ? Math.max(0, whole - part) : 1;
  return el("div", "meter", el("span", "text", label), el("span", "value", value), bar(part, rest));
}
