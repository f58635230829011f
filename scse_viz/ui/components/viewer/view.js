// The scan with what a network made of it, in three linked planes and in space; NiiVue draws it, on the graphics card.

import { bytesOf, CONTROLS, labelTable, library, mapTable, part } from "./parts.js";
import { amount, crosshairText, cutDepth, CUTS, keyStep, toScan } from "./readings.js";

const NO_WEBGL = "This browser offers no WebGL2, which the linked planes and the 3-D view need; all else on this page works without it.";
const DRAGS = { contrast: 1, pan: 3 }; // NiiVue's numbers for what dragging does
const RESTED_MS = 300;

export class VolumeViewer {
  constructor(root, data) {
    this.root = root;
    this.images = new Map();
    this.display = { ...data.display };
    this.place = document.createElement("div");
    this.place.className = "solid";
    root.append(this.place);
    if (document.createElement("canvas").getContext("webgl2")) this.build();
    else this.place.innerHTML = `<div class="sorry">${NO_WEBGL}</div>`;
    // What nobody sees is not drawn: without a graphics card a picture takes most of a second.
    this.watch = new IntersectionObserver(([{ isIntersecting }]) => {
      this.visible = isIntersecting;
      if (isIntersecting && this.data) this.update();
    });
    this.watch.observe(this.place);
  }

  build() {
    this.place.innerHTML = CONTROLS;
    this.canvas = this.place.querySelector("canvas");
    for (const input of this.place.querySelectorAll("[name]")) {
      const kind = input.type === "checkbox" ? "checked" : "value";
      input[kind] = this.display[input.name];
      input.oninput = () => {
        this.display[input.name] = input.type === "range" ? Number(input.value) : input[kind];
        this.change(input.name);
        clearTimeout(this.keeping);
        this.keeping = setTimeout(() => this.keep("display", { ...this.display }), RESTED_MS);
      };
    }
  }

  show(data) {
    this.data = data;
    if (this.visible) this.update();
  }

  async update() {
    const { data } = this;
    if (data === this.drawn) this.nv.drawScene();
    if (!this.canvas || data === this.coming) return;
    this.coming = data;
    const { Niivue, NVImage } = await library(data.library);
    this.starting ??= this.start(Niivue);
    await this.starting;
    const images = await Promise.all(data.layers.map((layer) => this.image(NVImage, layer)));
    if (data !== this.data || this.closed) return; // something newer came meanwhile
    this.images = new Map(data.layers.map((layer, at) => [layer.part, images[at]]));
    this.layers = Object.fromEntries(data.layers.map(({ kind }, at) => [kind, images[at]]));
    const names = data.layers.map((layer) => layer.part).join();
    this.canvas.setAttribute("aria-label", data.alt);
    this.nv.opts.isOrientationTextVisible = data.oriented;
    if (names !== this.shown) {
      this.shown = names;
      this.nv.volumes = images;
      this.apply();
      this.nv.setVolume(images[0], 0);
      this.nv.setInterpolation(!this.display.smooth);
    }
    if (data.radiological !== this.nv.getRadiologicalConvention()) this.nv.setRadiologicalConvention(data.radiological);
    this.place.querySelector(".convention").textContent = data.convention;
    // The same voxel of another scan lies elsewhere.
    const moved = data.voxel.join() !== this.voxel?.join() || data.layers[0].part !== this.drawn?.layers[0].part;
    this.drawn = data;
    this.legend();
    if (moved) this.move(data.voxel);
    else this.nv.createOnLocationChange();
    this.change("show");
    this.place.querySelector(".wait").hidden = true;
    this.place.dataset.drawn = names;
  }

  async start(Niivue) {
    const nv = new Niivue({
      logLevel: "error", dragAndDropEnabled: false, show3Dcrosshair: true, dragMode: DRAGS.pan,
      crosshairColor: [1, 1, 1, 0.7], crosshairWidth: 0.4, crosshairWidthUnit: "percent", crosshairGap: 10,
      showAllOrientationMarkers: true, backColor: [0, 0, 0, 1], fontColor: [1, 1, 1, 1], multiplanarLayout: 2,
      multiplanarShowRender: 1, clipPlaneColor: [0, 0, 0, 0],
      clipPlaneHotKey: "", cycleClipPlaneHotKey: "", viewModeHotKey: "", loadingText: "", multiplanarForceRender: true,
      isForceMouseClickToVoxelCenters: true, tileMargin: 2, isClipAllVolumes: true,
    });
    nv.onLocationChange = (place) => this.moved(place);
    const draw = nv.drawScene.bind(nv);
    nv.drawScene = () => (this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.closed && this.visible) draw();
    })); // many changes, one picture
    await nv.attachToCanvas(this.canvas);
    this.nv = nv;
    const info = nv.gl.getExtension("WEBGL_debug_renderer_info");
    const renderer = info ? nv.gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
    if (/swiftshader|llvmpipe|software/i.test(renderer)) this.place.querySelector(".slow").hidden = false;
    for (const event of ["mouseup", "touchend", "keyup", "wheel"]) {
      this.canvas.addEventListener(event, () => this.rested(), { passive: true });
    }
    this.canvas.addEventListener("keydown", (event) => this.key(event), { capture: true });
    this.canvas.parentElement.addEventListener("wheel", (event) => this.wheel(event), { capture: true, passive: false });
  }

  async image(NVImage, layer) {
    if (this.images.has(layer.part)) return this.images.get(layer.part);
    const image = await NVImage.loadFromUrl({
      url: (await part(layer.part)).slice(0), name: `${layer.kind}.nii`, colormap: "gray", cal_min: 0, cal_max: 255,
    });
    if (layer.kind === "labels") image.setColormapLabel(labelTable(this.data.structures));
    return image;
  }

  // Opacities and colours, from the display to the volumes. They are set under the names that NiiVue keeps to itself:
  // each of its setters uploads the volumes again, and one of `updateGLVolume` is enough for all.
  apply() {
    const { scan, map, labels } = this.layers;
    scan._opacity = this.display.scan / 100;
    this.nv.backgroundMasksOverlays = this.display.masked ? 1 : 0;
    if (labels) labels._opacity = this.display.labels / 100;
    if (!map) return;
    map._opacity = this.display.map / 100;
    // Under a name of its own each time: NiiVue keeps colours by name.
    const name = `scse-${this.data.map.scale}-${this.display.since}`;
    this.nv.addColormap(name, mapTable(this.data.map.colours, this.display.since));
    map._colormap = name;
  }

  change(name) {
    for (const input of this.place.querySelectorAll("input[type=range]")) {
      const value = this.display[input.name];
      input.nextElementSibling.textContent = input.name === "since" && this.data?.map ? amount(value / 100, this.data.map.span) : `${value}%`;
    }
    if (!this.nv || !this.layers) return;
    if (["scan", "map", "labels", "since", "masked"].includes(name)) {
      this.apply();
      this.nv.updateGLVolume();
    }
    if (name === "smooth") this.nv.setInterpolation(!this.display.smooth);
    if (name === "show") {
      const types = { axial: 0, coronal: 1, sagittal: 2, all: 3, "3d": 4 };
      if (this.nv.opts.sliceType !== types[this.display.show]) this.nv.setSliceType(types[this.display.show]);
    }
    if (name === "show" || name === "cut") this.cut();
  }

  // The cut goes through the crosshair: NiiVue measures it from the middle of the volume, half of a side is 0.5.
  cut() {
    if (!this.display.cut) return this.nv.setClipPlane([2, 0, 0]);
    const { azimuth, elevation } = CUTS[this.data.plane];
    return this.nv.setClipPlane([cutDepth(this.data.plane, this.nv.scene.crosshairPos), azimuth, elevation]);
  }

  move(voxel) {
    this.voxel = voxel;
    const { steps } = this.data;
    this.nv.scene.crosshairPos = this.nv.vox2frac(voxel.map((place, axis) => Math.round(place / steps[axis])));
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  // The crosshair moved, by a hand or by the page: say what is there.
  moved({ vox, values }) {
    this.here = toScan(vox, this.data);
    this.place.querySelector(".place").textContent = crosshairText(this.here, values, this.data);
  }

  // The server hears of a new place once the hand has rested.
  rested() {
    this.nv.opts.dragMode = DRAGS.pan;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (this.display.cut) this.cut();
      if (!this.here || this.here.join() === this.voxel?.join()) return;
      this.voxel = this.here;
      this.send("picked", this.here);
    }, RESTED_MS);
  }

  // The wheel scrolls the page until the viewer was clicked; then it goes through slices, zooms with Ctrl, and zooms the
  // head. NiiVue would take it in any case: it asks the document for the focus, which knows of none in a shadow tree.
  wheel(event) {
    const { nv } = this;
    if (!nv || this.canvas.getRootNode().activeElement !== this.canvas) return event.stopPropagation();
    nv.opts.dragMode = event.ctrlKey || event.metaKey ? DRAGS.pan : DRAGS.contrast; // by which NiiVue zooms, or does not
    const { dpr } = nv.uiData;
    if (nv.inRenderTile(dpr * event.offsetX, dpr * event.offsetY) === -1) return undefined;
    event.preventDefault();
    event.stopPropagation(); // it would move the cut, which goes through the crosshair
    return nv.setScale(Math.min(4, Math.max(0.25, nv.scene.volScaleMultiplier * (event.deltaY < 0 ? 1.1 : 1 / 1.1))));
  }

  key(event) {
    const step = keyStep(event.key, this.data.radiological);
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.nv.moveCrosshairInVox(...step);
  }

  legend() {
    const figure = this.place.querySelector(".key figure");
    const { map, layers } = this.data;
    const has = (kind) => layers.some((layer) => layer.kind === kind);
    figure.hidden = !has("map");
    for (const [name, kind] of [["map", "map"], ["since", "map"], ["labels", "labels"], ["masked", "labels"]]) {
      this.place.querySelector(`[name=${name}]`).parentElement.hidden = !has(kind);
    }
    if (!map) return;
    const [caption, low, high] = figure.querySelectorAll("figcaption, span");
    caption.textContent = map.title;
    low.textContent = amount(0, map.span);
    high.textContent = amount(1, map.span);
    const rgb = bytesOf(map.colours);
    const stops = [];
    for (let i = 0; i < 256; i += 15) stops.push(`rgb(${rgb[3 * i]} ${rgb[3 * i + 1]} ${rgb[3 * i + 2]})`);
    figure.querySelector("i").style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }

  close() {
    this.closed = true;
    this.watch.disconnect();
    clearTimeout(this.rest);
    clearTimeout(this.keeping);
    this.nv?.cleanup();
    this.nv?.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.place.remove();
  }
}
