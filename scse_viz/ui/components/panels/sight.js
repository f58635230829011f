// Drawing, and only what is in sight or near it: a canvas that was drawn costs a browser without a graphics card 1 ms
// again in every frame in which the page changes, and a comparison has fifty.

const INKS = ["text", "faded", "line", "bar"]; // colours of the theme that are drawn, and not styled
const NEAR = { rootMargin: "50%", scrollMargin: "50%" }; // of the window

Object.assign(PanelsView.prototype, {
  // Tell of the panels and strips that `fill` has made when they come near.
  look() {
    this.parts = new Map([...this.panels, ...this.strips].map((part) => [part.canvas, part]));
    this.sight ??= new IntersectionObserver((entries) => this.sighted(entries), NEAR);
    this.sight.disconnect();
    for (const canvas of this.parts.keys()) this.sight.observe(canvas);
  },

  sighted(entries) {
    const known = entries.filter(({ target }) => this.parts.has(target));
    for (const { target, isIntersecting } of known) this.parts.get(target).near = isIntersecting;
    this.drawSome(({ near }) => near);
  },

  // Once a frame at most: what is in sight, in the next frame what is near, and all else when it comes near.
  draw() {
    if (this.frame || !this.grid) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      cancelAnimationFrame(this.later);
      // All sizes before all drawing: to ask for one after a canvas has changed costs a layout of the page.
      for (const part of this.parts.values()) {
        const { top, bottom } = part.canvas.getBoundingClientRect();
        part.inSight = bottom > 0 && top < window.innerHeight;
        part.width = part.canvas.clientWidth;
        part.height = part.canvas.clientHeight;
        part.stale = true;
      }
      this.drawSome(({ inSight }) => inSight);
      this.read();
      this.place.dataset.drawn = this.shownSlice;
      this.later = requestAnimationFrame(() => this.drawSome(({ near }) => near));
    });
  },

  // Those for which something holds, unless they are drawn already.
  drawSome(wanted) {
    const parts = [...this.parts.values()].filter((part) => part.stale && wanted(part));
    if (!parts.length) return;
    this.inks = this.colours();
    for (const part of parts) {
      part.stale = false;
      if (part.order) this.drawStrip(part, this.inks);
      else drawPanel(part, this);
    }
  },

  drawStrip(strip, colours) {
    const { channels } = strip.cell;
    if (this.display.sorted) strip.order.sort((one, other) => channels[one] - channels[other] || one - other);
    else strip.order.sort((one, other) => one - other);
    drawChannels(strip, strip.order.map((channel) => channels[channel]), colours, strip.picked);
  },

  // Every run of the page shows its message again; only a change of the theme asks for other pixels then.
  retint() {
    cancelAnimationFrame(this.tint);
    this.tint = requestAnimationFrame(() => {
      const colours = this.colours();
      if (this.inks && INKS.some((name) => colours[name] !== this.inks[name])) this.draw();
    });
  },

  colours() {
    const style = getComputedStyle(this.place);
    return Object.fromEntries(INKS.map((name) => [name, style.getPropertyValue(`--${name}`)]));
  },
});
