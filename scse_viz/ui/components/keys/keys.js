// Keys of the whole page: what is pressed while no field, slider or grid of maps has the focus goes to the server.

const BUSY = [
  "input", "textarea", "select", "[contenteditable=true]", ".grid", "canvas[tabindex]", "dialog", "[role=dialog]",
  ...["slider", "combobox", "listbox", "menu", "radiogroup", "tablist", "grid", "toolbar"].map((role) => `[role=${role}]`),
].join(",");
const PATIENCE_MS = 5000;
const listeners = new WeakMap();
const live = []; // of two that want a key, the page's later one has it

export class Listener {
  constructor() {
    this.presses = []; // [number, key] of those that the server has not answered yet; numbers rise
    this.sent = 0;
    this.stop = new AbortController();
    live.push(this);
    document.addEventListener("keydown", (event) => this.press(event), { signal: this.stop.signal });
  }

  press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanting = live.filter((listener) => listener.keys?.includes(event.key));
    if (wanting.sort((one, other) => one.order - other.order).at(-1) !== this) return;
    // The path and not the target: a focus inside a component is hidden from the document.
    if (event.composedPath().some((place) => place.matches?.(BUSY))) return;
    event.preventDefault();
    this.presses.push([Math.max(this.sent + 1, (this.presses.at(-1)?.[0] ?? 0) + 1, Date.now()), event.key]);
    if (!this.waits) this.send();
  }

  // One message at a time: what is pressed while a page runs waits until it has, for the widgets still have old values.
  send() {
    this.sent = this.presses.at(-1)[0];
    this.waits = setTimeout(() => this.answered(this.sent), PATIENCE_MS);
    this.report("presses", [...this.presses]);
  }

  answered(number) {
    if (number < this.sent) return;
    clearTimeout(this.waits);
    this.waits = 0;
    this.presses = this.presses.filter(([press]) => press > number);
    if (this.presses.length) this.send();
  }
}

export default function keys({ data, parentElement, setStateValue }) {
  const listener = listeners.get(parentElement) ?? new Listener();
  listeners.set(parentElement, listener);
  Object.assign(listener, { keys: data.keys, order: data.order, report: setStateValue });
  if (listener.waits) listener.answered(data.handled);
  return () => {
    listeners.delete(parentElement);
    listener.stop.abort();
    live.splice(live.indexOf(listener), 1);
    clearTimeout(listener.waits);
  };
}
