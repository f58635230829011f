// Only what is in sight or near it is drawn: a canvas that was drawn costs a browser without a graphics card 1 ms again
// in every frame in which the page changes, and a comparison has fifty.

import { inksOf } from "../shared/drawing.js";

const NEAR = { rootMargin: "50%", scrollMargin: "50%" }; // of the window

// `drawPart(part, inks)` draws one; `drawn()` is called when all in sight are.
export class Sight {
  constructor(place, drawPart, drawn) {
    Object.assign(this, { place, drawPart, drawn, parts: new Map() });
    this.observer = new IntersectionObserver((entries) => this.sighted(entries), NEAR);
  }

  // Parts, each with its canvas, take the place of the earlier ones.
  watch(parts) {
    this.parts = new Map(parts.map((part) => [part.canvas, part]));
    this.observer.disconnect();
    for (const canvas of this.parts.keys()) this.observer.observe(canvas);
  }

  sighted(entries) {
    const known = entries.filter(({ target }) => this.parts.has(target));
    for (const { target, isIntersecting } of known) this.parts.get(target).near = isIntersecting;
    this.drawSome(({ near }) => near);
  }

  // At most once a frame: what is in sight; in the next frame what is near, and the rest when it comes near.
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      cancelAnimationFrame(this.later);
      // All sizes before all drawing: reading one after a canvas has changed costs a layout of the page.
      for (const part of this.parts.values()) {
        const { top, bottom } = part.canvas.getBoundingClientRect();
        part.inSight = bottom > 0 && top < window.innerHeight;
        part.width = part.canvas.clientWidth;
        part.height = part.canvas.clientHeight;
        part.stale = true;
      }
      this.drawSome(({ inSight }) => inSight);
      this.drawn();
      this.later = requestAnimationFrame(() => this.drawSome(({ near }) => near));
    });
  }

  // Draw the parts that `wanted` holds for, unless they are up to date.
  drawSome(wanted) {
    const parts = [...this.parts.values()].filter((part) => part.stale && wanted(part));
    if (!parts.length) return;
    this.inks = inksOf(this.place);
    for (const part of parts) {
      part.stale = false;
      if (part.width && part.height) this.drawPart(part, this.inks);
    }
  }

  // Every run of the page shows its message again; then only a change of the theme asks for other pixels.
  retint() {
    cancelAnimationFrame(this.tint);
    this.tint = requestAnimationFrame(() => {
      const inks = inksOf(this.place);
      if (this.inks && Object.keys(inks).some((name) => inks[name] !== this.inks[name])) this.draw();
    });
  }

  close() {
    this.observer.disconnect();
    for (const frame of [this.frame, this.later, this.tint]) cancelAnimationFrame(frame);
  }
}
